//! Networks that are put together from known parts, to be priced.

use std::ops::Range;

use super::{
    graph::{Graph, GraphSection},
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
            scheduler,
            quiet: Vec::new(),
            habits: Vec::new(),
            spans: Vec::new(),
            known: Vec::new(),
            words: Vec::new(),
        }
    }

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

    pub(super) fn schedule(&mut self, parts: Range<usize>, assemble: impl Fn(&mut Self, Range<usize>)) {
        self.graph.clear();
        assemble(self, parts);
        self.graph.schedule(&mut self.scheduler);
    }

    /// Puts parts together, with readers in the place of those far away.
    pub(super) fn schedule_with_readers(
        &mut self,
        sequence: &Sequence,
        about: Range<usize>,
        assemble: impl Fn(&mut Self, Range<usize>),
    ) {
        self.schedule(about, |assembly, about| {
            assemble(assembly, about.clone());
            for (part, reads) in sequence.taps(&about).filter(|(part, _)| *part > about.start || *part == 0) {
                let exit = sequence.layers_within(part, &about).end - 1;
                assembly.graph.append_reader(exit, reads);
            }
        });
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

    /// All that the price of a span depends on, if that is known; the spans before it have their keys. `recall` tells
    /// how the exits are run that it depends on, by the keys under which that is remembered.
    pub(super) fn span_key(
        &self,
        sequence: &Sequence,
        place: usize,
        recall: impl Fn(Fingerprint) -> Option<Fingerprint>,
    ) -> Option<Fingerprint> {
        let (before, rest) = self.spans.split_at(place);
        let manner = |part: usize| {
            let holder = before.iter().find(|span| span.parts.contains(&part))?;
            recall(manner_key(holder, part))
        };
        sequence.key(rest.first()?, manner)
    }
}

/// The key under which is remembered how the last layer of a part is run, which other spans depend on.
pub(super) fn manner_key(holder: &Span, part: usize) -> Fingerprint {
    fingerprint(&[MANNER, holder.key, (part - holder.parts.start) as u64])
}
