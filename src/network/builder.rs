//! Putting a network together, layer by layer.

use std::collections::HashMap;

use super::{Activation, DType, Layer, Network, Op, Shape, Source, ops::Mismatch};
use crate::error::Error;

/// A layer that does not fit the network it was added to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layer `{layer}`: found {}, expected {}", .mismatch.found, .mismatch.expected)]
pub struct LayerError {
    /// The layer's name.
    pub layer: String,
    /// What is wrong.
    pub mismatch: Mismatch,
}

impl From<LayerError> for Error {
    fn from(error: LayerError) -> Self {
        Self::unusable(error.to_string())
    }
}

/// Builds a [`Network`]; a layer can only read what is already there, so the order is topological.
#[derive(Clone, Debug)]
pub struct NetworkBuilder {
    network: Network,
    names: HashMap<String, usize>,
}

impl NetworkBuilder {
    /// An empty network.
    #[must_use]
    pub fn new(name: impl Into<String>, input: Shape, dtype: DType) -> Self {
        let network = Network { name: name.into(), input, dtype, layers: Vec::new() };
        Self { network, names: HashMap::new() }
    }

    /// Adds a layer and returns where its output can be read.
    ///
    /// # Errors
    /// The name is taken, or the operator cannot read these inputs.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        op: impl Into<Op>,
        inputs: &[Source],
        activation: Activation,
    ) -> Result<Source, LayerError> {
        let (name, op) = (name.into(), op.into());
        let shapes: Vec<Shape> = inputs.iter().map(|source| self.shape(*source)).collect();
        let checked = self.check_name(&name).and_then(|()| op.operator().output_shape(&shapes));
        let output = checked.map_err(|mismatch| LayerError { layer: name.clone(), mismatch })?;
        let operator = op.operator();
        let index = self.network.layers.len();
        self.names.insert(name.clone(), index);
        self.network.layers.push(Layer {
            macs: operator.macs(&shapes, output),
            weights: operator.weights(&shapes, output),
            biases: operator.biases(output),
            name,
            op,
            inputs: inputs.to_vec(),
            activation,
            output,
        });
        Ok(Source::Layer(index))
    }

    fn check_name(&self, name: &str) -> Result<(), Mismatch> {
        if name == "input" {
            return Err(Mismatch::new("the name `input`", "another name; `input` is the network's input"));
        }
        match self.names.get(name) {
            Some(_) => Err(Mismatch::new(format!("`{name}` a second time"), "each name once")),
            None => Ok(()),
        }
    }

    /// The shape of what `source` writes.
    #[must_use]
    pub fn shape(&self, source: Source) -> Shape {
        self.network.shape(source)
    }

    /// Where the layer called `name` (or `input`) can be read, if it is there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Source> {
        if name == "input" {
            return Some(Source::Input);
        }
        self.names.get(name).map(|index| Source::Layer(*index))
    }

    /// The names that a layer may read.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once("input").chain(self.network.layers.iter().map(|layer| layer.name.as_str()))
    }

    /// The finished network.
    #[must_use]
    pub fn finish(self) -> Network {
        self.network
    }
}
