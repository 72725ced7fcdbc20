//! A layer and its neighbours.
//!
//! What a layer costs depends on where its input comes from and where its
//! output goes: a tensor that is consumed at once can stay on chip, and a chain
//! of layers can be computed in stripes. Only direct neighbours count, so that
//! the cost of a block can be tabulated once for all networks that contain it.

use super::operation::Operation;
use crate::network::{Network, Source};

/// The operations of a network and how they are connected.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    operations: Vec<Operation>,
    /// The layers that each layer reads; the network's input is not among them.
    producers: Vec<Vec<usize>>,
    /// The first layer that reads each layer.
    consumers: Vec<Option<usize>>,
    /// How many layers read each layer.
    readers: Vec<u32>,
    /// Whether a layer reads the network's input.
    reads_input: Vec<bool>,
}

impl Graph {
    /// The graph of `network`.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        let mut graph = Self::default();
        for layer in network.layers() {
            let producers = layer.inputs.iter().filter_map(|source| match source {
                Source::Input => None,
                Source::Layer(index) => Some(*index),
            });
            graph.push(Operation::of(network, layer), producers.collect());
        }
        graph
    }

    /// Operations in execution order where nothing else is known: each reads the one before.
    #[must_use]
    pub fn chain(operations: impl IntoIterator<Item = Operation>) -> Self {
        let mut graph = Self::default();
        for operation in operations {
            let before = graph.operations.len().checked_sub(1);
            graph.push(operation, before.into_iter().collect());
        }
        graph
    }

    fn push(&mut self, operation: Operation, producers: Vec<usize>) {
        let index = self.operations.len();
        for producer in &producers {
            self.consumers[*producer].get_or_insert(index);
            self.readers[*producer] += 1;
        }
        self.reads_input.push(producers.is_empty());
        self.operations.push(operation);
        self.producers.push(producers);
        self.consumers.push(None);
        self.readers.push(0);
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

    /// Whether the producer is the layer right before.
    #[must_use]
    pub fn follows_producer(&self) -> bool {
        self.producer().is_some_and(|producer| producer.index + 1 == self.index)
    }

    /// Whether the consumer is the layer right after.
    #[must_use]
    pub fn precedes_consumer(&self) -> bool {
        self.consumer().is_some_and(|consumer| consumer.index == self.index + 1)
    }
}
