//! What is searched: one chosen alternative for each gene.

use serde::{Deserialize, Serialize};

/// The index of the chosen alternative of every gene, in the order of the
/// space's genes. A gene has at most 256 alternatives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Genotype(pub Box<[u8]>);

impl Genotype {
    /// The genotype that takes the first alternative of each of `genes` genes.
    #[must_use]
    pub fn first(genes: usize) -> Self {
        Self(vec![0; genes].into_boxed_slice())
    }
}

impl From<Vec<u8>> for Genotype {
    fn from(choices: Vec<u8>) -> Self {
        Self(choices.into_boxed_slice())
    }
}
