//! Remembering the prices of layers.
//!
//! A search prices the same layers again and again: candidates share most of
//! their blocks. [`Pricer`] keeps prices by context in a table of fixed size, as
//! game programs keep positions (Zobrist 1970; Hyatt & Mann, "A lock-less
//! transposition table implementation", ICGA 2002): a slot holds the price and the key
//! combined with it, so that a slot that two threads wrote at once does not match
//! and is priced anew. What it returns is what the estimator itself says, bit for
//! bit, on any number of threads.

use std::{
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{Estimator, context::Context};
use crate::network::Network;

/// Prices that are remembered at the most; a newer one takes the place of an older one. 16 MiB.
const SLOTS: usize = 1 << 20;

/// An estimator that remembers the layers that it has priced.
pub struct Pricer<'a> {
    estimator: &'a Estimator,
    slots: Vec<Slot>,
}

/// The key combined with the price, and the price.
#[derive(Default)]
struct Slot {
    check: AtomicU64,
    price: AtomicU64,
}

impl<'a> Pricer<'a> {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(estimator: &'a Estimator) -> Self {
        Self { estimator, slots: (0..SLOTS).map(|_| Slot::default()).collect() }
    }

    /// The estimator itself.
    #[must_use]
    pub fn estimator(&self) -> &'a Estimator {
        self.estimator
    }

    /// The latency of `network` in microseconds, as [`Estimator::latency_us`] gives it.
    #[must_use]
    pub fn latency_us(&self, network: &Network) -> f64 {
        let graph = self.estimator.graph(network);
        let layers = graph.layers().map(|layer| self.price_us(&layer.context()));
        self.estimator.overhead_us() + layers.sum::<f64>()
    }

    fn price_us(&self, context: &Context) -> f64 {
        let key = key(context);
        // The upper bits choose the slot, and the slot's check holds all of them.
        let slot = &self.slots[(key >> 44) as usize % SLOTS];
        let bits = slot.price.load(Relaxed);
        if slot.check.load(Relaxed) == key ^ bits {
            return f64::from_bits(bits);
        }
        let price = self.estimator.price_us(context);
        slot.price.store(price.to_bits(), Relaxed);
        slot.check.store(key ^ price.to_bits(), Relaxed);
        price
    }
}

/// Sixty-four bits that tell contexts apart: among a million of them two clash once in 37 million searches.
fn key(context: &Context) -> u64 {
    let mut folds = Folds(0x243f_6a88_85a3_08d3);
    context.hash(&mut folds);
    // An empty slot, zero combined with zero, must match no key.
    folds.finish().max(1)
}

/// Mixes one word after the other by the two halves of a product, after Wang Yi's wyhash.
struct Folds(u64);

impl Hasher for Folds {
    fn finish(&self) -> u64 {
        fold(self.0, 0x9e37_79b9_7f4a_7c15)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, 0xa076_1d64_78bd_642f);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
}

fn fold(word: u64, multiplier: u64) -> u64 {
    let product = u128::from(word) * u128::from(multiplier);
    (product as u64) ^ (product >> 64) as u64
}
