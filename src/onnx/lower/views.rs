//! Operators that move numbers without changing any: reshapes, slices, pads, concatenation.

use super::{Inputs, Lowered};
use crate::{
    network::ops,
    onnx::{
        broadcast::broadcast_dims,
        fold::{self, axis_of, ints, sides_of},
        node::Attributes,
        picture::{Picture, Refusal, Value},
        proto::Node,
        reader::{Reader, bordered, name},
        slice::{Cut, cuts},
        tensor::{Constant, elements},
    },
};

/// The sides of a picture, which are all known.
pub(super) fn shape(node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let dims = inputs.picture(0)?.dims();
    Ok(match node.op_type.as_str() {
        "Size" => Constant::ints(Vec::new(), vec![elements(&dims) as i64]).into(),
        _ => fold::shape(&dims, &Attributes::of(node)).into(),
    })
}

pub(super) fn view(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let picture = inputs.picture(0)?;
    if node.op_type == "Pad" {
        return pad(node, inputs, picture);
    }
    if picture.is_bordered() {
        return Err(bordered());
    }
    let dims = picture.dims();
    match node.op_type.as_str() {
        "Slice" => slice(reader, node, inputs, picture, &dims),
        "Gather" => gather(node, inputs, picture, &dims),
        "Transpose" => transpose(node, picture),
        "Expand" => {
            let wanted = broadcast_dims(&dims, &sides_of(&ints(inputs.constant(1)?)?)?)?;
            if elements(&wanted) != elements(&dims) {
                return Err(Refusal::new(format!("{dims:?} repeated to {wanted:?}"), "no repetition"));
            }
            seen_as(picture, &wanted)
        }
        _ => seen_as(picture, &reshaped(node, inputs, &dims)?),
    }
}

fn seen_as(picture: &Picture, dims: &[u64]) -> Result<Value, Refusal> {
    let layout = picture.layout.reshaped(dims).ok_or_else(|| {
        let found = format!("a tensor of {:?} reshaped to {dims:?}", picture.dims());
        Refusal::new(found, "as many elements, and no axis cut unevenly")
    })?;
    Ok(picture.seen_as(layout).into())
}

