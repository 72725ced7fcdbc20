//! NSGA-II (Deb et al., IEEE TEC 6(2), 2002): survival by rank, then by crowding.
//!
//! Survival is the published one, with constraints that tighten. What differs was measured to matter: the first
//! round is regular along the chain, variation follows the chain, the population fits the evaluations, half of
//! the mates are neighbours on the front, constraints are tolerant at first, and now and then what each place of the
//! chain would bring by itself is put together (`benches/README.md` has the ablation).

mod members;
mod model;
mod recombination;

use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::Value;

use self::{
    members::Members,
    recombination::{Recombination, Spent},
};
use super::{Optimizer, Setup, start::first_rows, variation};
use crate::search::{
    layout::Layout,
    population::Population,
    random::{Rng, below, chance},
};

/// How many genotypes the first round takes.
const FIRST_ROUND: usize = 48;

/// At the start a candidate may miss its constraints by so much, all together, and still counts as feasible …
const TOLERANCE: f64 = 0.3;
/// … and when this share of the evaluations is spent, by nothing.
const TOLERANT: f64 = 0.9;

/// Evaluations for each member of a population whose search has a limit.
const PER_MEMBER: u64 = 100;

/// The population and how it varies.
pub(super) struct Nsga2 {
    layout: Layout,
    first: Vec<Box<[u8]>>,
    fixed_population: Option<usize>,
    members: Members,
    told: u64,
    /// The evaluations that the search was to have when it started, if that was known.
    horizon: Option<u64>,
    recombination: Recombination,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    members: Population,
    told: u64,
    horizon: Option<u64>,
    #[serde(default)]
    recombination: Recombination,
}

impl Nsga2 {
    pub(super) fn new(mut setup: Setup) -> Self {
        let first = first_rows(&mut setup, FIRST_ROUND);
        Self {
            layout: setup.layout,
            first,
            fixed_population: setup.population.map(|size| size.max(4)),
            members: Members::default(),
            told: 0,
            horizon: setup.horizon,
            recombination: Recombination::default(),
        }
    }

    fn spent(&self) -> Spent {
        Spent { told: self.told, horizon: self.horizon }
    }

    /// A small population learns fast from few evaluations; a large one holds a fine front later and does not
    /// descend from a few early successes. Where nobody knows how long the search will go on, it grows.
    fn capacity(&self) -> usize {
        let fitting = match self.horizon {
            Some(horizon) => (horizon.max(self.told) / PER_MEMBER).clamp(24, 2048),
            None => (self.told / 32).clamp(24, 4096),
        };
        self.fixed_population.unwrap_or(fitting as usize)
    }

    /// How far constraints may be missed: first the search finds good trade-offs, and then carries them inside the
    /// constraints. If it met them from the start, it would stay where it first did, since what is best lies at
    /// several constraints at once and is reached from outside (Takahama & Sakai, "Constrained optimization by
    /// the ε constrained differential evolution with gradient-based mutation and feasible elites", CEC 2006).
    fn tolerance(&self) -> f64 {
        let told = self.told as f64;
        match self.horizon {
            Some(horizon) => TOLERANCE * (1.0 - told / (TOLERANT * horizon as f64)).max(0.0),
            None => TOLERANCE / (1.0 + told / 10_000.0),
        }
    }

    fn tournament(&self, rng: &mut Rng) -> usize {
        let count = self.members.len();
        let (one, two) = (below(rng, count), below(rng, count));
        if self.members.rank(two) < self.members.rank(one) { two } else { one }
    }

    /// Half of the time a near neighbour on the front: what both have in common is likely good.
    fn mate(&self, parent: usize, rng: &mut Rng) -> usize {
        if chance(rng, 0.5) {
            return self.tournament(rng);
        }
        let reach = (self.members.len() / 16).max(1);
        (parent + self.members.len() + below(rng, 2 * reach + 1) - reach) % self.members.len()
    }
}

impl Optimizer for Nsga2 {
    /// Half a population, so that each child has parents that are up to date.
    fn batch(&self) -> usize {
        if self.members.is_empty() {
            return self.first.len();
        }
        let recombined = self.recombination.batch(&self.layout, self.spent());
        recombined.unwrap_or_else(|| self.capacity() / 2)
    }

    fn propose(&self, index: usize, rng: &mut Rng, genes: &mut [u8]) {
        if self.members.is_empty() {
            genes.copy_from_slice(&self.first[index]);
            return;
        }
        if self.recombination.propose(&self.layout, index, rng, genes) {
            return;
        }
        let parent = self.tournament(rng);
        genes.copy_from_slice(self.members.genes(parent));
        let other = self.members.genes(self.mate(parent, rng));
        variation::cross(&self.layout, rng, other, genes);
        // A child that differs from both parents is new already.
        let mixed = genes != self.members.genes(parent) && genes != other;
        if !mixed || chance(rng, 0.5) {
            variation::mutate(&self.layout, rng, genes);
        }
    }

    fn tell(&mut self, scored: &Population) {
        self.told += scored.len() as u64;
        let (tolerance, spent) = (self.tolerance(), self.spent());
        self.members.compete(scored, self.capacity(), tolerance);
        self.recombination.advance(&self.layout, scored, &self.members, tolerance, spent);
    }

    fn save(&self) -> Value {
        let Self { told, horizon, ref recombination, .. } = *self;
        let recombination = recombination.clone();
        let state = State { members: self.members.population(), told, horizon, recombination };
        serde_json::to_value(state).unwrap_or_default()
    }

    fn restore(&mut self, state: Value) -> Result<(), serde_json::Error> {
        let State { members, told, horizon, recombination } = serde_json::from_value(state)?;
        self.layout.check(&members)?;
        if !recombination.fits(&self.layout) {
            return Err(serde_json::Error::custom("a model of another problem"));
        }
        (self.told, self.horizon, self.recombination) = (told, horizon, recombination);
        self.members = Members::new(&members, self.tolerance());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{problem::Gene, random::Streams};

    fn optimizer(horizon: Option<u64>) -> Nsga2 {
        let layout = Layout::new(&[Gene::new(4)]).unwrap();
        let rng = Streams::new(0).stream(0, 0);
        Nsga2::new(Setup { layout, seeds: Vec::new(), rng, population: Some(4), horizon })
    }

    fn told(mut optimizer: Nsga2, told: u64) -> f64 {
        optimizer.told = told;
        optimizer.tolerance()
    }

    #[test]
    fn constraints_tighten_until_nine_tenths_of_the_evaluations_are_spent() {
        let at = |count| told(optimizer(Some(1_000)), count);
        assert_eq!(at(0), TOLERANCE);
        assert!((at(450) - TOLERANCE / 2.0).abs() < 1e-12);
        assert_eq!([at(900), at(1_000), at(2_000)], [0.0; 3], "a search that was prolonged stays strict");
    }

    #[test]
    fn without_a_limit_they_tighten_for_ever() {
        let at = |count| told(optimizer(None), count);
        assert!(at(0) > at(1_000) && at(1_000) > at(1_000_000) && at(1_000_000) > 0.0);
    }
}
