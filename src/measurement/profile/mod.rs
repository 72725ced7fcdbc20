//! Profiles as other tools write them, read as measurements; one format is one file.
//!
//! A reader gives the rows of a file with their names and times, run by run. Formats that know no shapes are
//! joined with the model that was profiled, by name.

mod join;
mod lines;
mod litert;
mod names;
mod nn_meter;
mod nn_meter_kernel;
mod nodes;
mod ort;
mod ort_shapes;
mod qnn;
mod table;
mod tflite;
mod trtexec;
mod vela;

use std::path::{Path, PathBuf};

pub use nodes::{LayerTimes, NodeTimes, join_nodes};

use self::join::{Joined, Named, join};
use super::{
    checks::{LONGEST_US, MOST_MACS_PER_US},
    collect::{Content, collect},
    content::{Measurements, Unit},
    csv_row::{Row, Subject},
    noted::{Noted, problem, problem_at},
    operation::Operation,
    options::ReadOptions,
};
use crate::{
    error::{Error, Result},
    io::read_text,
    network::Network,
    stable_hash::short_id,
};

/// A tool whose profiles can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileFormat {
    /// `vela --verbose-performance`: `NET_per-layer.csv`, and `NET_summary_….csv` for the clock.
    Vela,
    /// The trace of an ONNX Runtime session with profiling enabled.
    Ort,
    /// `trtexec --exportProfile`.
    Trtexec,
    /// TFLite's `benchmark_model` with operator profiling as CSV.
    Tflite,
    /// The CSV of the QNN profile viewer, or of ONNX Runtime's QNN provider.
    Qnn,
    /// Kernels as nn-Meter's builder profiles them: JSON, or CSV.
    NnMeter,
}

/// A file as it was read.
#[derive(Clone, Copy, Debug)]
struct Text<'t> {
    file: &'t str,
    text: &'t str,
}

impl Text<'_> {
    /// The file's name without folders and without what `ends` it, which is how files are named after networks.
    fn stem<'s>(&'s self, ends: &[&str]) -> &'s str {
        let name = self.file.rsplit(['/', '\\']).next().unwrap_or(self.file);
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let end = ends.iter().find_map(|end| name.strip_suffix(end));
        end.unwrap_or_else(|| name.rsplit_once('.').map_or(name, |(stem, _)| stem))
    }

    fn hash(&self) -> String {
        short_id(self.text.as_bytes())
    }
}

/// What one row of a profile says.
#[derive(Clone, Debug, Default)]
struct Timed {
    name: Named,
    /// Which run of the network it belongs to, from zero.
    run: usize,
    /// Microseconds.
    latency_us: f64,
}

/// What one file says of one network.
#[derive(Debug, Default)]
struct Profiled {
    rows: Vec<Timed>,
    /// Microseconds of the whole network and the line they stand in, run by run; empty if the format does not
    /// tell.
    wholes: Vec<(f64, usize)>,
    unit: Option<Unit>,
    notes: Vec<String>,
}

/// Reads the profiles at `paths`, plain or gzipped; `models` are the networks that were profiled.
///
/// # Errors
/// A file cannot be read, is not of the format, or does not fit the model; all problems are returned.
pub fn read_profiles(
    format: ProfileFormat,
    paths: &[PathBuf],
    models: &[Network],
    options: &ReadOptions,
) -> Result<Vec<Measurements>> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), read_text(Path::new(path))?));
    let files: Vec<(String, String)> = paths.iter().map(read).collect::<Result<_>>()?;
    parse_profiles(format, &files, models, options)
}

/// Reads profiles from pairs of file name and text; as [`read_profiles`].
///
/// # Errors
/// As [`read_profiles`].
pub fn parse_profiles(
    format: ProfileFormat,
    files: &[(String, String)],
    models: &[Network],
    options: &ReadOptions,
) -> Result<Vec<Measurements>> {
    if let Some(target) = &options.target {
        let said =
            format!("`{}` cannot be read from a profile; --target needs a measurement CSV", target.name);
        return Err(Error::unusable(said));
    }
    let files: Vec<Text<'_>> = files.iter().map(|(file, text)| Text { file, text }).collect();
    match format {
        ProfileFormat::Vela => vela::read(&files, models, options),
        ProfileFormat::Tflite => tflite::read(&files, models, options),
        ProfileFormat::NnMeter => nn_meter::read(&files, options),
        ProfileFormat::Ort => files.iter().map(|file| ort::read(*file, models, options)).collect(),
        ProfileFormat::Trtexec => files.iter().map(|file| trtexec::read(*file, models, options)).collect(),
        ProfileFormat::Qnn => files.iter().map(|file| qnn::read(*file, models, options)).collect(),
    }
}

