//! Two runs against each other: what changed, and whether that is acceptable.
//!
//! The headline of a run is its least latency at no less trainability than the
//! baseline of BASE, or at no less accuracy where all runs were trained alike; the
//! least measured one where all runs have measured their fastest. Predicted numbers carry no noise, so they are compared
//! exactly; whether a difference would show on a device is another question,
//! which the estimator's held-out error answers. Measured latencies are compared
//! by their medians, and a rank test tells a difference from noise.

mod benchmark;
mod comparable;
mod condition;
mod fronts;
mod junit;
mod markdown;
mod measured;
mod quantity;
mod quantity_row;
mod rank_test;
mod rules;
mod summary;
mod text;
mod trend;
mod trend_text;

pub use benchmark::comparison_benchmark;
pub use comparable::{Difference, Premise};
pub use condition::{Condition, GateResult};
pub use fronts::{EqualScore, FrontComparison, MemberChange};
pub use junit::comparison_junit;
pub use markdown::comparison_markdown;
pub(super) use markdown::{capital, escaped};
pub use measured::MeasuredComparison;
pub use quantity::Quantity;
pub use quantity_row::QuantityRow;
pub use rules::Rules;
pub use text::comparison_text;
pub use trend::{Against, Move, NamedRun, TREND_SCHEMA, Trend, TrendRun, TrendValue};
pub use trend_text::{trend_markdown, trend_text};

use serde::Serialize;

use super::{
    Change, Entry, Measured, Report, Run, changes, entry::rounded, finding::least_measured, unexplained_ms,
};

/// The value of a comparison's `schema`.
pub const SCHEMA: &str = "nas.comparison/1";

/// How a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No gate failed.
    Pass,
    /// At least one gate failed.
    Fail,
    /// The runs do not share what a comparison needs; neither a pass nor a regression.
    NotComparable,
}

/// The result of comparing two runs, `nas.comparison/1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of `nas` that wrote it.
    pub version: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was compared: the space and the estimators of NEW.
    pub subject: String,
    /// What the runs do not share, allowed or not.
    pub differences: Vec<Difference>,
    /// The headline architecture of each run.
    pub headline: [Option<Headline>; 2],
    /// The numbers of the headline architectures and the fronts.
    pub quantities: Vec<QuantityRow>,
    /// How far the estimator is off on networks it has not seen; absent where it is not known.
    pub estimator_error: Option<EstimatorError>,
    /// Whether the latencies differ by less than that; absent where either is not known.
    pub below_estimator_error: Option<bool>,
    /// The measured latencies of the headline architectures; absent unless both have samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<MeasuredComparison>,
    /// Each condition and how it came out.
    pub gates: Vec<GateResult>,
    /// The fronts against each other; absent where the runs cannot be compared.
    pub fronts: Option<FrontComparison>,
    /// What changed from the headline architecture of BASE to that of NEW, block by block.
    pub changes: Vec<Change>,
    /// The latency that changed in blocks which are what they were, but have other neighbours.
    pub unchanged_blocks_ms: f64,
}

/// The architecture that a run is judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// Its id.
    pub id: String,
    /// Its latency; on the first accelerator where there are several.
    pub latency_ms: f64,
    /// Its latency relative to the baseline's on several accelerators, which is what it was chosen by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_latency: Option<f64>,
    /// Lower end of the 90 % interval.
    pub latency_ms_low: f64,
    /// Upper end of the 90 % interval.
    pub latency_ms_high: f64,
    /// What a device said of it, if it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<MeasuredHeadline>,
}

/// What a device said of a headline architecture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredHeadline {
    /// Its median latency.
    pub latency_ms: f64,
    /// What was measured on, if it is said.
    pub device: Option<String>,
    /// What measured it, if it is said.
    pub runner: Option<String>,
    /// Both in words.
    #[serde(skip)]
    pub(super) origin: String,
}

/// The error that a predicted latency has to be expected to have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EstimatorError {
    /// In percent of the latency.
    pub percent: f64,
    /// What it is the error of.
    pub of: String,
}

/// Compares `new` with `base` by `rules`.
#[must_use]
pub fn compare(base: &Run, new: &Run, rules: &Rules) -> Comparison {
    let differences = comparable::differences(&base.report, &new.report, &rules.allowed);
    let mut comparison = empty(&new.report, differences);
    if comparison.differences.iter().any(|difference| !difference.allowed) {
        return comparison;
    }
    let entries = headlines(&[&base.report, &new.report]);
    let entry = |index: usize| entries.get(index).copied().flatten();
    let (old, now) = (entry(0), entry(1));
    let fronts = FrontComparison::of(base, new);
    comparison.headline = [old.map(Headline::of), now.map(Headline::of)];
    comparison.quantities = quantity_row::rows(old, now, &fronts, &targets(&new.report));
    comparison.fronts = Some(fronts);
    if let Some((old, now)) = old.zip(now) {
        comparison.changes = changes(old, now);
        comparison.unchanged_blocks_ms = unexplained_ms(old, now);
        comparison.measured = MeasuredComparison::of(old, now, rules.significance);
    }
    comparison.estimator_error = estimator_error(base, new, now);
    comparison.below_estimator_error = comparison.is_below_error();
    comparison.gates = comparison.all_gates(&rules.conditions, &targets(&new.report));
    let failed = comparison.gates.iter().any(|gate| gate.failed);
    comparison.verdict = if failed { Verdict::Fail } else { Verdict::Pass };
    comparison
}

