//! Regularised evolution (Real et al., "Regularized evolution for image classifier architecture search",
//! AAAI 2019): the best of a random sample is mutated, and the oldest dies.
//!
//! The method has one objective. For several, each tournament draws random weights and compares by the
//! largest weighted distance from the best values (a Tchebycheff scalarisation), so that all of the front
//! is bred from.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Optimizer, Setup, start::uniform_row, variation::mutate_gene};
use crate::{
    search::{
        evaluation::{Evaluation, Objectives},
        layout::Layout,
        population::Population,
        random::{Rng, below, unit},
    },
    space::Genotype,
};

const POPULATION: usize = 100;
const SAMPLE: usize = 10;

/// The latest genotypes, in a ring.
pub(super) struct RegularizedEvolution {
    layout: Layout,
    seeds: Vec<Genotype>,
    population: usize,
    state: State,
    /// Least and largest value of each objective among the members; derived from the state.
    extent: Option<(Objectives, Objectives)>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    members: Population,
    /// The place of the oldest once the population is full.
    oldest: usize,
}

impl RegularizedEvolution {
    pub(super) fn new(setup: Setup) -> Self {
        let population = setup.population.unwrap_or(POPULATION).max(2);
        Self { layout: setup.layout, seeds: setup.seeds, population, state: State::default(), extent: None }
    }

    fn admit(&mut self, genes: &[u8], evaluation: Evaluation) {
        let state = &mut self.state;
        if state.members.len() < self.population {
            state.members.push(genes, evaluation);
        } else {
            state.members.replace(state.oldest, genes, evaluation);
            state.oldest = (state.oldest + 1) % self.population;
        }
    }

    fn best_of_sample(&self, rng: &mut Rng) -> usize {
        let Some((least, largest)) = &self.extent else { return 0 };
        let weights = least.map(|index, low| unit(rng) / (largest[index] - low).max(f64::MIN_POSITIVE));
        let badness = |member: usize| {
            let Evaluation { objectives, violation, .. } = &self.state.members.evaluations()[member];
            let parts = objectives.iter().zip(least.iter()).zip(weights.iter());
            (*violation, parts.map(|((value, low), weight)| (value - low) * weight).fold(0.0, f64::max))
        };
        let mut best = below(rng, self.state.members.len());
        for _ in 1..SAMPLE {
            let rival = below(rng, self.state.members.len());
            if badness(rival) < badness(best) {
                best = rival;
            }
        }
        best
    }
}

impl Optimizer for RegularizedEvolution {
    /// A tenth of the population in flight at once, as with so many workers.
    fn batch(&self) -> usize {
        if self.state.members.is_empty() { self.population } else { self.population.div_ceil(10) }
    }

    fn propose(&self, index: usize, rng: &mut Rng, genes: &mut [u8]) {
        if !self.state.members.is_empty() {
            genes.copy_from_slice(self.state.members.genes(self.best_of_sample(rng)));
            mutate_gene(&self.layout, rng, genes);
        } else if let Some(seed) = self.seeds.get(index) {
            genes.copy_from_slice(&seed.0);
        } else {
            uniform_row(&self.layout, rng, genes);
        }
    }

    fn tell(&mut self, scored: &Population) {
        for (index, evaluation) in scored.evaluations().iter().enumerate() {
            self.admit(scored.genes(index), *evaluation);
        }
        self.extent = extent(&self.state.members);
    }

    fn save(&self) -> Value {
        serde_json::to_value(&self.state).unwrap_or_default()
    }

    fn restore(&mut self, state: Value) -> Result<(), serde_json::Error> {
        let state: State = serde_json::from_value(state)?;
        self.layout.check(&state.members)?;
        self.state = state;
        self.extent = extent(&self.state.members);
        Ok(())
    }
}

/// Of the feasible members, or of all where none is feasible.
fn extent(members: &Population) -> Option<(Objectives, Objectives)> {
    let all = members.evaluations();
    let any_feasible = all.iter().any(Evaluation::is_feasible);
    let mut counted = all.iter().filter(|one| one.is_feasible() == any_feasible).map(|one| one.objectives);
    let first = counted.next()?;
    Some(counted.fold((first, first), |(least, largest), one| {
        (least.map(|index, value| value.min(one[index])), largest.map(|index, value| value.max(one[index])))
    }))
}
