//! NSGA-II (Deb et al., IEEE TEC 6(2), 2002): survival by rank, then by crowding.
//!
//! Survival is the published one, with constraints that tighten. What differs was measured to matter: the first
//! round is regular along the chain, variation follows the chain, the population fits the evaluations, half of
//! the mates are neighbours on the front, and constraints are tolerant at first (`benches/README.md` has the
//! ablation).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Optimizer, Setup, start::first_rows, variation};
use crate::search::{
    evaluation::Evaluation,
    layout::Layout,
    pareto::{crowding_distances, non_dominated_ranks},
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
    state: State,
    /// The rank of each member; derived from the state.
    ranks: Vec<u32>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// By ascending first objective, so that neighbours in it are neighbours on the front.
    members: Population,
    told: u64,
    /// The evaluations that the search was to have when it started, if that was known.
    horizon: Option<u64>,
}

impl Nsga2 {
    pub(super) fn new(mut setup: Setup) -> Self {
        let first = first_rows(&mut setup, FIRST_ROUND);
        Self {
            layout: setup.layout,
            first,
            fixed_population: setup.population.map(|size| size.max(4)),
            state: State { horizon: setup.horizon, ..State::default() },
            ranks: Vec::new(),
        }
    }

    /// A small population learns fast from few evaluations; a large one holds a fine front later and does not
    /// descend from a few early successes. Where nobody knows how long the search will go on, it grows.
    fn capacity(&self) -> usize {
        let fitting = match self.state.horizon {
            Some(horizon) => (horizon.max(self.state.told) / PER_MEMBER).clamp(24, 2048),
            None => (self.state.told / 32).clamp(24, 1024),
        };
        self.fixed_population.unwrap_or(fitting as usize)
    }

    /// How far constraints may be missed: first the search finds good trade-offs, and then carries them inside the
    /// constraints. If it met them from the start, it would stay where it first did, since what is best lies at
    /// several constraints at once and is reached from outside (Takahama & Sakai, "Constrained optimization by
    /// the ε constrained differential evolution with gradient-based mutation and feasible elites", CEC 2006).
    fn tolerance(&self) -> f64 {
        let told = self.state.told as f64;
        match self.state.horizon {
            Some(horizon) => TOLERANCE * (1.0 - told / (TOLERANT * horizon as f64)).max(0.0),
            None => TOLERANCE / (1.0 + told / 10_000.0),
        }
    }

    fn tournament(&self, rng: &mut Rng) -> usize {
        let count = self.state.members.len();
        let (one, two) = (below(rng, count), below(rng, count));
        if self.ranks[two] < self.ranks[one] { two } else { one }
    }

    /// Half of the time a near neighbour on the front: what both have in common is likely good.
    fn mate(&self, parent: usize, rng: &mut Rng) -> usize {
        if chance(rng, 0.5) {
            return self.tournament(rng);
        }
        let reach = (self.state.members.len() / 16).max(1);
        (parent + self.state.members.len() + below(rng, 2 * reach + 1) - reach) % self.state.members.len()
    }
}

impl Optimizer for Nsga2 {
    /// Half a population, so that each child has parents that are up to date.
    fn batch(&self) -> usize {
        if self.state.members.is_empty() { self.first.len() } else { self.capacity() / 2 }
    }

    fn propose(&self, index: usize, rng: &mut Rng, genes: &mut [u8]) {
        if self.state.members.is_empty() {
            genes.copy_from_slice(&self.first[index]);
            return;
        }
        let parent = self.tournament(rng);
        genes.copy_from_slice(self.state.members.genes(parent));
        let other = self.state.members.genes(self.mate(parent, rng));
        variation::cross(&self.layout, rng, other, genes);
        // A child that differs from both parents is new already.
        let mixed = genes != self.state.members.genes(parent) && genes != other;
        if !mixed || chance(rng, 0.5) {
            variation::mutate(&self.layout, rng, genes);
        }
    }

