//! A run that was for several accelerators at once: which they were, and what an architecture takes on each.

use serde::{Deserialize, Serialize};

use super::{Entry, Measured, Report, Table, entry::rounded, finding::Gain};
use crate::{
    error::{Problem, Result},
    estimator::{Estimator, NetworkEstimate},
    objective::{ArchitectureSearch, Target, Targets},
    space::{Across, Space},
};

/// The accelerators of a run that was for several; part of a [`Report`].
///
/// What a report says of layers and blocks, and every `latency_ms` that names no accelerator, is of the first one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcrossTargets {
    /// How their latencies became one number: `worst` or `weighted`.
    pub objective: String,
    /// The accelerators, in the order of the report's estimators.
    pub targets: Vec<ReportTarget>,
}

/// One accelerator of such a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportTarget {
    /// What it is called.
    pub name: String,
    /// How much it counts in the weighted mean, as it was given; absent where the worst counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The channels that it works on at once, as its estimator has it.
    pub parallelism: u32,
    /// The mean error of its estimator on networks that it had not seen, in percent; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_pct: Option<f64>,
    /// How many networks that were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_networks: Option<usize>,
}

/// What an architecture takes on one of several accelerators; part of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetLatency {
    /// The accelerator's name.
    pub target: String,
    /// Estimated latency.
    pub latency_ms: f64,
    /// Lower end of the 90 % interval.
    pub latency_ms_low: f64,
    /// Upper end of the 90 % interval.
    pub latency_ms_high: f64,
    /// Whether every layer is inside the range that was measured.
    pub in_range: bool,
    /// How much less latency than the baseline there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_reduction_pct: Option<f64>,
    /// What the device said, if the architecture was measured on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

impl AcrossTargets {
    /// The accelerators of a search; none where it is for one.
    #[must_use]
    pub fn of(search: &ArchitectureSearch<'_>) -> Option<Self> {
        let targets = search.targets();
        let weighted = targets.across() == Across::Weighted;
        let row = |target: &Target<'_>| {
            let accuracy = target.estimator.quality().networks.as_ref();
            ReportTarget {
                name: target.name.clone(),
                weight: weighted.then_some(target.weight),
                parallelism: target.estimator.parallelism(),
                error_pct: accuracy.map(|accuracy| rounded(accuracy.mape_pct)),
                error_networks: accuracy.map(|accuracy| accuracy.n),
            }
        };
        targets.are_several().then(|| Self {
            objective: targets.across().name().into(),
            targets: targets.list().iter().map(row).collect(),
        })
    }

    /// What the relative latency is: `worst of 3 targets`.
    #[must_use]
    pub fn words(&self) -> String {
        let count = self.targets.len();
        match self.objective.parse() {
            Ok(Across::Weighted) => format!("weighted mean of {count} targets"),
            _ => format!("worst of {count} targets"),
        }
    }

    /// The same with what it depends on: the names in their order, and their weights if these count.
    #[must_use]
    pub fn definition(&self) -> String {
        let weight =
            |target: &ReportTarget| target.weight.map_or(String::new(), |weight| format!(" x {weight}"));
        let each: Vec<String> =
            self.targets.iter().map(|target| format!("{}{}", target.name, weight(target))).collect();
        format!("{} of {}", self.objective, each.join(", "))
    }

    /// The accelerators as a search takes them, with the latency limits of each in `space` if `limits`; `estimators` are
    /// those of the run.
    ///
    /// # Errors
    /// There are not as many of them, or they do not make a search.
    pub fn restored<'a>(
        &self,
        space: &Space,
        estimators: &[&'a Estimator],
        limits: bool,
    ) -> Result<Targets<'a>> {
        let own = space.targets().filter(|_| limits).map_or(&[][..], |targets| &targets.list);
        let target = |(index, (row, estimator)): (usize, (&ReportTarget, &&'a Estimator))| Target {
            name: row.name.clone(),
            estimator,
            weight: row.weight.unwrap_or(1.0),
            limits: own.get(index).map_or(Vec::new(), |own| own.limits.clone()),
        };
        let list = self.targets.iter().zip(estimators).enumerate().map(target).collect();
        Targets::several(self.objective.parse()?, list)
    }

    /// The accelerator that layers, blocks and latencies without a name belong to.
    #[must_use]
    pub fn first(&self) -> &str {
        self.targets.first().map_or("", |target| &target.name)
    }
}

