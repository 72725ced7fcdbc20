//! The non-dominated feasible candidates among all that were scored.

use crate::search::{
    evaluation::{Evaluation, Objectives},
    outcome::Candidate,
    population::Population,
};

/// Candidates that dominate each other nowhere, in lexicographic order of their objectives.
///
/// Of candidates with equal objectives the first to come stays. With two objectives a candidate is
/// checked by one binary search; with more, by a scan of those with a smaller first objective.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    points: Vec<Objectives>,
    /// The first objective of each point, which is all that most searches look at.
    firsts: Vec<f64>,
    /// Where the member at the same place of `points` is stored.
    slots: Vec<u32>,
    store: Population,
    vacant: Vec<u32>,
}

/// So many newcomers are merged, since each on its own moves half of the members.
const MANY: usize = 4;

impl Archive {
    /// How many candidates it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The objectives of all members, by ascending first objective.
    #[must_use]
    pub fn points(&self) -> &[Objectives] {
        &self.points
    }

    /// The genes of a member, by the same index as [`Self::points`].
    #[must_use]
    pub fn genes(&self, index: usize) -> &[u8] {
        self.store.genes(self.slots[index] as usize)
    }

    /// All members, copied out.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        self.slots.iter().map(|&slot| self.store.candidate(slot as usize)).collect()
    }

    /// Whether a member is at least as good in every objective.
    #[must_use]
    pub fn covers(&self, point: &Objectives) -> bool {
        let rivals = self.firsts.partition_point(|&first| first <= point[0]);
        if point.len() == 2 {
            // The nearest with a smaller first objective has the smallest second one.
            return rivals > 0 && self.points[rivals - 1][1] <= point[1];
        }
        self.points[..rivals].iter().rev().any(|other| other.covers(point))
    }

    /// Takes the candidate in unless it is infeasible or covered, and drops what it dominates. Tells
    /// whether it was taken in.
    pub fn insert(&mut self, genes: &[u8], evaluation: &Evaluation) -> bool {
        let point = evaluation.objectives;
        if !evaluation.is_feasible() || self.covers(&point) {
            return false;
        }
        let place = self.points.partition_point(|other| other.lexicographic(&point).is_lt());
        self.drop_dominated(place, &point);
        let slot = self.keep(genes, *evaluation);
        self.points.insert(place, point);
        self.firsts.insert(place, point[0]);
        self.slots.insert(place, slot);
        true
    }

    /// Does what [`Self::insert`] does with each of `chosen`, which are members of `scored`, and tells whether any was
    /// taken in.
    pub(in crate::search) fn insert_all(&mut self, scored: &Population, chosen: &[u32]) -> bool {
        let score = |index: u32| scored.evaluations()[index as usize];
        if chosen.len() < MANY || score(chosen[0]).objectives.len() != 2 {
            let insert =
                |taken, &index: &u32| self.insert(scored.genes(index as usize), &score(index)) || taken;
            return chosen.iter().fold(false, insert);
        }
        let news = |&index: &u32| score(index).is_feasible() && !self.covers(&score(index).objectives);
        let mut news: Vec<u32> = chosen.iter().copied().filter(news).collect();
        news.sort_by(|&a, &b| score(a).objectives.lexicographic(&score(b).objectives));
        self.merge(scored, &news);
        !news.is_empty()
    }

    /// Takes in newcomers with two objectives, in lexicographic order, none of them covered by a member.
    fn merge(&mut self, scored: &Population, news: &[u32]) {
        let old = std::mem::take(self);
        (self.store, self.vacant) = (old.store, old.vacant);
        let mut next = 0;
        for &index in news {
            let evaluation = scored.evaluations()[index as usize];
            let point = evaluation.objectives;
            let before = old.points[next..].partition_point(|other| other.lexicographic(&point).is_lt());
            self.append(&old.points[next..next + before], &old.slots[next..next + before]);
            next += before;
            if self.points.last().is_none_or(|last| point[1] < last[1]) {
                let slot = self.keep(scored.genes(index as usize), evaluation);
                self.append(&[point], &[slot]);
            }
        }
        self.append(&old.points[next..], &old.slots[next..]);
    }

    /// Adds members behind all others, but for those that the last one dominates.
    fn append(&mut self, points: &[Objectives], slots: &[u32]) {
        let last = self.points.last().map_or(f64::INFINITY, |last| last[1]);
        let dominated = points.partition_point(|point| point[1] >= last);
        self.vacant.extend_from_slice(&slots[..dominated]);
        self.slots.extend_from_slice(&slots[dominated..]);
        self.points.extend_from_slice(&points[dominated..]);
        self.firsts.extend(points[dominated..].iter().map(|point| point[0]));
    }

    /// Whatever `point` dominates stands at `place` or after it.
    fn drop_dominated(&mut self, place: usize, point: &Objectives) {
        if point.len() == 2 {
            let count = self.points[place..].partition_point(|other| other[1] >= point[1]);
            self.points.drain(place..place + count);
            self.firsts.drain(place..place + count);
            self.vacant.extend(self.slots.drain(place..place + count));
            return;
        }
        let mut end = place;
        for index in place..self.points.len() {
            if point.covers(&self.points[index]) {
                self.vacant.push(self.slots[index]);
            } else {
                self.points.swap(end, index);
                self.firsts.swap(end, index);
                self.slots.swap(end, index);
                end += 1;
            }
        }
        self.points.truncate(end);
        self.firsts.truncate(end);
        self.slots.truncate(end);
    }

    fn keep(&mut self, genes: &[u8], evaluation: Evaluation) -> u32 {
        if let Some(slot) = self.vacant.pop() {
            self.store.replace(slot as usize, genes, evaluation);
            return slot;
        }
        self.store.push(genes, evaluation);
        self.store.len() as u32 - 1
    }
}

