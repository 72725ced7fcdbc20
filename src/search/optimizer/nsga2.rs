//! NSGA-II (Deb et al., IEEE TEC 6(2), 2002): survival by rank, then by crowding.
//!
//! Survival is the published one. What differs was measured to matter, most of all with few evaluations:
//! the first round is regular along the chain, variation follows the chain, the population fits the
//! evaluations, and half of the mates are neighbours on the front (`benches/README.md` has the ablation).

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

/// The share of the population that violates a constraint, where there is such: what is best often lies at a
/// constraint, and is reached from both sides (Ray et al., "Infeasibility driven evolutionary algorithm for
/// constrained optimization", 2009).
const INFEASIBLE: f64 = 0.25;

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
        let (members, ranks) = survivors(&self.state.members, self.capacity());
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
        self.ranks = ranks(self.state.members.evaluations());
        Ok(())
    }
}

/// The `capacity` members that live on with their ranks, by ascending first objective: the best feasible ones, and
/// the share of infeasible ones. Whatever dominates a member lives on with it, so ranks stay as they are.
fn survivors(all: &Population, capacity: usize) -> (Population, Vec<u32>) {
    let all = sorted(all);
    let ranks = ranks(all.evaluations());
    if all.len() <= capacity {
        return (all, ranks);
    }
    let feasible = |index: &u32| all.evaluations()[*index as usize].is_feasible();
    let (inside, outside): (Vec<u32>, Vec<u32>) = (0..all.len() as u32).partition(feasible);
    let share = (capacity as f64 * INFEASIBLE) as usize;
    let room = share.max(capacity.saturating_sub(inside.len())).min(outside.len());
    let mut kept = best(&all, &ranks, &inside, capacity - room);
    kept.extend(nearly_feasible(&all, &ranks, outside, room));
    kept.sort_unstable();
    (all.select(&kept), kept.iter().map(|&index| ranks[index as usize]).collect())
}

/// Ranks of the feasible among themselves and of the infeasible among themselves.
fn ranks(evaluations: &[Evaluation]) -> Vec<u32> {
    let mut ranks = non_dominated_ranks(evaluations);
    let feasible = evaluations.iter().zip(&ranks).filter(|(one, _)| one.is_feasible());
    let fronts = feasible.map(|(_, rank)| rank + 1).max().unwrap_or(0);
    for (_, rank) in evaluations.iter().zip(&mut ranks).filter(|(one, _)| !one.is_feasible()) {
        *rank -= fronts;
    }
    ranks
}

/// Of infeasible members, half by violation alone and half by rank.
fn nearly_feasible(all: &Population, ranks: &[u32], mut members: Vec<u32>, capacity: usize) -> Vec<u32> {
    let violation = |index: u32| all.evaluations()[index as usize].violation;
    members.sort_by(|&a, &b| violation(a).total_cmp(&violation(b)).then(a.cmp(&b)));
    let mut rest = members.split_off((capacity / 2).min(members.len()));
    rest.sort_unstable();
    members.extend(best(all, ranks, &rest, capacity - members.len()));
    members
}

/// The best `capacity` of `members`: whole fronts in order of rank, and of the last one the least crowded.
fn best(all: &Population, ranks: &[u32], members: &[u32], capacity: usize) -> Vec<u32> {
    if members.len() <= capacity {
        return members.to_vec();
    }
    let own: Vec<u32> = members.iter().map(|&index| ranks[index as usize]).collect();
    let (last, room) = last_rank(&own, capacity);
    let of = |wanted: &dyn Fn(u32) -> bool| -> Vec<u32> {
        members.iter().copied().filter(|&index| wanted(ranks[index as usize])).collect()
    };
    let mut kept = of(&|rank| rank < last);
    kept.extend(least_crowded(all, &of(&|rank| rank == last), room));
    kept
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
