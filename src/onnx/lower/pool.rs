//! Pools and averages.

use super::{Inputs, convolution::window};
use crate::{
    network::{
        Op, Pad, Shape, Window,
        ops::{AvgPool, GlobalAvgPool, MaxPool},
    },
    onnx::{
        fold::{axis_of, ints},
        layout::Layout,
        node::Attributes,
        picture::{Picture, Refusal, Value},
        proto::Node,
        reader::{Reader, bordered, name},
    },
};

pub(super) fn pool(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let picture = inputs.picture(0)?;
    reader.expect_nchw(picture)?;
    let input = reader.drafts.shape(picture.base);
    let attributes = Attributes::of(node);
    let kernel = match attributes.ints("kernel_shape") {
        Some([h, w]) if [h, w].iter().all(|side| (1..=1024).contains(*side)) => [*h as u32, *w as u32],
        other => return Err(Refusal::new(format!("a kernel of {other:?}"), "two numbers from 1 to 1024")),
    };
    let mut window = window(node, kernel, picture.border, input)?;
    if attributes.int("ceil_mode").unwrap_or(0) != 0 {
        window = rounded_up(window, input);
    }
    let whole = window.pad == Pad::Valid || window.pad == Pad::Same && window.kernel == [1, 1];
    let op: Op = if node.op_type == "MaxPool" {
        MaxPool { window }.into()
    } else if whole && kernel == [input.h, input.w] {
        GlobalAvgPool.into()
    } else {
        AvgPool { window }.into()
    };
    let read = reader.read(picture)?;
    let base = reader.drafts.add(name(node), op, vec![read])?;
    Ok(Picture::new(base, Layout::nchw(reader.drafts.shape(base))).into())
}

/// A window whose last step may reach over the border: the border is widened to where it reaches.
fn rounded_up(window: Window, input: Shape) -> Window {
    let Pad::Explicit([top, left, bottom, right]) = (match window.pad {
        Pad::Valid => Pad::Explicit([0; 4]),
        other => other,
    }) else {
        return window;
    };
    let missing = |axis: usize, size: u32, before: u32, after: u32| {
        let reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        let room = (size + before + after).saturating_sub(reach);
        let steps = room.div_ceil(window.stride[axis]);
        // A step that would start in the border beyond the picture is not taken.
        let steps =
            if steps * window.stride[axis] >= size + before { steps.saturating_sub(1) } else { steps };
        (steps * window.stride[axis]).saturating_sub(room)
    };
    let (down, across) = (missing(0, input.h, top, bottom), missing(1, input.w, left, right));
    if (down, across) == (0, 0) {
        return window;
    }
    Window { pad: Pad::Explicit([top, left, bottom + down, right + across]), ..window }
}

/// The average of the whole picture, as an operator of its own or as a mean over its axes.
pub(super) fn average(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let picture = inputs.picture(0)?;
    if picture.is_bordered() {
        return Err(bordered());
    }
    if node.op_type == "GlobalAveragePool" {
        let read = reader.read_nchw(picture)?;
        let base = reader.drafts.add(name(node), GlobalAvgPool, vec![read])?;
        return Ok(Picture::new(base, Layout::nchw(reader.drafts.shape(base))).into());
    }
    let attributes = Attributes::of(node);
    let rank = picture.layout.rank();
    let axes: Vec<i64> = match inputs.optional_constant(1)? {
        Some(axes) => ints(axes)?,
        None => attributes.ints("axes").map_or_else(|| (0..rank as i64).collect(), <[i64]>::to_vec),
    };
    let axes: Vec<usize> = axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_, _>>()?;
    let keep = attributes.int("keepdims").unwrap_or(1) != 0;
    let layout = picture.layout.averaged(&axes, keep);
    if axes.iter().all(|axis| picture.layout.is_empty(*axis)) {
        return Ok(picture.seen_as(layout).into());
    }
    if !picture.layout.covers_pixels(&axes) {
        let found = format!("a mean over axes {axes:?} of a tensor of {:?}", picture.dims());
        return Err(Refusal::new(found, "a mean over all rows and columns and nothing else"));
    }
    let read = reader.read(picture)?;
    let base = reader.drafts.add(name(node), GlobalAvgPool, vec![read])?;
    Ok(Picture::new(base, layout).into())
}
