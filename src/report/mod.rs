//! Reports: the result of a search as JSON, text, Markdown and HTML, and two of them compared.

mod across;
mod assemble;
mod bound;
mod changes;
mod codesign;
pub mod compare;
mod dtype;
mod energy;
mod entry;
mod finding;
mod html;
mod landscape;
mod markdown;
mod markup;
mod measured;
mod measured_table;
mod names;
mod random_line;
mod run;
mod svg;
mod table;
mod target;
mod text;
mod trained;

pub use across::{AcrossTargets, ReportTarget, TargetLatency, targets_table};
pub use assemble::{Settings, ablate, exact_gap, front_csv};
pub use bound::{Bound, BoundAt, FrontGap, front_bound};
pub use changes::{BlockCost, BlockPair, Change, aligned, changes, unexplained_ms};
pub use codesign::{CODESIGN_SCHEMA, ChipRow, CoDesign, Design};
pub use energy::{EnergyOrigin, EntryEnergy, Fleet};
pub use entry::{Entry, LayerRow};
pub use finding::{Finding, Gain};
pub use html::{Figure, figure_svg, report_html};
pub use landscape::{Curve, CurvePrice, Landscape, Width};
pub use markdown::{entry_markdown, report_markdown};
pub use measured::Measured;
pub use measured_table::measured_table;
pub use random_line::RandomLine;
pub use run::{FrontPoint, Run, check_run_folder, estimator_file};
pub use table::Table;
pub use target::{TargetEntry, TargetLayer};
pub use text::{entry_text, report_text, verdict_text};
pub use trained::{Trained, agreement, trained_table};

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Problem, Result},
    io::{read_text, serde_problem, write_atomically},
};

/// At most so many problems of a file are told, as of any file.
const MOST: usize = 50;

/// The value of a report's `schema`.
pub const SCHEMA: &str = "nas.report/1";

/// The result of a search, `nas.report/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of `nas` that wrote it.
    pub version: String,
    /// The space that was searched.
    pub space: Origin,
    /// The number that channels snap to; the estimator's lanes where the space leaves it to them, of several estimators
    /// their least common multiple.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// The estimators that gave the latencies.
    pub estimators: Vec<Origin>,
    /// The accelerators, where the run was for several at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub across: Option<AcrossTargets>,
    /// Where the measurements behind the estimators come from.
    pub provenance: String,
    /// What told the energies; absent where there is no model of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergyOrigin>,
    /// What a fleet spends in a year, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Fleet>,
    /// What was minimised beside the latency: `latency,energy`; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// The search algorithm.
    pub algorithm: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The kinds of gene that were free; absent where all were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<Vec<String>>,
    /// The number formats that the search could choose from, where their gene was free; the trainability score knows nothing
    /// of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dtypes: Vec<String>,
    /// Distinct architectures scored.
    pub evaluations: u64,
    /// Why the search ended.
    pub termination: String,
    /// What every candidate keeps to.
    pub requirement: String,
    /// The design to beat.
    pub baseline: Entry,
    /// Architectures from the Pareto front, by ascending latency, relative latency where there is that.
    pub front: Vec<Entry>,
    /// How many architectures the whole front has.
    pub front_size: usize,
    /// The index in `front` of the architecture with the least latency; the least measured one of those that were
    /// measured, once the one with the least predicted latency was; of those that are accurate enough, once some were
    /// trained.
    pub chosen: Option<usize>,
    /// By how much less accurate than the baseline a trained architecture may be; none where nothing was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_tolerance: Option<f64>,
    /// What single kinds of gene achieve, if it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ablation: Vec<AblationRow>,
    /// How far the front is from the exact one, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<ExactGap>,
    /// What no architecture of the space is faster than, if it was asked for and not all were scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// How the hypervolume grew.
    pub convergence: Vec<ConvergenceRow>,
    /// The reference point of the hypervolume: microseconds (on several accelerators the relative latency), negated trainability, and microjoules where energy is a
    /// goal.
    pub hypervolume_reference: Vec<f64>,
}

/// A file that a result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// A hash of its content.
    pub hash: String,
}

/// The best architecture when only some genes are free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AblationRow {
    /// Which genes were free.
    pub name: String,
    /// The least latency that meets the requirement; absent if nothing does, or on several accelerators.
    pub latency_ms: Option<f64>,
    /// The least relative latency instead, on several accelerators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_latency: Option<f64>,
    /// How much less than the baseline that is.
    pub latency_reduction_pct: Option<f64>,
    /// Its architecture id.
    pub id: Option<String>,
    /// Whether every architecture was scored, so that there is no better one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
}

/// How far a front is from the exact one, which scoring every architecture gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExactGap {
    /// How many architectures there are.
    pub architectures: u64,
    /// By how much the least latency found exceeds the least one there is.
    pub latency_pct: f64,
    /// The share of the exact front's hypervolume that the front reaches.
    pub hypervolume_pct: f64,
    /// The exact front's hypervolume against the report's reference point; absent in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervolume: Option<f64>,
}

/// The archive's hypervolume after so many evaluations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvergenceRow {
    /// Distinct architectures scored.
    pub evaluations: u64,
    /// The hypervolume against the report's reference point.
    pub hypervolume: f64,
}

impl AblationRow {
    /// What was minimised: the relative latency, or the latency in milliseconds.
    #[must_use]
    pub fn cost(&self) -> Option<f64> {
        self.relative_latency.or(self.latency_ms)
    }
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// The file cannot be read or is not a report of this version.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let mut json = serde_json::Deserializer::from_str(&text);
        let file = path.display().to_string();
        let expected = format!("a {SCHEMA} file as `nas search` writes it");
        let report: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| serde_problem(&file, &error.path().to_string(), error.inner(), &expected))?;
        json.end().map_err(|_| Error::unusable(format!("{file}: text after the report")))?;
        if report.schema != SCHEMA {
            return Err(Error::unusable(format!("{file}: schema is {}, expected {SCHEMA}", report.schema)));
        }
        let problems: Vec<Problem> = names::problems(&report, &file)
            .into_iter()
            .chain(report.measured_problems(&file))
            .chain(across::problems(&report, &file))
            .take(MOST)
            .collect();
        if problems.is_empty() { Ok(report) } else { Err(Error::Input(problems)) }
    }

    /// Measurements and accuracies that cannot be.
    fn measured_problems(&self, file: &str) -> Vec<Problem> {
        let front = self.front.iter().enumerate().map(|(index, entry)| (format!("front[{index}]"), entry));
        let entries = std::iter::once(("baseline".to_owned(), &self.baseline)).chain(front);
        let problems = |(place, entry): (String, &Entry)| {
            let trained = trained::problems(entry, file, &place);
            measured::problems(entry, file, &place).into_iter().chain(trained)
        };
        entries.flat_map(problems).collect()
    }

    /// Writes the report, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_json().as_bytes())
    }

    /// The report as indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The entry called `name`: `baseline`, an index into the front, or an architecture id.
    ///
    /// # Errors
    /// There is no such entry.
    pub fn entry(&self, name: &str) -> Result<&Entry> {
        let found = match name.parse::<usize>() {
            _ if name == "baseline" => Some(&self.baseline),
            Ok(index) if name.len() < 8 => self.front.get(index),
            _ => self.front.iter().chain([&self.baseline]).find(|entry| entry.id == name),
        };
        found.ok_or_else(|| {
            let known = match self.front.len() {
                0 => "baseline".to_owned(),
                count => format!("baseline, 0 to {}, or an architecture id", count - 1),
            };
            Error::unusable(format!("the report has no entry `{name}`, expected {known}"))
        })
    }
}
