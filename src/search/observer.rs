//! Watching a search without touching it.

use std::time::Duration;

use super::evaluation::Objectives;

/// How far a search is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Finished rounds of the algorithm.
    pub generations: u64,
    /// Distinct genotypes scored.
    pub evaluations: u64,
    /// The budget of evaluations, if there is one.
    pub budget: Option<u64>,
    /// Time used, that before a resume included.
    pub elapsed: Duration,
    /// Evaluations a second since this process started searching.
    pub rate: f64,
    /// The least value of each objective among feasible candidates.
    pub best: Option<Objectives>,
    /// The objectives of the archive, by ascending first objective.
    pub front: &'a [Objectives],
}

/// Is told after each generation. It may be slow only at the search's expense.
pub trait Observer {
    /// A generation was scored.
    fn generation(&mut self, progress: &Progress<'_>);
}

impl<F: FnMut(&Progress<'_>)> Observer for F {
    fn generation(&mut self, progress: &Progress<'_>) {
        self(progress);
    }
}
