//! Convolutions.

use super::Inputs;
use crate::{
    network::{
        Op, Pad, Shape, Window,
        ops::{Conv2d, DepthwiseConv2d},
    },
    onnx::{
        layout::Layout,
        node::Attributes,
        picture::{Picture, Refusal, Value},
        proto::Node,
        reader::{Reader, name},
        tensor::Constant,
    },
};

/// No kernel, stride, dilation or border is larger.
const MOST: i64 = 1024;

pub(super) fn conv(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    conv_of(reader, node, inputs.picture(0)?, inputs.constant(1)?, inputs.has(2))
}

/// A convolution of `picture` with `weights`.
pub(super) fn conv_of(
    reader: &mut Reader<'_>,
    node: &Node,
    picture: &Picture,
    weights: &Constant,
    bias: bool,
) -> Result<Value, Refusal> {
    reader.expect_nchw(picture)?;
    let input = reader.drafts.shape(picture.base);
    let [cout, per_group, kernel_h, kernel_w] = weights.dims[..] else {
        return Err(Refusal::new(
            format!("weights of {:?}", weights.dims),
            "weights of four axes: a 2-D convolution",
        ));
    };
    let groups = Attributes::of(node).int("group").unwrap_or(1);
    let fits = u64::try_from(groups).ok().and_then(|groups| per_group.checked_mul(groups))
        == Some(u64::from(input.c));
    if !fits {
        let found = format!("{groups} groups of {per_group} channels on a picture of {input}");
        return Err(Refusal::new(found, "groups and channels that make up the picture's"));
    }
    let (cout, groups) = (side(cout)?, side(groups as u64)?);
    let window = window(node, [side(kernel_h)?, side(kernel_w)?], picture.border, input)?;
    let op: Op = if groups > 1 && groups == input.c {
        DepthwiseConv2d { window, cout: (cout != input.c).then_some(cout), bias }.into()
    } else {
        Conv2d { cout, window, groups, bias }.into()
    };
    let read = reader.read(picture)?;
    reader.count_weights(weights);
    let base = reader.drafts.add(name(node), op, vec![read])?;
    Ok(Picture::new(base, Layout::nchw(reader.drafts.shape(base))).into())
}

fn side(length: u64) -> Result<u32, Refusal> {
    let fits = u32::try_from(length).ok().filter(|side| (1..=Shape::MAX_DIM).contains(side));
    fits.ok_or_else(|| {
        Refusal::new(format!("a side of {length}"), format!("sides from 1 to {}", Shape::MAX_DIM))
    })
}

/// The window of a convolution or a pool on `input` with a border around it.
///
/// Borders that are exactly those of "same" padding become that.
///
/// # Errors
/// A number is out of range.
pub(super) fn window(
    node: &Node,
    kernel: [u32; 2],
    border: [u32; 4],
    input: Shape,
) -> Result<Window, Refusal> {
    let attributes = Attributes::of(node);
    let pair = |name: &str| match attributes.ints(name) {
        None | Some([]) => Ok([1; 2]),
        Some([h, w]) if [h, w].iter().all(|value| (1..=MOST).contains(*value)) => Ok([*h as u32, *w as u32]),
        Some(other) => {
            Err(Refusal::new(format!("{name} {other:?}"), format!("two numbers from 1 to {MOST}")))
        }
    };
    let (stride, dilation) = (pair("strides")?, pair("dilations")?);
    if kernel.iter().any(|side| i64::from(*side) > MOST) {
        return Err(Refusal::new(format!("a kernel of {kernel:?}"), format!("sides up to {MOST}")));
    }
    let bare = Window { kernel, stride, dilation, pad: Pad::Valid };
    let around = Shape::new(input.h + border[0] + border[2], input.w + border[1] + border[3], input.c);
    let pads = match attributes.text("auto_pad").unwrap_or("NOTSET") {
        "SAME_UPPER" => same(&bare, around, false),
        "SAME_LOWER" => same(&bare, around, true),
        "VALID" => [0; 4],
        _ => explicit(&attributes)?,
    };
    let mut total = [0; 4];
    for (total, (pad, border)) in total.iter_mut().zip(pads.iter().zip(border)) {
        *total = pad + border;
    }
    if total.iter().any(|side| i64::from(*side) > MOST) {
        return Err(Refusal::new(format!("borders of {total:?}"), format!("up to {MOST} on each side")));
    }
    Ok(Window { pad: named(&bare, input, total), ..bare })
}

fn explicit(attributes: &Attributes<'_>) -> Result<[u32; 4], Refusal> {
    match attributes.ints("pads") {
        None | Some([]) => Ok([0; 4]),
        Some(pads) => {
            let small = |pad: &i64| u32::try_from(*pad).ok().filter(|pad| i64::from(*pad) <= MOST);
            let sides: Option<Vec<u32>> = pads.iter().map(small).collect();
            let sides = sides.and_then(|sides| <[u32; 4]>::try_from(sides).ok());
            sides.ok_or_else(|| {
                Refusal::new(format!("pads {pads:?}"), format!("four numbers from 0 to {MOST}"))
            })
        }
    }
}

/// The borders of TensorFlow's "same", the odd one at the end, or at the start if `lower`.
fn same(window: &Window, input: Shape, lower: bool) -> [u32; 4] {
    let total = |axis: usize, size: u32| {
        let reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        ((size.div_ceil(window.stride[axis]) - 1) * window.stride[axis] + reach).saturating_sub(size)
    };
    let (h, w) = (total(0, input.h), total(1, input.w));
    let small = [h / 2, w / 2];
    let large = [h - h / 2, w - w / 2];
    let [first, last] = if lower { [large, small] } else { [small, large] };
    [first[0], first[1], last[0], last[1]]
}

/// The shortest way to say these borders.
fn named(window: &Window, input: Shape, pads: [u32; 4]) -> Pad {
    match pads {
        pads if pads == same(window, input, false) => Pad::Same,
        [0, 0, 0, 0] => Pad::Valid,
        pads => Pad::Explicit(pads),
    }
}
