//! Batch-norm, and other factors and sums for each channel.

use super::Inputs;
use crate::onnx::{
    picture::{Picture, Refusal, Value},
    proto::Node,
    reader::{Reader, bordered, name},
    tensor::Constant,
};

pub(super) fn batch_norm(
    reader: &mut Reader<'_>,
    node: &Node,
    inputs: &Inputs<'_>,
) -> Result<Value, Refusal> {
    let picture = inputs.picture(0)?;
    let scale = inputs.constant(1)?;
    let shape = reader.drafts.shape(picture.base);
    if !picture.layout.is_channels(1, shape) || scale.elements() != u64::from(shape.c) {
        let found = format!("{} factors for a tensor of {:?}", scale.elements(), picture.dims());
        return Err(Refusal::new(found, "one for each channel, along axis 1"));
    }
    scaled(reader, node, picture)
}

/// Whether `constant` has one element for each channel of the picture, along the axis of the channels.
pub(super) fn is_per_channel(reader: &Reader<'_>, picture: &Picture, constant: &Constant) -> bool {
    let shape = reader.drafts.shape(picture.base);
    let rank = picture.layout.rank();
    let Some(lead) = rank.checked_sub(constant.dims.len()) else { return false };
    let along = |(index, side): (usize, &u64)| {
        *side == 1 || (picture.layout.is_channels(lead + index, shape) && *side == u64::from(shape.c))
    };
    constant.dims.iter().enumerate().all(along)
}

/// The picture with each channel multiplied and shifted.
pub(super) fn scaled(reader: &mut Reader<'_>, node: &Node, picture: &Picture) -> Result<Value, Refusal> {
    if picture.is_bordered() {
        return Err(bordered());
    }
    let read = reader.read(picture)?;
    let base = reader.drafts.affine(name(node), read);
    Ok(Picture::new(base, picture.layout.clone()).into())
}
