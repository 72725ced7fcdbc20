//! How a search is set up.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use super::{
    budget::Budget, observer::Observer, optimizer::Algorithm, outcome::Outcome, problem::Problem, run::Run,
};
use crate::error::Result;

/// Runs one search.
pub struct Executor<'a, P: ?Sized> {
    pub(super) problem: &'a P,
    pub(super) algorithm: Algorithm,
    pub(super) seed: u64,
    pub(super) population: Option<usize>,
    pub(super) budget: Budget,
    pub(super) cancel: Option<&'a AtomicBool>,
    pub(super) checkpoint: Option<PathBuf>,
    pub(super) resume: bool,
    pub(super) observers: Vec<&'a mut dyn Observer>,
}

impl<'a, P: Problem + ?Sized> Executor<'a, P> {
    /// A search of `problem` by the default algorithm with seed 0 and 100,000 evaluations.
    #[must_use]
    pub fn new(problem: &'a P) -> Self {
        Self {
            problem,
            algorithm: Algorithm::default(),
            seed: 0,
            population: None,
            budget: Budget::evaluations(100_000),
            cancel: None,
            checkpoint: None,
            resume: false,
            observers: Vec::new(),
        }
    }

    /// Searches by this algorithm.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Draws all random numbers from this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Fixes the size of the population, which otherwise fits the evaluations.
    #[must_use]
    pub fn population(mut self, size: usize) -> Self {
        self.population = Some(size);
        self
    }

    /// Stops when this is spent.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Stops soon after `flag` becomes true.
    #[must_use]
    pub fn cancel(mut self, flag: &'a AtomicBool) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Saves checkpoints to this file: now and then, and always at the end.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Goes on from the checkpoint if `resume`. What comes out is what a search without the interruption would
    /// have found. The budget may differ from before; the population then still fits the first one.
    #[must_use]
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Tells `observer` after each generation.
    #[must_use]
    pub fn observe(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observers.push(observer);
        self
    }

    /// Searches on the current rayon thread pool. The result does not depend on its size.
    ///
    /// # Errors
    /// The problem is malformed (no objective, a gene without alternatives, a seed that does not fit), or a
    /// checkpoint cannot be written, read, or belongs to another search.
    pub fn run(self) -> Result<Outcome> {
        Run::start(self)?.finish()
    }
}