fn empty(new: &Report, differences: Vec<Difference>) -> Comparison {
    Comparison {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        verdict: Verdict::NotComparable,
        subject: format!("{} on {}", new.space.name, super::text::estimators(new)),
        differences,
        headline: [None, None],
        quantities: Vec::new(),
        estimator_error: None,
        below_estimator_error: None,
        measured: None,
        gates: Vec::new(),
        fronts: None,
        changes: Vec::new(),
        unchanged_blocks_ms: 0.0,
    }
}

/// The accelerators of a run for several.
fn targets(report: &Report) -> Vec<&str> {
    let targets = report.across.iter().flat_map(|across| &across.targets);
    targets.map(|target| target.name.as_str()).collect()
}

/// Of each run the least latency (relative, where runs are for several accelerators) of what is good enough for the
/// first: as measured if each run has measured its least predicted one, so that a run is never set against another
/// kind of number.
fn headlines<'r>(reports: &[&'r Report]) -> Vec<Option<&'r Entry>> {
    let Some(first) = reports.first() else { return Vec::new() };
    let by_accuracy =
        reports.iter().all(|report| report.front.iter().any(|entry| first.lacks(entry).is_some()));
    let suffices = move |entry: &Entry| match by_accuracy {
        true => first.lacks(entry).is_some_and(|lacks| first.is_accurate(lacks)),
        false => entry.trainability >= first.baseline.trainability,
    };
    let enough =
        move |report: &'r Report| report.front.iter().enumerate().filter(move |(_, entry)| suffices(entry));
    let predicted: Vec<_> = reports
        .iter()
        .map(|report| enough(report).min_by(|a, b| a.1.cost().total_cmp(&b.1.cost())))
        .collect();
    let all_measured = predicted.iter().all(|best| best.is_some_and(|(_, entry)| entry.measured.is_some()));
    let headline = |(report, best): (&&'r Report, Option<(usize, &'r Entry)>)| {
        let (_, entry) = match (best?, all_measured) {
            (best, false) => best,
            (best, true) => {
                let limit = best.1.measured.as_ref().and_then(|measured| report.limit_ms(measured));
                least_measured(best, enough(report), limit)
            }
        };
        Some(entry)
    };
    reports.iter().zip(predicted).map(headline).collect()
}

impl Headline {
    fn of(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            latency_ms: entry.latency_ms,
            relative_latency: entry.relative_latency,
            latency_ms_low: entry.latency_ms_low,
            latency_ms_high: entry.latency_ms_high,
            measured: entry.measured.as_ref().map(MeasuredHeadline::of),
        }
    }
}

impl MeasuredHeadline {
    fn of(measured: &Measured) -> Self {
        Self {
            latency_ms: rounded(measured.ms()),
            device: measured.device.clone(),
            runner: measured.runner.clone(),
            origin: measured.origin(),
        }
    }
}

/// The held-out error of either estimator, or half of NEW's interval if neither is at hand.
fn estimator_error(base: &Run, new: &Run, now: Option<&Entry>) -> Option<EstimatorError> {
    // A ratio of worst cases has no held-out error; that of each target stands in its report.
    if new.report.across.is_some() {
        return None;
    }
    let worst = [base.held_out(), new.held_out()]
        .into_iter()
        .flatten()
        .max_by(|a, b| a.mape_pct.total_cmp(&b.mape_pct));
    if let Some(accuracy) = worst {
        let of = format!("mean error on {} unseen networks", accuracy.n);
        return Some(EstimatorError { percent: rounded(accuracy.mape_pct), of });
    }
    let entry = now?;
    let half = (entry.latency_ms_high - entry.latency_ms_low) / 2.0;
    let percent = rounded(100.0 * half / entry.latency_ms);
    Some(EstimatorError { percent, of: "half of the 90 % interval".into() })
}

impl Comparison {
    fn quantity(&self, quantity: Quantity) -> Option<&QuantityRow> {
        self.quantities.iter().find(|row| row.quantity == quantity && row.target.is_none())
    }

    /// What the headline architecture was chosen by: the relative latency, or the latency of one accelerator.
    fn latency(&self) -> Option<&QuantityRow> {
        self.quantity(Quantity::RelativeLatency).or_else(|| self.quantity(Quantity::LatencyMs))
    }

    fn is_below_error(&self) -> Option<bool> {
        let change = self.quantity(Quantity::LatencyMs)?.change_pct?;
        Some(change.abs() < self.estimator_error.as_ref()?.percent)
    }

    /// Each condition, and those on the latency on the measured one too where both were measured.
    fn all_gates(&self, conditions: &[Condition], targets: &[&str]) -> Vec<GateResult> {
        let measured = |condition: &Condition| condition.on_measured().filter(|_| self.measured.is_some());
        let conditions: Vec<Condition> =
            conditions.iter().flat_map(|condition| condition.in_runs_for(targets)).collect();
        let both = conditions.iter().flat_map(|one| std::iter::once(one.clone()).chain(measured(one)));
        both.map(|condition| self.gate(&condition)).collect()
    }

    fn gate(&self, condition: &Condition) -> GateResult {
        let of = |row: &&QuantityRow| {
            row.quantity == condition.quantity() && row.target.as_deref() == condition.target()
        };
        let row = self.quantities.iter().find(of);
        if row.is_none() && self.headline[1].is_some() && condition.needs_targets() {
            return condition.without_target();
        }
        let (base, new) = (row.and_then(|row| row.base), row.and_then(|row| row.new));
        let found = self.headline.each_ref().map(Option::is_some);
        let known = |remedy: &str| condition.check_known(base, new, found, remedy);
        match condition.quantity() {
            Quantity::MeasuredLatencyMs => condition.check_measured(base, new, self.measured.as_ref()),
            Quantity::EnergyUj => known("energy; search it again with --energy"),
            Quantity::Accuracy => known("accuracy; train it with `nas train`"),
            _ => condition.check(base, new),
        }
    }

    /// As indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
