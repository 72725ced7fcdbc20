//! Nonlinearities that are operators of their own.

use super::{
    layer::LayerWriter,
    model::TensorId,
    quantise::Range,
    schema::{Code, Fused, Options},
};
use crate::network::{Activation, Layer};

/// Writes the layer's nonlinearity from `raw` to `output`.
pub(super) fn activate(writer: &mut LayerWriter<'_>, layer: &Layer, raw: TensorId, output: TensorId) {
    match layer.activation {
        // Without a nonlinearity there is no operator of its own.
        Activation::None => {}
        Activation::Relu => writer.add(Code::Relu, vec![raw], output, Options::NONE),
        Activation::Relu6 => writer.add(Code::Relu6, vec![raw], output, Options::NONE),
        Activation::HardSwish => writer.add(Code::HardSwish, vec![raw], output, Options::HARD_SWISH),
        Activation::Sigmoid => writer.add(Code::Logistic, vec![raw], output, Options::NONE),
        Activation::HardSigmoid => hard_sigmoid(writer, layer, raw, output),
        Activation::Swish => swish(writer, layer, raw, output),
    }
}

/// relu6(x + 3) * (1/6), as Keras spells it; TFLite has no such operator.
fn hard_sigmoid(writer: &mut LayerWriter<'_>, layer: &Layer, raw: TensorId, output: TensorId) {
    let three = writer.number(&format!("{}.three", layer.name), 3.0);
    let sixth = writer.number(&format!("{}.sixth", layer.name), 1.0 / 6.0);
    let shifted = writer.activation(&format!("{}_act", layer.name), layer.output, Range::Positive);
    writer.add(Code::Add, vec![raw, three], shifted, Options::Add(Fused::Relu6));
    writer.add(Code::Mul, vec![shifted, sixth], output, Options::Mul(Fused::None));
}

/// x * sigmoid(x).
fn swish(writer: &mut LayerWriter<'_>, layer: &Layer, raw: TensorId, output: TensorId) {
    let gate = writer.activation(&format!("{}_act", layer.name), layer.output, Range::Unit);
    writer.add(Code::Logistic, vec![raw], gate, Options::NONE);
    writer.add(Code::Mul, vec![raw, gate], output, Options::Mul(Fused::None));
}
