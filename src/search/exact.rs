//! The exact Pareto front of a problem whose objectives are sums along a chain.
//!
//! Networks are chains: what a block costs depends on its own choices and on little that the blocks before it
//! leave behind, such as their width. So the best ways to reach a state are all that matters of the past, and
//! dynamic programming with a set of non-dominated labels for each state finds the whole front (Hansen,
//! "Bicriterion path problems", 1980; Martins, "On a multicriteria shortest path problem", EJOR 16(2), 1984).
//! Adding is monotone in floating point too, so what is pruned can never become better than what is kept, to the
//! last bit, if a problem adds its costs in the order of the chain.
//!
//! Where the labels become too many, an ε-front is found instead: after each of `n` steps, labels that another
//! one is worse than by no more than a factor of `(1 + ε)^(1/n)` in every sum are dropped (after Papadimitriou &
//! Yannakakis, "On the approximability of trade-offs and optimal access of web sources", FOCS 2000). So each
//! point of the exact front has one within `1 + ε` of it in every sum.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    evaluation::{Evaluation, Objectives},
    outcome::Candidate,
    pareto::non_dominated_ranks,
};
use crate::{
    error::{Error, Result},
    space::Genotype,
};

/// Labels that one step may hold at the most; about a gigabyte.
const MOST_LABELS: usize = 1 << 24;

/// What the choices before a step leave behind for those after it, as a number of the problem's own.
pub type State = u32;

/// One of the alternatives of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// What it adds to the sums.
    pub cost: Objectives,
    /// What it leaves behind.
    pub next: State,
    /// The genes that it sets, with their values; all others stay zero.
    pub genes: Vec<(u32, u8)>,
}

/// A problem as a chain of steps.
pub trait Chain: Sync {
    /// How many genes a genotype has.
    fn genes(&self) -> usize;

    /// How many steps there are.
    fn steps(&self) -> usize;

    /// The state before the first step, and what is paid before it.
    fn start(&self) -> (State, Objectives);

    /// The alternatives of `step` where the steps before it have left `state`; none is a dead end.
    fn ways(&self, step: usize, state: State) -> Vec<Way>;

    /// The most that each sum may be; what exceeds one of them is no solution. Costs of a sum with a limit must
    /// not be negative.
    fn limits(&self) -> Option<Objectives> {
        None
    }

    /// The objectives of a solution; no smaller where a sum is larger.
    fn objectives(&self, sums: &Objectives) -> Objectives {
        *sums
    }
}

/// A way to reach a state that no other way to it dominates.
#[derive(Clone, Copy)]
struct Label {
    sums: Objectives,
    /// The label before it, by its place in the step before.
    parent: u32,
    /// The way taken from there, by its place among the ways of the parent's state.
    way: u32,
}

/// The labels of one step: those of a state stand together, in lexicographic order of their sums.
#[derive(Default)]
struct Step {
    labels: Vec<Label>,
    /// Each state with the place of its first label.
    states: Vec<(State, usize)>,
}

/// The Pareto front of `chain`, in lexicographic order: exact for `epsilon` 0, else such that each point of the
/// exact front has one that is worse by no more than a factor of `1 + epsilon` in every sum.
///
/// # Errors
/// `epsilon` is negative or not a number; a cost is negative where `epsilon` or a limit needs it not to be; the
/// labels become too many, where a larger `epsilon` helps.
pub fn exact_front(chain: &dyn Chain, epsilon: f64) -> Result<Vec<Candidate>> {
    if !(epsilon >= 0.0 && epsilon.is_finite()) {
        return Err(Error::unusable(format!("an epsilon of {epsilon}; it must be zero or more")));
    }
    let (state, sums) = chain.start();
    let start = Label { sums, parent: 0, way: 0 };
    let mut steps = vec![Step { labels: vec![start], states: vec![(state, 0)] }];
    let factor = (1.0 + epsilon).powf(1.0 / chain.steps().max(1) as f64);
    for index in 0..chain.steps() {
        let next = advance(chain, index, &steps[index], factor)?;
        steps.push(next);
    }
    Ok(solutions(chain, &steps))
}

fn advance(chain: &dyn Chain, index: usize, step: &Step, factor: f64) -> Result<Step> {
    let mut arriving: BTreeMap<State, Vec<Label>> = BTreeMap::new();
    let limits = chain.limits();
    let allowed = |sums: &Objectives| limits.as_ref().is_none_or(|limits| sums.covers(limits));
    for (place, &(state, first)) in step.states.iter().enumerate() {
        let end = step.states.get(place + 1).map_or(step.labels.len(), |&(_, end)| end);
        let ways = chain.ways(index, state);
        check(&ways, factor > 1.0 || limits.is_some())?;
        for way in undominated(&ways) {
            let reached = arriving.entry(ways[way].next).or_default();
            let labels = step.labels[first..end].iter().enumerate();
            let moved = labels.map(|(offset, label)| Label {
                sums: label.sums.map(|objective, sum| sum + ways[way].cost[objective]),
                parent: (first + offset) as u32,
                way: way as u32,
            });
            reached.extend(moved.filter(|label| allowed(&label.sums)));
        }
        if arriving.values().map(Vec::len).sum::<usize>() > MOST_LABELS {
            return Err(Error::unusable(format!(
                "more than {MOST_LABELS} partial solutions at step {index} of the chain; give a larger epsilon"
            )));
        }
    }
    let pruned: Vec<(State, Vec<Label>)> = arriving
        .into_par_iter()
        .map(|(state, labels)| (state, thinned(non_dominated(labels), factor)))
        .collect();
    let mut next = Step::default();
    for (state, labels) in pruned.into_iter().filter(|(_, labels)| !labels.is_empty()) {
        next.states.push((state, next.labels.len()));
        next.labels.extend(labels);
    }
    Ok(next)
}