impl TargetLatency {
    pub(super) fn of(target: &str, estimate: &NetworkEstimate) -> Self {
        Self {
            target: target.to_owned(),
            latency_ms: rounded(estimate.latency_us / 1e3),
            latency_ms_low: rounded(estimate.low_us / 1e3),
            latency_ms_high: rounded(estimate.high_us / 1e3),
            in_range: estimate.in_range(),
            latency_reduction_pct: None,
            measured: None,
        }
    }

    fn cell(&self) -> String {
        format!("{:.3}{}", self.latency_ms, if self.in_range { "" } else { "*" })
    }
}

impl Entry {
    /// What the run minimises of it: the relative latency where it was for several accelerators, a ratio without a
    /// unit; else the latency in milliseconds.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.relative_latency.unwrap_or(self.latency_ms)
    }

    /// The same for people: `0.617 relative` or `3.142 ms`.
    pub(super) fn cost_text(&self) -> String {
        let unit = if self.relative_latency.is_some() { "relative" } else { "ms" };
        format!("{:.3} {unit}", self.cost())
    }

    /// What it takes on the accelerator called `target`.
    #[must_use]
    pub fn on(&self, target: &str) -> Option<&TargetLatency> {
        self.latencies.iter().find(|latency| latency.target == target)
    }

    /// A cell of a table for each accelerator.
    pub(super) fn target_cells(&self) -> impl Iterator<Item = String> {
        self.latencies.iter().map(TargetLatency::cell)
    }

    /// Whether every layer is inside the range that was measured, on every accelerator.
    pub(super) fn is_in_range(&self) -> bool {
        self.in_range && self.latencies.iter().all(|latency| latency.in_range)
    }
}

/// From baseline to the entry to take, target by target; none where the run was for one, or found nothing.
#[must_use]
pub fn targets_table(report: &Report) -> Option<Table> {
    let (across, found) = (report.across.as_ref()?, report.finding()?);
    let measured = |entry: &Entry| entry.latencies.iter().any(|latency| latency.measured.is_some());
    let measured = measured(found.baseline) || measured(found.entry);
    let weights = across.targets.iter().any(|target| target.weight.is_some());
    let is_shown = |name: &&str| (measured || !name.contains("measured")) && (weights || *name != "weight");
    let header = [
        "target",
        "weight",
        "baseline ms",
        "best ms",
        "90 % interval",
        "reduction",
        "measured ms",
        "reduction measured",
        "estimator's error",
    ];
    let mut table = Table::new(&header.into_iter().filter(is_shown).collect::<Vec<&str>>())
        .left(header.iter().filter(|n| is_shown(n)).count() - 1);
    for target in &across.targets {
        let (Some(from), Some(to)) = (found.baseline.on(&target.name), found.entry.on(&target.name)) else {
            continue;
        };
        let ms = |latency: &TargetLatency| latency.measured.as_ref().map(Measured::ms);
        let show = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.3}"));
        let gain = measured_gain(from, to);
        let cells = [
            target.name.clone(),
            target.weight.map_or(String::new(), |weight| weight.to_string()),
            from.cell(),
            to.cell(),
            format!("{:.3} to {:.3}", to.latency_ms_low, to.latency_ms_high),
            to.latency_reduction_pct.map_or(String::new(), |percent| format!("{percent:.1} %")),
            format!("{} → {}", show(ms(from)), show(ms(to))),
            gain.map_or(String::new(), |gain| format!("{:.1} %", gain.percent())),
            error(target),
        ];
        let named = header.into_iter().zip(cells);
        table.push(named.filter(|(name, _)| is_shown(name)).map(|(_, cell)| cell));
    }
    Some(table)
}

