//! What is left to be looked at.

use std::collections::BTreeMap;

use super::{line::Line, region::Region, relaxation::Relaxed};

/// A region that may hold something better.
pub(super) struct Open {
    pub(super) frame: usize,
    pub(super) region: Region,
    pub(super) relaxed: Relaxed,
}

/// The open regions by their bounds, the lowest first, and then as they came.
#[derive(Default)]
pub(super) struct Queue {
    open: BTreeMap<(u64, u64), Open>,
    added: u64,
}

impl Queue {
    pub(super) fn add(&mut self, open: Open) {
        self.added += 1;
        // Positive numbers are in the order of their bits.
        self.open.insert((open.relaxed.bound_us.max(0.0).to_bits(), self.added), open);
    }

    /// The least that anything in an open region takes.
    pub(super) fn least_us(&self) -> f64 {
        self.open.first_key_value().map_or(f64::INFINITY, |((bits, _), _)| f64::from_bits(*bits))
    }

    /// The bounds of all that is open.
    pub(super) fn into_lines(self) -> impl Iterator<Item = Line> {
        self.open.into_values().map(|open| open.relaxed.line())
    }

    pub(super) fn take(&mut self, most: usize) -> Vec<Open> {
        (0..most).map_while(|_| self.open.pop_first()).map(|(_, open)| open).collect()
    }
}