fn check(ways: &[Way], only_positive: bool) -> Result<()> {
    let sound = |cost: &f64| cost.is_finite() && (*cost >= 0.0 || !only_positive);
    match ways.iter().flat_map(|way| way.cost.iter()).find(|cost| !sound(cost)) {
        Some(cost) => Err(Error::unusable(format!(
            "a cost of {cost}; costs must be finite, and not negative where there is an epsilon or a limit"
        ))),
        None => Ok(()),
    }
}

/// The ways that no other way to the same state dominates; of equal ones the first.
fn undominated(ways: &[Way]) -> Vec<usize> {
    let beats = |other: usize, way: usize| {
        let (other_way, this) = (&ways[other], &ways[way]);
        other_way.next == this.next
            && (other_way.cost.dominates(&this.cost) || (other < way && other_way.cost == this.cost))
    };
    (0..ways.len()).filter(|&way| !(0..ways.len()).any(|other| beats(other, way))).collect()
}

/// The labels that none of them dominates; of equal ones the first.
fn non_dominated(mut labels: Vec<Label>) -> Vec<Label> {
    // They arrive as sorted runs, which a stable sort merges.
    labels.sort_by(|a, b| a.sums.lexicographic(&b.sums));
    labels.dedup_by(|later, first| later.sums == first.sums);
    if labels.first().is_some_and(|label| label.sums.len() <= 2) {
        let mut least = f64::INFINITY;
        labels.retain(|label| {
            let last = label.sums[label.sums.len() - 1];
            let kept = last < least;
            least = least.min(last);
            kept
        });
        return labels;
    }
    let sums: Vec<Evaluation> = labels.iter().map(|label| Evaluation::feasible(label.sums)).collect();
    let ranks = non_dominated_ranks(&sums);
    labels.into_iter().zip(ranks).filter(|(_, rank)| *rank == 0).map(|(label, _)| label).collect()
}

/// The labels without those that one of the kept is no more than `factor` worse than.
fn thinned(labels: Vec<Label>, factor: f64) -> Vec<Label> {
    if factor <= 1.0 {
        return labels;
    }
    let mut kept: Vec<Label> = Vec::new();
    for label in labels {
        let loose = label.sums.map(|_, sum| sum * factor);
        if !kept.iter().rev().any(|other| other.sums.covers(&loose)) {
            kept.push(label);
        }
    }
    kept
}

fn solutions(chain: &dyn Chain, steps: &[Step]) -> Vec<Candidate> {
    let Some(last) = steps.last() else { return Vec::new() };
    let mut ends: Vec<(Objectives, usize)> =
        last.labels.iter().enumerate().map(|(place, label)| (chain.objectives(&label.sums), place)).collect();
    ends.sort_by(|(a, _), (b, _)| a.lexicographic(b));
    ends.dedup_by(|later, first| later.0 == first.0);
    let points: Vec<Evaluation> =
        ends.iter().map(|(objectives, _)| Evaluation::feasible(*objectives)).collect();
    let front = ends.into_iter().zip(non_dominated_ranks(&points)).filter(|(_, rank)| *rank == 0);
    front
        .map(|((objectives, place), _)| {
            Candidate::new(traced(chain, steps, place), Evaluation::feasible(objectives))
        })
        .collect()
}

