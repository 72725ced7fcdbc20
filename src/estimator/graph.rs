//! The layers of a network, what each reads and who reads it.

use std::ops::RangeInclusive;

use smallvec::SmallVec;

use super::{
    context::Context,
    fingerprint::{Fingerprint, of_operation},
    schedule::{Step, Stripes, output_bytes, schedule},
};
use crate::{
    measurement::{Kind, Operation},
    network::{Network, Source},
};

/// Steps for which a tensor that waits for a later layer counts as alive: as many as the longest block has
/// layers. What waits longer, such as a detector's taps, is spilled before anything else.
const BLOCK_STEPS: usize = 10;

/// The operations of a network and how they are connected.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    operations: Vec<Operation>,
    fingerprints: Vec<Fingerprint>,
    /// The layers that each layer reads; the network's input is not among them.
    producers: Vec<SmallVec<[usize; 2]>>,
    /// The first layer that reads each layer.
    consumers: Vec<Option<usize>>,
    /// How many layers read each layer.
    readers: Vec<u32>,
    /// The last layer that reads each layer.
    last_readers: Vec<usize>,
    /// Bytes of the tensors alive at each step.
    live: Vec<u64>,
    /// The most bytes alive while the output of each layer is.
    peaks: Vec<u64>,
    /// How each layer is run.
    steps: Vec<Step>,
}

impl Graph {
    /// The graph of `network`, run with as much memory as it needs.
    pub(super) fn of(network: &Network) -> Self {
        let mut graph = Self::with_capacity(network.layers().len());
        for layer in network.layers() {
            let producers = layer.inputs.iter().filter_map(|source| match source {
                Source::Input => None,
                Source::Layer(index) => Some(*index),
            });
            graph.push(Operation::of(network, layer), producers.collect());
        }
        graph.with_lifetimes()
    }

    /// Operations in execution order where nothing else is known: each reads the one before.
    pub(super) fn chain(operations: impl IntoIterator<Item = Operation>) -> Self {
        let mut graph = Self::default();
        for operation in operations {
            let before = graph.operations.len().checked_sub(1);
            graph.push(operation, before.into_iter().collect());
        }
        graph.with_lifetimes()
    }

    fn with_capacity(layers: usize) -> Self {
        Self {
            operations: Vec::with_capacity(layers),
            producers: Vec::with_capacity(layers),
            consumers: Vec::with_capacity(layers),
            readers: Vec::with_capacity(layers),
            last_readers: Vec::with_capacity(layers),
            ..Self::default()
        }
    }

    fn push(&mut self, operation: Operation, producers: SmallVec<[usize; 2]>) {
        let index = self.operations.len();
        for producer in &producers {
            self.consumers[*producer].get_or_insert(index);
            self.readers[*producer] += 1;
            self.last_readers[*producer] = index;
        }
        self.operations.push(operation);
        self.producers.push(producers);
        self.consumers.push(None);
        self.readers.push(0);
        self.last_readers.push(index);
    }

    fn with_lifetimes(mut self) -> Self {
        // An isolated operator reads a network's input too, but it stands for one within a network.
        if self.len() > 1 {
            for (operation, producers) in self.operations.iter_mut().zip(&self.producers) {
                if producers.is_empty() && operation.kind.is_standard_conv() {
                    operation.kind = Kind::InputConv2d;
                }
            }
        }
        self.fingerprints = self.operations.iter().map(of_operation).collect();
        self.live = vec![0; self.len()];
        for index in 0..self.len() {
            let bytes = output_bytes(&self.operations[index]);
            let lifetime = self.lifetime(index);
            self.live[lifetime].iter_mut().for_each(|live| *live += bytes);
        }
        let peak = |index| self.live[self.lifetime(index)].iter().copied().max().unwrap_or(0);
        self.peaks = (0..self.len()).map(peak).collect();
        self.scheduled(u64::MAX, Stripes::None)
    }

    /// The same graph as it is run with this much memory on the chip; with stripes where layers do not fit.
    #[must_use]
    pub(super) fn scheduled(mut self, on_chip_bytes: u64, stripes: Stripes) -> Self {
        self.steps = schedule(&self, on_chip_bytes, stripes);
        self
    }

    /// Whether `next` is the only layer that reads `index`, as the first of its inputs.
    pub(super) fn is_main_link(&self, index: usize, next: usize) -> bool {
        self.readers[index] == 1 && self.producers[next].first() == Some(&index)
    }

    /// The steps in which the output of a layer is alive.
    pub(super) fn lifetime(&self, index: usize) -> RangeInclusive<usize> {
        index..=self.last_readers[index].min(index + BLOCK_STEPS)
    }

    /// How many layers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is no layer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
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
        &self.graph.operations[self.index]
    }

    /// All that its price may depend on; its graph must have been scheduled.
    pub(super) fn context(&self) -> Context<'g> {
        Context::of(*self)
    }

    /// Stands for its operation.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.graph.fingerprints[self.index]
    }

    /// How it is run; its graph must have been scheduled.
    pub(super) fn step(&self) -> Step {
        self.graph.steps[self.index]
    }

    /// The layers whose outputs it reads.
    pub(super) fn producers(&self) -> impl Iterator<Item = Placed<'g>> {
        self.graph.producers[self.index].iter().map(|index| Placed { graph: self.graph, index: *index })
    }

    /// The layer that writes the latest of its inputs; none if it reads the network's input only.
    #[must_use]
    pub fn producer(&self) -> Option<Placed<'g>> {
        let index = *self.graph.producers[self.index].iter().max()?;
        Some(Placed { graph: self.graph, index })
    }

    /// The first layer that reads its output; none if it is an output of the network.
    #[must_use]
    pub fn consumer(&self) -> Option<Placed<'g>> {
        self.graph.consumers[self.index].map(|index| Placed { graph: self.graph, index })
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
        self.graph.readers[self.index]
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

    /// Bytes of its output if that is kept for a later layer than the next; else zero.
    #[must_use]
    pub fn held(&self) -> u64 {
        let kept = self.graph.last_readers[self.index] > self.index + 1;
        if kept { self.operation().output_bytes() } else { 0 }
    }
}
