//! Two runs against each other: what changed, and whether that is acceptable.
//!
//! The headline of a run is its least latency at no less trainability than the
//! baseline of BASE. Predicted numbers carry no noise, so they are compared
//! exactly; whether a difference would show on a device is another question,
//! which the estimator's held-out error answers.

mod benchmark;
mod comparable;
mod condition;
mod fronts;
mod junit;
mod markdown;
mod quantity;
mod summary;
mod text;

pub use benchmark::comparison_benchmark;
pub use comparable::{Difference, Premise};
pub use condition::{Condition, GateResult};
pub use fronts::{EqualScore, FrontComparison};
pub use junit::comparison_junit;
pub use markdown::comparison_markdown;
pub use quantity::Quantity;
pub use text::comparison_text;

use serde::Serialize;

use super::{Change, Entry, Report, Run, changes, entry::rounded, unexplained_ms};

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
    /// Its latency.
    pub latency_ms: f64,
    /// Lower end of the 90 % interval.
    pub latency_ms_low: f64,
    /// Upper end of the 90 % interval.
    pub latency_ms_high: f64,
}

/// One number of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuantityRow {
    /// Its name.
    pub name: &'static str,
    #[serde(skip)]
    quantity: Quantity,
    /// In BASE; absent where nothing meets the requirement.
    pub base: Option<f64>,
    /// In NEW; absent where nothing meets the requirement.
    pub new: Option<f64>,
    /// NEW less BASE.
    pub change: Option<f64>,
    /// The same in percent of BASE; absent where zero means nothing, as for scores.
    pub change_pct: Option<f64>,
}

/// The error that a predicted latency has to be expected to have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EstimatorError {
    /// In percent of the latency.
    pub percent: f64,
    /// What it is the error of.
    pub of: String,
}

/// Compares `new` with `base`; the comparison fails where a condition holds.
#[must_use]
pub fn compare(base: &Run, new: &Run, conditions: &[Condition], allowed: &[Premise]) -> Comparison {
    let differences = comparable::differences(&base.report, &new.report, allowed);
    let mut comparison = empty(&new.report, differences);
    if comparison.differences.iter().any(|difference| !difference.allowed) {
        return comparison;
    }
    let needed = base.report.baseline.trainability;
    let (old, now) = (headline(&base.report, needed), headline(&new.report, needed));
    let fronts = FrontComparison::of(base, new);
    comparison.headline = [old.map(Headline::of), now.map(Headline::of)];
    comparison.quantities =
        Quantity::NAMES.iter().map(|(_, quantity)| row(*quantity, old, now, &fronts)).collect();
    comparison.fronts = Some(fronts);
    if let Some((old, now)) = old.zip(now) {
        comparison.changes = changes(old, now);
        comparison.unchanged_blocks_ms = unexplained_ms(old, now);
    }
    comparison.estimator_error = estimator_error(base, new, now);
    comparison.below_estimator_error = comparison.is_below_error();
    comparison.gates = conditions.iter().map(|condition| comparison.gate(condition)).collect();
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
        gates: Vec::new(),
        fronts: None,
        changes: Vec::new(),
        unchanged_blocks_ms: 0.0,
    }
}

/// The least latency at no less than the score that is `needed`.
fn headline(report: &Report, needed: f64) -> Option<&Entry> {
    let enough = report.front.iter().filter(|entry| entry.trainability >= needed);
    enough.min_by(|a, b| a.latency_ms.total_cmp(&b.latency_ms))
}

impl Headline {
    fn of(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            latency_ms: entry.latency_ms,
            latency_ms_low: entry.latency_ms_low,
            latency_ms_high: entry.latency_ms_high,
        }
    }
}

fn row(
    quantity: Quantity,
    old: Option<&Entry>,
    now: Option<&Entry>,
    fronts: &FrontComparison,
) -> QuantityRow {
    let (base, new) = match quantity {
        Quantity::Hypervolume => {
            (fronts.hypervolumes.map(|both| both[0]), fronts.hypervolumes.map(|both| both[1]))
        }
        _ => (old.and_then(|entry| quantity.of(entry)), now.and_then(|entry| quantity.of(entry))),
    };
    let both = base.zip(new);
    QuantityRow {
        name: quantity.name(),
        quantity,
        base,
        new,
        change: both.map(|(base, new)| rounded(new - base)),
        change_pct: both
            .filter(|_| quantity.is_ratio())
            .map(|(base, new)| rounded(quantity::percent(base, new))),
    }
}

/// The held-out error of either estimator, or half of NEW's interval if neither is at hand.
fn estimator_error(base: &Run, new: &Run, now: Option<&Entry>) -> Option<EstimatorError> {
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
        self.quantities.iter().find(|row| row.quantity == quantity)
    }

    fn is_below_error(&self) -> Option<bool> {
        let change = self.quantity(Quantity::LatencyMs)?.change_pct?;
        Some(change.abs() < self.estimator_error.as_ref()?.percent)
    }

    fn gate(&self, condition: &Condition) -> GateResult {
        let row = self.quantity(condition.quantity());
        condition.check(row.and_then(|row| row.base), row.and_then(|row| row.new))
    }

    /// As indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
