//! A separable model: what each place of the chain would bring by itself, put together.
//!
//! About a member, the genes of one place are drawn anew many times while all others stay, and every draw is scored.
//! If what the places bring simply added up, the best choice everywhere at once within the limits would be a
//! multiple-choice knapsack, which Lagrange multipliers nearly solve (Everett, "Generalized Lagrange multiplier
//! method", Operations Research 11(3), 1963; Sinha & Zoltners, "The multiple-choice knapsack problem", Operations
//! Research 27(3), 1979). It does not quite add up, so what the model proposes is scored like any other child. What
//! it finds are steps that need many genes at once, each of which would break a limit by itself.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::search::{
    evaluation::{Evaluation, MAX_LIMITS, MAX_OBJECTIVES},
    layout::Layout,
    outcome::Candidate,
    population::Population,
    random::{Rng, unit},
};

/// Steps towards the multipliers under which the choices keep to the limits.
const STEPS: u32 = 16;
/// How far the first step goes for a limit that is exceeded by a usual change; later ones go less far.
const PACE: f64 = 2.0;
/// How far, in usual changes, a proposal may aim beyond a limit or stay away from it: the model is not exact.
const AIM: f64 = 0.05;
/// Room that no aim and no change uses up, where there are no limits.
const UNLIMITED: f64 = -1.0;
/// The powers of ten between which objectives weigh against each other.
const WEIGHTS: f64 = 3.0;

/// Objectives, then how far limits are exceeded.
const AMOUNTS: usize = MAX_OBJECTIVES + MAX_LIMITS;

type Amounts = [f64; AMOUNTS];

/// What the draws about one member tell. Amounts are in units of their usual change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    member: Candidate,
    /// How far the member exceeds each limit.
    excess: [f64; MAX_LIMITS],
    places: Vec<Place>,
}

/// A place of the chain and what may be chosen there, nothing else among it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    place: u32,
    choices: Vec<Choice>,
}

/// Genes of a place, and how the amounts change with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    genes: Vec<u8>,
    change: Amounts,
}

impl Model {
    /// Learns from what was drawn about `member`.
    pub(super) fn of(layout: &Layout, member: Candidate, drawn: &Population) -> Self {
        let before = amounts(&member.evaluation());
        let mut places: Vec<Place> = Vec::new();
        let scored = |(_, evaluation): &(usize, &Evaluation)| evaluation.violation < f64::MAX;
        for (index, evaluation) in drawn.evaluations().iter().enumerate().filter(scored) {
            let genes = drawn.genes(index);
            let Some(place) = first_difference(layout, &member.genotype.0, genes) else { continue };
            let after = amounts(evaluation);
            let change = std::array::from_fn(|amount| after[amount] - before[amount]);
            let known = places.iter().position(|known| known.place == place).unwrap_or_else(|| {
                places.push(Place { place, choices: Vec::new() });
                places.len() - 1
            });
            places[known].choices.push(Choice { genes: layout.chain.at(place, genes), change });
        }
        let usual = usual_changes(&places);
        for place in &mut places {
            place.choices.iter_mut().for_each(|choice| choice.change = quotient(&choice.change, &usual));
            let genes = layout.chain.at(place.place, &member.genotype.0);
            place.choices.insert(0, Choice { genes, change: [0.0; AMOUNTS] });
            place.prune();
        }
        let is_limited = has_limits(&member, &places);
        let excess = std::array::from_fn(|limit| {
            if is_limited { member.excess[limit] / usual[MAX_OBJECTIVES + limit] } else { UNLIMITED }
        });
        Self { member, excess, places }
    }

    /// Whether it is one of a problem with these genes.
    pub(super) fn fits(&self, layout: &Layout) -> bool {
        let genes = &self.member.genotype.0;
        let known = |place: &Place| {
            (place.place as usize) < layout.chain.len()
                && !place.choices.is_empty()
                && place.choices.iter().all(|choice| {
                    let mut changed = genes.clone();
                    layout.chain.put(place.place, &choice.genes, &mut changed);
                    layout.chain.at(place.place, &changed) == choice.genes && layout.admits(&changed)
                })
        };
        layout.admits(genes) && self.places.iter().all(known)
    }

    /// Writes what would be best, as far as the model knows, for random weights of the objectives.
    pub(super) fn propose(&self, layout: &Layout, rng: &mut Rng, genes: &mut [u8]) {
        let mut prices = [0.0; AMOUNTS];
        for price in &mut prices[..self.member.objectives.len()] {
            *price = 10_f64.powf(WEIGHTS * (unit(rng) - 0.5));
        }
        let excess = self.excess.map(|excess| excess + 2.0 * AIM * (unit(rng) - 0.5));
        genes.copy_from_slice(&self.member.genotype.0);
        for (place, choice) in self.places.iter().zip(self.choose(prices, excess)) {
            layout.chain.put(place.place, &place.choices[choice].genes, genes);
        }
    }

