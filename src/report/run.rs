//! A finished run as it lies on disk: its report, and what the folder holds beside it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::{
    error::{Error, Problem, Result},
    estimator::{Accuracy, Estimator},
    io::read_text,
};

/// A report with what lies beside it in its run folder.
#[derive(Clone, Debug)]
pub struct Run {
    /// The report.
    pub report: Report,
    /// The whole front, if a folder with front.csv was given.
    pub front: Option<Vec<FrontPoint>>,
    /// How well the estimator predicts networks it has not seen, if its file lies in the folder.
    pub held_out: Option<Accuracy>,
}

/// One architecture of the whole front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontPoint {
    /// The architecture id.
    pub id: String,
    /// Estimated latency.
    pub latency_ms: f64,
    /// The zero-shot trainability score.
    pub trainability: f64,
}

impl Run {
    /// Reads a run folder, or a report file alone.
    ///
    /// # Errors
    /// A file cannot be read, or front.csv is not the front of the report.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Ok(Self { report: Report::load(path)?, front: None, held_out: None });
        }
        let report = Report::load(&path.join("report.json"))?;
        let front = beside(&path.join("front.csv"), |file| read_front(file, &report))?;
        let estimator = beside(&path.join("estimator.json"), Estimator::load)?;
        let held_out = estimator
            .filter(|estimator| report.estimators.iter().any(|origin| origin.hash == estimator.hash()))
            .and_then(|estimator| estimator.quality().networks.clone());
        Ok(Self { report, front, held_out })
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
            trainability: entry.trainability,
        };
        self.report.front.iter().map(point).collect()
    }
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
