//! Search algorithms as ask and tell.

mod exact;
mod nsga2;
mod random;
mod regularized_evolution;
mod start;
mod variation;

pub(super) use variation::mutate_gene;

use std::{fmt, str::FromStr};

use serde_json::Value;

use super::{layout::Layout, population::Population, random::Rng};
use crate::{
    error::{Error, Result, one_of},
    space::Genotype,
};

/// A search algorithm: it proposes genotypes and is told their scores. It has no clock and no files.
///
/// Proposals of one round are made in parallel, each with its own stream of random numbers, so a
/// proposal may depend only on what was told before, its index and its stream.
pub trait Optimizer: Send + Sync {
    /// How many proposals the next round takes.
    fn batch(&self) -> usize;

    /// Writes the `index`-th proposal of the round into `genes`. It may be asked again for the same
    /// index if the proposal was scored before.
    fn propose(&self, index: usize, rng: &mut Rng, genes: &mut [u8]);

    /// Learns the scores of those proposals that were new, in the order of their indices.
    fn tell(&mut self, scored: &Population);

    /// All that [`Self::restore`] needs to go on exactly alike.
    fn save(&self) -> Value;

    /// Goes back to a saved state.
    ///
    /// # Errors
    /// The state is not one that [`Self::save`] wrote.
    fn restore(&mut self, state: Value) -> Result<(), serde_json::Error>;
}

/// The search algorithms by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Non-dominated sorting and crowding (Deb et al. 2002), with variation along the chain of genes.
    #[default]
    Nsga2,
    /// Ageing tournament evolution (Real et al. 2019), each tournament under a random weighting.
    RegularizedEvolution,
    /// Uniformly random genotypes; what the others have to beat.
    Random,
    /// Every genotype: what comes out is the Pareto front itself, unless the budget ends before the space does.
    Exact,
}

impl Algorithm {
    /// Every algorithm, the default first.
    pub const ALL: [Self; 4] = [Self::Nsga2, Self::RegularizedEvolution, Self::Random, Self::Exact];

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nsga2 => "nsga2",
            Self::RegularizedEvolution => "regularized-evolution",
            Self::Random => "random",
            Self::Exact => "exact",
        }
    }

    /// The algorithm at its start.
    pub(crate) fn start(self, setup: Setup) -> Box<dyn Optimizer> {
        match self {
            Self::Nsga2 => Box::new(nsga2::Nsga2::new(setup)),
            Self::RegularizedEvolution => Box::new(regularized_evolution::RegularizedEvolution::new(setup)),
            Self::Random => Box::new(random::Random::new(setup)),
            Self::Exact => Box::new(exact::Exact),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name);
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        known.ok_or_else(|| {
            Error::unusable(format!("unknown algorithm `{name}`, expected {}", one_of(name, &names)))
        })
    }
}

/// What an algorithm starts from.
pub(crate) struct Setup {
    pub(crate) layout: Layout,
    pub(crate) seeds: Vec<Genotype>,
    /// For what is drawn once, before the first round.
    pub(crate) rng: Rng,
    /// The size of the population, if the user fixed it.
    pub(crate) population: Option<usize>,
    /// How many evaluations there are to be, if that is known.
    pub(crate) horizon: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_parse_from_their_names() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<Algorithm>().unwrap(), algorithm);
        }
        let error = "nsga".parse::<Algorithm>().unwrap_err().to_string();
        assert!(error.contains("did you mean `nsga2`?"), "{error}");
    }
}