fn transpose(node: &Node, picture: &Picture) -> Result<Value, Refusal> {
    let rank = picture.layout.rank();
    let order: Vec<usize> = match Attributes::of(node).ints("perm") {
        Some(order) => order.iter().map(|axis| axis_of(*axis, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    let layout = picture.layout.transposed(&order);
    let layout = layout.ok_or_else(|| Refusal::new(format!("the order {order:?}"), "each axis once"))?;
    Ok(picture.seen_as(layout).into())
}

/// A constant with other sides; none if the operator is not one that changes them alone.
pub(super) fn reshaped_constant(node: &Node, inputs: &Inputs<'_>) -> Option<Result<Constant, Refusal>> {
    if !matches!(node.op_type.as_str(), "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze") {
        return None;
    }
    let of = |constant: &Constant| {
        let dims = reshaped(node, inputs, &constant.dims)?;
        if elements(&dims) != constant.elements() {
            return Err(Refusal::new(
                format!("{:?} reshaped to {dims:?}", constant.dims),
                "as many elements",
            ));
        }
        Ok(Constant { dims, ..constant.clone() })
    };
    Some(inputs.constant(0).and_then(|constant| of(constant)))
}

/// The sides after `Reshape`, `Flatten`, `Squeeze` or `Unsqueeze`.
fn reshaped(node: &Node, inputs: &Inputs<'_>, dims: &[u64]) -> Result<Vec<u64>, Refusal> {
    let attributes = Attributes::of(node);
    let axes = |name: &str| match inputs.optional_constant(1)? {
        Some(axes) => ints(axes).map(Some).map_err(Refusal::from),
        None => Ok(attributes.ints(name).map(<[i64]>::to_vec)),
    };
    match node.op_type.as_str() {
        "Flatten" => {
            let axis = attributes.int("axis").unwrap_or(1);
            let axis = if axis == dims.len() as i64 { dims.len() } else { axis_of(axis, dims.len())? };
            let (before, after) = dims.split_at(axis);
            Ok(vec![elements(before), elements(after)])
        }
        "Squeeze" => {
            let axes =
                axes("axes")?.map(|axes| axes.into_iter().map(|axis| axis_of(axis, dims.len())).collect());
            let axes: Option<Vec<usize>> = axes.transpose()?;
            let gone = |index: usize, side: u64| match &axes {
                Some(axes) => axes.contains(&index),
                None => side == 1,
            };
            Ok(dims
                .iter()
                .enumerate()
                .filter(|(index, side)| !gone(*index, **side))
                .map(|(_, side)| *side)
                .collect())
        }
        "Unsqueeze" => {
            let axes = axes("axes")?.unwrap_or_default();
            let rank = dims.len() + axes.len();
            let axes: Vec<usize> =
                axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_, _>>()?;
            let mut left = dims.iter().copied();
            Ok((0..rank)
                .map(|index| if axes.contains(&index) { 1 } else { left.next().unwrap_or(1) })
                .collect())
        }
        _ => {
            let wanted = match attributes.ints("shape") {
                Some(shape) if !inputs.has(1) => shape.to_vec(),
                _ => ints(inputs.constant(1)?)?,
            };
            filled_in(&wanted, dims, attributes.int("allowzero").unwrap_or(0) != 0)
        }
    }
}

/// The sides that `Reshape` asks for: 0 keeps a side, -1 takes what is left.
fn filled_in(wanted: &[i64], dims: &[u64], allow_zero: bool) -> Result<Vec<u64>, Refusal> {
    let kept = |(index, side): (usize, &i64)| match side {
        0 if !allow_zero => dims.get(index).map(|side| *side as i64).unwrap_or(0),
        side => *side,
    };
    let wanted: Vec<i64> = wanted.iter().enumerate().map(kept).collect();
    let known = elements(&sides_of(&wanted.iter().copied().filter(|side| *side != -1).collect::<Vec<_>>())?);
    let left = elements(dims).checked_div(known).unwrap_or(0);
    Ok(wanted.iter().map(|side| u64::try_from(*side).unwrap_or(left)).collect())
}

fn slice(
    reader: &mut Reader<'_>,
    node: &Node,
    inputs: &Inputs<'_>,
    picture: &Picture,
    dims: &[u64],
) -> Result<Value, Refusal> {
    let cuts = cuts(dims, &Attributes::of(node), &inputs.constants())?;
    let all = |cut: &&Cut| cut.step == 1 && dims.get(cut.axis) == Some(&cut.count);
    let cuts: Vec<&Cut> = cuts.iter().filter(|cut| !all(cut)).collect();
    match cuts[..] {
        [] => Ok(picture.clone().into()),
        [Cut { axis, start, step: 1, count }] => {
            let start = u64::try_from(*start).map_err(|_| part(dims, *axis))?;
            channels(reader, node, picture, *axis, start, *count)
        }
        [cut, ..] => Err(part(dims, cut.axis)),
    }
}

fn part(dims: &[u64], axis: usize) -> Refusal {
    Refusal::new(
        format!("a part of a tensor of {dims:?} along axis {axis}"),
        "all of it, or some of its channels",
    )
}

/// One index of an axis of length one drops the axis.
fn gather(node: &Node, inputs: &Inputs<'_>, picture: &Picture, dims: &[u64]) -> Result<Value, Refusal> {
    let axis = axis_of(Attributes::of(node).int("axis").unwrap_or(0), dims.len())?;
    let indices = inputs.constant(1)?;
    let whole = picture.layout.is_empty(axis) && indices.elements() == 1 && indices.dims.len() <= 1;
    if !whole {
        return Err(part(dims, axis));
    }
    let (before, after) = dims.split_at(axis);
    seen_as(picture, &[before, &indices.dims, after.get(1..).unwrap_or_default()].concat())
}

/// Rows and columns of zeros, which the next convolution or pool takes in.
fn pad(node: &Node, inputs: &Inputs<'_>, picture: &Picture) -> Result<Value, Refusal> {
    let attributes = Attributes::of(node);
    let rank = picture.layout.rank();
    let pads = match inputs.optional_constant(1)? {
        Some(pads) => ints(pads)?,
        None => attributes.ints("pads").or(attributes.ints("paddings")).unwrap_or_default().to_vec(),
    };
    let axes: Vec<usize> = match inputs.optional_constant(3)? {
        Some(axes) => ints(axes)?.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    let wrong =
        |found: String| Refusal::new(found, "zeros around rows and columns only, up to 1024 on each side");
    if pads.len() != 2 * axes.len() {
        return Err(wrong(format!("{} pads for {} axes", pads.len(), axes.len())));
    }
    if pads.iter().all(|pad| *pad == 0) {
        return Ok(picture.clone().into());
    }
    let mut border = picture.border;
    let (starts, ends) = pads.split_at(axes.len());
    for ((axis, start), end) in axes.iter().zip(starts).zip(ends) {
        let amount = |pad: &i64| u32::try_from(*pad).ok().filter(|pad| *pad <= 1024);
        match (*axis, amount(start), amount(end)) {
            (_, Some(0), Some(0)) => {}
            (axis @ (2 | 3), Some(start), Some(end)) if rank == 4 => {
                let [first, last] = [axis - 2, axis];
                if let Some(side) = border.get_mut(first) {
                    *side += start;
                }
                if let Some(side) = border.get_mut(last) {
                    *side += end;
                }
            }
            _ => return Err(wrong(format!("pads {pads:?} of a tensor of {:?}", picture.dims()))),
        }
    }
    if border.iter().any(|side| *side > 1024) {
        return Err(wrong(format!("borders of {border:?}")));
    }
    Ok(Picture { border, ..picture.clone() }.into())
}

pub(super) fn concat(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let pictures: Vec<&Picture> =
        (0..inputs.0.len()).map(|index| inputs.picture(index)).collect::<Result<_, _>>()?;
    if let [only] = pictures[..] {
        return Ok(only.clone().into());
    }
    let first = pictures.first().ok_or_else(|| Refusal::new("no inputs", "at least one"))?;
    let axis = axis_of(Attributes::of(node).int("axis").unwrap_or(1), first.layout.rank())?;
    let mut reads = Vec::with_capacity(pictures.len());
    for picture in &pictures {
        if picture.is_bordered() {
            return Err(bordered());
        }
        let shape = reader.drafts.shape(picture.base);
        let same = picture.layout.with_channels(axis, 1) == first.layout.with_channels(axis, 1);
        if !picture.layout.is_channels(axis, shape) || !same {
            let found = format!("tensors of {:?} and {:?} along axis {axis}", first.dims(), picture.dims());
            return Err(Refusal::new(found, "pictures of equal rows and columns along their channels"));
        }
        reads.push(reader.read(picture)?);
    }
    let base = reader.drafts.add(name(node), ops::Concat, reads)?;
    let layout = first.layout.with_channels(axis, reader.drafts.shape(base).c);
    Ok(Picture::new(base, layout).into())
}

/// Parts of the channels, one for each output.
pub(super) fn split(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Lowered {
    let picture = inputs.picture(0)?;
    if node.output.len() == 1 {
        return Ok(vec![picture.clone().into()]);
    }
    let attributes = Attributes::of(node);
    let dims = picture.dims();
    let axis = axis_of(attributes.int("axis").unwrap_or(0), dims.len())?;
    let length = dims.get(axis).copied().unwrap_or(0);
    let lengths = match (inputs.optional_constant(1)?, attributes.ints("split")) {
        (Some(lengths), _) => sides_of(&ints(lengths)?)?,
        (None, Some(lengths)) => sides_of(lengths)?,
        (None, None) => {
            let share = length.div_ceil(node.output.len() as u64);
            let starts = (0..node.output.len() as u64).map(|part| (part * share).min(length));
            starts.map(|start| share.min(length - start)).collect()
        }
    };
    if lengths.len() != node.output.len() || lengths.iter().copied().fold(0, u64::saturating_add) != length {
        return Err(Refusal::new(
            format!("parts of {lengths:?} of {length}"),
            "one for each output, and no rest",
        ));
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(lengths.len());
    for length in lengths {
        parts.push(channels(reader, node, picture, axis, start, length)?);
        start += length;
    }
    Ok(parts)
}

/// `length` channels from `start` on.
fn channels(
    reader: &mut Reader<'_>,
    node: &Node,
    picture: &Picture,
    axis: usize,
    start: u64,
    length: u64,
) -> Result<Value, Refusal> {
    if picture.is_bordered() {
        return Err(bordered());
    }
    let shape = reader.drafts.shape(picture.base);
    let fits = |number: u64| u32::try_from(number).ok();
    let (Some(start), Some(cout), true) =
        (fits(start), fits(length), picture.layout.is_channels(axis, shape))
    else {
        return Err(part(&picture.dims(), axis));
    };
    if picture.layout.is_shuffled() {
        reader.note_shuffle();
    }
    let read = reader.read(picture)?;
    let base = reader.drafts.add(name(node), ops::Slice { start, cout }, vec![read])?;
    Ok(Picture::new(base, picture.layout.with_channels(axis, cout)).into())
}
