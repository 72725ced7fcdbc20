//! The time that a search takes, over all its interruptions.

use std::time::{Duration, Instant};

use super::checkpoint::State;

/// Checkpoints are written no more often than this, and take no more than a twentieth of the time.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_millis(500);

/// When things happened in this process.
pub(super) struct Clock {
    start: Instant,
    /// Evaluations and time before this process.
    evaluations_before: u64,
    time_before: Duration,
    saved: Instant,
    saving_took: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self {
            start: now,
            evaluations_before: 0,
            time_before: Duration::ZERO,
            saved: now,
            saving_took: Duration::ZERO,
        }
    }

    /// Goes on from what a checkpoint tells.
    pub(super) fn go_on(&mut self, state: &State) {
        self.evaluations_before = state.evaluations;
        self.time_before = Duration::try_from_secs_f64(state.elapsed_seconds).unwrap_or_default();
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.time_before + self.start.elapsed()
    }

    /// Evaluations a second since this process started.
    pub(super) fn rate(&self, evaluations: u64) -> f64 {
        (evaluations - self.evaluations_before) as f64 / self.start.elapsed().as_secs_f64().max(1e-9)
    }

    /// When a search that may take `limit` must end.
    pub(super) fn deadline(&self, limit: Duration) -> Option<Instant> {
        self.start.checked_add(limit.saturating_sub(self.time_before))
    }

    /// Whether it is time for another checkpoint.
    pub(super) fn is_save_due(&self) -> bool {
        self.saved.elapsed() >= BETWEEN_CHECKPOINTS.max(20 * self.saving_took)
    }

    /// A checkpoint that was begun then is written.
    pub(super) fn note_saved(&mut self, begun: Instant) {
        self.saved = Instant::now();
        self.saving_took = self.saved - begun;
    }
}
