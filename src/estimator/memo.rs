//! Remembering prices, and pricing networks that are put together from known parts.
//!
//! A search prices the same layers among the same neighbours again and again:
//! candidates share most of their blocks. [`Pricer`] keeps prices by all that they
//! depend on in a table of fixed size, as game programs keep positions (Zobrist 1970;
//! Hyatt & Mann, "A lock-less transposition table implementation", ICGA 2002): a slot
//! holds the price and the key combined with it, so that a slot that two threads
//! wrote at once does not match and is priced anew. Prices are whole picoseconds,
//! whose sum does not depend on the order; so what comes out is what the estimator
//! itself says, bit for bit, on any number of threads.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    Estimator,
    graph::{Graph, GraphSection},
    schedule::{Scheduler, Step},
};
use crate::{
    network::{Source, Wiring},
    stable_hash::{Fingerprint, fingerprint},
};

/// Prices that are remembered at the most; a newer one takes the place of an older one. 8 MiB.
const SLOTS: usize = 1 << 19;

/// An estimator that remembers what it has priced.
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

    /// An empty network, to be put together from sections.
    #[must_use]
    pub fn assembly(&self) -> Assembly {
        Assembly {
            graph: Graph::default(),
            scheduler: self.estimator.scheduler(),
            parts: Vec::new(),
            manners: Vec::new(),
            keys: Vec::new(),
            known: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The latency of the network that was put together, in microseconds, as [`Estimator::latency_us`] gives it.
    #[must_use]
    pub fn latency_us(&self, assembly: &mut Assembly) -> f64 {
        assembly.schedule();
        assembly.find_keys();
        // One after the other, so that the processor waits for all of them at once.
        let Assembly { keys, known, .. } = assembly;
        known.clear();
        known.extend(keys.iter().map(|key| self.recall(*key)));
        let parts = 0..assembly.keys.len();
        let total = parts.fold(0_u64, |total, part| {
            total.saturating_add(assembly.known[part].unwrap_or_else(|| self.part_ps(assembly, part)))
        });
        self.estimator.total_us(total)
    }

    fn part_ps(&self, assembly: &Assembly, part: usize) -> u64 {
        let price = assembly.layers_of(part).fold(0_u64, |total, layer| {
            let context = assembly.graph.layer(layer).context();
            let key = context.fingerprint();
            let price = self.recall(key);
            let price = price.unwrap_or_else(|| self.keep(key, self.estimator.price_ps(&context)));
            total.saturating_add(price)
        });
        self.keep(assembly.keys[part], price)
    }

    /// The price that is known by this key.
    fn recall(&self, key: Fingerprint) -> Option<u64> {
        let slot = self.slot(key);
        let price = slot.price.load(Relaxed);
        // An empty slot, zero combined with zero, must match no key.
        (slot.check.load(Relaxed) == key.max(1) ^ price).then_some(price)
    }

    fn keep(&self, key: Fingerprint, price: u64) -> u64 {
        let slot = self.slot(key);
        slot.price.store(price, Relaxed);
        slot.check.store(key.max(1) ^ price, Relaxed);
        price
    }

    /// The upper bits choose the slot, and the slot's check holds all of them.
    fn slot(&self, key: Fingerprint) -> &Slot {
        &self.slots[(key >> 40) as usize % SLOTS]
    }
}

/// A network that is put together from sections of others.
#[derive(Clone, Debug)]
pub struct Assembly {
    graph: Graph,
    scheduler: Scheduler,
    /// The key of each part and the number of layers up to its end.
    parts: Vec<(Fingerprint, usize)>,
    /// Stands for all that a price depends on and that no layer knows by itself: how it is run, and what is alive
    /// meanwhile.
    manners: Vec<Fingerprint>,
    /// All that the price of each part depends on, and the price if it is known.
    keys: Vec<Fingerprint>,
    known: Vec<Option<u64>>,
    words: Vec<u64>,
}

impl Assembly {
    /// Removes all layers and keeps their memory.
    pub fn clear(&mut self) {
        self.graph.clear();
        self.parts.clear();
    }

    /// How many layers there are.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.graph.len()
    }

    /// Adds a part: a section with a key that no other section has. `exits` are the layers that stand here for those
    /// of its own network.
    pub fn append(&mut self, section: &GraphSection, key: Fingerprint, exits: &[usize]) {
        self.graph.append(section, exits);
        self.parts.push((key, self.graph.len()));
    }

    /// Which layer reads which.
    #[must_use]
    pub fn wiring(&self) -> &Wiring {
        self.graph.wiring()
    }

    fn schedule(&mut self) {
        self.graph.schedule(&mut self.scheduler);
        self.manners.clear();
        self.manners.extend(self.graph.layers().map(|layer| {
            let Step { role, rows, output, fused, kept_bytes, free_bytes } = layer.step();
            let [role, output] = [role as u64, output as u64];
            fingerprint(&[
                u64::from(rows) << 32 | u64::from(fused),
                role << 32 | output,
                kept_bytes,
                free_bytes,
                layer.live_bytes(),
                layer.peak_bytes(),
                u64::from(layer.readers()) << 32 | layer.waits() as u64,
            ])
        }));
    }

    fn layers_of(&self, part: usize) -> Range<usize> {
        part.checked_sub(1).map_or(0, |before| self.parts[before].1)..self.parts[part].1
    }

    fn find_keys(&mut self) {
        self.keys.clear();
        for part in 0..self.parts.len() {
            let key = self.key(part, self.layers_of(part));
            self.keys.push(key);
        }
    }

    /// All that the price of a part depends on: its layers, how they are run, and their neighbours in other parts.
    fn key(&mut self, part: usize, layers: Range<usize>) -> Fingerprint {
        let Self { graph, parts, manners, words, .. } = self;
        words.clear();
        words.push(parts[part].0);
        words.push(u64::from(graph.len() == 1));
        for layer in layers.clone() {
            words.push(manners[layer]);
            for source in graph.wiring().inputs(layer) {
                if let Source::Layer(read) = *source
                    && read < layers.start
                {
                    let held = graph.layer(read).producer().map_or(0, |before| before.held());
                    words.extend([graph.fingerprint(read), manners[read], (layer - read) as u64, held]);
                }
            }
            if let Some(reader) = graph.consumer(layer).filter(|reader| *reader >= layers.end) {
                words.extend([graph.fingerprint(reader), manners[reader], (reader - layer) as u64]);
            }
        }
        fingerprint(words)
    }

    /// The layers as they are run, once [`Pricer::latency_us`] has been asked.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}