/// As measured, where both were on one device.
fn measured_gain(from: &TargetLatency, to: &TargetLatency) -> Option<Gain> {
    let (from, to) = (from.measured.as_ref()?, to.measured.as_ref()?);
    from.is_like(to).then(|| Gain { from_ms: from.ms(), to_ms: to.ms() })
}

fn error(target: &ReportTarget) -> String {
    match (target.error_pct, target.error_networks) {
        (Some(percent), Some(count)) => format!("{percent:.1} % on {count} unseen networks"),
        (Some(percent), None) => format!("{percent:.1} %"),
        (None, _) => "not known".to_owned(),
    }
}

/// What takes how long where: `npu 3.2 → 1.3 ms, 60.0 % less`, for each accelerator.
pub(super) fn target_lines(baseline: &Entry, entry: &Entry) -> Vec<String> {
    let pairs = baseline.latencies.iter().zip(&entry.latencies);
    let line = |(from, to): (&TargetLatency, &TargetLatency)| {
        let gain = Gain { from_ms: from.latency_ms, to_ms: to.latency_ms };
        let measured = measured_gain(from, to).map_or(String::new(), |gain| {
            format!("; measured {:.3} → {:.3} ms, {}", gain.from_ms, gain.to_ms, gain.change())
        });
        format!(
            "{}: {:.3} → {:.3} ms, {}{measured}",
            to.target,
            from.latency_ms,
            to.latency_ms,
            gain.change()
        )
    };
    pairs.map(line).collect()
}

/// What does not fit together: accelerators, and what entries say of them.
pub(super) fn problems(report: &Report, file: &str) -> Vec<Problem> {
    let problem = |path: String, found: String, expected: String| Problem {
        file: file.to_owned(),
        position: None,
        path,
        found,
        expected,
    };
    let names: Vec<&str> =
        report.across.iter().flat_map(|across| &across.targets).map(|target| target.name.as_str()).collect();
    let mut problems = Vec::new();
    if let Some(across) = &report.across {
        if across.objective.parse::<Across>().is_err() {
            let known = Across::NAMES.map(|(name, _)| name).join(" or ");
            problems.push(problem("across.objective".into(), across.objective.clone(), known));
        }
        if names.len() < 2 || names.len() != report.estimators.len() {
            let found = format!("{} targets for {} estimators", names.len(), report.estimators.len());
            problems.push(problem("across.targets".into(), found, "one for each, two or more".into()));
        }
    }
    let front = report.front.iter().enumerate().map(|(index, entry)| (format!("front[{index}]"), entry));
    for (place, entry) in std::iter::once(("baseline".to_owned(), &report.baseline)).chain(front) {
        let own: Vec<&str> = entry.latencies.iter().map(|latency| latency.target.as_str()).collect();
        if own != names {
            let (found, expected) =
                (format!("those on [{}]", own.join(", ")), format!("[{}]", names.join(", ")));
            problems.push(problem(format!("{place}.latencies"), found, expected));
        }
        match (entry.relative_latency, names.is_empty()) {
            (Some(ratio), false) if ratio.is_finite() && ratio > 0.0 => {}
            (None, true) => {}
            (found, several) => {
                let expected =
                    if several { "none, since `across` names no targets" } else { "a ratio above zero" };
                let found = found.map_or("nothing".to_owned(), |ratio| ratio.to_string());
                problems.push(problem(format!("{place}.relative_latency"), found, expected.into()));
            }
        }
        if !names.is_empty() && entry.measured.is_some() {
            let expected = "what a device said beside the latency on it, in `latencies`".to_owned();
            problems.push(problem(
                format!("{place}.measured"),
                "a measurement of no target".into(),
                expected,
            ));
        }
    }
    problems
}
