//! The table of measurements on disk, to which a sweep appends.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    about::About,
    cells::{self, DEVICE, LATENCY, Place},
    runner::Times,
    spread::Spread,
    subject::{Subject, SubjectKind},
};
use crate::{
    error::{Error, Problem, Result},
    io::{check_writable, read_text, write_atomically},
    network::{Network, read_networks},
};

/// A measurement CSV with the graphs of its networks beside it.
///
/// What one measurement gives is appended in one piece, its own row last. A piece that was cut off when an
/// earlier sweep was killed is taken away when the table is opened again.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    rows: File,
    networks: HashMap<String, Network>,
    about: About,
    /// The medians of each subject, repeat by repeat.
    done: HashMap<String, Vec<f64>>,
}

impl Table {
    /// Opens the table at `path` to go on with it, or begins one.
    ///
    /// # Errors
    /// The file cannot be read or written, is no table that a sweep wrote, or is of another device.
    pub fn open(path: &Path, about: &About) -> Result<Self> {
        check_writable(path)?;
        if path.extension().is_some_and(|ending| ending == "gz") {
            let said =
                format!("{}: cannot append to a gzipped table; measure into a plain .csv", path.display());
            return Err(Error::unusable(said));
        }
        let header = cells::header()?;
        if !path.exists() {
            write_atomically(path, header.as_bytes())?;
        }
        let text = read_text(path)?;
        let (done, sound) = read(path, &text, &header, about)?;
        if sound < text.len() {
            write_atomically(path, &text.as_bytes()[..sound])?;
        }
        let graphs = networks_path(path);
        let networks = if graphs.exists() { known_networks(&graphs)? } else { HashMap::new() };
        let rows =
            OpenOptions::new().append(true).open(path).map_err(|error| Error::io("write", path, error))?;
        Ok(Self { path: path.to_owned(), rows, networks, about: about.clone(), done })
    }

    /// Where the graphs of the networks are kept.
    #[must_use]
    pub fn networks_path(&self) -> PathBuf {
        networks_path(&self.path)
    }

    /// The medians that are there of `subject`, in microseconds, repeat by repeat.
    #[must_use]
    pub fn repeats(&self, subject: &Subject) -> &[f64] {
        self.done.get(&cells::subject_key(subject)).map_or(&[], Vec::as_slice)
    }

    /// Appends what was measured of `subject`; times apart by more than `noise` of the median are marked.
    ///
    /// # Errors
    /// There are no times, another network of this name was measured before, or the files cannot be written.
    pub fn write(&mut self, subject: &Subject, times: &Times, noise: f64) -> Result<()> {
        let repeat = self.repeats(subject).len() + 1;
        let place = Place { device: &self.about.device, dtype: self.about.dtype, repeat, noise };
        let lines = cells::lines(subject, times, &place)?;
        let median = Spread::of(&times.samples_us).map_or(0.0, |spread| spread.median);
        self.keep_graph(subject)?;
        let written = self.rows.write_all(lines.as_bytes()).and_then(|()| self.rows.flush());
        written.map_err(|error| Error::io("write", &self.path, error))?;
        self.done.entry(cells::subject_key(subject)).or_default().push(median);
        Ok(())
    }

    /// Makes sure that the graph of a network or block is there.
    ///
    /// # Errors
    /// Another network of this name was measured before, or the file cannot be written.
    pub fn keep_graph(&mut self, subject: &Subject) -> Result<()> {
        let network = &subject.network;
        if matches!(subject.kind, SubjectKind::Operator(_)) {
            return Ok(());
        }
        let path = self.networks_path();
        if let Some(known) = self.networks.get(network.name()) {
            if known == network {
                return Ok(());
            }
            return Err(Error::unusable(format!(
                "{} has another network `{}`; measure into another file",
                path.display(),
                network.name()
            )));
        }
        // Writing a network to JSON cannot fail.
        let line = serde_json::to_string(network).unwrap_or_default() + "\n";
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|error| Error::io("write", &path, error))?;
        self.networks.insert(network.name().to_owned(), network.clone());
        Ok(())
    }
}

/// `cpu.networks.jsonl` for `cpu.csv`.
fn networks_path(table: &Path) -> PathBuf {
    table.with_extension("networks.jsonl")
}

/// The networks that are there; a line that was cut off is taken away.
fn known_networks(path: &Path) -> Result<HashMap<String, Network>> {
    let text = read_text(path)?;
    let sound = text.rfind('\n').map_or(0, |newline| newline + 1);
    if sound < text.len() {
        write_atomically(path, &text.as_bytes()[..sound])?;
    }
    let networks = if sound == 0 { Vec::new() } else { read_networks(path)? };
    Ok(networks.into_iter().map(|network| (network.name().to_owned(), network)).collect())
}

/// Medians of each subject in a table, repeat by repeat.
type Medians = HashMap<String, Vec<f64>>;

/// What is there, and up to which byte it is whole.
fn read(path: &Path, text: &str, header: &str, about: &About) -> Result<(Medians, usize)> {
    let problem = |line: usize, found: String, expected: String| Problem {
        file: path.display().to_string(),
        position: Some((line, 1)),
        path: String::new(),
        found,
        expected,
    };
    if !text.starts_with(header) {
        let found = text.lines().next().unwrap_or("an empty file").to_owned();
        let expected =
            "a table that `nas measure` wrote; choose another --out, or --force to replace this one";
        return Err(problem(1, found, expected.into()).into());
    }
    let mut done: Medians = HashMap::new();
    let mut sound = header.len();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    for record in reader.records().skip(1) {
        let Ok(record) = record else { break };
        let start = record.position().map_or((0, 0), |place| (place.line() as usize, place.byte() as usize));
        let end = text[start.1..].find('\n').map(|newline| start.1 + newline + 1);
        let row: Vec<&str> = record.iter().collect();
        let (Some(end), true) = (end, row.len() == DEVICE + 2) else { break };
        if row[DEVICE] != about.device || row[DEVICE + 1] != about.dtype.name() {
            let found = format!("a row of device `{}` in {}", row[DEVICE], row[DEVICE + 1]);
            let expected = format!("rows of `{}` in {}; choose another --out", about.device, about.dtype);
            return Err(problem(start.0, found, expected).into());
        }
        let Some(key) = cells::key(&row) else { continue };
        let Ok(median) = row[LATENCY].parse() else {
            let found = format!("latency {}", row[LATENCY]);
            return Err(problem(start.0, found, "a number".into()).into());
        };
        done.entry(key).or_default().push(median);
        sound = end;
    }
    Ok((done, sound))
}
