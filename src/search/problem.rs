//! What the user of the search brings.

use crate::space::Genotype;

use super::evaluation::{Evaluation, Objectives};

/// One decision: how many alternatives, and what it has to do with its neighbours.
///
/// Group and kind are hints. Variation keeps genes of a group together and changes
/// genes of a kind along the chain together. The search is correct without them, and
/// learns faster from few evaluations with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gene {
    /// The number of alternatives, 1 to 256.
    pub cardinality: u16,
    /// Where on the chain the gene acts, such as its block; groups are visited in ascending order.
    pub group: Option<u32>,
    /// What it decides, such as `width`; alternatives of a kind should ascend alike.
    pub kind: Option<String>,
}

impl Gene {
    /// A gene on its own with `cardinality` alternatives.
    #[must_use]
    pub fn new(cardinality: u16) -> Self {
        Self { cardinality, group: None, kind: None }
    }

    /// The gene acts at this place of the chain.
    #[must_use]
    pub fn in_group(mut self, group: u32) -> Self {
        self.group = Some(group);
        self
    }

    /// The gene decides the same as others of this kind elsewhere on the chain.
    #[must_use]
    pub fn of_kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }
}

/// A finite space and how its points are scored. Scoring must be a pure function.
pub trait Problem: Sync {
    /// The genes, in the order of the genotype.
    fn genes(&self) -> &[Gene];

    /// The names of the objectives, one to four; all are minimised.
    fn objectives(&self) -> Vec<String>;

    /// The score of a canonical genotype; its limits, if there are any, with the room that is left within them
    /// ([`Evaluation::with_limits`]).
    fn evaluate(&self, genes: &[u8]) -> Evaluation;

    /// Makes genotypes that mean the same equal, by clearing genes without effect.
    fn canonicalise(&self, _genes: &mut [u8]) {}

    /// Genotypes to score first, such as the baseline.
    fn seeds(&self) -> Vec<Genotype> {
        Vec::new()
    }

    /// The reference point for the hypervolume; by default a little worse than the worst
    /// values of the first generation that has feasible members.
    fn hypervolume_reference(&self) -> Option<Objectives> {
        None
    }

    /// What, besides genes and objectives, tells this problem from others, such as the hash
    /// of its input files. A checkpoint of a problem with another identity is refused.
    fn identity(&self) -> String {
        String::new()
    }
}
