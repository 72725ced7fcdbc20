//! Profiles of Vela, Arm's compiler for Ethos-U: estimates of the compiler, not silicon.
//!
//! `NET_per-layer.csv` has a row for each compiled operator, called after its output tensor. A fused activation
//! has a row of its own with no cycles, and an operator that is taken apart has many rows, so rows
//! are summed by layer. Cycles become time by `core_clock` in `NET_summary_CONFIG.csv`, or by `--clock-mhz`.

use super::{Named, Profiled, Text, Timed, joined, model, table::Table, time};
use crate::{
    error::Result,
    measurement::{
        content::{Measurements, Unit},
        noted::{Noted, problem, problem_at},
        options::ReadOptions,
    },
    network::Network,
};

const WHAT: &str = "the NET_per-layer.csv of `vela --verbose-performance`";

/// What the summary says of a network.
struct Summary {
    network: String,
    clock_mhz: f64,
    cycles: f64,
}

/// Reads per-layer files and the summaries among them.
pub(super) fn read(
    files: &[Text<'_>],
    models: &[Network],
    options: &ReadOptions,
) -> Result<Vec<Measurements>> {
    let mut summaries = Vec::new();
    let mut layers = Vec::new();
    for text in files {
        let noted = Noted::default();
        let table = Table::read(*text, &noted)?;
        if table.find(&["cycles_total"]).is_some() {
            summaries.extend(summary(*text, &table)?);
        } else {
            layers.push((*text, table, noted));
        }
    }
    if layers.is_empty() {
        let file = files.first().map_or("", |text| text.file);
        return Err(problem(file, "no profile of layers", WHAT).into());
    }
    layers
        .into_iter()
        .map(|(text, table, noted)| profile(text, &table, noted, &summaries, models, options))
        .collect()
}

fn summary(text: Text<'_>, table: &Table) -> Result<Vec<Summary>> {
    let place = |name| table.place(text.file, &[name], "Vela's NET_summary_CONFIG.csv");
    let (network, clock, cycles) = (place("network")?, place("core_clock")?, place("cycles_total")?);
    let row = |(line, record): &(usize, csv::StringRecord)| -> Result<Summary> {
        let number = |place: usize| {
            let cell = record.get(place).unwrap_or_default();
            let number = cell.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
            number.ok_or_else(|| problem_at(text.file, (*line, place + 1), cell, "a number above zero"))
        };
        let network = record.get(network).unwrap_or_default().to_owned();
        Ok(Summary { network, clock_mhz: number(clock)? / 1e6, cycles: number(cycles)? })
    };
    table.rows.iter().map(row).collect()
}

fn profile(
    text: Text<'_>,
    table: &Table,
    noted: Noted,
    summaries: &[Summary],
    models: &[Network],
    options: &ReadOptions,
) -> Result<Measurements> {
    let name = text.stem(&["_per-layer.csv"]);
    let summary = match summaries {
        [only] => Some(only),
        several => several.iter().find(|summary| summary.network == name),
    };
    let clock = summary.map(|summary| summary.clock_mhz).or(options.clock_mhz);
    let Some(clock_mhz) = clock else {
        let expected = format!("the clock: name {name}_summary_CONFIG.csv beside it, or give --clock-mhz");
        return Err(problem(text.file, "cycles", expected).into());
    };
    let mut profiled = rows(text, table, clock_mhz, &noted)?;
    if let Some(summary) = summary {
        check_sum(text, &profiled, summary, &noted);
        profiled.wholes = vec![(summary.cycles / clock_mhz, 1)];
    }
    profiled.notes.push(format!("clock: {clock_mhz} MHz"));
    joined(text, model(text.file, name, models)?, profiled, noted, options)
}

fn rows(text: Text<'_>, table: &Table, clock_mhz: f64, noted: &Noted) -> Result<Profiled> {
    table.place(text.file, &["Original Operator", "TFLite_operator"], WHAT)?;
    let (cycles, name) =
        (table.place(text.file, &["Op Cycles"], WHAT)?, table.place(text.file, &["Name"], WHAT)?);
    let target = table.find(&["Target"]);
    let mut profiled = Profiled { unit: Some(Unit::Cycles), ..Profiled::default() };
    for (line, record) in &table.rows {
        let (cell, name) = (record.get(cycles).unwrap_or_default(), record.get(name).unwrap_or_default());
        if target.and_then(|place| record.get(place)).is_some_and(|target| target.eq_ignore_ascii_case("cpu"))
        {
            let found = format!("operator `{name}` on the CPU");
            noted.push(problem_at(text.file, (*line, 1), found, "the NPU; Vela has no time for others"));
            continue;
        }
        let position = (*line, cycles + 1);
        let Some(latency_us) = time(noted, text.file, position, cell, cell.parse().ok(), 1.0 / clock_mhz)
        else {
            continue;
        };
        let helper = latency_us == 0.0;
        let name = Named { name: name.to_owned(), position: (*line, 1), helper, adds: false };
        profiled.rows.push(Timed { name, run: 0, latency_us });
    }
    Ok(profiled)
}

/// The rows must be those that the summary counts.
fn check_sum(text: Text<'_>, profiled: &Profiled, summary: &Summary, noted: &Noted) {
    let sum = profiled.rows.iter().map(|row| row.latency_us).sum::<f64>() * summary.clock_mhz;
    if (sum - summary.cycles).abs() > 1e-6 * summary.cycles && noted.count() == 0 {
        let expected = format!("{} as in the summary; are both of one compilation?", summary.cycles);
        noted.push(problem(text.file, format!("{sum:.0} cycles in all rows"), expected));
    }
}
