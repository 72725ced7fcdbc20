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
    slice,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use smallvec::SmallVec;

use super::{
    Estimator,
    assembly::{Assembly, manner_key},
    evaluate::PS_PER_US,
    graph::{Graph, GraphSection},
    manner::Manner,
    sequence::{About, Habit, Sequence},
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
    /// `section` gives the layers of a part, where not all prices are known.
    #[must_use]
    pub fn latency_us<'s>(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        section: impl Fn(usize) -> &'s GraphSection + Copy,
    ) -> f64 {
        sequence.find_quiet(assembly.scheduler.on_chip_bytes(), &mut assembly.quiet);
        self.divide(sequence, assembly, section);
        let known = self.known_ps(sequence, assembly);
        let by_spans = known.or_else(|| self.spans_ps(sequence, assembly, section));
        self.estimator.total_us(by_spans.unwrap_or_else(|| self.all_ps(sequence, assembly, section)))
    }

    /// What each of these parts adds to the latency of their network.
    pub fn priced<'s>(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        section: impl Fn(usize) -> &'s GraphSection,
    ) -> Vec<PricedPart> {
        assembly.schedule(sequence, &[sequence.all()], section);
        let priced = |part: usize| PricedPart {
            us: self.parts_ps(sequence, assembly, part..part + 1) as f64 / PS_PER_US,
            ends: assembly.graph.layer(sequence.exit(part)).step().outline(),
        };
        sequence.all().map(priced).collect()
    }

    /// The graph of all parts, as the accelerator runs it.
    pub fn schedule<'g, 's>(
        &self,
        sequence: &Sequence,
        assembly: &'g mut Assembly,
        section: impl Fn(usize) -> &'s GraphSection,
    ) -> &'g Graph {
        assembly.schedule(sequence, &[sequence.all()], section);
        &assembly.graph
    }

    /// Finds the spans.
    fn divide<'s>(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        section: impl Fn(usize) -> &'s GraphSection + Copy,
    ) {
        assembly.habits.clear();
        for part in 0..sequence.head() {
            let habit = self.habit(sequence, assembly, part, section);
            assembly.habits.push(habit);
        }
        let Assembly { scheduler, quiet, habits, spans, .. } = assembly;
        sequence.divide(scheduler.on_chip_bytes(), quiet, habits, spans);
    }

    /// How a part is run by itself.
    fn habit<'s>(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        part: usize,
        section: impl Fn(usize) -> &'s GraphSection,
    ) -> Habit {
        if assembly.quiet[part] {
            return Habit::QUIET;
        }
        let key = fingerprint(&[HABIT, sequence.piece(part)]);
        let bits = self.recall(key).unwrap_or_else(|| {
            let about = part.saturating_sub(1)..part + 1;
            assembly.schedule(sequence, slice::from_ref(&about), section);
            let entry = part.checked_sub(1).map(|before| assembly.layers(sequence, before).end - 1);
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

    /// The price of all spans, each put together by itself; none if one depends on something that is not known.
    fn spans_ps<'s>(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        section: impl Fn(usize) -> &'s GraphSection + Copy,
    ) -> Option<u64> {
        (0..assembly.spans.len()).try_fold(0_u64, |total, place| {
            let key = assembly.span_key(sequence, place, |key| self.recall(key))?;
            assembly.spans[place].key = key;
            if let Some(price) = self.recall(key) {
                return Some(total.saturating_add(price));
            }
            let About { runs, given } = sequence.about(&assembly.spans[place]);
            let manner = |part: &usize| Some((*part, self.manner(assembly.manner_key(place, *part)?)?));
            let given: SmallVec<[(usize, Manner); 4]> = given.iter().map(manner).collect::<Option<_>>()?;
            assembly.schedule_about(sequence, &runs, &given, section);
            Some(total.saturating_add(self.span_ps(sequence, assembly, place)))
        })
    }

    /// The price of a span that is put together with the parts about it.
    fn span_ps(&self, sequence: &Sequence, assembly: &mut Assembly, place: usize) -> u64 {
        let span = assembly.spans[place].clone();
        let last = Some(span.parts.end - 1).filter(|last| !assembly.quiet[*last] || span.ends_in_storm());
        let tapped = sequence.tapped(&span.parts).filter(|part| *part < sequence.head());
        for part in tapped.chain(last) {
            let exit = assembly.graph.layer(assembly.layers(sequence, part).end - 1);
            self.keep_manner(manner_key(&span, part), exit.fingerprint(), &exit.manner());
        }
        self.keep(span.key, self.parts_ps(sequence, assembly, span.parts))
    }

    /// The price of all spans, put together as a whole.
    fn all_ps<'s>(
        &self,
        sequence: &Sequence,
        assembly: &mut Assembly,
        section: impl Fn(usize) -> &'s GraphSection,
    ) -> u64 {
        assembly.schedule(sequence, &[sequence.all()], section);
        (0..assembly.spans.len()).fold(0, |total, place| {
            let key = assembly.span_key(sequence, place, |key| self.recall(key));
            let price = match key {
                Some(key) => {
                    assembly.spans[place].key = key;
                    self.span_ps(sequence, assembly, place)
                }
                // What another thread has just replaced makes no key.
                None => self.parts_ps(sequence, assembly, assembly.spans[place].parts.clone()),
            };
            total.saturating_add(price)
        })
    }

    /// The price of some parts that are put together.
    fn parts_ps(&self, sequence: &Sequence, assembly: &mut Assembly, parts: Range<usize>) -> u64 {
        parts.fold(0_u64, |total, part| {
            let layers = assembly.layers(sequence, part);
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

    /// The price, or what else is kept, that is known by this key.
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

    /// Keeps how a layer with this operation is run.
    fn keep_manner(&self, key: Fingerprint, operation: Fingerprint, manner: &Manner) {
        let stands_for_it = self.keep(key, manner.fingerprint(operation));
        for (word, value) in manner.words().into_iter().enumerate() {
            self.keep(word_key(stands_for_it, word), value);
        }
    }

    /// How a layer is run, if that is known by this key.
    fn manner(&self, key: Fingerprint) -> Option<Manner> {
        let stands_for_it = self.recall(key)?;
        let mut words = [0; Manner::WORDS];
        for (word, value) in words.iter_mut().enumerate() {
            *value = self.recall(word_key(stands_for_it, word))?;
        }
        Manner::of_words(words)
    }

    /// The upper bits choose the slot, and the slot's check holds all of them.
    fn slot(&self, key: Fingerprint) -> &Slot {
        &self.slots[(key >> 40) as usize % SLOTS]
    }
}

/// The key of a word of what tells how a layer is run.
fn word_key(manner: Fingerprint, word: usize) -> Fingerprint {
    fingerprint(&[manner, word as u64])
}
