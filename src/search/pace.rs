//! How work is handed to threads, by how long it took so far.

use std::time::{Duration, Instant};

/// Handing tasks over pays where they take longer together than waking a thread does.
const PIECE: Duration = Duration::from_micros(20);

/// A task that takes longer is handed over alone, so that none waits for a neighbour.
const SLOW: Duration = Duration::from_micros(50);

/// How long one of many alike tasks takes; measured anew with each batch. Results must not depend on it.
#[derive(Default)]
pub(super) struct Pace {
    /// Nothing at first, which splits as finely as the thread pool likes.
    each: Duration,
}

impl Pace {
    /// The fewest and the most neighbours that one thread takes at once.
    pub(super) fn piece(&self) -> (usize, usize) {
        let fewest = PIECE.as_nanos().checked_div(self.each.as_nanos()).unwrap_or(1).max(1);
        (usize::try_from(fewest).unwrap_or(usize::MAX), if self.each > SLOW { 1 } else { usize::MAX })
    }

    /// Does `count` tasks by `work` and notes how long one took.
    pub(super) fn measure<T>(&mut self, count: usize, work: impl FnOnce((usize, usize)) -> T) -> T {
        let piece = self.piece();
        let begin = Instant::now();
        let result = work(piece);
        let threads = (count / piece.0).clamp(1, rayon::current_num_threads());
        self.each = begin.elapsed() * threads as u32 / count.max(1) as u32;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(each: Duration) -> (usize, usize) {
        Pace { each }.piece()
    }

    #[test]
    fn cheap_tasks_go_together_and_slow_ones_alone() {
        assert_eq!(piece(Duration::ZERO), (1, usize::MAX));
        assert_eq!(piece(Duration::from_nanos(400)), (50, usize::MAX));
        assert_eq!(piece(Duration::from_micros(30)), (1, usize::MAX));
        assert_eq!(piece(Duration::from_millis(1)), (1, 1));
    }
}
