//! Putting a network together, layer by layer.

use std::{collections::HashMap, fmt::Display};

use smallvec::SmallVec;

use super::{Activation, DType, Layer, Network, Op, Parts, Shape, Source, ops::Mismatch};
use crate::error::Error;

/// Room for so many layers is made at once.
const LAYERS: usize = 96;

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
    /// Where each name stands; none if layers get no names.
    names: Option<HashMap<String, usize>>,
}

impl NetworkBuilder {
    /// An empty network.
    #[must_use]
    pub fn new(name: impl Into<String>, input: Shape, dtype: DType) -> Self {
        Self { network: empty(name.into(), input, dtype), names: Some(HashMap::new()) }
    }

    /// An empty network that gets no names: for what will be scored and thrown away, since names take most of the
    /// time of building.
    #[must_use]
    pub fn nameless(input: Shape, dtype: DType) -> Self {
        let mut network = empty(String::new(), input, dtype);
        network.layers.reserve(LAYERS);
        Self { network, names: None }
    }

    /// Adds a layer and returns where its output can be read.
    ///
    /// # Errors
    /// The name is taken, or the operator cannot read these inputs.
    pub fn add(
        &mut self,
        name: impl Display,
        op: impl Into<Op>,
        inputs: &[Source],
        activation: Activation,
    ) -> Result<Source, LayerError> {
        let op = op.into();
        let shapes: SmallVec<[Shape; 2]> = inputs.iter().map(|source| self.shape(*source)).collect();
        let operator = op.operator();
        let index = self.network.layers.len();
        let output = operator.output_shape(&shapes);
        let output = output.map_err(|mismatch| LayerError { layer: name.to_string(), mismatch })?;
        let name = self.register(name, index)?;
        self.network.layers.push(Layer {
            macs: operator.macs(&shapes, output),
            weights: operator.weights(&shapes, output),
            biases: operator.biases(output),
            name,
            op,
            inputs: inputs.into(),
            activation,
            output,
        });
        Ok(Source::Layer(index))
    }

    fn register(&mut self, name: impl Display, index: usize) -> Result<String, LayerError> {
        let Some(names) = &mut self.names else { return Ok(String::new()) };
        let name = name.to_string();
        let mismatch = if name == "input" {
            Mismatch::new("the name `input`", "another name; `input` is the network's input")
        } else if names.insert(name.clone(), index).is_some() {
            Mismatch::new(format!("`{name}` a second time"), "each name once")
        } else {
            return Ok(name);
        };
        Err(LayerError { layer: name, mismatch })
    }

    /// Ends a part: of the layers since the last one, none but the latest will be read by others.
    pub fn end_part(&mut self) {
        let end = self.network.layers.len();
        if end > self.network.parts.0.last().copied().unwrap_or(0) {
            self.network.parts.0.push(end);
        }
    }

    /// How many layers there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.network.layers.len()
    }

    /// Whether there is no layer yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.network.layers.is_empty()
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
        self.names.as_ref()?.get(name).map(|index| Source::Layer(*index))
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

fn empty(name: String, input: Shape, dtype: DType) -> Network {
    Network { name, input, dtype, layers: Vec::new(), parts: Parts::default() }
}
