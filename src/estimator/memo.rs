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
    assembly::{Assembly, manner_key},
    evaluate::PS_PER_US,
    graph::Graph,
    sequence::{Habit, Sequence},
};
use crate::stable_hash::{Fingerprint, fingerprint};

/// Prices that are remembered at the most; a newer one takes the place of an older one. 16 MiB.
const SLOTS: usize = 1 << 20;

/// Tells keys of how a part is run by itself from keys of spans.
const HABIT: u64 = 0x0068_6162_6974;

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

/// What a part adds to the latency of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PricedPart {
    /// In microseconds.
    pub us: f64,
    /// Tells roughly how its last layer is run there: whether in stripes, and where its output lies.
    pub ends: u8,
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
        Assembly::new(self.estimator.scheduler())
    }

    /// The latency, in microseconds, of the network of these parts, as [`Estimator::latency_us`] gives it.
    /// Where not all of it is known, `assemble` is asked to put some of the parts together: of the first only the last
    /// layer, unless it is the first of all. What it is asked for reads nothing from further back.
    #[must_use]
    pub fn latency_us(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> f64 {
        sequence.find_quiet(assembly.scheduler.on_chip_bytes(), &mut assembly.quiet);
        self.divide(sequence, assembly, &assemble);
        let known = self.known_ps(sequence, assembly);
        let by_spans = known.or_else(|| self.spans_ps(sequence, assembly, &assemble));
        self.estimator.total_us(by_spans.unwrap_or_else(|| self.all_ps(sequence, assembly, assemble)))
    }

    /// What each of these parts adds to the latency of their network.
    pub fn priced(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> Vec<PricedPart> {
        let all = sequence.all();
        assembly.schedule(all.clone(), assemble);
        let priced = |part: usize| PricedPart {
            us: self.parts_ps(sequence, assembly, part..part + 1, &all) as f64 / PS_PER_US,
            ends: assembly.graph.layer(sequence.exit(part)).step().outline(),
        };
        all.clone().map(priced).collect()
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

    /// Finds the spans.
    fn divide(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) {
        assembly.habits.clear();
        for part in 0..sequence.head() {
            let habit = self.habit(sequence, assembly, part, &assemble);
            assembly.habits.push(habit);
        }
        let Assembly { scheduler, quiet, habits, spans, .. } = assembly;
        sequence.divide(scheduler.on_chip_bytes(), quiet, habits, spans);
    }

    /// How a part is run by itself.
    fn habit(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        part: usize,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> Habit {
        if assembly.quiet[part] {
            return Habit::QUIET;
        }
        let key = fingerprint(&[HABIT, sequence.piece(part)]);
        let bits = self.recall(key).unwrap_or_else(|| {
            let about = part.saturating_sub(1)..part + 1;
            let entry = part.checked_sub(1).map(|before| sequence.layers_within(before, &about).end - 1);
            assembly.schedule(about, assemble);
            self.keep(key, assembly.habit(entry).bits())
        });
        Habit::of_bits(bits)
    }

    /// The price of all spans, if each is known.
    fn known_ps(&self, sequence: &Sequence, assembly: &mut Assembly) -> Option<u64> {
        for place in 0..assembly.spans.len() {
            assembly.spans[place].key = assembly.span_key(sequence, place, |key| self.recall(key))?;
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
        // The parts that are put together.
        let mut there = 0..0;
        (0..assembly.spans.len()).try_fold(0_u64, |total, place| {
            let key = assembly.span_key(sequence, place, |key| self.recall(key))?;
            assembly.spans[place].key = key;
            if let Some(price) = self.recall(key) {
                return Some(total.saturating_add(price));
            }
            let about = sequence.about(&assembly.spans[place].storm)?;
            if there != about {
                assembly.schedule_with_readers(sequence, about.clone(), &assemble);
                there = about;
            }
            Some(total.saturating_add(self.span_ps(sequence, assembly, place, &there)))
        })
    }

    /// The price of a span that is put together with the parts `about` it.
    fn span_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        place: usize,
        about: &Range<usize>,
    ) -> u64 {
        let span = assembly.spans[place].clone();
        let last = Some(span.parts.end - 1).filter(|last| !assembly.quiet[*last] || span.ends_in_storm());
        let taps = sequence.taps(&span.parts).map(|(part, _)| part).filter(|part| *part < sequence.head());
        for part in taps.chain(last) {
            let exit = sequence.layers_within(part, about).end - 1;
            self.keep(manner_key(&span, part), assembly.graph.layer(exit).manner());
        }
        self.keep(span.key, self.parts_ps(sequence, assembly, span.parts, about))
    }

    /// The price of all spans, put together as a whole.
    fn all_ps(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        assemble: impl Fn(&mut Assembly, Range<usize>),
    ) -> u64 {
        assembly.schedule(sequence.all(), assemble);
        let all = sequence.all();
        (0..assembly.spans.len()).fold(0, |total, place| {
            let key = assembly.span_key(sequence, place, |key| self.recall(key));
            let price = match key {
                Some(key) => {
                    assembly.spans[place].key = key;
                    self.span_ps(sequence, assembly, place, &all)
                }
                // What another thread has just replaced makes no key.
                None => self.parts_ps(sequence, assembly, assembly.spans[place].parts.clone(), &all),
            };
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
