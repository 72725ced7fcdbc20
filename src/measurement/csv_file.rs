//! Reading a measurement CSV.
//!
//! Nothing is skipped: every row that cannot be used is reported with line and
//! column, and nothing is returned unless all rows are good.

use std::{cell::RefCell, collections::HashMap, path::Path};

use super::{
    content::{Isolated, LayerTime, Measurements, Profile, Unit},
    csv_columns::{Columns, LATENCIES},
    csv_row::{Cells, Row, Subject, read_row},
    operation::Operation,
    provenance,
};
use crate::{
    error::{Error, Problem, Result},
    io::read_text,
    stable_hash::short_id,
};

/// More problems than this are counted, not listed.
const LISTED: usize = 50;

/// Reads a measurement CSV, plain or gzipped. The columns are described in `estimators/README.md`.
///
/// # Errors
/// The file cannot be read, a column is missing or unknown, there is no row, or rows cannot be used; all
/// problems are returned.
pub fn read_measurements(path: &Path) -> Result<Measurements> {
    let mut measurements = parse_measurements(&path.display().to_string(), &read_text(path)?)?;
    measurements.provenance = provenance::beside(path, measurements.device.as_deref())?;
    Ok(measurements)
}

/// Reads a measurement CSV from `text`, which came from `file`.
///
/// # Errors
/// As [`read_measurements`].
pub fn parse_measurements(file: &str, text: &str) -> Result<Measurements> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| broken(file, &error))?.clone();
    if header.is_empty() {
        return Err(problem(file, "an empty file", "a header line with columns").into());
    }
    let columns = Columns::read(file, &header)?;
    let problems = RefCell::default();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(file, &error))?;
        rows.extend(read_row(&Cells { file, columns: &columns, record: &record, problems: &problems }));
    }
    let mut problems = problems.into_inner();
    problems.extend(mixed_units(file, &rows));
    if rows.is_empty() && problems.is_empty() {
        problems.push(problem(file, "a header without rows", "one measurement a line"));
    }
    if !problems.is_empty() {
        return Err(Error::Input(shortened(file, problems)));
    }
    Ok(collect(file, short_id(text.as_bytes()), rows))
}

fn problem(file: &str, found: impl Into<String>, expected: &str) -> Problem {
    let (found, expected) = (found.into(), expected.to_owned());
    Problem { file: file.to_owned(), position: None, path: String::new(), found, expected }
}

fn broken(file: &str, error: &csv::Error) -> Error {
    let line = error.position().map(|position| (position.line() as usize, 1));
    let expected = "as many cells in each row as the header has";
    Problem { position: line, ..problem(file, error.to_string(), expected) }.into()
}

fn mixed_units(file: &str, rows: &[Row]) -> Option<Problem> {
    let first = rows.first()?.latency_column;
    let other = rows.iter().map(|row| row.latency_column).find(|column| *column != first)?;
    let found = format!("some latencies under {}, some under {}", LATENCIES[first], LATENCIES[other]);
    Some(problem(file, found, "one unit throughout a file"))
}

fn shortened(file: &str, mut problems: Vec<Problem>) -> Vec<Problem> {
    let count = problems.len();
    if count > LISTED {
        problems.truncate(LISTED);
        problems.push(problem(file, format!("{} more problems", count - LISTED), "none"));
    }
    problems
}

fn collect(file: &str, hash: String, rows: Vec<Row>) -> Measurements {
    let unit = [Unit::Microseconds, Unit::Milliseconds, Unit::Cycles];
    let unit = unit[rows.first().map_or(0, |row| row.latency_column)];
    let (device, count) = (device(&rows), rows.len());
    let (mut isolated, mut networks) = (Repeats::default(), Networks::default());
    for row in rows {
        match (row.network, row.subject) {
            (None, Subject::Operations(operations)) => isolated.add(operations, row.latency_us),
            (Some(network), subject) => networks.add(network, &row.layer, subject, row.latency_us),
            (None, Subject::Network) => {}
        }
    }
    let isolated = isolated.medians().map(|(operations, latency_us)| Isolated { operations, latency_us });
    Measurements {
        file: file.to_owned(),
        unit,
        hash,
        device,
        provenance: None,
        rows: count,
        isolated: isolated.collect(),
        networks: networks.profiles(),
    }
}

fn device(rows: &[Row]) -> Option<String> {
    let first = rows.first()?.device.as_ref()?;
    rows.iter().all(|row| row.device.as_ref() == Some(first)).then(|| first.clone())
}

/// Values in order of first appearance, each with all that was measured for it.
struct Repeats<K> {
    places: HashMap<String, usize>,
    measured: Vec<(K, Vec<f64>)>,
}

impl<K> Default for Repeats<K> {
    fn default() -> Self {
        Self { places: HashMap::new(), measured: Vec::new() }
    }
}

impl<K: std::fmt::Debug> Repeats<K> {
    fn add(&mut self, key: K, latency_us: f64) {
        let place = *self.places.entry(format!("{key:?}")).or_insert_with(|| {
            self.measured.push((key, Vec::new()));
            self.measured.len() - 1
        });
        self.measured[place].1.push(latency_us);
    }

    fn medians(self) -> impl Iterator<Item = (K, f64)> {
        self.measured.into_iter().map(|(key, mut values)| (key, median(&mut values)))
    }
}

/// The median; zero of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// A layer's name and what it computes.
type LayerKey = (String, Operation);

/// All that was measured of one network.
#[derive(Default)]
struct Measured {
    layers: Repeats<LayerKey>,
    whole: Vec<f64>,
}

/// Networks in order of first appearance.
#[derive(Default)]
struct Networks {
    places: HashMap<String, usize>,
    list: Vec<(String, Measured)>,
}

impl Networks {
    fn add(&mut self, network: String, layer: &str, subject: Subject, latency_us: f64) {
        let place = *self.places.entry(network.clone()).or_insert_with(|| {
            self.list.push((network, Measured::default()));
            self.list.len() - 1
        });
        let measured = &mut self.list[place].1;
        match subject {
            Subject::Network => measured.whole.push(latency_us),
            Subject::Operations(operations) => {
                for operation in operations {
                    measured.add_layer((layer.to_owned(), operation), latency_us);
                }
            }
        }
    }

    fn profiles(self) -> Vec<Profile> {
        self.list.into_iter().map(|(network, measured)| measured.profile(network)).collect()
    }
}

impl Measured {
    /// Rows of the same name are repeats; rows without a name are layers of their own.
    fn add_layer(&mut self, key: LayerKey, latency_us: f64) {
        if key.0.is_empty() {
            self.layers.measured.push((key, vec![latency_us]));
        } else {
            self.layers.add(key, latency_us);
        }
    }

    fn profile(mut self, network: String) -> Profile {
        let latency_us = (!self.whole.is_empty()).then(|| median(&mut self.whole));
        let layers = self.layers.medians();
        let layers =
            layers.map(|((layer, operation), latency_us)| LayerTime { layer, operation, latency_us });
        Profile { network, layers: layers.collect(), latency_us }
    }
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
