//! What no architecture falls below, at one score after another.

use super::{
    FAR,
    line::{Line, us_above},
};
use crate::search::Candidate;

/// A score, and the least latency that is known of an architecture which keeps to the limits and scores as much.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// The least score; none for what the limits ask.
    pub score: Option<f64>,
    /// The latency, in microseconds.
    pub known_us: f64,
}

/// What no architecture of a space that keeps to its limits and scores as much falls below.
#[derive(Clone, Debug)]
pub struct LatencyBound {
    /// The least score; none if none is asked for.
    pub score: Option<f64>,
    /// The least latency that any of them can have, in microseconds.
    pub latency_us: f64,
    /// The least that one was found to have.
    pub known_us: f64,
    /// Regions of the space that were bounded.
    pub regions: u64,
    /// Architectures that came up on the way and were priced as a whole.
    pub met: u64,
    /// By what share the cheapest of them was cheaper than its parts at their least: zero if what parts cost at the least
    /// is known.
    pub surprise: f64,
    /// Whether no region is left that could hold something faster than what is known.
    pub closed: bool,
}

impl LatencyBound {
    /// Before anything is bounded.
    pub(super) fn unknown(score: Option<f64>, known_us: f64) -> Self {
        Self { score, latency_us: 0.0, known_us, regions: 0, met: 0, surprise: 0.0, closed: false }
    }
}

/// What no architecture of a space falls below, at one score after another.
#[derive(Clone, Debug)]
pub struct FrontBound {
    /// The bounds in the order of the levels, lowered by the largest surprise of them all.
    pub levels: Vec<LatencyBound>,
    /// Networks that were priced beforehand, to know what parts cost.
    pub networks: u64,
    /// The largest surprise at any level.
    pub surprise: f64,
    /// Architectures that came up on the way and keep to the limits, each faster than what was known of its score
    /// before.
    pub better: Vec<Candidate>,
    /// For each level, the bounds of all regions, without the microseconds that all networks take.
    pub(super) regions: Vec<Vec<Line>>,
    pub(super) overhead_us: f64,
}

impl FrontBound {
    /// What no architecture falls below that keeps to the limits and scores at least so much, in microseconds; for scores from the
    /// first level up.
    #[must_use]
    pub fn us_at(&self, score: f64) -> f64 {
        let at = |(level, regions): (&LatencyBound, &Vec<Line>)| {
            let more = score - level.score.filter(|least| *least <= score)?;
            // Frames that were left aside are no nearer than this.
            let us = (us_above(regions, more) + self.overhead_us).min(FAR * level.known_us);
            Some((us * (1.0 - self.surprise)).max(level.latency_us))
        };
        self.levels.iter().zip(&self.regions).filter_map(at).fold(0.0, f64::max)
    }
}
