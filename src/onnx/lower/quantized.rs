//! Quantised networks: QDQ pairs, which change no shape, and `QLinearConv`.

use std::collections::HashSet;

use super::{Inputs, convolution::conv_of};
use crate::{
    network::Activation,
    onnx::{
        picture::{Refusal, Value},
        proto::{Node, data_type},
        reader::{Reader, Scope, bend},
        tensor::Constant,
    },
};

pub(super) fn conv(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    reader.quantised = true;
    conv_of(reader, node, inputs.picture(0)?, inputs.constant(3)?, inputs.has(8))
}

/// Rounding to 8 bits; where the quantiser left a ReLU out because the range cuts off what is below
/// zero, it is put back.
pub(super) fn quantize(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    reader.quantised = true;
    let picture = inputs.picture(0)?;
    let range = inputs.optional_constant(1)?.zip(inputs.optional_constant(2)?);
    let range = range.and_then(|(scale, zero)| bounds(scale, zero));
    let (Some((low, _)), true) = (range, picture.curve.is_identity()) else {
        return Ok(picture.clone().into());
    };
    if low != 0.0 || !reader.drafts.may_be_clamped(picture.base) {
        return Ok(picture.clone().into());
    }
    let six = reader.dropped == Activation::Relu6;
    Ok(bend(picture, node, |x| if six { x.clamp(0.0, 6.0) } else { x.max(0.0) }).into())
}

/// The nonlinearity that the quantiser left out between layers and roundings: ReLU6 if no range that begins at
/// zero goes above six, where it cuts off more than a ReLU6 would.
pub(in crate::onnx) fn dropped(nodes: &[Node], scope: &Scope) -> Activation {
    let layers = ["Conv", "Gemm", "MatMul", "Add", "BatchNormalization"];
    let layers = nodes.iter().filter(|node| layers.contains(&node.op_type.as_str()));
    let written: HashSet<&str> = layers.flat_map(|node| &node.output).map(String::as_str).collect();
    let constant = |name: Option<&String>| match name.and_then(|name| scope.get(name)) {
        Some(Value::Constant(constant)) => Some(constant.clone()),
        _ => None,
    };
    let clamps = nodes.iter().filter(|node| {
        node.op_type == "QuantizeLinear"
            && node.input.first().is_some_and(|name| written.contains(name.as_str()))
    });
    let mut ranges =
        clamps.filter_map(|node| bounds(&*constant(node.input.get(1))?, &*constant(node.input.get(2))?));
    if ranges.any(|(low, high)| low == 0.0 && high > 6.02) { Activation::Relu } else { Activation::Relu6 }
}

/// The least and the greatest number that eight bits stand for.
fn bounds(scale: &Constant, zero: &Constant) -> Option<(f64, f64)> {
    let (scale, point) = (scale.scalar()?, zero.scalar()?);
    let (least, most) = match zero.stored {
        data_type::UINT8 => (0.0, 255.0),
        data_type::INT8 => (-128.0, 127.0),
        _ => return None,
    };
    Some(((least - point) * scale, (most - point) * scale))
}