impl FromIterator<Candidate> for Archive {
    fn from_iter<T: IntoIterator<Item = Candidate>>(candidates: T) -> Self {
        let mut archive = Self::default();
        for candidate in candidates {
            archive.insert(&candidate.genotype.0, &candidate.evaluation());
        }
        archive
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Keeps what nothing dominates; of equal points the first.
    fn filter(evaluations: &[Evaluation]) -> Vec<(Objectives, u8)> {
        let mut kept: Vec<(Objectives, u8)> = Vec::new();
        for (index, one) in evaluations.iter().enumerate().filter(|(_, one)| one.is_feasible()) {
            let beaten = evaluations.iter().any(|other| other.dominates(one));
            let repeated = evaluations[..index].iter().any(|other| other == one);
            if !beaten && !repeated {
                kept.push((one.objectives, index as u8));
            }
        }
        kept.sort_by(|a, b| a.0.lexicographic(&b.0));
        kept
    }

    fn evaluations(objectives: usize) -> impl Strategy<Value = Vec<Evaluation>> {
        let one = (prop::collection::vec(0..8_u8, objectives), 0..4_u8).prop_map(|(values, violation)| {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            Evaluation::feasible(&values[..]).with_violation(f64::from(violation / 3))
        });
        prop::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn the_archive_equals_a_naive_filter(points in (1..=4_usize).prop_flat_map(evaluations)) {
            let mut archive = Archive::default();
            for (index, evaluation) in points.iter().enumerate() {
                archive.insert(&[index as u8], evaluation);
            }
            let held: Vec<(Objectives, u8)> =
                (0..archive.len()).map(|index| (archive.points()[index], archive.genes(index)[0])).collect();
            prop_assert_eq!(held, filter(&points));
        }
    }

    proptest! {
        #[test]
        fn many_at_once_are_taken_in_like_one_after_the_other(
            rounds in (1..=3_usize).prop_flat_map(|count| prop::collection::vec(evaluations(count), 1..5)),
        ) {
            let (mut one_by_one, mut at_once) = (Archive::default(), Archive::default());
            let mut gene = 0;
            for round in &rounds {
                let mut scored = Population::default();
                let mut taken = false;
                for evaluation in round {
                    scored.push(&[gene], *evaluation);
                    taken |= one_by_one.insert(&[gene], evaluation);
                    gene += 1;
                }
                let all: Vec<u32> = (0..round.len() as u32).collect();
                prop_assert_eq!(at_once.insert_all(&scored, &all), taken);
                prop_assert_eq!(at_once.candidates(), one_by_one.candidates());
                prop_assert!(at_once.firsts.iter().eq(at_once.points.iter().map(|point| &point[0])));
            }
        }
    }

    #[test]
    fn of_equal_candidates_the_first_stays() {
        let mut archive = Archive::default();
        assert!(archive.insert(&[1], &Evaluation::feasible([1.0, 2.0])));
        assert!(!archive.insert(&[2], &Evaluation::feasible([1.0, 2.0])));
        assert_eq!(archive.genes(0), [1]);
    }
}
