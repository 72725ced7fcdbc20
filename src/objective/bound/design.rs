//! Architectures as their parts make them.

use crate::trainability::Totals;

/// An architecture, as the parts make it.
#[derive(Clone, Debug)]
pub(super) struct Design {
    /// The sum of the least latencies of its parts, in microseconds.
    pub(super) us: f64,
    /// By how much it exceeds the limits on what is added up, as shares of them.
    pub(super) excesses: Vec<f64>,
    pub(super) totals: Totals,
    pub(super) genotype: Vec<u8>,
    /// The genes that matter to it, each with the latency of the parts that it is about.
    pub(super) genes: Vec<(usize, f64)>,
}

impl Design {
    /// The latency of the parts that a gene is about; none if it has no effect here.
    pub(super) fn us_of(&self, gene: usize) -> Option<f64> {
        self.genes.iter().find(|(known, _)| *known == gene).map(|(_, us)| *us)
    }
}
