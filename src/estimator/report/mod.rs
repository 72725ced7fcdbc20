//! What a fit says of itself, beside the table of its quality: where it errs most, whether more measurements
//! would help, and where to measure next.

mod curve;
mod next;
mod old;
mod text;
mod worst;

use serde::Serialize;

pub(super) use self::{curve::learning_curve, worst::words};
pub use self::{
    curve::{CurvePoint, LearningCurve},
    next::MeasureNext,
    old::{OldComparison, OldNew},
    worst::WorstRow,
};
use super::{Estimator, FoundLanes, Quality, held_out::HeldOut};

const SCHEMA: &str = "nas.fit-report/1";

/// Everything that a fit tells about itself; `nas.fit-report/1` as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FitReport {
    /// Always `nas.fit-report/1`.
    pub schema: &'static str,
    /// The estimator's name.
    pub estimator: String,
    /// Hash of the estimator file.
    pub hash: String,
    /// Held-out quality by kind and for networks.
    pub quality: Quality,
    /// Lanes as the staircase shows them; none where only whole networks were measured.
    pub lanes: Option<FoundLanes>,
    /// The ten rows that were predicted worst, by fits that had not seen them.
    pub worst: Vec<WorstRow>,
    /// Held-out error against the amount of data; none where it was not asked for or there is too little.
    pub learning_curve: Option<LearningCurve>,
    /// The region with more of the error than of the rows; none where no region stands out.
    pub measure_next: Option<MeasureNext>,
    /// This fit against an older estimator on the same rows.
    pub old: Option<OldComparison>,
    /// What the user should know before trusting the estimator.
    pub warnings: Vec<String>,
}

impl FitReport {
    /// The report on an estimator of which only the quality is known.
    pub(super) fn brief(estimator: &Estimator) -> Self {
        Self {
            schema: SCHEMA,
            estimator: estimator.name().to_owned(),
            hash: estimator.hash().to_owned(),
            quality: estimator.quality().clone(),
            lanes: estimator.document().lanes,
            worst: Vec::new(),
            learning_curve: None,
            measure_next: None,
            old: None,
            warnings: Vec::new(),
        }
    }

    /// The report on `estimator`, whose held-out predictions are `held_out`.
    pub(super) fn new(
        estimator: &Estimator,
        held_out: &HeldOut<'_>,
        learning_curve: Option<LearningCurve>,
        old: Option<&Estimator>,
    ) -> Self {
        let old = old.map(|old| OldComparison::new(old, estimator, held_out));
        Self {
            worst: worst::worst(held_out),
            learning_curve,
            measure_next: next::measure_next(held_out),
            warnings: warnings(held_out, estimator.quality(), old.as_ref()),
            old,
            ..Self::brief(estimator)
        }
    }
}

fn warnings(held_out: &HeldOut<'_>, quality: &Quality, old: Option<&OldComparison>) -> Vec<String> {
    let training = held_out.training();
    let in_context = training.samples.iter().any(|sample| sample.network.is_some());
    let mut warnings = Vec::new();
    if training.wholes.is_empty() {
        warnings.push(
            "additivity is unknown: no network was measured, so it cannot be assumed that isolated operators \
             add up to a network; measure at least a few whole networks, better layer by layer (columns \
             `network`, `layer`)"
                .to_owned(),
        );
    }
    if let Some(additivity) = quality.additivity.as_ref().filter(|a| !in_context && !a.is_additive()) {
        let ratio = additivity.median_ratio;
        warnings.push(format!(
            "this fit knows layers from isolated operators only, and these sum to {ratio:.2} times the measured \
             network here; do not trust it with networks before it has seen some profiled layer by layer \
             (in-context rows: columns `network`, `layer`, with --networks)"
        ));
    }
    if training.samples.is_empty() {
        warnings.push(
            "no layer was measured singly: networks are predicted, but how a network's time is split over \
             its layers is inferred only; measure some networks layer by layer to know"
                .to_owned(),
        );
    }
    if let Some(seen) = old.map(|old| &old.seen).filter(|seen| !seen.is_empty()) {
        warnings.push(format!(
            "the old estimator was fitted to {}, so it has seen these rows; its error on unseen ones is larger",
            seen.join(", ")
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
