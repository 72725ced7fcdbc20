//! The layers of a network, what each reads and who reads it.

use std::ops::{Range, RangeInclusive};

use super::{
    context::Context,
    fingerprint::of_operation,
    manner::Manner,
    schedule::{Scheduler, Step, Stripes, output_bytes, whole_bytes},
    sequence::Outline,
};
use crate::{
    measurement::{Kind, Operation},
    network::{Network, Section, Source, Wiring},
    stable_hash::{Fingerprint, fingerprint},
};

/// Steps for which a tensor that waits for a later layer counts as alive: as many as the longest block has
/// layers. What waits longer, such as a detector's taps, is spilled before anything else.
pub(super) const BLOCK_STEPS: usize = 10;

/// The operations of a network, how they are connected, and how they are run.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    facts: Vec<Facts>,
    wiring: Wiring,
    /// The last step in which the output of each layer is alive.
    ends: Vec<usize>,
    /// Bytes of the tensors alive at each step.
    live: Vec<u64>,
    /// The most bytes alive while the output of each layer is.
    peaks: Vec<u64>,
    /// How each layer is run.
    steps: Vec<Step>,
    /// Layers of which it is known how they are run, although that follows from layers that are not there.
    given: Vec<(usize, Manner)>,
}

/// An operation and what follows from it.
#[derive(Clone, Copy, Debug)]
struct Facts {
    operation: Operation,
    fingerprint: Fingerprint,
    /// Bytes of the output, in whole bricks of channels.
    bricks: u64,
    /// Bytes of everything that it reads and writes.
    whole: u64,
}

impl Facts {
    fn of(operation: Operation) -> Self {
        let (bricks, whole) = (output_bytes(&operation), whole_bytes(&operation));
        Self { fingerprint: of_operation(&operation), operation, bricks, whole }
    }
}

/// Some consecutive layers of a graph, to be put into another one.
#[derive(Clone, Debug)]
pub struct GraphSection {
    facts: Vec<Facts>,
    wiring: Section,
    /// Bytes of what the layer before it writes, in whole bricks of channels.
    entry: u64,
}

impl GraphSection {
    /// These layers of `network`, which is wired like this, to be put into another graph. What they read from further
    /// back than the layer before them must be one of `exits`.
    #[must_use]
    pub fn of(network: &Network, wiring: &Wiring, layers: Range<usize>, exits: &[usize]) -> Self {
        let facts = layers.clone().map(|layer| Facts::of(operation(network, wiring, layer)));
        let before = layers.start.checked_sub(1).map(|before| Facts::of(operation(network, wiring, before)));
        let entry = before.map_or(0, |before| before.bricks);
        Self { facts: facts.collect(), wiring: wiring.section(layers, exits), entry }
    }

    /// What its layers read.
    #[must_use]
    pub fn wiring(&self) -> &Section {
        &self.wiring
    }

    /// What must be known to price it among its neighbours.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let mut live = vec![0; self.facts.len()];
        let entry = self.wiring.last_reader_of_entry().map(|last| (self.entry, 0..=last));
        let own =
            self.facts.iter().enumerate().map(|(place, layer)| {
                (layer.bricks, place..=self.wiring.last_reader(place).unwrap_or(place))
            });
        for (bytes, lifetime) in entry.into_iter().chain(own) {
            live[lifetime].iter_mut().for_each(|live| *live += bytes);
        }
        Outline {
            layers: self.facts.len(),
            first: self.facts.first().map_or(0, |layer| layer.whole),
            largest: self.facts.iter().map(|layer| layer.whole).max().unwrap_or(0),
            live_last: live.last().copied().unwrap_or(0),
            live: live.into_iter().max().unwrap_or(0),
            reads_of_entry: self.wiring.reads_of_entry(),
            exit: self.facts.last().map_or(0, |layer| layer.bricks),
            exits: self.wiring.exits().map(|(exit, _)| exit).collect(),
        }
    }
}

/// What a layer of a network does.
fn operation(network: &Network, wiring: &Wiring, layer: usize) -> Operation {
    let reads_input = wiring.inputs(layer).iter().all(|source| *source == Source::Input);
    among(wiring.len(), Operation::of(network, &network.layers()[layer]), reads_input)
}

/// An operation among so many. An isolated one reads a network's input too, but it stands for one within a network.
fn among(layers: usize, operation: Operation, reads_input: bool) -> Operation {
    let of_input = layers > 1 && reads_input && operation.kind.is_standard_conv();
    if of_input { Operation { kind: Kind::InputConv2d, ..operation } } else { operation }
}

impl Graph {
    /// The graph of `network`, run with as much memory as it needs.
    pub(super) fn of(network: &Network) -> Self {
        Self::unscheduled(network).scheduled(u64::MAX, Stripes::None)
    }

