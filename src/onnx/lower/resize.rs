//! Changes of resolution.

use super::Inputs;
use crate::{
    network::{
        Shape,
        ops::{Resize, ResizeMode},
    },
    onnx::{
        fold::ints,
        layout::Layout,
        node::Attributes,
        picture::{Picture, Refusal, Value},
        proto::Node,
        reader::{Reader, name},
        tensor::Data,
    },
};

pub(super) fn resize(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let picture = inputs.picture(0)?;
    let read = reader.read_nchw(picture)?;
    let shape = reader.drafts.shape(picture.base);
    let size = size(node, inputs, shape)?;
    let mode = match Attributes::of(node).text("mode").unwrap_or("nearest") {
        "nearest" => ResizeMode::Nearest,
        "linear" | "bilinear" => ResizeMode::Bilinear,
        other => return Err(Refusal::new(format!("mode {other}"), "nearest or linear")),
    };
    if size == [shape.h, shape.w] {
        return Ok(picture.clone().into());
    }
    let base = reader.drafts.add(name(node), Resize { size, mode }, vec![read])?;
    Ok(Picture::new(base, Layout::nchw(reader.drafts.shape(base))).into())
}

/// The new height and width, from sizes or from factors.
fn size(node: &Node, inputs: &Inputs<'_>, shape: Shape) -> Result<[u32; 2], Refusal> {
    let sides = |h: f64, w: f64| {
        let side = |side: f64| (1.0..=f64::from(Shape::MAX_DIM)).contains(&side).then_some(side as u32);
        side(h).zip(side(w)).map(|(h, w)| [h, w])
    };
    let wrong =
        || Refusal::new("sizes or scales that change batch or channels, or are too large", "four of them");
    let given = |index: usize| match inputs.optional_constant(index)? {
        Some(constant) if constant.elements() > 0 => Ok(Some(constant)),
        _ => Ok::<_, Refusal>(None),
    };
    if let Some(sizes) = given(3)? {
        return match ints(sizes)?[..] {
            [1, c, h, w] if c == i64::from(shape.c) => sides(h as f64, w as f64).ok_or_else(wrong),
            [h, w] => sides(h as f64, w as f64).ok_or_else(wrong),
            _ => Err(wrong()),
        };
    }
    // `Upsample` has its scales second, or up to opset 8 in an attribute.
    let index = if node.op_type == "Upsample" { 1 } else { 2 };
    let attribute = Attributes::of(node).floats("scales");
    let scales = match (given(index)?, attribute) {
        (Some(scales), _) => scales.known().map(Data::floats)?,
        (None, Some(scales)) => scales.iter().map(|scale| f64::from(*scale)).collect(),
        (None, None) => given(1)?.ok_or_else(wrong)?.known().map(Data::floats)?,
    };
    let scaled = |side: u32, scale: f64| (f64::from(side) * scale).floor();
    match scales[..] {
        [1.0, 1.0, h, w] | [h, w] => sides(scaled(shape.h, h), scaled(shape.w, w)).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}
