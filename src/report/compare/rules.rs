//! The rules of a comparison.

use super::{Condition, Premise, measured};

/// What a comparison is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The comparison fails where one of them holds.
    pub conditions: Vec<Condition>,
    /// What the runs need not share.
    pub allowed: Vec<Premise>,
    /// A change of measured latencies counts if chance gives one as large less often than this; from 0 to 1.
    pub significance: f64,
}

impl Default for Rules {
    /// No condition, nothing that may differ, and 5 % for chance.
    fn default() -> Self {
        Self { conditions: Vec::new(), allowed: Vec::new(), significance: measured::SIGNIFICANCE }
    }
}
