//! The population of NSGA-II and who of it survives.

use crate::{
    search::{
        evaluation::Evaluation,
        outcome::Candidate,
        pareto::{crowding_distances, lexicographic_order, ranks_in_order, total_order_key},
        population::Population,
    },
    space::Genotype,
};

/// Scored genotypes in lexicographic order of their objectives, so that neighbours here are neighbours on the front.
///
/// The genes of a member stay in their slot as long as it lives; what moves when others come and go is small.
#[derive(Default)]
pub(super) struct Members {
    /// The genes of each slot, and how many a slot has.
    rows: Vec<u8>,
    width: usize,
    vacant: Vec<u32>,
    /// Slot, score and rank of each member.
    slots: Vec<u32>,
    scores: Vec<Evaluation>,
    ranks: Vec<u32>,
}

impl Members {
    /// The whole of `population`, with ranks where constraints may be missed by `tolerance`.
    pub(super) fn new(population: &Population, tolerance: f64) -> Self {
        let mut members = Self::default();
        members.admit(population);
        members.ranks = ranks_in_order(&members.scores, tolerance);
        members
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn genes(&self, member: usize) -> &[u8] {
        let start = self.slots[member] as usize * self.width;
        &self.rows[start..start + self.width]
    }

    /// The members that miss constraints by no more than `tolerance`, in order.
    pub(super) fn within(&self, tolerance: f64) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |member| self.scores[*member].violation <= tolerance)
    }

    /// Those of them that none dominates.
    pub(super) fn front(&self, tolerance: f64) -> Vec<usize> {
        self.within(tolerance).filter(|member| self.ranks[*member] == 0).collect()
    }

    /// One member, copied out.
    pub(super) fn candidate(&self, member: usize) -> Candidate {
        Candidate::new(Genotype(self.genes(member).into()), self.scores[member])
    }

    pub(super) fn rank(&self, member: usize) -> u32 {
        self.ranks[member]
    }

    /// All members, copied out in order.
    pub(super) fn population(&self) -> Population {
        let mut population = Population::default();
        for (member, &score) in self.scores.iter().enumerate() {
            population.push(self.genes(member), score);
        }
        population
    }

    /// Leaves the best `capacity` of members and `scored`: whole fronts in order of rank, and of the last one the
    /// least crowded. Whatever dominates a member lives on with it, so ranks stay as they are.
    pub(super) fn compete(&mut self, scored: &Population, capacity: usize, tolerance: f64) {
        self.admit(scored);
        self.ranks = ranks_in_order(&self.scores, tolerance);
        if self.len() > capacity {
            let last = self.condemn(capacity);
            self.bury(last);
        }
    }

    /// Takes all of `scored` in, each behind those that equal it.
    fn admit(&mut self, scored: &Population) {
        let order = lexicographic_order(scored.evaluations());
        let mut old = self.len();
        let mut free = old + order.len();
        let Some(&filler) = scored.evaluations().first() else { return };
        self.slots.resize(free, 0);
        self.scores.resize(free, filler);
        // From the end, so that each place is free before it is taken.
        for &newcomer in order.iter().rev() {
            let score = scored.evaluations()[newcomer as usize];
            while old > 0 && self.scores[old - 1].objectives.lexicographic(&score.objectives).is_gt() {
                (old, free) = (old - 1, free - 1);
                self.slots[free] = self.slots[old];
                self.scores[free] = self.scores[old];
            }
            free -= 1;
            self.slots[free] = self.house(scored.genes(newcomer as usize));
            self.scores[free] = score;
        }
    }

    /// Puts genes into a slot.
    fn house(&mut self, genes: &[u8]) -> u32 {
        self.width = genes.len();
        if let Some(slot) = self.vacant.pop() {
            let start = slot as usize * self.width;
            self.rows[start..start + self.width].copy_from_slice(genes);
            return slot;
        }
        let slot = self.rows.len() / self.width.max(1);
        self.rows.extend_from_slice(genes);
        slot as u32
    }

    /// Gives those members that must go a rank beyond the last that survives, and returns that one.
    fn condemn(&mut self, capacity: usize) -> u32 {
        let (last, room) = last_rank(&self.ranks, capacity);
        let members = 0..self.len() as u32;
        let front: Vec<u32> = members.filter(|&member| self.ranks[member as usize] == last).collect();
        for member in all_but_least_crowded(&self.scores, &front, room) {
            self.ranks[member as usize] = u32::MAX;
        }
        last
    }

    /// Drops what ranks beyond `last`.
    fn bury(&mut self, last: u32) {
        let mut kept = 0;
        for member in 0..self.len() {
            if self.ranks[member] > last {
                self.vacant.push(self.slots[member]);
                continue;
            }
            self.slots[kept] = self.slots[member];
            self.scores[kept] = self.scores[member];
            self.ranks[kept] = self.ranks[member];
            kept += 1;
        }
        self.slots.truncate(kept);
        self.scores.truncate(kept);
        self.ranks.truncate(kept);
    }
}

/// The rank whose front fits only in part, and how many of it do.
fn last_rank(ranks: &[u32], capacity: usize) -> (u32, usize) {
    let fronts = ranks.iter().max().map_or(0, |&worst| worst as usize + 1);
    let mut sizes = vec![0; fronts];
    ranks.iter().for_each(|&rank| sizes[rank as usize] += 1);
    let mut room = capacity;
    let mut rank = 0;
    while sizes[rank] <= room {
        room -= sizes[rank];
        rank += 1;
    }
    (rank as u32, room)
}

/// What is left of a front without its `count` least crowded members. Of equally crowded ones the first count.
fn all_but_least_crowded(scores: &[Evaluation], front: &[u32], count: usize) -> impl Iterator<Item = u32> {
    let distances = crowding_distances(scores, front);
    let loneliest_first = |(distance, &member): (&f64, &u32)| {
        u128::from(!total_order_key(*distance)) << 32 | u128::from(member)
    };
    let mut keys: Vec<u128> = distances.iter().zip(front).map(loneliest_first).collect();
    keys.select_nth_unstable(count);
    keys.into_iter().skip(count).map(|key| key as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survivors(all: &Population, tolerance: f64) -> Members {
        let mut members = Members::default();
        members.compete(all, 1, tolerance);
        members
    }

    #[test]
    fn what_misses_little_counts_as_feasible_only_within_the_tolerance() {
        let mut all = Population::default();
        let score = |latency: f64, violation| Evaluation::feasible([latency]).with_violation(violation);
        for (gene, score) in [score(3.0, 0.0), score(2.0, 0.1), score(1.0, 0.5)].into_iter().enumerate() {
            all.push(&[gene as u8], score);
        }
        assert_eq!([0.0, 0.1, 0.5].map(|tolerance| survivors(&all, tolerance).genes(0)[0]), [0, 1, 2]);
        let kept = survivors(&all, 0.1).population();
        assert_eq!(kept.evaluations()[0].violation, 0.1, "it is still known by how much");
    }
}