    /// The cheapest choices that keep to the limits, as far as a few steps of the multipliers, the prices of limits,
    /// find them; else the last ones. `excess` is what the member exceeds the limits by.
    fn choose(&self, mut prices: Amounts, excess: [f64; MAX_LIMITS]) -> Vec<usize> {
        let (mut best, mut least) = (Vec::new(), f64::INFINITY);
        for step in 0..STEPS {
            let weighed = weighed(&prices);
            let choices: Vec<usize> = self.places.iter().map(|place| place.cheapest(&weighed)).collect();
            let change = self.change(&choices);
            let (objectives, limits) = change.split_at(MAX_OBJECTIVES);
            let cost: f64 = objectives.iter().zip(&prices).map(|(change, price)| change * price).sum();
            let exceeded: [f64; MAX_LIMITS] = std::array::from_fn(|limit| excess[limit] + limits[limit]);
            let keeps = exceeded.iter().all(|excess| *excess <= 0.0);
            if least == f64::INFINITY || keeps && cost < least {
                best = choices;
                least = if keeps { cost } else { f64::INFINITY };
            }
            let (before, pace) = (prices, PACE / f64::from(step + 1).sqrt());
            for (price, excess) in prices[MAX_OBJECTIVES..].iter_mut().zip(exceeded) {
                *price = (*price + pace * excess).max(0.0);
            }
            if prices == before {
                break;
            }
        }
        best
    }

    /// What these choices change together, if they just add up.
    fn change(&self, choices: &[usize]) -> Amounts {
        self.places.iter().zip(choices).fold([0.0; AMOUNTS], |total, (place, choice)| {
            let change = &place.choices[*choice].change;
            std::array::from_fn(|amount| total[amount] + change[amount])
        })
    }
}

impl Place {
    /// Leaves the choices that no other one is as good as in every amount; of equal ones the first.
    fn prune(&mut self) {
        let covers = |one: &Choice, other: &Choice| one.change.iter().zip(&other.change).all(|(a, b)| a <= b);
        let mut kept: Vec<Choice> = Vec::new();
        for choice in self.choices.drain(..) {
            if !kept.iter().any(|known| covers(known, &choice)) {
                kept.retain(|known| !covers(&choice, known));
                kept.push(choice);
            }
        }
        self.choices = kept;
    }

    /// The choice of least cost at these prices of amounts.
    fn cheapest(&self, prices: &[(usize, f64)]) -> usize {
        let (mut cheapest, mut least) = (0, f64::INFINITY);
        for (index, choice) in self.choices.iter().enumerate() {
            let cost = prices.iter().map(|(amount, price)| choice.change[*amount] * price).sum();
            if cost < least {
                (cheapest, least) = (index, cost);
            }
        }
        cheapest
    }
}

/// The amounts that have a price, with it.
fn weighed(prices: &Amounts) -> SmallVec<[(usize, f64); AMOUNTS]> {
    prices.iter().copied().enumerate().filter(|(_, price)| *price != 0.0).collect()
}

fn amounts(evaluation: &Evaluation) -> Amounts {
    let mut amounts = [0.0; AMOUNTS];
    amounts[..evaluation.objectives.len()].copy_from_slice(&evaluation.objectives);
    amounts[MAX_OBJECTIVES..].copy_from_slice(&evaluation.excess);
    amounts
}

/// Whether there is any limit, as far as the draws about `member` tell. Where there are some, proposals aim at those that are
/// not there as well, so that few seem to keep to all; to tell each apart made no search better or worse.
fn has_limits(member: &Candidate, places: &[Place]) -> bool {
    let changed = |choice: &Choice| choice.change[MAX_OBJECTIVES..].iter().any(|change| *change != 0.0);
    let mut choices = places.iter().flat_map(|place| &place.choices);
    member.excess.iter().any(|excess| *excess != 0.0) || choices.any(changed)
}

/// The mean size of each amount's changes; 1 where nothing changes.
fn usual_changes(places: &[Place]) -> Amounts {
    let choices = || places.iter().flat_map(|place| &place.choices);
    let count = choices().count() as f64;
    std::array::from_fn(|amount| {
        let total: f64 = choices().map(|choice| choice.change[amount].abs()).sum();
        if total > 0.0 { total / count } else { 1.0 }
    })
}

fn quotient(change: &Amounts, usual: &Amounts) -> Amounts {
    std::array::from_fn(|amount| change[amount] / usual[amount])
}

