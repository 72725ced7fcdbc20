//! Reading a measurement CSV.
//!
//! Nothing is skipped unasked: every row that cannot be used is reported with line and
//! column, and nothing is returned unless all rows are good or bad ones may be left out.

use std::path::Path;

use super::{
    collect::{Content, collect},
    content::{Measurements, Unit},
    csv_columns::{Columns, LATENCIES},
    csv_row::{Cells, Row, read_row},
    noted::{Noted, problem, problem_at},
    options::ReadOptions,
    provenance,
};
use crate::{
    error::{Error, Problem, Result},
    io::read_text,
    stable_hash::short_id,
};

/// Reads a measurement CSV, plain or gzipped. The columns are described in `estimators/README.md`.
///
/// # Errors
/// The file cannot be read, a column is missing or unknown, there is no row, or rows cannot be used; all
/// problems are returned.
pub fn read_measurements(path: &Path) -> Result<Measurements> {
    read_measurements_with(path, &ReadOptions::default())
}

/// Reads a measurement CSV, plain or gzipped, as `options` say.
///
/// # Errors
/// As [`read_measurements`]; rows that cannot be used are none where they may be skipped.
pub fn read_measurements_with(path: &Path, options: &ReadOptions) -> Result<Measurements> {
    let mut measurements = parse_measurements_with(&path.display().to_string(), &read_text(path)?, options)?;
    measurements.provenance = provenance::beside(path, measurements.device.as_deref())?;
    Ok(measurements)
}

/// Reads a measurement CSV from `text`, which came from `file`.
///
/// # Errors
/// As [`read_measurements`].
pub fn parse_measurements(file: &str, text: &str) -> Result<Measurements> {
    parse_measurements_with(file, text, &ReadOptions::default())
}

/// Reads a measurement CSV from `text`, which came from `file`, as `options` say.
///
/// # Errors
/// As [`read_measurements_with`].
pub fn parse_measurements_with(file: &str, text: &str, options: &ReadOptions) -> Result<Measurements> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| broken(file, &error))?.clone();
    if header.is_empty() {
        return Err(problem(file, "an empty file", "a header line with columns").into());
    }
    let columns = Columns::read(file, &header, options)?;
    let noted = Noted::default();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(file, &error))?;
        if record.len() != header.len() {
            let line = record.position().map_or(0, |position| position.line() as usize);
            let expected = format!("{} cells, as many as the header has", header.len());
            let cells = record.len();
            let place = (line, cells.min(header.len()));
            noted.push(problem_at(file, place, format!("{cells} cells"), expected));
            continue;
        }
        rows.extend(read_row(&Cells { file, columns: &columns, record: &record, noted: &noted, options }));
    }
    if let Some(mixed) = mixed_columns(file, &rows) {
        noted.push(mixed);
        return Err(noted.into_error(file));
    }
    if rows.is_empty() && noted.count() == 0 {
        return Err(problem(file, "a header without rows", "one measurement a line").into());
    }
    let unit = [Unit::Microseconds, Unit::Milliseconds, Unit::Cycles, Unit::Target];
    let unit = unit[rows.first().map_or(0, |row| row.latency_column)];
    let hash = short_id(text.as_bytes());
    collect(Content { file, hash, unit, rows, noted, notes: columns.notes() }, options)
}

fn broken(file: &str, error: &csv::Error) -> Error {
    let line = error.position().map(|position| (position.line() as usize, 1));
    Problem { position: line, ..problem(file, error.to_string(), "a CSV file") }.into()
}

