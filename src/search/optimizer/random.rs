//! Random search.

use serde_json::Value;

use super::{Optimizer, Setup, start::uniform_row};
use crate::{
    search::{layout::Layout, population::Population, random::Rng},
    space::Genotype,
};

/// Proposals a round: enough that handing them to threads costs nothing.
const BATCH: usize = 1024;

/// The seeds, then uniformly random genotypes.
pub(super) struct Random {
    layout: Layout,
    seeds: Vec<Genotype>,
    started: bool,
}

impl Random {
    pub(super) fn new(setup: Setup) -> Self {
        Self { layout: setup.layout, seeds: setup.seeds, started: false }
    }
}

impl Optimizer for Random {
    fn batch(&self) -> usize {
        BATCH
    }

    fn propose(&self, index: usize, rng: &mut Rng, genes: &mut [u8]) {
        match self.seeds.get(index).filter(|_| !self.started) {
            Some(seed) => genes.copy_from_slice(&seed.0),
            None => uniform_row(&self.layout, rng, genes),
        }
    }

    fn tell(&mut self, _: &Population) {
        self.started = true;
    }

    fn save(&self) -> Value {
        Value::Bool(self.started)
    }

    fn restore(&mut self, state: Value) -> Result<(), serde_json::Error> {
        self.started = serde_json::from_value(state)?;
        Ok(())
    }
}
