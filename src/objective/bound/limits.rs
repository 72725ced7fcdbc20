//! What architectures must keep to.

use crate::space::Metric;

/// What a search must keep to, as far as it follows part by part.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// The least score; none if there is no such limit.
    pub(super) score: Option<f64>,
    /// The most of what is only added up.
    pub(super) amounts: Vec<(Metric, f64)>,
    /// The most bytes alive at once.
    pub(super) peak_bytes: f64,
}

impl Limits {
    /// These limits where the score must be at least so much.
    pub(super) fn with_score(&self, least: Option<f64>) -> Self {
        Self { score: least.or(self.score), ..self.clone() }
    }
}
