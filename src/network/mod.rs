//! The phenotype: a network as layers in topological order.
//!
//! Shapes, MACs, params and activation memory follow from the layers alone;
//! nothing here knows how a network came about or how fast it runs.

mod activation;
mod blocks;
mod builder;
mod dtype;
mod footprint;
mod json;
mod memory;
mod norm;
pub mod ops;
mod recognise;
mod shape;
mod weights;
mod window;
mod wiring;

pub use activation::Activation;
pub use blocks::{Block, BlockKind, SqueezeExcite};
pub use builder::{LayerError, NetworkBuilder};
pub use dtype::DType;
pub use footprint::{Footprint, Peak};
pub use json::{read_network, read_networks};
pub use memory::PeakActivation;
pub use ops::{Op, Operator};
pub use recognise::FoundBlock;
pub use shape::Shape;
pub(crate) use weights::he_normal;
pub use window::{Pad, Window};
pub use wiring::{Readers, Section, Wiring};

use std::ops::Range;

use smallvec::SmallVec;

use crate::units::{Bytes, Macs, Params};

/// Where a layer reads a tensor from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The network's input.
    Input,
    /// The output of the layer with this index.
    Layer(usize),
}

/// One operator application. Its output is the operator's result after the activation.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Unique in the network; `s2.b1.expand` is stage 2, block 1, expanding convolution.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// What it reads, in the operator's order.
    pub inputs: SmallVec<[Source; 2]>,
    /// The nonlinearity after the operator.
    pub activation: Activation,
    /// The shape of what it writes.
    pub output: Shape,
    /// Multiply-adds.
    pub macs: Macs,
    /// Trained numbers without the biases.
    pub weights: u64,
    /// Biases, with batch-norm folded in.
    pub biases: u64,
}

impl Layer {
    /// Trained numbers, batch-norm folded.
    #[must_use]
    pub fn params(&self) -> Params {
        Params(self.weights.saturating_add(self.biases))
    }

    /// Bytes of the trained numbers where weights are of this type; int8 networks keep 32-bit biases.
    #[must_use]
    pub fn model_bytes(&self, dtype: DType) -> Bytes {
        let weights = self.weights.saturating_mul(dtype.bytes());
        Bytes(weights.saturating_add(self.biases.saturating_mul(dtype.bias_bytes())))
    }
}

/// A network whose shapes have been checked; made by [`NetworkBuilder`] or [`read_network`].
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    input: Shape,
    dtype: DType,
    layers: Vec<Layer>,
    parts: Parts,
}

/// The number of layers up to the end of each part that a network was put together from. How it came about is no
/// difference between networks.
#[derive(Clone, Debug, Default)]
struct Parts(Vec<usize>);

impl PartialEq for Parts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Network {
    /// The network's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same network under another name and in another number format.
    #[must_use]
    pub fn relabelled(&self, name: impl Into<String>, dtype: DType) -> Self {
        Self { name: name.into(), dtype, ..self.clone() }
    }

    /// The shape of the input tensor.
    #[must_use]
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The type of activations and weights.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The layers; each reads only the input and earlier layers.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The parts that it was put together from, such as its stem and its blocks, as ranges of its layers; each layer
    /// by itself where nothing is known of parts. Other parts read of a part only what its last layer writes.
    pub fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        let known = self.parts.0.iter().copied();
        let ends = known.chain(self.parts.0.last().copied().unwrap_or(0) + 1..=self.layers.len());
        ends.scan(0, |start, end| Some(std::mem::replace(start, end)..end))
    }

    /// The shape of the tensor that `source` writes.
    #[must_use]
    pub fn shape(&self, source: Source) -> Shape {
        match source {
            Source::Input => self.input,
            Source::Layer(index) => self.layers[index].output,
        }
    }

    /// The shapes that `layer` reads.
    #[must_use]
    pub fn input_shapes(&self, layer: &Layer) -> Vec<Shape> {
        layer.inputs.iter().map(|source| self.shape(*source)).collect()
    }

    /// For each layer, the layers that read its output, in order.
    #[must_use]
    pub fn consumers(&self) -> Vec<Vec<usize>> {
        let mut consumers = vec![Vec::new(); self.layers.len()];
        for (reader, layer) in self.layers.iter().enumerate() {
            for source in &layer.inputs {
                if let Source::Layer(index) = source {
                    consumers[*index].push(reader);
                }
            }
        }
        consumers
    }

    /// Multiply-adds of one inference.
    #[must_use]
    pub fn macs(&self) -> Macs {
        self.layers.iter().map(|layer| layer.macs).sum()
    }

    /// Trained numbers, batch-norm folded.
    #[must_use]
    pub fn params(&self) -> Params {
        self.layers.iter().map(Layer::params).sum()
    }

    /// Bytes of the trained numbers in the network's data type; int8 networks keep 32-bit biases.
    #[must_use]
    pub fn model_bytes(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.model_bytes(self.dtype)).sum()
    }
}

#[cfg(test)]
mod tests;
