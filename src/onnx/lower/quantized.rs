//! Quantised networks: QDQ pairs, which change no shape, and `QLinearConv`.

use super::{Inputs, convolution::conv_of};
use crate::onnx::{
    picture::{Refusal, Value},
    proto::{Node, data_type},
    reader::{Reader, bend},
    tensor::Constant,
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
    let (Some((low, high)), true) = (range, picture.curve.is_identity()) else {
        return Ok(picture.clone().into());
    };
    if low != 0.0 || !reader.drafts.may_be_clamped(picture.base) {
        return Ok(picture.clone().into());
    }
    // A ReLU6 that is ever reached leaves a range that ends at six.
    let six = (high - 6.0).abs() < 0.02;
    Ok(bend(picture, node, |x| if six { x.clamp(0.0, 6.0) } else { x.max(0.0) }).into())
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
