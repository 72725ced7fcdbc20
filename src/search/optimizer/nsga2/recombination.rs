//! Now and then a good member is varied place by place, and what is learnt put together ([`Model`]).

use serde::{Deserialize, Serialize};

use super::{members::Members, model::Model};
use crate::search::{
    layout::Layout,
    outcome::Candidate,
    population::Population,
    random::{Rng, below, chance},
};

/// How likely a gene of the place is drawn anew; draws take turns.
const CHANCES: [f64; 3] = [0.15, 0.4, 0.8];
/// The share of a search's evaluations that the draws of one model take …
const SHARE: f64 = 0.04;
/// … for each place no fewer, or there is no model …
const LEAST_DRAWS: usize = 12;
/// … and no more.
const MOST_DRAWS: usize = 250;
/// So many draws for each proposal of the model.
const DRAWS_PER_PROPOSAL: usize = 10;
/// The share of the evaluations after which the first model is due. From one to the next are so many times the draws of
/// one …
const FIRST: f64 = 0.3;
const INTERVAL: f64 = 2.5;
/// … or, where nobody knows how many evaluations there will be, each comes after so many times more than the one before.
const FIRST_AFTER: f64 = 10_000.0;
const GROWTH: f64 = 1.5;
/// There are so many leaders at the most.
const LEADERS: usize = 3;
/// Multiples of it, less what is whole, are spread evenly, however many there are.
const GOLDEN: f64 = 0.618_034;

/// How many models there were, and how far the next has come.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recombination {
    models: u32,
    phase: Phase,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Rest,
    /// The round draws about this member.
    Draw(Candidate),
    /// The round takes what the model proposes.
    Propose(Model),
}

/// What the search has spent, and is to spend if that is known.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    pub(super) told: u64,
    pub(super) horizon: Option<u64>,
}

impl Spent {
    /// How many draws a model of so many places takes; none where they would be too few to learn from.
    fn draws(self, places: usize) -> usize {
        let total = SHARE * self.horizon.unwrap_or(self.told) as f64;
        match (total / places.max(1) as f64) as usize {
            ..LEAST_DRAWS => 0,
            each => each.min(MOST_DRAWS) * places,
        }
    }

    /// Whether it is time for another model of so many draws after so many models.
    fn is_due(self, draws: usize, models: u32) -> bool {
        let models = f64::from(models);
        let after = match self.horizon {
            Some(horizon) => FIRST * horizon as f64 + INTERVAL * draws as f64 * models,
            None => FIRST_AFTER * GROWTH.powf(models),
        };
        draws > 0 && self.told as f64 >= after
    }
}

impl Recombination {
    /// How many proposals the round takes; none if it is one like any other.
    pub(super) fn batch(&self, layout: &Layout, spent: Spent) -> Option<usize> {
        let draws = spent.draws(layout.places.len());
        match self.phase {
            Phase::Rest => None,
            Phase::Draw(_) => Some(draws.max(1)),
            Phase::Propose(_) => Some(draws.div_ceil(DRAWS_PER_PROPOSAL).max(1)),
        }
    }

    /// Writes the `index`-th proposal of the round; false if the round is one like any other.
    pub(super) fn propose(&self, layout: &Layout, index: usize, rng: &mut Rng, genes: &mut [u8]) -> bool {
        match &self.phase {
            Phase::Rest => return false,
            Phase::Draw(member) => {
                genes.copy_from_slice(&member.genotype.0);
                let (place, turn) = (index % layout.places.len(), index / layout.places.len());
                draw(layout, rng, layout.places[place], CHANCES[turn % CHANCES.len()], genes);
            }
            Phase::Propose(model) => model.propose(layout, rng, genes),
        }
        true
    }

    /// Goes on once a round was scored, and the best of it are `members`.
    pub(super) fn advance(
        &mut self,
        layout: &Layout,
        scored: &Population,
        members: &Members,
        tolerance: f64,
        spent: Spent,
    ) {
        self.phase = match std::mem::take(&mut self.phase) {
            Phase::Rest if spent.is_due(spent.draws(layout.places.len()), self.models) => {
                self.models += 1;
                self.member(layout, members, tolerance).map_or(Phase::Rest, Phase::Draw)
            }
            Phase::Rest | Phase::Propose(_) => Phase::Rest,
            Phase::Draw(member) => Phase::Propose(Model::of(layout, member, scored)),
        };
    }

    /// The member that the model is about: in turn one from anywhere on the front, and one of the leaders.
    fn member(&self, layout: &Layout, members: &Members, tolerance: f64) -> Option<Candidate> {
        let turn = f64::from(self.models);
        let member = if self.models.is_multiple_of(2) {
            let front = members.front(tolerance);
            let place = (turn * GOLDEN).fract() * front.len() as f64;
            front.get(place as usize).copied()
        } else {
            let leaders = leaders(layout, members, tolerance);
            leaders.get(self.models as usize / 2 % leaders.len().max(1)).copied()
        };
        member.map(|member| members.candidate(member))
    }

    /// Whether it is one of a problem with these genes.
    pub(super) fn fits(&self, layout: &Layout) -> bool {
        match &self.phase {
            Phase::Rest => true,
            Phase::Draw(member) => !layout.places.is_empty() && layout.admits(&member.genotype.0),
            Phase::Propose(model) => model.fits(layout),
        }
    }
}

/// Draws each gene of a place anew with this chance.
fn draw(layout: &Layout, rng: &mut Rng, place: u32, likely: f64, genes: &mut [u8]) {
    for &gene in layout.chain.group(place) {
        if chance(rng, likely) {
            genes[gene as usize] = below(rng, layout.cardinality(gene)) as u8;
        }
    }
}

/// The members with the least first objective within the tolerance, of which no two agree where the chain begins:
/// there stands what changes all that follows, such as the input's size, and what is best may lie far from where most
/// members are.
fn leaders(layout: &Layout, members: &Members, tolerance: f64) -> Vec<usize> {
    let Some(&start) = layout.places.first() else { return Vec::new() };
    let start = |member: usize| layout.chain.at(start, members.genes(member));
    let mut leaders: Vec<usize> = Vec::new();
    for member in members.within(tolerance) {
        if leaders.len() < LEADERS && !leaders.iter().any(|leader| start(*leader) == start(member)) {
            leaders.push(member);
        }
    }
    leaders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        search::{evaluation::Evaluation, problem::Gene},
        space::Genotype,
    };

    #[test]
    fn draws_about_what_leaves_no_choice_are_of_another_problem() {
        let fixed = Layout::new(&[Gene::new(1)]).unwrap();
        let member = Candidate::new(Genotype([0].into()), Evaluation::feasible([1.0]));
        let drawing = Recombination { models: 1, phase: Phase::Draw(member) };
        assert!(!drawing.fits(&fixed) && drawing.fits(&Layout::new(&[Gene::new(2)]).unwrap()));
    }

    #[test]
    fn models_come_more_often_where_each_is_a_smaller_share() {
        let spent = |told, horizon| Spent { told, horizon: Some(horizon) };
        assert_eq!(spent(0, 5_000).draws(20), 0, "too few to learn from");
        assert_eq!([20_000, 2_000_000].map(|horizon| spent(0, horizon).draws(20)), [800, 5_000]);
        let due = |models| spent(650_000, 2_000_000).is_due(5_000, models);
        assert_eq!([0, 4, 5].map(due), [true, true, false]);
    }
}
