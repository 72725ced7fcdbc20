//! The tensors that operators read and write.

use super::{
    layer::LayerWriter,
    model::{Operator, Quantization, Tensor, TensorId},
    quantise::Range,
    schema::{Code, Options, TensorType},
};
use crate::network::{DType, Layer, Shape};

impl LayerWriter<'_> {
    pub(super) fn is_float(&self) -> bool {
        self.network.dtype() != DType::Int8
    }

    /// A tensor for what a layer writes in the end; it has the layer's name.
    pub(super) fn output(&mut self, layer: &Layer, range: Range) -> TensorId {
        let mut tensor = self.picture(&layer.name, layer.output, range);
        if layer.name.is_empty() {
            tensor.name = "layer".into();
            return self.model.fresh(tensor);
        }
        self.model.named(tensor)
    }

    /// A tensor between operators.
    pub(super) fn activation(&mut self, name: &str, shape: Shape, range: Range) -> TensorId {
        let tensor = self.picture(name, shape, range);
        self.model.fresh(tensor)
    }

    pub(super) fn picture(&self, name: &str, shape: Shape, range: Range) -> Tensor {
        let (kind, quantization) = match self.is_float() {
            true => (TensorType::Float32, Quantization::None),
            false => (TensorType::Int8, range.quantization()),
        };
        let shape = [1, shape.h, shape.w, shape.c].map(side).into();
        Tensor { name: name.to_owned(), shape, kind, quantization, data: None }
    }

    /// A list or table of integers that is known beforehand.
    pub(super) fn integers(&mut self, name: &str, shape: &[u32], values: &[u32]) -> TensorId {
        let data = values.iter().flat_map(|value| side(*value).to_le_bytes()).collect();
        self.model.fresh(Tensor {
            name: name.to_owned(),
            shape: shape.iter().copied().map(side).collect(),
            kind: TensorType::Int32,
            quantization: Quantization::None,
            data: Some(data),
        })
    }

    /// One number that is known beforehand, to be added to or multiplied with pictures.
    pub(super) fn number(&mut self, name: &str, value: f32) -> TensorId {
        const LARGEST: f32 = 127.0;
        let (kind, quantization, data) = match self.is_float() {
            true => (TensorType::Float32, Quantization::None, value.to_le_bytes().to_vec()),
            false => {
                let quantization = Quantization::Tensor { scale: value / LARGEST, zero: 0 };
                (TensorType::Int8, quantization, vec![LARGEST as u8])
            }
        };
        self.model.fresh(Tensor {
            name: name.to_owned(),
            shape: vec![1; 4],
            kind,
            quantization,
            data: Some(data),
        })
    }

    /// Adds an operator.
    pub(super) fn add(&mut self, code: Code, inputs: Vec<TensorId>, output: TensorId, options: Options) {
        let version = code.version(!self.is_float(), &options);
        self.model.operators.push(Operator { code, version, inputs, output, options });
    }

    /// The least number that a tensor can hold.
    pub(super) fn least(&mut self, name: &str, range: Range) -> TensorId {
        let (kind, quantization, data) = match self.is_float() {
            true => (TensorType::Float32, Quantization::None, f32::MIN.to_le_bytes().to_vec()),
            false => (TensorType::Int8, range.quantization(), i8::MIN.to_le_bytes().to_vec()),
        };
        let name = name.to_owned();
        self.model.fresh(Tensor { name, shape: vec![1], kind, quantization, data: Some(data) })
    }
}

/// Sides of pictures are far smaller than what a file can hold.
pub(super) fn side(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}