/// The model of the profile in `file`: the only one, or the one that the file is named after.
///
/// # Errors
/// There is no model, or none of several has the name.
fn model<'m>(file: &str, name: &str, models: &'m [Network]) -> Result<&'m Network> {
    if let [only] = models {
        return Ok(only);
    }
    if models.is_empty() {
        let expected = "the model that was profiled: --model net.json (nas.network/1)";
        return Err(problem(file, "a profile without shapes", expected).into());
    }
    let known = || models.iter().map(Network::name);
    models.iter().find(|model| model.name() == name).ok_or_else(|| {
        let near = crate::error::nearest(name, known()).map(|near| format!("; did you mean `{near}`?"));
        let expected =
            format!("a file named after one of the {} models{}", models.len(), near.unwrap_or_default());
        problem(file, format!("profile `{name}`"), expected).into()
    })
}

/// Joins a profile with its model, and gives the measurements.
///
/// # Errors
/// Rows and layers do not fit, or the rows cannot be what they say.
fn joined(
    text: Text<'_>,
    network: &Network,
    profiled: Profiled,
    noted: Noted,
    options: &ReadOptions,
) -> Result<Measurements> {
    let (names, places) = names(&profiled.rows);
    let Joined { owners, merged, notes } = join(text.file, network, &names, &noted);
    let mut rows = Vec::new();
    for (run, whole) in runs(&profiled).into_iter().enumerate() {
        let mut times: Vec<Option<(f64, usize)>> = vec![None; network.layers().len()];
        merged.iter().for_each(|layer| times[*layer] = Some((0.0, 0)));
        for (row, place) in profiled.rows.iter().zip(&places).filter(|(row, _)| row.run == run) {
            if let Some(owner) = owners[*place] {
                let (time, line) = times[owner].unwrap_or((0.0, row.name.position.0));
                times[owner] = Some((time + row.latency_us, line));
            }
        }
        for (layer, time) in network.layers().iter().zip(times) {
            let Some((latency_us, line)) = time else { continue };
            let operation = Operation::of(network, layer);
            let row = layer_row(network.name(), &layer.name, operation, latency_us, line);
            rows.extend(plausible(text.file, &noted, row));
        }
        rows.push(whole_row(network.name(), whole));
    }
    let notes = profiled.notes.into_iter().chain(notes).collect();
    let unit = profiled.unit.unwrap_or(Unit::Microseconds);
    collect(Content { file: text.file, hash: text.hash(), unit, rows, noted, notes }, options)
}

/// The names of all rows, each once, and which of them each row has.
fn names(rows: &[Timed]) -> (Vec<Named>, Vec<usize>) {
    let mut known: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let mut names: Vec<Named> = Vec::new();
    let mut places = Vec::new();
    for row in rows {
        let place = *known.entry(row.name.name.as_str()).or_insert(names.len());
        match names.get_mut(place) {
            Some(name) => {
                name.helper &= row.name.helper;
                name.adds |= row.name.adds;
            }
            None => names.push(row.name.clone()),
        }
        places.push(place);
    }
    (names, places)
}

/// The latency of each run: as the tool tells it, or the sum of the rows.
fn runs(profiled: &Profiled) -> Vec<(f64, usize)> {
    let count = profiled.rows.iter().map(|row| row.run + 1).max().unwrap_or(0);
    let mut sums = vec![(0.0, 0); count];
    for row in profiled.rows.iter().rev() {
        sums[row.run] = (sums[row.run].0 + row.latency_us, row.name.position.0);
    }
    if profiled.wholes.len() == count { profiled.wholes.clone() } else { sums }
}

fn layer_row(network: &str, layer: &str, operation: Operation, latency_us: f64, line: usize) -> Row {
    Row {
        subject: Subject::Operations(vec![operation]),
        network: Some(network.to_owned()),
        layer: layer.to_owned(),
        device: None,
        dtype: None,
        latency_column: 0,
        latency_us,
        line,
    }
}

fn whole_row(network: &str, (latency_us, line): (f64, usize)) -> Row {
    Row {
        subject: Subject::Network,
        network: Some(network.to_owned()),
        layer: String::new(),
        device: None,
        dtype: None,
        latency_column: 0,
        latency_us,
        line,
    }
}

/// A row whose latency a chip may have; otherwise none and a note.
fn plausible(file: &str, noted: &Noted, row: Row) -> Option<Row> {
    let Subject::Operations(operations) = &row.subject else { return Some(row) };
    let macs = operations.iter().map(Operation::macs).sum::<u64>() as f64;
    if row.latency_us > 0.0 && macs / row.latency_us > MOST_MACS_PER_US {
        let found = format!("{} us for the {macs} multiply-adds of `{}`", row.latency_us, row.layer);
        noted.push(problem_at(
            file,
            (row.line, 1),
            found,
            "at most 10^6 GMAC/s; is it the model that was profiled?",
        ));
        return None;
    }
    Some(row)
}

/// A time in microseconds from a number in `unit_us`; what is negative, infinite or endless is noted.
fn time(
    noted: &Noted,
    file: &str,
    position: (usize, usize),
    found: &str,
    number: Option<f64>,
    unit_us: f64,
) -> Option<f64> {
    let time = number.map(|number| number * unit_us).filter(|time| (0.0..=LONGEST_US).contains(time));
    if time.is_none() {
        noted.push(problem_at(file, position, found, "a time that is finite and not negative"));
    }
    time
}
