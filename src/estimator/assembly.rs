//! Networks that are put together from known parts, to be priced.

use std::ops::Range;

use smallvec::SmallVec;

use super::{
    graph::{Graph, GraphSection},
    manner::Manner,
    schedule::{Role, Scheduler},
    sequence::{Habit, Sequence, Span},
};
use crate::{
    network::Source,
    stable_hash::{Fingerprint, fingerprint},
};

/// Tells keys of how a layer is run from keys of spans.
const MANNER: u64 = 0x6d61_6e6e_6572;

/// A network that is put together from sections of others, and what one thread needs to price it.
#[derive(Clone, Debug)]
pub struct Assembly {
    pub(super) graph: Graph,
    /// The layers of the whole network that come before those of the graph.
    before: usize,
    pub(super) scheduler: Scheduler,
    /// The parts that have room for everything.
    pub(super) quiet: Vec<bool>,
    /// How each part before the head is run by itself.
    pub(super) habits: Vec<Habit>,
    pub(super) spans: Vec<Span>,
    /// The prices of the spans that are known.
    pub(super) known: Vec<Option<u64>>,
    words: Vec<u64>,
}

impl Assembly {
    /// Nothing, for an accelerator that runs graphs like this.
    pub(super) fn new(scheduler: Scheduler) -> Self {
        Self {
            graph: Graph::default(),
            before: 0,
            scheduler,
            quiet: Vec::new(),
            habits: Vec::new(),
            spans: Vec::new(),
            known: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Puts runs of parts together and finds out how they are run; `section` gives the layers of a part.
    pub(super) fn schedule<'s>(
        &mut self,
        sequence: &Sequence,
        runs: &[Range<usize>],
        section: impl Fn(usize) -> &'s GraphSection,
    ) {
        self.put_together(sequence, runs, section);
        self.graph.schedule(&mut self.scheduler);
    }

    /// Puts those parts together that a span's price depends on. Readers that are not there are stood in for; `given` are the
    /// parts of which it is known how their last layers are run.
    pub(super) fn schedule_about<'s>(
        &mut self,
        sequence: &Sequence,
        runs: &[Range<usize>],
        given: &[(usize, Manner)],
        section: impl Fn(usize) -> &'s GraphSection,
    ) {
        self.put_together(sequence, runs, section);
        for (exit, reads) in sequence.missing_reads(runs).filter(|(_, reads)| *reads > 0) {
            self.graph.append_reader(exit - self.before, reads);
        }
        for (part, manner) in given {
            self.graph.give(sequence.exit(*part) - self.before, *manner);
        }
        self.graph.schedule(&mut self.scheduler);
    }

    /// A layer stands as far from any other as in the whole network. What is read from a part that is not there is read from
    /// layers in its place that write nothing.
    fn put_together<'s>(
        &mut self,
        sequence: &Sequence,
        runs: &[Range<usize>],
        section: impl Fn(usize) -> &'s GraphSection,
    ) {
        self.graph.clear();
        let first = runs.first().map_or(0, |run| run.start);
        self.before = if first > 0 { sequence.exit(first) - 1 } else { 0 };
        let exits: SmallVec<[usize; 32]> =
            sequence.exits().map(|exit| exit.saturating_sub(self.before)).collect();
        for part in runs.iter().cloned().flatten() {
            if part > 0 && runs.iter().any(|run| run.start == part) {
                let behind = sequence.exit(part) - self.before - self.graph.len();
                self.graph.append_exit(section(part), behind);
            } else {
                self.graph.append(section(part), &exits);
            }
        }
    }

    /// The layers of the graph that are those of a part, as far as they are there.
    pub(super) fn layers(&self, sequence: &Sequence, part: usize) -> Range<usize> {
        let layers = sequence.layers(part);
        layers.start.saturating_sub(self.before)..layers.end - self.before
    }

    /// How the part is run that was put together, behind `entry`, the layer that it reads.
    pub(super) fn habit(&self, entry: Option<usize>) -> Habit {
        let graph = &self.graph;
        let on_chip_bytes = self.scheduler.on_chip_bytes();
        let kept = |layer: usize| graph.layer(layer).step().kept_bytes;
        let while_read = |entry: usize| graph.lifetime(entry).skip(1);
        let fits = |layer: usize| kept(layer) == 0 && graph.layer(layer).live_bytes() <= on_chip_bytes;
        let never_fits =
            |entry: usize, layer: usize| graph.bricks(entry).saturating_add(kept(layer)) > on_chip_bytes;
        // What is no larger than the memory runs in stripes only for the sake of what comes next.
        let alone = |last: usize| {
            graph.whole_bytes(last) < on_chip_bytes && graph.layer(last).step().role == Role::Alone
        };
        Habit {
            ends_alone: graph.len().checked_sub(1).is_some_and(alone),
            entry_fits: entry.is_some_and(|entry| while_read(entry).all(fits)),
            entry_never_fits: entry
                .is_some_and(|entry| while_read(entry).any(|layer| never_fits(entry, layer))),
        }
    }

    /// All that the price of a part depends on: its layers, how they are run, and their neighbours in other parts.
    pub(super) fn key(&mut self, part: Fingerprint, layers: Range<usize>) -> Fingerprint {
        let Self { graph, words, .. } = self;
        words.clear();
        words.push(part);
        for layer in layers.clone() {
            words.push(graph.layer(layer).own_manner());
            for source in graph.wiring().inputs(layer) {
                if let Source::Layer(read) = *source
                    && read < layers.start
                {
                    let before = graph.layer(read);
                    words.extend([before.manner().fingerprint(before.fingerprint()), (layer - read) as u64]);
                }
            }
            if let Some(reader) = graph.consumer(layer).filter(|reader| *reader >= layers.end) {
                let placed = graph.layer(reader);
                words.extend([graph.fingerprint(reader), placed.own_manner(), (reader - layer) as u64]);
            }
        }
        fingerprint(words)
    }

    /// All that the price of a span depends on, if that is known; the spans before it have their keys. `recall` tells
    /// how the exits are run that it depends on, by the keys under which that is remembered.
    pub(super) fn span_key(
        &self,
        sequence: &Sequence,
        place: usize,
        recall: impl Fn(Fingerprint) -> Option<Fingerprint>,
    ) -> Option<Fingerprint> {
        sequence.key(&self.spans[place], |part| recall(self.manner_key(place, part)?))
    }

    /// The key under which is remembered how the last layer is run of a part before the span at this place.
    pub(super) fn manner_key(&self, place: usize, part: usize) -> Option<Fingerprint> {
        let holder = self.spans[..place].iter().find(|span| span.parts.contains(&part))?;
        Some(manner_key(holder, part))
    }
}

/// The key under which is remembered how the last layer of a part is run, which other spans depend on.
pub(super) fn manner_key(holder: &Span, part: usize) -> Fingerprint {
    fingerprint(&[MANNER, holder.key, (part - holder.parts.start) as u64])
}