/// The first place of the chain where the two differ; what differs further on does so because of it, since genes that
/// lost their meaning are cleared.
fn first_difference(layout: &Layout, one: &[u8], other: &[u8]) -> Option<u32> {
    let differ = |place: &u32| {
        let mut genes = layout.chain.group(*place).iter().map(|gene| *gene as usize);
        genes.any(|gene| one[gene] != other[gene])
    };
    (0..layout.chain.len() as u32).find(differ)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        search::{problem::Gene, random::Streams},
        space::Genotype,
    };

    const PLACES: usize = 4;

    /// Two genes of four alternatives at each place; value and weight of a place depend on both.
    fn layout() -> Layout {
        let gene = |place: usize| Gene::new(4).in_group(place as u32);
        let genes: Vec<Gene> = (0..PLACES).flat_map(|place| [gene(place), gene(place)]).collect();
        Layout::new(&genes).unwrap()
    }

    /// Least cost for most value, and no more than so much weight; all of them simply add up.
    fn score(genes: &[u8]) -> Evaluation {
        let (mut cost, mut value, mut weight) = (0.0, 0.0, 0.0);
        for (place, pair) in genes.chunks(2).enumerate() {
            let (one, two) = (f64::from(pair[0]), f64::from(pair[1]));
            cost += one * (1.0 + 0.3 * place as f64) + 0.7 * two;
            value += (one * (1.0 + two)).sqrt();
            weight += two * (2.0 + (place % 3) as f64);
        }
        Evaluation::feasible([cost, -value]).with_limits([weight / 20.0 - 1.0])
    }

    fn candidate(genes: &[u8]) -> Candidate {
        Candidate::new(Genotype(genes.into()), score(genes))
    }

    /// All that differs from `member` at one place.
    fn drawn(layout: &Layout, member: &[u8]) -> Population {
        let mut drawn = Population::default();
        for place in 0..PLACES as u32 {
            for (one, two) in (0..4).flat_map(|one| (0..4).map(move |two| (one, two))) {
                let mut genes = member.to_vec();
                layout.chain.put(place, &[one, two], &mut genes);
                if genes != member {
                    drawn.push(&genes, score(&genes));
                }
            }
        }
        drawn
    }

    fn proposals(layout: &Layout, member: &[u8], count: usize) -> Vec<Evaluation> {
        let model = Model::of(layout, candidate(member), &drawn(layout, member));
        assert!(model.fits(layout));
        let rng = &mut Streams::new(1).stream(0, 0);
        let mut genes = vec![0; 2 * PLACES];
        let propose = |_| {
            model.propose(layout, rng, &mut genes);
            score(&genes)
        };
        (0..count).map(propose).collect()
    }

    #[test]
    fn where_all_adds_up_most_proposals_are_on_the_exact_front() {
        let layout = layout();
        let digits = |number: u32| (0..2 * PLACES).map(move |gene| (number >> (2 * gene) & 3) as u8);
        let all = (0..1 << (4 * PLACES)).map(|number| score(&digits(number).collect::<Vec<u8>>()));
        let all: Vec<Evaluation> = all.filter(Evaluation::is_feasible).collect();
        let proposed = proposals(&layout, &[1; 2 * PLACES], 100);
        let feasible: Vec<&Evaluation> = proposed.iter().filter(|score| score.is_feasible()).collect();
        let best = feasible.iter().filter(|one| !all.iter().any(|other| other.dominates(one))).count();
        assert!(feasible.len() >= 40 && 2 * best > feasible.len(), "{best} of {} are", feasible.len());
    }

    #[test]
    fn it_leads_back_to_the_limits_from_beyond_them() {
        let layout = layout();
        let member = [3; 2 * PLACES];
        assert!(score(&member).excess[0] > 0.5);
        let proposed = proposals(&layout, &member, 50);
        assert!(proposed.iter().filter(|score| score.violation < 0.1).count() > 25);
    }

    #[test]
    fn a_model_goes_through_a_file_unchanged() {
        let layout = layout();
        let member = [2; 2 * PLACES];
        let model = Model::of(&layout, candidate(&member), &drawn(&layout, &member));
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
        let other = Layout::new(&[Gene::new(2)]).unwrap();
        assert!(!model.fits(&other), "it is none of another problem");
    }

    #[test]
    fn a_draw_is_told_by_the_first_place_that_differs() {
        let layout = layout();
        let (one, mut other) = ([0; 2 * PLACES], [0; 2 * PLACES]);
        assert_eq!(first_difference(&layout, &one, &other), None);
        (other[5], other[7]) = (1, 1);
        assert_eq!(first_difference(&layout, &one, &other), Some(2));
    }
}
