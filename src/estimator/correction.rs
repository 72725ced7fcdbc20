//! The bounded correction on top of the physical model.
//!
//! The physical model explains a layer alone; what neighbours and odd tilings add
//! is learnt by boosted trees as the logarithm of a factor. The factor is clamped
//! to what was seen, so that far from the measurements the physical model rules.

use serde::{Deserialize, Serialize};

use super::{
    boost::{self, Example, Forest, Settings, Tree},
    features::FEATURE_COUNT,
};
use crate::measurement::Kind;

/// Kinds that share a correction, since they behave alike.
pub(super) const GROUPS: [&[Kind]; 5] = [
    &[Kind::Conv2d, Kind::Dense],
    &[Kind::PointwiseConv2d],
    &[Kind::DepthwiseConv2d],
    &[Kind::InputConv2d],
    &[Kind::Add, Kind::Mul, Kind::Concat, Kind::AvgPool, Kind::MaxPool, Kind::GlobalAvgPool, Kind::Resize],
];

/// One target in so many at either end is not believed.
const RARE: usize = 300;

/// The group that `kind` belongs to.
pub(super) fn group(kind: Kind) -> usize {
    GROUPS.iter().position(|group| group.contains(&kind)).unwrap_or(0)
}

/// A correction of one group of kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction {
    /// The kinds of operator that it is for.
    pub(super) kinds: Vec<Kind>,
    /// Least and largest logarithm of the factor that was seen.
    pub(super) log_range: (f64, f64),
    pub(super) trees: Vec<Tree>,
}

impl Correction {
    /// Learns the logarithms of factors given as targets.
    pub(super) fn fit(group: usize, examples: &[Example], settings: &Settings) -> Self {
        let log_range = usual_range(examples.iter().map(|example| example.target).collect());
        Self { kinds: GROUPS[group].to_vec(), log_range, trees: boost::fit(examples, settings) }
    }

    /// What answers for it at speed.
    ///
    /// # Errors
    /// It is unusable; the place and what was found there.
    pub(super) fn compile(&self) -> Result<Factor, (String, String)> {
        let (low, high) = self.log_range;
        if !(low.is_finite() && high.is_finite() && low <= high && low > -50.0 && high < 50.0) {
            return Err(("log_range".into(), format!("{low} to {high}")));
        }
        let forest = Forest::new(&self.trees);
        let forest =
            forest.ok_or_else(|| ("trees".into(), "a tree whose parts do not fit together".into()))?;
        Ok(Factor { forest, log_range: self.log_range })
    }
}

/// All but the rarest targets, zero among them: a search would find the rare bargain and believe it.
fn usual_range(mut targets: Vec<f64>) -> (f64, f64) {
    targets.sort_by(f64::total_cmp);
    let rare = targets.len() / RARE;
    let at = |index: usize| targets.get(index).copied().unwrap_or(0.0);
    (at(rare).min(0.0), at(targets.len().saturating_sub(1 + rare)).max(0.0))
}

/// A correction ready for use.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    forest: Forest,
    log_range: (f64, f64),
}

impl Factor {
    /// The factor on the physical latency.
    pub(super) fn of(&self, features: &[f32; FEATURE_COUNT]) -> f64 {
        self.forest.sum(features).clamp(self.log_range.0, self.log_range.1).exp()
    }
}
