//! Regions of a lattice: each gene between two alternatives.

use crate::space::{Gene, Space};

/// The architectures whose genes lie between these alternatives.
#[derive(Clone, Debug)]
pub(super) struct Region {
    /// The first and the last alternative of each gene of the space.
    genes: Vec<(u8, u8)>,
    /// The least and the most that the tightest cut may be.
    pub(super) bottleneck: (f64, f64),
}

impl Region {
    /// All architectures of a space.
    pub(super) fn all(space: &Space) -> Self {
        let last = |gene: &Gene| gene.labels.len().saturating_sub(1) as u8;
        let genes = space.genes().iter().map(|gene| (0, last(gene))).collect();
        Self { genes, bottleneck: (0.0, f64::INFINITY) }
    }

    /// The first and the last alternative of a gene.
    pub(super) fn gene(&self, gene: usize) -> (u8, u8) {
        self.genes[gene]
    }

    /// Whether what is set so may be in it.
    pub(super) fn contains(&self, setting: &[(usize, u8)]) -> bool {
        setting.iter().all(|(gene, value)| {
            let (first, last) = self.genes[*gene];
            (first..=last).contains(value)
        })
    }

    /// Both sides of a cut.
    pub(super) fn divided(&self, cut: Cut) -> [Self; 2] {
        let [mut below, mut above] = [self.clone(), self.clone()];
        match cut {
            Cut::Gene(gene, last) => {
                below.genes[gene].1 = last;
                above.genes[gene].0 = last + 1;
            }
            Cut::Bottleneck(most, next) => {
                below.bottleneck.1 = most;
                above.bottleneck.0 = next;
            }
        }
        [below, above]
    }
}

/// A way to divide a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cut {
    /// A gene up to this alternative on one side, the others on the other.
    Gene(usize, u8),
    /// Bottlenecks up to the first on one side, from the second on on the other.
    Bottleneck(f64, f64),
}
