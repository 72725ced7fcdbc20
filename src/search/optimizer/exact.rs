//! No algorithm: every genotype, one after the other.

use serde_json::Value;

use super::{Optimizer, Rng};
use crate::search::population::Population;

/// Proposes nothing, so that the whole space is swept in order.
pub(super) struct Exact;

impl Optimizer for Exact {
    fn batch(&self) -> usize {
        0
    }

    fn propose(&self, _index: usize, _rng: &mut Rng, _genes: &mut [u8]) {}

    fn tell(&mut self, _scored: &Population) {}

    fn save(&self) -> Value {
        Value::Null
    }

    fn restore(&mut self, _state: Value) -> Result<(), serde_json::Error> {
        Ok(())
    }
}
