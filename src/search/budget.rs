//! How long a search may go on.

use std::time::Duration;

/// How long a search may go on. Without any limit it goes on until it is cancelled or finds nothing new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Distinct genotypes to score, those before a resume included.
    pub evaluations: Option<u64>,
    /// Time to spend, that before a resume included.
    pub time: Option<Duration>,
}

impl Budget {
    /// A number of evaluations.
    #[must_use]
    pub fn evaluations(evaluations: u64) -> Self {
        Self { evaluations: Some(evaluations), time: None }
    }

    /// A time. What is found then depends on the speed of the machine.
    #[must_use]
    pub fn time(time: Duration) -> Self {
        Self { evaluations: None, time: Some(time) }
    }

    /// The same budget, ended by `time` at the latest.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }
}
