//! The scores of one round, and what a search notes of them.

use rayon::prelude::*;

use super::{
    checkpoint::State, evaluation::Evaluation, history, pace::Pace, pareto::Archive, population::Population,
    problem::Problem, proposals::Proposals,
};

/// Buffers that are used again each round.
#[derive(Default)]
pub(super) struct Scores {
    found: Vec<Option<Score>>,
    /// What was scored, by the same index as its hash.
    scored: Population,
    hashes: Vec<u64>,
    /// What nothing in the archive covered before the round.
    uncovered: Vec<u32>,
    pace: Pace,
}

/// An evaluation, and whether the archive already held something as good before the round.
#[derive(Clone, Copy)]
struct Score {
    evaluation: Evaluation,
    covered: bool,
}

impl Scores {
    /// Scores what is fresh in parallel, until `stop`.
    pub(super) fn find<P: Problem + ?Sized>(
        &mut self,
        problem: &P,
        proposals: &Proposals,
        archive: &Archive,
        stop: impl Fn() -> bool + Sync,
    ) {
        let score = |&row: &u32| {
            if stop() {
                return None;
            }
            let evaluation = problem.evaluate(proposals.row(row)).sound();
            Some(Score { evaluation, covered: archive.covers(&evaluation.objectives) })
        };
        let Self { found, pace, .. } = self;
        let fresh = proposals.fresh();
        pace.measure(fresh.len(), |(fewest, most)| {
            let fresh = fresh.par_iter().with_min_len(fewest).with_max_len(most);
            fresh.map(score).collect_into_vec(found);
        });
        self.collect(proposals);
    }

    fn collect(&mut self, proposals: &Proposals) {
        self.scored.clear();
        self.hashes.clear();
        self.uncovered.clear();
        for (&row, score) in proposals.fresh().iter().zip(&self.found) {
            let Some(Score { evaluation, covered }) = *score else { continue };
            if !covered {
                self.uncovered.push(self.hashes.len() as u32);
            }
            self.scored.push(proposals.row(row), evaluation);
            self.hashes.push(proposals.hash(row));
        }
    }

    /// Whether all was scored that was fresh.
    pub(super) fn are_complete(&self) -> bool {
        self.hashes.len() == self.found.len()
    }

    /// What was scored.
    pub(super) fn scored(&self) -> &Population {
        &self.scored
    }

    /// Enters what was scored into archive and state.
    pub(super) fn enter(&self, archive: &mut Archive, state: &mut State) {
        state.evaluations += self.hashes.len() as u64;
        self.hashes.iter().for_each(|&hash| state.seen.insert(hash));
        if archive.insert_all(&self.scored, &self.uncovered) {
            state.nearest = None;
        }
        if archive.is_empty() {
            history::keep_nearest(&mut state.nearest, &self.scored);
        }
        if state.reference.is_none() {
            state.reference = history::reference(&self.scored);
        }
    }
}