    /// The graph of `network`; nobody has decided yet how it is run.
    pub(super) fn unscheduled(network: &Network) -> Self {
        let wiring = Wiring::of(network);
        let facts = (0..wiring.len()).map(|layer| Facts::of(operation(network, &wiring, layer)));
        Self { facts: facts.collect(), wiring, ..Self::default() }
    }

    /// Operations in execution order where nothing else is known: each reads the one before.
    pub(super) fn chain(operations: impl IntoIterator<Item = Operation>) -> Self {
        let operations: Vec<Operation> = operations.into_iter().collect();
        let mut graph = Self::default();
        for (index, operation) in operations.iter().enumerate() {
            graph.wiring.push(index.checked_sub(1).map(Source::Layer));
            graph.facts.push(Facts::of(among(operations.len(), *operation, index == 0)));
        }
        graph.scheduled(u64::MAX, Stripes::None)
    }

    /// Adds the layers of a section; `exits` are the layers that stand here for those of its own graph.
    pub(super) fn append(&mut self, section: &GraphSection, exits: &[usize]) {
        self.facts.extend_from_slice(&section.facts);
        self.wiring.append(&section.wiring, exits);
    }

    /// Adds the last layer of a section as if it read the network's input, behind so many layers that read and write
    /// nothing.
    pub(super) fn append_exit(&mut self, section: &GraphSection, behind: usize) {
        let Some(exit) = section.facts.last() else { return };
        for _ in 0..behind {
            self.facts.push(Facts { bricks: 0, whole: 0, ..*exit });
            self.wiring.push([]);
        }
        self.facts.push(*exit);
        self.wiring.push([Source::Input]);
    }

    /// Adds a layer that reads another so many times, in the place of readers that are not there.
    pub(super) fn append_reader(&mut self, layer: usize, reads: u64) {
        self.facts.extend(self.facts.get(layer).copied());
        self.wiring.push((0..reads).map(|_| Source::Layer(layer)));
    }

    /// Removes all layers and keeps their memory.
    pub fn clear(&mut self) {
        self.facts.clear();
        self.wiring.clear();
        self.given.clear();
    }

    /// Tells of a layer how it is run, for those that read it.
    pub(super) fn give(&mut self, layer: usize, manner: Manner) {
        self.given.push((layer, manner));
    }

    /// The layers of which it was told how they are run.
    pub(super) fn given(&self) -> impl Iterator<Item = (usize, &Manner)> {
        self.given.iter().map(|(layer, manner)| (*layer, manner))
    }

    /// Which layer reads which.
    #[must_use]
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// The same graph as it is run with this much memory on the chip; with stripes where layers do not fit.
    #[must_use]
    pub(super) fn scheduled(mut self, on_chip_bytes: u64, stripes: Stripes) -> Self {
        self.schedule(&mut Scheduler::new(on_chip_bytes, stripes));
        self
    }

    /// Finds out how the layers are run.
    pub(super) fn schedule(&mut self, scheduler: &mut Scheduler) {
        self.find_lifetimes();
        let mut steps = std::mem::take(&mut self.steps);
        scheduler.schedule(self, &mut steps);
        self.steps = steps;
    }

    fn find_lifetimes(&mut self) {
        let Self { facts, wiring, ends, live, peaks, .. } = self;
        ends.clear();
        ends.extend((0..facts.len()).map(|index| last_reader(wiring, index).min(index + BLOCK_STEPS)));
        live.clear();
        live.resize(facts.len(), 0);
        for (index, (layer, end)) in facts.iter().zip(ends.iter()).enumerate() {
            live[index..=*end].iter_mut().for_each(|live| *live += layer.bricks);
        }
        peaks.clear();
        let lifetimes = ends.iter().enumerate();
        peaks.extend(lifetimes.map(|(index, end)| live[index..=*end].iter().copied().max().unwrap_or(0)));
    }

    pub(super) fn operation(&self, index: usize) -> &Operation {
        &self.facts[index].operation
    }

    pub(super) fn fingerprint(&self, index: usize) -> Fingerprint {
        self.facts[index].fingerprint
    }

    /// Bytes of the output of a layer, in whole bricks of channels.
    pub(super) fn bricks(&self, index: usize) -> u64 {
        self.facts[index].bricks
    }

    /// Bytes of everything that a layer reads and writes.
    pub(super) fn whole_bytes(&self, index: usize) -> u64 {
        self.facts[index].whole
    }

    /// How many layers read a layer.
    pub(super) fn readers(&self, index: usize) -> u32 {
        self.wiring.readers(Source::Layer(index)).count
    }

    /// Whether any layer reads a layer.
    pub(super) fn is_read(&self, index: usize) -> bool {
        self.readers(index) > 0
    }

    /// The first layer that reads a layer.
    pub(super) fn consumer(&self, index: usize) -> Option<usize> {
        let readers = self.wiring.readers(Source::Layer(index));
        (readers.count > 0).then_some(readers.first)
    }

