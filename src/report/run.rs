//! A finished run as it lies on disk: its report, and what the folder holds beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Landscape, RandomLine, Report};
use crate::{
    energy::EnergyModel,
    error::{Error, Problem, Result},
    estimator::{Accuracy, Estimator, Quality},
    io::read_text,
    space::Space,
};

/// A report with what lies beside it in its run folder.
#[derive(Clone, Debug)]
pub struct Run {
    /// The report.
    pub report: Report,
    /// The whole front, if a folder with front.csv was given.
    pub front: Option<Vec<FrontPoint>>,
    /// How well the estimator predicts what it has not seen, if its file lies in the folder.
    pub quality: Option<Quality>,
    /// The estimator of the report, if its file lies in the folder; the first of several.
    pub estimator: Option<Estimator>,
    /// The others of several, in their order; empty unless all of them lie in the folder.
    pub others: Vec<Estimator>,
    /// The energy model of the report, if its file lies in the folder.
    pub energy: Option<EnergyModel>,
    /// The space of the report, if its file lies in the folder.
    pub space: Option<Space>,
    /// What the chosen architecture's blocks cost at every width, if it was asked for ([`Landscape::of`]).
    pub landscape: Option<Landscape>,
    /// What random search reaches, if it was asked for ([`RandomLine::of`]).
    pub random: Option<RandomLine>,
}

/// One architecture of the whole front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontPoint {
    /// The architecture id.
    pub id: String,
    /// Estimated latency; on the first accelerator where there are several.
    pub latency_ms: f64,
    /// The relative latency on several accelerators.
    #[serde(default)]
    pub relative_latency: Option<f64>,
    /// The zero-shot trainability score.
    pub trainability: f64,
    /// Energy of an inference in microjoules, where it is known.
    #[serde(default)]
    pub energy_uj: Option<f64>,
}

impl FrontPoint {
    /// What the run minimises of it, as [`super::Entry::cost`].
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.relative_latency.unwrap_or(self.latency_ms)
    }
}

impl Run {
    /// A report with nothing beside it.
    #[must_use]
    pub fn of(report: Report) -> Self {
        let (front, quality, estimator, energy, space) = (None, None, None, None, None);
        Self {
            report,
            front,
            quality,
            estimator,
            others: Vec::new(),
            energy,
            space,
            landscape: None,
            random: None,
        }
    }

    /// Reads a run folder, or a report file alone. A copy of another estimator, energy model or space than the report's counts
    /// as not there.
    ///
    /// # Errors
    /// A file cannot be read, or front.csv is not the front of the report.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Ok(Self::of(Report::load(path)?));
        }
        check_run_folder(path)?;
        let report = Report::load(&path.join("report.json"))?;
        let front = beside(&path.join("front.csv"), |file| read_front(file, &report))?;
        let estimator = beside(&path.join("estimator.json"), Estimator::load)?.filter(|estimator| {
            report.estimators.first().is_some_and(|origin| origin.hash == estimator.hash())
        });
        let others = others(path, &report)?;
        let energy = beside(&path.join("energy.json"), EnergyModel::load)?
            .filter(|model| report.energy.as_ref().is_some_and(|origin| origin.hash == model.hash()));
        let space = beside(&path.join("space.json"), |file| Space::load_for(file, report.parallelism))?
            .filter(|space| space.hash() == report.space.hash);
        let quality = estimator.as_ref().map(|estimator| estimator.quality().clone());
        Ok(Self { front, quality, estimator, others, energy, space, ..Self::of(report) })
    }

    /// How well the estimator predicts whole networks that it has not seen.
    #[must_use]
    pub fn held_out(&self) -> Option<&Accuracy> {
        self.quality.as_ref()?.networks.as_ref()
    }

    /// The whole front, or the entries of the report where it is not known.
    #[must_use]
    pub fn points(&self) -> Vec<FrontPoint> {
        self.front.clone().unwrap_or_else(|| self.reported())
    }

    /// The entries of the report.
    #[must_use]
    pub fn reported(&self) -> Vec<FrontPoint> {
        let point = |entry: &super::Entry| FrontPoint {
            id: entry.id.clone(),
            latency_ms: entry.latency_ms,
            relative_latency: entry.relative_latency,
            trainability: entry.trainability,
            energy_uj: entry.energy_uj,
        };
        self.report.front.iter().map(point).collect()
    }
}

/// Where a run folder keeps the estimator with this number, from 0 on.
#[must_use]
pub fn estimator_file(folder: &Path, number: usize) -> PathBuf {
    match number {
        0 => folder.join("estimator.json"),
        number => folder.join(format!("estimator-{}.json", number + 1)),
    }
}

/// The estimators beyond the first; none unless all are there as the report used them.
fn others(folder: &Path, report: &Report) -> Result<Vec<Estimator>> {
    let mut others = Vec::new();
    for (number, origin) in report.estimators.iter().enumerate().skip(1) {
        match beside(&estimator_file(folder, number), Estimator::load)? {
            Some(estimator) if estimator.hash() == origin.hash => others.push(estimator),
            _ => return Ok(Vec::new()),
        }
    }
    Ok(others)
}

/// A folder has to hold what a search leaves.
///
/// # Errors
/// There is no report.json in it; what to give instead is said, and which run the folder holds if it is one of several
/// chips.
pub fn check_run_folder(folder: &Path) -> Result<()> {
    if folder.join("report.json").is_file() {
        return Ok(());
    }
    let shown = folder.display();
    let several = folder.join("codesign.json").is_file();
    let hint = match several {
        true => format!(
            "it holds searches for several chips; give the folder of one of them, such as {shown}/CHIP"
        ),
        false => {
            "a run folder is what `nas search --out` leaves, with report.json, front.csv, estimator.json and \
                  space.json; give that, or a file"
                .to_owned()
        }
    };
    Err(Error::unusable(format!("{shown} is no run folder, since it holds no report.json; {hint}")))
}

fn beside<T>(file: &Path, read: impl FnOnce(&Path) -> Result<T>) -> Result<Option<T>> {
    if file.exists() { read(file).map(Some) } else { Ok(None) }
}

fn read_front(file: &Path, report: &Report) -> Result<Vec<FrontPoint>> {
    let text = read_text(file)?;
    let rows: std::result::Result<Vec<FrontPoint>, csv::Error> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().collect();
    let rows = rows.map_err(|error| Problem {
        file: file.display().to_string(),
        position: None,
        path: String::new(),
        found: error.to_string(),
        expected: "rows of id, latency_ms, trainability and genotype as `nas search` writes them".into(),
    })?;
    if report.across.is_some() && rows.iter().any(|row| row.relative_latency.is_none()) {
        return Err(Error::unusable(format!(
            "{}: no column `relative_latency`, expected as report.json is of a run for several accelerators; give the \
             report.json alone, or search anew",
            file.display()
        )));
    }
    if rows.len() != report.front_size {
        return Err(Error::unusable(format!(
            "{}: {} architectures where report.json counts {}; give the report.json alone, or search anew",
            file.display(),
            rows.len(),
            report.front_size
        )));
    }
    Ok(rows)
}