/// The genotype that leads to the last step's label at `place`.
fn traced(chain: &dyn Chain, steps: &[Step], mut place: usize) -> Genotype {
    let mut genotype = Genotype::first(chain.genes());
    for index in (0..chain.steps()).rev() {
        let label = steps[index + 1].labels[place];
        place = label.parent as usize;
        let before = &steps[index].states;
        let state = before[before.partition_point(|&(_, first)| first <= place) - 1].0;
        for (gene, value) in &chain.ways(index, state)[label.way as usize].genes {
            genotype.0[*gene as usize] = *value;
        }
    }
    genotype
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each step chooses one of three widths and one of two kernels; costs depend on the width before.
    #[derive(Clone, Debug)]
    struct Toy {
        costs: Vec<Vec<f64>>,
        sums: usize,
        limits: Option<Vec<f64>>,
    }

    const WIDTHS: u32 = 3;
    const KERNELS: u32 = 2;

    impl Toy {
        fn cost(&self, step: usize, before: u32, width: u32, kernel: u32) -> Objectives {
            let place = ((before * WIDTHS + width) * KERNELS + kernel) as usize * self.sums;
            Objectives::from(&self.costs[step][place..place + self.sums])
        }

        /// Every solution, one by one.
        fn all(&self) -> Vec<(Vec<u8>, Objectives)> {
            let mut all = vec![(Vec::new(), Objectives::splat(0.0, self.sums))];
            for step in 0..self.costs.len() {
                let ways = |(genes, sums): (Vec<u8>, Objectives)| {
                    let before = genes.len().checked_sub(2).map_or(0, |width| u32::from(genes[width]));
                    (0..WIDTHS * KERNELS).map(move |choice| {
                        let (width, kernel) = (choice / KERNELS, choice % KERNELS);
                        let cost = self.cost(step, before, width, kernel);
                        let genes = [&genes[..], &[width as u8, kernel as u8]].concat();
                        (genes, sums.map(|objective, sum| sum + cost[objective]))
                    })
                };
                all = all.into_iter().flat_map(ways).collect();
            }
            let limits = self.limits();
            all.retain(|(_, sums)| limits.is_none_or(|limits| sums.covers(&limits)));
            all
        }

        fn brute_force(&self) -> Vec<Objectives> {
            let all = self.all();
            let beaten = |one: &Objectives| all.iter().any(|(_, other)| other.dominates(one));
            let mut front: Vec<Objectives> =
                all.iter().map(|(_, sums)| *sums).filter(|sums| !beaten(sums)).collect();
            front.sort_by(Objectives::lexicographic);
            front.dedup();
            front
        }
    }

    impl Chain for Toy {
        fn genes(&self) -> usize {
            2 * self.costs.len()
        }

        fn steps(&self) -> usize {
            self.costs.len()
        }

        fn start(&self) -> (State, Objectives) {
            (0, Objectives::splat(0.0, self.sums))
        }

        fn ways(&self, step: usize, state: State) -> Vec<Way> {
            let way = |choice: u32| {
                let (width, kernel) = (choice / KERNELS, choice % KERNELS);
                let genes = vec![(2 * step as u32, width as u8), (2 * step as u32 + 1, kernel as u8)];
                Way { cost: self.cost(step, state, width, kernel), next: width, genes }
            };
            (0..WIDTHS * KERNELS).map(way).collect()
        }

        fn limits(&self) -> Option<Objectives> {
            self.limits.as_ref().map(|limits| Objectives::from(&limits[..]))
        }
    }

    fn toy(limited: bool) -> impl Strategy<Value = Toy> {
        (1..=3_usize, 1..=4_usize).prop_flat_map(move |(sums, steps)| {
            let entries = (WIDTHS * WIDTHS * KERNELS) as usize * sums;
            let cost = prop_oneof![3 => (0..9_u8).prop_map(f64::from), 1 => 0.1..9.0];
            let costs = prop::collection::vec(prop::collection::vec(cost, entries), steps);
            let limits = prop::collection::vec(4.0..20.0, sums);
            (costs, limits).prop_map(move |(costs, limits)| Toy {
                costs,
                sums,
                limits: limited.then_some(limits),
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_front_is_that_of_brute_force(toy in prop_oneof![toy(false), toy(true)]) {
            let front = exact_front(&toy, 0.0).unwrap();
            let points: Vec<Objectives> = front.iter().map(|candidate| candidate.objectives).collect();
            prop_assert_eq!(points, toy.brute_force());
        }

        #[test]
        fn each_genotype_has_the_objectives_that_it_is_said_to_have(toy in toy(false)) {
            let all = toy.all();
            for candidate in exact_front(&toy, 0.0).unwrap() {
                let found = all.iter().find(|(genes, _)| genes[..] == candidate.genotype.0[..]).unwrap();
                prop_assert_eq!(found.1, candidate.objectives);
            }
        }

        #[test]
        fn an_epsilon_front_comes_within_epsilon_of_each_exact_point(toy in toy(false), epsilon in 0.0..0.5) {
            let near = exact_front(&toy, epsilon).unwrap();
            prop_assert!(near.len() <= exact_front(&toy, 0.0).unwrap().len());
            for point in toy.brute_force() {
                let loose = point.map(|_, value| value * (1.0 + epsilon) * (1.0 + 1e-12));
                prop_assert!(near.iter().any(|candidate| candidate.objectives.covers(&loose)));
            }
        }
    }

    #[test]
    fn negative_costs_are_refused_where_they_would_break_the_promise() {
        let toy = Toy { costs: vec![vec![-1.0; 36]], sums: 2, limits: None };
        assert_eq!(exact_front(&toy, 0.0).unwrap().len(), 1);
        assert!(exact_front(&toy, 0.1).is_err());
        assert!(exact_front(&toy, f64::NAN).is_err());
    }
}
