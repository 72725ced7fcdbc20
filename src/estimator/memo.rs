//! Remembering prices, and pricing networks that are put together from known parts.
//!
//! A search prices the same parts among the same neighbours again and again:
//! candidates share most of their blocks. [`Pricer`] keeps the prices of spans ([`Sequence`]),
//! of parts and of layers by all that they depend on in a table of fixed size, as game programs keep
//! positions (Zobrist 1970; Hyatt & Mann, "A lock-less transposition table implementation", ICGA 2002): a slot
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
    schedule::Scheduler,
    sequence::{Sequence, Span},
};
use crate::{
    network::Source,
    stable_hash::{Fingerprint, fingerprint},
};

/// Prices that are remembered at the most; a newer one takes the place of an older one. 8 MiB.
const SLOTS: usize = 1 << 19;

/// Tells keys of how a layer is run from keys of spans.
const MANNER: u64 = 0x6d61_6e6e_6572;

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

    /// What one thread needs to price networks.
    #[must_use]
    pub fn assembly(&self) -> Assembly {
        Assembly {
            graph: Graph::default(),
            scheduler: self.estimator.scheduler(),
            quiet: Vec::new(),
            spans: Vec::new(),
            known: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The latency, in microseconds, of the network of these parts, as [`Estimator::latency_us`] gives it.
    /// `assemble` puts some of the parts together, where not all of it is known: all that come before the head, or
    /// some that read nothing from before but what the part before the first of them writes.
    #[must_use]
    pub fn latency_us(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> f64 {
        sequence.find_quiet(assembly.scheduler.on_chip_bytes(), &mut assembly.quiet);
        sequence.divide(&assembly.quiet, &mut assembly.spans);
        let found = assembly.find_keys(sequence, |_, manner, _| self.recall(manner));
        let by_spans = found.and_then(|()| self.spans_ps(sequence, assembly, &assemble));
        self.estimator.total_us(by_spans.unwrap_or_else(|| self.all_ps(sequence, assembly, assemble)))
    }

    /// The graph of all parts, as the accelerator runs it.
    pub fn schedule<'g>(
        &self,
        sequence: &Sequence,
        assembly: &'g mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> &'g Graph {
        assembly.schedule(sequence.all(), assemble);
        &assembly.graph
    }

    /// The price of all spans, each by itself; none if one that is not known depends on parts far away.
    fn spans_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> Option<u64> {
        // One after the other, so that the processor waits for all of them at once.
        let Assembly { spans, known, .. } = assembly;
        known.clear();
        known.extend(spans.iter().map(|span| self.recall(span.key)));
        for place in 0..assembly.known.len() {
            if assembly.known[place].is_none() {
                let Span { parts, key } = assembly.spans[place].clone();
                let about = sequence.about(&parts)?;
                assembly.schedule(about.clone(), &assemble);
                assembly.known[place] =
                    Some(self.keep(key, self.parts_ps(sequence, assembly, parts, &about)));
            }
        }
        assembly.known.iter().try_fold(0, |total: u64, price| Some(total.saturating_add((*price)?)))
    }

    /// The price of all spans, put together as a whole.
    fn all_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> u64 {
        assembly.schedule(sequence.all(), assemble);
        let found = |graph: &Graph, manner, layer| Some(self.keep(manner, graph.layer(layer).manner()));
        if assembly.find_keys(sequence, found).is_none() {
            return self.layers_ps(&assembly.graph, 0..assembly.graph.len());
        }
        (0..assembly.spans.len()).fold(0, |total, place| {
            let Span { parts, key } = assembly.spans[place].clone();
            let learn = || self.keep(key, self.parts_ps(sequence, assembly, parts, &sequence.all()));
            total.saturating_add(self.recall(key).unwrap_or_else(learn))
        })
    }

    /// The price of some parts of a graph that was put together from the parts `about` them.
    fn parts_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        parts: Range<usize>,
        about: &Range<usize>,
    ) -> u64 {
        parts.fold(0_u64, |total, part| {
            let layers = sequence.layers_within(part, about);
            let key = assembly.key(sequence.piece(part), layers.clone());
            let price = self.recall(key);
            let price = price.unwrap_or_else(|| self.keep(key, self.layers_ps(&assembly.graph, layers)));
            total.saturating_add(price)
        })
    }

    fn layers_ps(&self, graph: &Graph, layers: Range<usize>) -> u64 {
        layers.fold(0_u64, |total, layer| {
            let context = graph.layer(layer).context();
            let key = context.fingerprint();
            let price = self.recall(key);
            let price = price.unwrap_or_else(|| self.keep(key, self.estimator.price_ps(&context)));
            total.saturating_add(price)
        })
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

/// A network that is put together from sections of others, and what one thread needs to price it.
#[derive(Clone, Debug)]
pub struct Assembly {
    graph: Graph,
    scheduler: Scheduler,
    quiet: Vec<bool>,
    spans: Vec<Span>,
    /// The prices of the spans that are known.
    known: Vec<Option<u64>>,
    words: Vec<u64>,
}

impl Assembly {
    /// How many layers there are.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.graph.len()
    }

    /// Adds the layers of a section. `exits` are the layers that stand here for those of its own network.
    pub fn append(&mut self, section: &GraphSection, exits: &[usize]) {
        self.graph.append(section, exits);
    }

    /// Adds the last layer of a section alone, as if it read the network's input.
    pub fn append_exit(&mut self, section: &GraphSection) {
        self.graph.append_exit(section);
    }

    fn schedule(&mut self, parts: Range<usize>, assemble: impl Fn(&mut Self, Range<usize>)) {
        self.graph.clear();
        assemble(self, parts);
        self.graph.schedule(&mut self.scheduler);
    }

    /// All that the price of a part depends on: its layers, how they are run, and their neighbours in other parts.
    fn key(&mut self, part: Fingerprint, layers: Range<usize>) -> Fingerprint {
        let Self { graph, words, .. } = self;
        words.clear();
        words.push(part);
        for layer in layers.clone() {
            words.push(graph.layer(layer).own_manner());
            for source in graph.wiring().inputs(layer) {
                if let Source::Layer(read) = *source
                    && read < layers.start
                {
                    words.extend([graph.layer(read).manner(), (layer - read) as u64]);
                }
            }
            if let Some(reader) = graph.consumer(layer).filter(|reader| *reader >= layers.end) {
                let placed = graph.layer(reader);
                words.extend([graph.fingerprint(reader), placed.own_manner(), (reader - layer) as u64]);
            }
        }
        fingerprint(words)
    }

    /// Finds the keys of all spans, none if one stays unknown. `manner` tells how a layer is run that later spans
    /// read, by the key under which that is remembered.
    fn find_keys(
        &mut self,
        sequence: &Sequence,
        manner: impl Fn(&Graph, Fingerprint, usize) -> Option<Fingerprint>,
    ) -> Option<()> {
        let Self { graph, spans, words, .. } = self;
        for place in 0..spans.len() {
            let (before, rest) = spans.split_at_mut(place);
            let span = rest.first_mut()?;
            let manner = |part: usize| {
                let holder = before.iter().find(|span| span.parts.contains(&part))?;
                let key = fingerprint(&[MANNER, holder.key, (part - holder.parts.start) as u64]);
                manner(graph, key, sequence.exit(part))
            };
            span.key = sequence.key(&span.parts, words, manner)?;
        }
        Some(())
    }
}