    fn tell(&mut self, scored: &Population) {
        self.state.told += scored.len() as u64;
        self.state.members.extend(scored);
        let (members, ranks) = survivors(&self.state.members, self.capacity(), self.tolerance());
        self.state.members = members;
        self.ranks = ranks;
    }

    fn save(&self) -> Value {
        serde_json::to_value(&self.state).unwrap_or_default()
    }

    fn restore(&mut self, state: Value) -> Result<(), serde_json::Error> {
        let state: State = serde_json::from_value(state)?;
        self.layout.check(&state.members)?;
        self.state = state;
        self.ranks = non_dominated_ranks(&tolerated(&self.state.members, self.tolerance()));
        Ok(())
    }
}

/// The best `capacity` members with their ranks, by ascending first objective: whole fronts in order of rank, and of
/// the last one the least crowded. Whatever dominates a member lives on with it, so ranks stay as they are.
fn survivors(all: &Population, capacity: usize, tolerance: f64) -> (Population, Vec<u32>) {
    let all = sorted(all);
    let ranks = non_dominated_ranks(&tolerated(&all, tolerance));
    if all.len() <= capacity {
        return (all, ranks);
    }
    let (last, room) = last_rank(&ranks, capacity);
    let of = |wanted: &dyn Fn(u32) -> bool| -> Vec<u32> {
        (0..all.len() as u32).filter(|&index| wanted(ranks[index as usize])).collect()
    };
    let mut kept = of(&|rank| rank < last);
    kept.extend(least_crowded(&all, &of(&|rank| rank == last), room));
    kept.sort_unstable();
    (all.select(&kept), kept.iter().map(|&index| ranks[index as usize]).collect())
}

/// The scores, where what misses the constraints by no more than `tolerance` counts as feasible.
fn tolerated(all: &Population, tolerance: f64) -> Vec<Evaluation> {
    let tolerated = |score: &Evaluation| {
        let violation = if score.violation <= tolerance { 0.0 } else { score.violation };
        Evaluation { violation, ..*score }
    };
    all.evaluations().iter().map(tolerated).collect()
}

/// In lexicographic order, which makes each sort after it cheap.
fn sorted(all: &Population) -> Population {
    let objectives = |index: u32| &all.evaluations()[index as usize].objectives;
    let mut order: Vec<u32> = (0..all.len() as u32).collect();
    order.sort_by(|&a, &b| objectives(a).lexicographic(objectives(b)));
    all.select(&order)
}

/// The rank whose front fits only in part, and how many of it do.
fn last_rank(ranks: &[u32], capacity: usize) -> (u32, usize) {
    let mut sizes = vec![0; ranks.len()];
    ranks.iter().for_each(|&rank| sizes[rank as usize] += 1);
    let mut room = capacity;
    let mut rank = 0;
    while sizes[rank] <= room {
        room -= sizes[rank];
        rank += 1;
    }
    (rank as u32, room)
}

fn least_crowded(all: &Population, front: &[u32], count: usize) -> impl Iterator<Item = u32> {
    let distances = crowding_distances(all.evaluations(), front);
    let mut order: Vec<usize> = (0..front.len()).collect();
    if count < order.len() {
        // Ties by index keep the choice the same everywhere.
        order.select_nth_unstable_by(count, |&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));
        order.truncate(count);
    }
    order.into_iter().map(|member| front[member])
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
        optimizer.state.told = told;
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

    #[test]
    fn what_misses_little_counts_as_feasible_only_within_the_tolerance() {
        let mut all = Population::default();
        let score = |latency: f64, violation| Evaluation::feasible([latency]).with_violation(violation);
        for (gene, score) in [score(3.0, 0.0), score(2.0, 0.1), score(1.0, 0.5)].into_iter().enumerate() {
            all.push(&[gene as u8], score);
        }
        let best = |tolerance| survivors(&all, 1, tolerance).0.genes(0)[0];
        assert_eq!([best(0.0), best(0.1), best(0.5)], [0, 1, 2]);
        let (kept, _) = survivors(&all, 1, 0.1);
        assert_eq!(kept.evaluations()[0].violation, 0.1, "it is still known by how much");
    }
}
