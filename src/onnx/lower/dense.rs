//! Fully connected layers, and matrix products that are 1x1 convolutions.

use super::Inputs;
use crate::{
    network::{
        Op, Shape,
        ops::{Conv2d, Dense},
    },
    onnx::{
        node::Attributes,
        picture::{Picture, Refusal, Value},
        proto::Node,
        reader::{Reader, bordered, name},
        tensor::Constant,
    },
};

pub(super) fn gemm(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let attributes = Attributes::of(node);
    if attributes.int("transA").unwrap_or(0) != 0 {
        return Err(Refusal::new("a transposed picture (transA)", "transA 0"));
    }
    let weights = inputs.constant(1)?;
    let [rows, columns] = weights.dims[..] else {
        return Err(Refusal::new(format!("weights of {:?}", weights.dims), "a matrix"));
    };
    let transposed = attributes.int("transB").unwrap_or(0) != 0;
    let (features, cout) = if transposed { (columns, rows) } else { (rows, columns) };
    product(reader, node, inputs.picture(0)?, weights, features, cout, inputs.has(2))
}

pub(super) fn matmul(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    if !matches!(inputs.get(1), Some(Value::Constant(_))) {
        return Err(Refusal::new(
            "a product of two tensors that depend on the network's input",
            "a product with constant weights; attention has no operator here",
        ));
    }
    let weights = inputs.constant(1)?;
    let [batch @ .., features, cout] = weights.dims.as_slice() else {
        return Err(Refusal::new(format!("weights of {:?}", weights.dims), "a matrix"));
    };
    if batch.iter().any(|side| *side != 1) {
        return Err(Refusal::new(format!("weights of {:?}", weights.dims), "one matrix"));
    }
    product(reader, node, inputs.picture(0)?, weights, *features, *cout, false)
}

/// The last axis of `picture` times a matrix: all of the picture, or each pixel's channels.
fn product(
    reader: &mut Reader<'_>,
    node: &Node,
    picture: &Picture,
    weights: &Constant,
    features: u64,
    cout: u64,
    bias: bool,
) -> Result<Value, Refusal> {
    if picture.is_bordered() {
        return Err(bordered());
    }
    let shape = reader.drafts.shape(picture.base);
    let layout = &picture.layout;
    let last = layout.rank().checked_sub(1).ok_or_else(|| Refusal::new("a scalar", "a tensor"))?;
    let dims = layout.dims();
    if dims.last() != Some(&features) {
        return Err(Refusal::new(
            format!("{dims:?} times weights for {features} features"),
            "as many features",
        ));
    }
    let channels = u32::try_from(cout).ok().filter(|cout| (1..=Shape::MAX_DIM).contains(cout));
    let cout = channels
        .ok_or_else(|| Refusal::new(format!("{cout} output features"), format!("1 to {}", Shape::MAX_DIM)))?;
    let op: Op = if layout.is_everything(last) {
        Dense { cout, bias }.into()
    } else if layout.is_channels(last, shape) {
        Conv2d { bias, ..Conv2d::square(cout, 1, 1) }.into()
    } else {
        let found = format!("a tensor of {dims:?} made of a picture of {shape}");
        return Err(Refusal::new(found, "the whole picture, or its channels, along the last axis"));
    };
    let read = reader.read(picture)?;
    reader.count_weights(weights);
    let base = reader.drafts.add(name(node), op, vec![read])?;
    Ok(Picture::new(base, layout.with_channels(last, cout)).into())
}
