//! What architectures must keep to.

use super::lattice::Amounts;
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

impl Amounts {
    /// One of them; none of those that are not only added up.
    pub(super) fn of(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Macs => self.macs.0 as f64,
            Metric::Params => self.params.0 as f64,
            Metric::ModelBytes => self.model_bytes.0 as f64,
            _ => 0.0,
        }
    }
}
