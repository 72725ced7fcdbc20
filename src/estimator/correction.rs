//! The bounded correction on top of the physical model.
//!
//! The physical model explains a layer alone; what neighbours and odd tilings add
//! is learnt by boosted trees as the logarithm of a factor. The factor is clamped
//! to what was seen, so that far from the measurements the physical model rules.

use serde::{Deserialize, Serialize};

use super::{
    boost::{self, Example, Settings, Tree},
    features::{FEATURE_COUNT, FEATURES},
    operation::Kind,
};

/// Kinds that share a correction, since they behave alike.
pub(super) const GROUPS: [&[Kind]; 4] = [
    &[Kind::Conv2d, Kind::Dense],
    &[Kind::PointwiseConv2d],
    &[Kind::DepthwiseConv2d],
    &[Kind::Add, Kind::Mul, Kind::Concat, Kind::AvgPool, Kind::MaxPool, Kind::GlobalAvgPool, Kind::Resize],
];

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
        let log_range = examples
            .iter()
            .fold((0.0, 0.0), |(low, high): (f64, f64), e| (low.min(e.target), high.max(e.target)));
        Self { kinds: GROUPS[group].to_vec(), log_range, trees: boost::fit(examples, settings) }
    }

    /// The factor on the physical latency.
    pub(super) fn factor(&self, features: &[f32; FEATURE_COUNT]) -> f64 {
        boost::sum(&self.trees, features).clamp(self.log_range.0, self.log_range.1).exp()
    }

    /// What makes it unusable, if anything: the place and what was found.
    pub(super) fn fault(&self) -> Option<(String, String)> {
        let (low, high) = self.log_range;
        if !(low.is_finite() && high.is_finite() && low <= high && low > -50.0 && high < 50.0) {
            return Some(("log_range".into(), format!("{low} to {high}")));
        }
        let broken = |tree: &Tree| {
            tree.features.len() != tree.thresholds.len()
                || tree.features.len() > 16
                || tree.leaves.len() != 1 << tree.features.len()
                || tree.features.iter().any(|feature| usize::from(*feature) >= FEATURES.len())
        };
        let index = self.trees.iter().position(broken)?;
        Some((format!("trees[{index}]"), "a tree whose parts do not fit together".into()))
    }
}
