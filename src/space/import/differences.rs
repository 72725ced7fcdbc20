//! In what the baseline of an imported space is not the model.

use std::collections::BTreeMap;

use crate::network::{Activation, FoundBlock, Layer, Network, Op, Shape, Window};

/// What differs, a line each: sums, blocks, and layers where the blocks do not tell.
pub(super) fn differences(model: &Network, baseline: &Network) -> Vec<String> {
    // The number format is the user's choice, and counts bytes.
    let model = &model.relabelled(model.name(), baseline.dtype());
    let mut differences = Vec::new();
    let mut differ = |what: &str, model: String, baseline: String| {
        if model != baseline {
            differences.push(format!("{what}: {model} in the model, {baseline} in the space's baseline"));
        }
    };
    differ("MACs", model.macs().0.to_string(), baseline.macs().0.to_string());
    differ("params", model.params().0.to_string(), baseline.params().0.to_string());
    let peak = |network: &Network| format!("{} bytes", network.peak_activation().in_place.0);
    differ("peak activation", peak(model), peak(baseline));
    let (own, other) = (model.blocks(), baseline.blocks());
    differ("blocks", own.len().to_string(), other.len().to_string());
    for (index, (own, other)) in own.iter().zip(&other).enumerate() {
        differ(&format!("block {}", index + 1), block_text(own), block_text(other));
    }
    if differences.iter().all(|difference| difference.starts_with("peak")) {
        differences.extend(layers(model, baseline));
    }
    differences
}

/// The block with what its own line leaves out where that is not what a space's blocks have.
fn block_text(found: &FoundBlock) -> String {
    let mut text = found.to_string();
    if found.last != Activation::None && !found.block.kind.is_residual() {
        text += &format!(" then {}", found.last);
    }
    text
}

/// The layers that one of the two has more of than the other, whatever their names and order; how borders are
/// filled is left out, since it costs nothing.
fn layers(model: &Network, baseline: &Network) -> Option<String> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (network, count) in [(model, 1), (baseline, -1)] {
        for layer in network.layers() {
            *counts.entry(layer_text(network, layer)).or_default() += count;
        }
    }
    let side = |sign: i64| {
        let more = counts.iter().filter(|(_, count)| **count * sign > 0);
        let texts: Vec<String> = more.map(|(text, count)| format!("{} {text}", count.abs())).collect();
        if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
    };
    let (own, other) = (side(1), side(-1));
    (own != other)
        .then(|| format!("layers: {own:.300} in the model alone, {other:.300} in the space's baseline alone"))
}

/// An operator with all that it computes; a dense layer is a 1x1 convolution of one pixel.
fn layer_text(network: &Network, layer: &Layer) -> String {
    let window = |window: &Window| {
        let [[h, w], [down, across], [rows, columns]] = [window.kernel, window.stride, window.dilation];
        format!(" k{h}x{w} s{down}x{across} d{rows}x{columns}")
    };
    let text = match &layer.op {
        Op::Conv2d(conv) => format!("conv2d{} groups {}", window(&conv.window), conv.groups),
        Op::Dense(_) => format!("conv2d{} groups 1", window(&Window::square(1, 1))),
        Op::DepthwiseConv2d(conv) => format!("{}{}", layer.op.name(), window(&conv.window)),
        Op::MaxPool(pool) => format!("{}{}", layer.op.name(), window(&pool.window)),
        Op::AvgPool(pool) => format!("{}{}", layer.op.name(), window(&pool.window)),
        op => op.name().to_owned(),
    };
    let mut read: Vec<String> = network.input_shapes(layer).iter().map(Shape::to_string).collect();
    // A sum or a product is the same either way round.
    read.sort_unstable();
    format!(
        "{text} {} to {} {} ({} params)",
        read.join(" and "),
        layer.output,
        layer.activation,
        layer.params().0
    )
}