fn mixed_columns(file: &str, rows: &[Row]) -> Option<Problem> {
    let first = rows.first()?;
    let other = rows.iter().find(|row| row.latency_column != first.latency_column)?;
    let name = |row: &Row| LATENCIES.get(row.latency_column).copied().unwrap_or_default();
    let found = format!("latencies under {} (line {}) and under {}", name(first), first.line, name(other));
    Some(problem_at(file, (other.line, 1), found, "one unit throughout a file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "op,in_h,in_w,cin,cout,kernel,stride,network,layer,latency_us\n";

    fn said(rows: &str) -> String {
        parse_measurements("m.csv", &format!("{HEADER}{rows}")).unwrap_err().to_string()
    }

    #[test]
    fn every_bad_row_is_reported_with_line_and_column() {
        let said = said("conv2,8,8,4,4,3,1,,,5\nconv2d,0,8,4,4,3,1,,,5\nadd,8,8,4,4,1,1,,,NaN\n");
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[0].starts_with("m.csv:2:1: op: found conv2") && lines[0].contains("did you mean `conv2d`?")
        );
        assert!(lines[1].starts_with("m.csv:3:2: in_h: found 0"), "{said}");
        assert!(lines[2].starts_with("m.csv:4:10: latency_us: found NaN"), "{said}");
    }

    #[test]
    fn a_latency_must_be_above_zero_unless_a_compiler_merged_the_layer() {
        for latency in ["0", "-1", "inf", "", "fast"] {
            assert!(said(&format!("add,8,8,4,4,1,1,,,{latency}\n")).contains("m.csv:2:10"), "{latency}");
        }
        let merged = parse_measurements("m.csv", &format!("{HEADER}add,8,8,4,4,1,1,n,a,0\n")).unwrap();
        assert_eq!(merged.networks[0].layers[0].latency_us, 0.0);
    }

    #[test]
    fn a_file_without_rows_or_columns_is_refused() {
        assert!(said("").contains("a header without rows"));
        let said = |text| parse_measurements("m.csv", text).unwrap_err().to_string();
        assert!(said("").contains("an empty file"));
        assert!(said("op,cin\nadd,4\n").contains("no column `in_h`"));
        let header = HEADER.replace("latency_us", "latency_as");
        assert!(said(&header).contains("unknown column `latency_as`, expected `latency_us`"));
    }

    #[test]
    fn units_are_not_mixed() {
        let head = "op,in_h,in_w,cin,cout,kernel,stride,latency_us,latency_ms\n";
        let said =
            |rows: &str| parse_measurements("m.csv", &format!("{head}{rows}")).unwrap_err().to_string();
        assert!(said("add,8,8,4,4,1,1,5,5\n").contains("latency_us and latency_ms both filled"));
        assert!(said("add,8,8,4,4,1,1,5,\nadd,9,9,4,4,1,1,,5\n").contains("one unit throughout"));
        let milliseconds = parse_measurements("m.csv", &format!("{head}add,8,8,4,4,1,1,,5\n")).unwrap();
        assert_eq!(milliseconds.unit, Unit::Milliseconds);
        assert_eq!(milliseconds.isolated[0].latency_us, 5000.0);
    }

    #[test]
    fn repeats_become_their_median_and_nameless_layers_stay_apart() {
        let rows = "add,8,8,4,4,1,1,,,5\nadd,8,8,4,4,1,1,,,9\nadd,8,8,4,4,1,1,,,6\n";
        let repeats = parse_measurements("m.csv", &format!("{HEADER}{rows}")).unwrap();
        assert_eq!(repeats.isolated.len(), 1);
        assert_eq!(repeats.isolated[0].latency_us, 6.0);
        let rows = "add,8,8,4,4,1,1,n,,5\nadd,8,8,4,4,1,1,n,,9\n";
        let layers = parse_measurements("m.csv", &format!("{HEADER}{rows}")).unwrap();
        assert_eq!(layers.networks[0].layers.len(), 2);
    }

    #[test]
    fn a_block_row_becomes_its_operations() {
        let text = "op,in_h,in_w,cin,cout,kernel,stride,expansion,residual,cycles,clock_mhz\n\
                    ibn,8,8,16,16,3,1,6,1,500,250\nfused_ibn,8,8,16,16,3,1,6,0,500,250\n";
        let blocks = parse_measurements("m.csv", text).unwrap();
        let counts: Vec<usize> = blocks.isolated.iter().map(|row| row.operations.len()).collect();
        assert_eq!(counts, [4, 2]);
        assert_eq!(blocks.isolated[0].latency_us, 2.0);
    }
}
