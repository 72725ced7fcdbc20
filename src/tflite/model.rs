//! A TFLite model before it becomes bytes: tensors, operators, and names that stay unique.

use std::collections::HashSet;

use super::schema::{Code, Options, TensorType};

/// A tensor, by its place in the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TensorId(usize);

impl TensorId {
    /// As it stands in the file; models are far smaller than this can count.
    pub(super) fn number(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }
}

/// What the numbers of a tensor stand for: scale * (number - zero).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Quantization {
    /// Numbers are themselves.
    None,
    /// One scale for all.
    Tensor { scale: f32, zero: i64 },
    /// A scale for each slice along `axis`, and zero for zero.
    Channels { scales: Vec<f32>, axis: i32 },
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<i32>,
    pub(super) kind: TensorType,
    pub(super) quantization: Quantization,
    /// Its numbers, little-endian, where they are known beforehand.
    pub(super) data: Option<Vec<u8>>,
}

/// An operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operator {
    pub(super) code: Code,
    pub(super) version: i32,
    pub(super) inputs: Vec<TensorId>,
    pub(super) output: TensorId,
    pub(super) options: Options,
}

/// A model of one graph.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) tensors: Vec<Tensor>,
    pub(super) operators: Vec<Operator>,
    pub(super) inputs: Vec<TensorId>,
    pub(super) outputs: Vec<TensorId>,
    /// Names and texts, in order.
    pub(super) metadata: Vec<(String, String)>,
    /// The names of tensors.
    names: HashSet<String>,
}

impl Model {
    /// A model in which `names` are taken, so that only [`Model::named`] gives them.
    pub(super) fn reserving(names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().collect(), ..Self::default() }
    }

    /// Adds a tensor under a name that was reserved.
    pub(super) fn named(&mut self, tensor: Tensor) -> TensorId {
        self.tensors.push(tensor);
        TensorId(self.tensors.len() - 1)
    }

    /// Adds a tensor under its name, or something like it that none is called yet.
    pub(super) fn fresh(&mut self, mut tensor: Tensor) -> TensorId {
        let wanted = tensor.name;
        let numbered = |number: u32| if number == 0 { wanted.clone() } else { format!("{wanted}_{number}") };
        let free = (u32::from(wanted.is_empty())..).map(numbered).find(|name| !self.names.contains(name));
        tensor.name = free.unwrap_or_default();
        self.names.insert(tensor.name.clone());
        self.named(tensor)
    }

    /// What the numbers of a tensor stand for.
    pub(super) fn quantization(&self, tensor: TensorId) -> &Quantization {
        self.tensors.get(tensor.0).map_or(&Quantization::None, |tensor| &tensor.quantization)
    }
}
