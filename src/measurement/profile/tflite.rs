//! Profiles of TFLite's `benchmark_model` with operator profiling as CSV.
//!
//! The file has several tables that repeat the same nodes, and one for the initialisation; only the table `Run
//! Order` of the regular runs is read. Its cells are separated by a comma and a blank, and names hold both.
//! A file of `litert-benchmark --result_json` among the files gives the median of the whole network.

use super::{Named, Profiled, Text, Timed, joined, litert, model, time};
use crate::{
    error::Result,
    measurement::{
        content::{Measurements, Unit},
        noted::{Noted, problem, problem_at},
        options::ReadOptions,
    },
    network::Network,
};

const HEADER: [&str; 9] =
    ["node type", "start", "first", "avg_ms", "%", "cdf%", "mem KB", "times called", "name"];
const REGULAR: &str = "Regular Benchmark Runs";

/// Reads the profiles, and the whole-network results among them.
pub(super) fn read(
    files: &[Text<'_>],
    models: &[Network],
    options: &ReadOptions,
) -> Result<Vec<Measurements>> {
    let (results, profiles): (Vec<Text<'_>>, Vec<Text<'_>>) =
        files.iter().partition(|text| text.text.trim_start().starts_with('{'));
    let results = results.into_iter().map(litert::read).collect::<Result<Vec<_>>>()?;
    if let Some(text) = files.first().filter(|_| profiles.is_empty()) {
        return Err(problem(text.file, "no profile of operators", WHAT).into());
    }
    let read = |text: Text<'_>| {
        let noted = Noted::default();
        let mut profiled = rows(text, &noted)?;
        let model = model(text.file, text.stem(&[]), models)?;
        let result = match &results[..] {
            [only] if profiles.len() == 1 => Some(only),
            several => several.iter().find(|result| result.network == model.name()),
        };
        profiled.wholes.extend(result.map(|result| (result.latency_us, 1)));
        joined(text, model, profiled, noted, options)
    };
    profiles.iter().copied().map(read).collect()
}

const WHAT: &str = "the CSV of `benchmark_model --enable_op_profiling=true --op_profiling_output_mode=csv`";

fn rows(text: Text<'_>, noted: &Noted) -> Result<Profiled> {
    let lines: Vec<(usize, &str)> =
        text.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).collect();
    let regular = lines.iter().position(|(_, line)| line.contains(REGULAR)).unwrap_or(0);
    let order = lines.iter().skip(regular).position(|(_, line)| line.contains("Run Order"));
    let Some(order) = order.map(|order| order + regular) else {
        return Err(problem(text.file, "no table `Run Order`", WHAT).into());
    };
    let Some((line, header)) = lines.get(order + 1) else {
        return Err(problem_at(text.file, (order + 1, 1), "a table without a header", WHAT).into());
    };
    if cells(header).map(|cell| cell.trim_matches(['[', ']'])).ne(HEADER) {
        return Err(problem_at(text.file, (*line, 1), *header, HEADER.join(", ")).into());
    }
    let mut profiled = Profiled { unit: Some(Unit::Milliseconds), ..Profiled::default() };
    let table =
        lines.iter().skip(order + 2).take_while(|(_, line)| !line.is_empty() && !line.starts_with("==="));
    for (line, row) in table {
        profiled.rows.extend(timed(text, *line, row, noted));
    }
    Ok(profiled)
}

/// Eight cells and the name, which may hold commas.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.splitn(HEADER.len(), ',').map(str::trim)
}

fn timed(text: Text<'_>, line: usize, row: &str, noted: &Noted) -> Option<Timed> {
    let cells: Vec<&str> = cells(row).collect();
    let [kind, _, _, average, _, _, _, called, name] = cells[..] else {
        noted.push(problem_at(text.file, (line, 1), row, HEADER.join(", ")));
        return None;
    };
    // The mean is that of one call, and a node in a loop is called more than once a run.
    let calls = called.parse().ok().filter(|calls: &f64| *calls >= 1.0 && *calls <= 1e9);
    let Some(calls) = calls else {
        noted.push(problem_at(text.file, (line, 8), called, "how often the node is called in a run"));
        return None;
    };
    let latency_us = time(noted, text.file, (line, 4), average, average.parse().ok(), 1e3 * calls)?;
    const HELPERS: [&str; 6] = ["QUANTIZE", "DEQUANTIZE", "RESHAPE", "CAST", "PAD", "TRANSPOSE"];
    let helper = latency_us == 0.0 || HELPERS.contains(&kind);
    let name = Named { name: name.to_owned(), position: (line, 9), helper, adds: false };
    Some(Timed { name, run: 0, latency_us })
}