    /// Whether `next` is the only layer that reads `index`, as the first of its inputs.
    pub(super) fn is_main_link(&self, index: usize, next: usize) -> bool {
        self.readers(index) == 1 && self.producers(next).next() == Some(index)
    }

    /// The layers that a layer reads; the network's input is not among them.
    fn producers(&self, index: usize) -> impl Iterator<Item = usize> {
        self.wiring.inputs(index).iter().filter_map(|source| match source {
            Source::Input => None,
            Source::Layer(read) => Some(*read),
        })
    }

    /// The steps in which the output of a layer is alive; known once the graph is being scheduled.
    pub(super) fn lifetime(&self, index: usize) -> RangeInclusive<usize> {
        index..=self.ends[index]
    }

    /// How many layers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is no layer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Each layer with its neighbours, in execution order.
    pub fn layers(&self) -> impl Iterator<Item = Placed<'_>> {
        (0..self.len()).map(|index| self.layer(index))
    }

    /// The layer with this index and its neighbours.
    #[must_use]
    pub fn layer(&self, index: usize) -> Placed<'_> {
        Placed { graph: self, index }
    }
}

/// The last layer that reads a layer, or the layer itself.
fn last_reader(wiring: &Wiring, index: usize) -> usize {
    wiring.readers(Source::Layer(index)).last.max(index)
}

/// A layer in its place in a graph.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'g> {
    graph: &'g Graph,
    index: usize,
}

impl<'g> Placed<'g> {
    /// The layer itself.
    #[must_use]
    pub fn operation(&self) -> &'g Operation {
        self.graph.operation(self.index)
    }

    /// All that its price may depend on; its graph must have been scheduled.
    pub(super) fn context(&self) -> Context<'g> {
        Context::of(*self)
    }

    /// Stands for its operation.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.graph.fingerprint(self.index)
    }

    /// How it is run; its graph must have been scheduled.
    pub(super) fn step(&self) -> Step {
        self.graph.steps[self.index]
    }

    /// All that its price depends on and that it does not know by itself: how it is run, and what is alive meanwhile.
    pub(super) fn own_manner(&self) -> Fingerprint {
        let Step { role, rows, output, fused, kept_bytes, free_bytes } = self.step();
        let [role, output] = [role as u64, output as u64];
        fingerprint(&[
            u64::from(rows) << 32 | u64::from(fused),
            role << 32 | output,
            kept_bytes,
            free_bytes,
            self.live_bytes(),
            self.peak_bytes(),
            u64::from(self.readers()) << 32 | u64::from(self.held() > 0),
        ])
    }

    /// How it is run, as far as layers that read it depend on that; its graph must have been scheduled.
    pub(super) fn manner(&self) -> Manner {
        if let Some((_, manner)) = self.graph.given().find(|(layer, _)| *layer == self.index) {
            return *manner;
        }
        let Step { role, output, free_bytes, .. } = self.step();
        Manner {
            role,
            output,
            readers: self.readers(),
            free: free_bytes,
            live: self.live_bytes(),
            peak: self.peak_bytes(),
            held: self.held(),
            held_before: self.producer().map_or(0, |before| before.held()),
        }
    }

    /// The layers whose outputs it reads.
    pub(super) fn producers(&self) -> impl Iterator<Item = Placed<'g>> {
        let graph = self.graph;
        graph.producers(self.index).map(move |index| Placed { graph, index })
    }

    /// The layer that writes the latest of its inputs; none if it reads the network's input only.
    #[must_use]
    pub fn producer(&self) -> Option<Placed<'g>> {
        let index = self.graph.producers(self.index).max()?;
        Some(Placed { graph: self.graph, index })
    }

    /// The first layer that reads its output; none if it is an output of the network.
    #[must_use]
    pub fn consumer(&self) -> Option<Placed<'g>> {
        self.graph.consumer(self.index).map(|index| Placed { graph: self.graph, index })
    }

    /// Bytes of the tensors that are alive while it runs; the network's input is not among them.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.graph.live[self.index]
    }

    /// The most bytes alive at any time while its output is; what does not fit on the chip is spilled.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.graph.peaks[self.index]
    }

    /// How many layers read its output.
    #[must_use]
    pub fn readers(&self) -> u32 {
        self.graph.readers(self.index)
    }

    /// Whether it is the only layer of its graph: an isolated measurement.
    #[must_use]
    pub fn is_isolated(&self) -> bool {
        self.graph.len() == 1
    }

    /// How many steps lie between the two in execution order.
    #[must_use]
    pub fn distance(&self, other: Placed<'_>) -> usize {
        self.index.abs_diff(other.index)
    }

    /// How many steps later its output is read last.
    pub(super) fn waits(&self) -> usize {
        last_reader(&self.graph.wiring, self.index) - self.index
    }

    /// Bytes of its output if that is kept for a later layer than the next; else zero.
    #[must_use]
    pub fn held(&self) -> u64 {
        if self.waits() > 1 { self.operation().output_bytes() } else { 0 }
    }
}
