//! Remembering the prices of layers.
//!
//! A search prices the same layers again and again: candidates share most of
//! their blocks. [`Pricer`] keeps prices by context in a table of fixed size, as
//! game programs keep positions (Zobrist 1970; Hyatt & Mann, "A lock-less
//! transposition table implementation", ICGA 2002): a slot holds the price and the key
//! combined with it, so that a slot that two threads wrote at once does not match
//! and is priced anew. What it returns is what the estimator itself says, bit for
//! bit, on any number of threads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{
    Estimator,
    context::Context,
    graph::{Graph, GraphSection},
    schedule::Scheduler,
};
use crate::network::{Network, Wiring};

/// Prices that are remembered at the most; a newer one takes the place of an older one. 4 MiB.
const SLOTS: usize = 1 << 18;

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
        self.sum_us(&self.estimator.graph(network))
    }

    /// An empty network, to be put together from sections.
    #[must_use]
    pub fn assembly(&self) -> Assembly {
        Assembly { graph: Graph::default(), scheduler: self.estimator.scheduler() }
    }

    /// The latency of the network that was put together, in microseconds.
    #[must_use]
    pub fn assembled_us(&self, assembly: &mut Assembly) -> f64 {
        assembly.graph.schedule(&mut assembly.scheduler);
        self.sum_us(&assembly.graph)
    }

    fn sum_us(&self, graph: &Graph) -> f64 {
        let layers = graph.layers().map(|layer| self.price_us(&layer.context()));
        self.estimator.overhead_us() + layers.sum::<f64>()
    }

    fn price_us(&self, context: &Context<'_>) -> f64 {
        // An empty slot, zero combined with zero, must match no key.
        let key = context.fingerprint().max(1);
        // The upper bits choose the slot, and the slot's check holds all of them.
        let slot = &self.slots[(key >> 40) as usize % SLOTS];
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

/// A network that is put together from sections of others.
#[derive(Clone, Debug)]
pub struct Assembly {
    graph: Graph,
    scheduler: Scheduler,
}

impl Assembly {
    /// Removes all layers and keeps their memory.
    pub fn clear(&mut self) {
        self.graph.clear();
    }

    /// How many layers there are.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.graph.len()
    }

    /// Adds the layers of a section; `exits` are the layers that stand here for those of its own network.
    pub fn append(&mut self, section: &GraphSection, exits: &[usize]) {
        self.graph.append(section, exits);
    }

    /// Which layer reads which.
    #[must_use]
    pub fn wiring(&self) -> &Wiring {
        self.graph.wiring()
    }

    /// The layers as they are run, once [`Pricer::assembled_us`] has been asked.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}
