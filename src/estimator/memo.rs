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
        let known = self.known_ps(sequence, assembly);
        let by_spans = known.or_else(|| self.spans_ps(sequence, assembly, &assemble));
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

    /// The price of all spans, if each is known.
    fn known_ps(&self, sequence: &Sequence, assembly: &mut Assembly) -> Option<u64> {
        for place in 0..assembly.spans.len() {
            assembly.spans[place].key = assembly.span_key(sequence, place, |key, _| self.recall(key))?;
        }
        // One after the other, so that the processor waits for all of them at once.
        let Assembly { spans, known, .. } = assembly;
        known.clear();
        known.extend(spans.iter().map(|span| self.recall(span.key)));
        known.iter().try_fold(0, |total: u64, price| Some(total.saturating_add((*price)?)))
    }

    /// The price of all spans, each put together by itself; none if one depends on parts far away.
    fn spans_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> Option<u64> {
        (0..assembly.spans.len()).try_fold(0_u64, |total, place| {
            let key = assembly.span_key(sequence, place, |key, _| self.recall(key))?;
            assembly.spans[place].key = key;
            let price = match self.recall(key) {
                Some(price) => price,
                None => self.span_ps(sequence, assembly, place, &assemble)?,
            };
            Some(total.saturating_add(price))
        })
    }

    /// The price of a span, put together with the parts about it.
    fn span_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        place: usize,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> Option<u64> {
        let Span { parts, key } = assembly.spans[place].clone();
        let about = sequence.about(&parts)?;
        let exit = |part| sequence.layers_within(part, &about).end - 1;
        assembly.schedule(about.clone(), |assembly, about| {
            let taps = sequence.taps(&about).filter(|(part, _)| *part > about.start || *part == 0);
            let readers = taps.map(|(part, reads)| (exit(part), reads));
            assemble(assembly, about.clone());
            readers.for_each(|(layer, reads)| assembly.graph.append_reader(layer, reads));
        });
        for (part, _) in sequence.taps(&parts) {
            let manner = assembly.graph.layer(exit(part)).manner();
            self.keep(manner_key(&assembly.spans[place], part), manner);
        }
        Some(self.keep(key, self.parts_ps(sequence, assembly, parts, &about)))
    }

    /// The price of all spans, put together as a whole.
    fn all_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> u64 {
        assembly.schedule(sequence.all(), assemble);
        (0..assembly.spans.len()).fold(0, |total, place| {
            let found = |graph: &Graph, key, layer| self.keep(key, graph.layer(layer).manner());
            let key =
                assembly.span_key(sequence, place, |key, layer| Some(found(&assembly.graph, key, layer)));
            let Span { parts, .. } = assembly.spans[place].clone();
            let price = key.and_then(|key| self.recall(key));
            let price = price.unwrap_or_else(|| self.parts_ps(sequence, assembly, parts, &sequence.all()));
            if let Some(key) = key {
                assembly.spans[place].key = key;
                self.keep(key, price);
            }
            total.saturating_add(price)
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

    /// All that the price of a span depends on, if that is known; the spans before it have their keys. `manner` tells
    /// how the layer is run that another part reads from afar, by the key under which that is remembered.
    fn span_key(
        &self,
        sequence: &Sequence,
        place: usize,
        manner: impl Fn(Fingerprint, usize) -> Option<Fingerprint>,
    ) -> Option<Fingerprint> {
        let (before, rest) = self.spans.split_at(place);
        let manner = |part: usize| {
            let holder = before.iter().find(|span| span.parts.contains(&part))?;
            manner(manner_key(holder, part), sequence.exit(part))
        };
        sequence.key(&rest.first()?.parts, manner)
    }
}

/// The key under which is remembered how the last layer of a part is run that others read from afar.
fn manner_key(holder: &Span, part: usize) -> Fingerprint {
    fingerprint(&[MANNER, holder.key, (part - holder.parts.start) as u64])
}
