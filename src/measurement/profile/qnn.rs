//! Profiles of Qualcomm's QNN: the CSV of its profile viewer and of ONNX Runtime's provider.
//!
//! Cycles, microseconds and counts stand in one column, and the file grows with each run. Nodes are given in
//! cycles; the accelerator's time in both units turns them into microseconds, or else `--clock-mhz`.

use super::{Named, Profiled, Text, Timed, joined, model, table::Table, time};
use crate::{
    error::Result,
    measurement::{
        content::{Measurements, Unit},
        noted::{Noted, problem, problem_at},
        options::ReadOptions,
        repeats::median,
    },
    network::Network,
};

const WHAT: &str = "the CSV of `qnn-profile-viewer`";

/// Where the columns stand.
struct Places {
    message: usize,
    time: usize,
    unit: usize,
    name: usize,
}

/// A node's name as the file has it, its place and its time.
type Event = (String, (usize, usize), f64);

/// What the events of all runs say.
#[derive(Default)]
struct Events {
    /// Nodes run by run, in cycles and in microseconds.
    cycles: Runs,
    us: Runs,
    /// Times of the accelerator as a whole, run by run.
    total_cycles: Vec<f64>,
    total_us: Vec<(f64, usize)>,
}

/// Nodes run by run.
#[derive(Default)]
struct Runs(Vec<Vec<Event>>);

impl Runs {
    /// A node that comes again begins a new run.
    fn add(&mut self, event: Event) {
        match self.0.last_mut() {
            Some(run) if run.iter().all(|known| known.0 != event.0) => run.push(event),
            _ => self.0.push(vec![event]),
        }
    }
}

/// Reads one file.
pub(super) fn read(text: Text<'_>, models: &[Network], options: &ReadOptions) -> Result<Measurements> {
    let noted = Noted::default();
    let table = Table::read(text, &noted)?;
    let place = |name| table.place(text.file, &[name], WHAT);
    let places = Places {
        message: place("Message")?,
        time: place("Time")?,
        unit: place("Unit of Measurement")?,
        name: place("Event Identifier")?,
    };
    let events = events(text, &table, &places, &noted);
    let profiled = profiled(text, events, options)?;
    joined(text, model(text.file, text.stem(&[]), models)?, profiled, noted, options)
}

fn events(text: Text<'_>, table: &Table, places: &Places, noted: &Noted) -> Events {
    let mut events = Events::default();
    for (line, record) in &table.rows {
        let cell = |place: usize| record.get(place).unwrap_or_default();
        let (unit, name) = (cell(places.unit), cell(places.name));
        let total = ["Accelerator (execute) time", "Accelerator (execute) time (cycles)"].contains(&name);
        let node = cell(places.message) == "NODE";
        if unit == "COUNT" || !(total || node) {
            continue;
        }
        if !["CYCLES", "US"].contains(&unit) {
            noted.push(problem_at(text.file, (*line, places.unit + 1), unit, "CYCLES, US or COUNT"));
            continue;
        }
        let (position, found) = ((*line, places.time + 1), cell(places.time));
        let Some(value) = time(noted, text.file, position, found, found.parse().ok(), 1.0) else { continue };
        match (node, unit == "US") {
            (false, true) => events.total_us.push((value, *line)),
            (false, false) => events.total_cycles.push(value),
            (true, true) => events.us.add((name.to_owned(), (*line, places.name + 1), value)),
            (true, false) => events.cycles.add((name.to_owned(), (*line, places.name + 1), value)),
        }
    }
    events
}

/// The runs but the first, which warms up, in microseconds.
fn profiled(text: Text<'_>, events: Events, options: &ReadOptions) -> Result<Profiled> {
    let in_us = !events.us.0.is_empty();
    let unit = if in_us { Unit::Microseconds } else { Unit::Cycles };
    let mut profiled = Profiled { unit: Some(unit), ..Profiled::default() };
    let per_unit = if in_us { 1.0 } else { us_per_cycle(text, &events, options, &mut profiled.notes)? };
    let mut runs = if in_us { events.us.0 } else { events.cycles.0 };
    let mut wholes = if events.total_us.len() == runs.len() { events.total_us } else { Vec::new() };
    if runs.len() > 1 {
        runs.remove(0);
        wholes.drain(..wholes.len().min(1));
        profiled.notes.push("the first run is left out, since it warms up".into());
    }
    for (run, nodes) in runs.into_iter().enumerate() {
        for (name, position, value) in nodes {
            let name = stripped(&name);
            let helper = value == 0.0 || ["input", "output"].iter().any(|end| is_end(name, end));
            let name = Named { name: name.to_owned(), position, helper, adds: false };
            profiled.rows.push(Timed { name, run, latency_us: value * per_unit });
        }
    }
    profiled.wholes = wholes;
    Ok(profiled)
}

fn us_per_cycle(
    text: Text<'_>,
    events: &Events,
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<f64> {
    let cycles = median(&mut events.total_cycles.clone());
    let us = median(&mut events.total_us.iter().map(|total| total.0).collect::<Vec<f64>>());
    if let Some(clock) = options.clock_mhz {
        return Ok(1.0 / clock);
    }
    if cycles > 0.0 && us > 0.0 {
        notes.push(format!("clock: {:.1} MHz, by the accelerator's time in cycles and in us", cycles / us));
        return Ok(us / cycles);
    }
    let expected = "`Accelerator (execute) time` in cycles and in US, or --clock-mhz";
    Err(problem(text.file, "nodes in cycles, and no clock", expected).into())
}

/// The name without the number of the operation and the unit: `conv:OpId_7 (cycles)` is `conv`.
fn stripped(name: &str) -> &str {
    let name = name.strip_suffix(" (cycles)").or_else(|| name.strip_suffix(" (us)")).unwrap_or(name);
    match name.rsplit_once(":OpId_") {
        Some((name, _)) => name,
        None => name,
    }
}

/// Whether the node only brings tensors in or out: `Input OpId_2`, `input_0_cast`.
fn is_end(name: &str, end: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.strip_prefix(end).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '_', ':']))
}
