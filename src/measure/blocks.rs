//! Operators and blocks, cut out of networks.

use std::ops::Range;

use crate::{
    error::Result,
    network::{DType, Layer, Network, NetworkBuilder, Op, Shape, Source},
    stable_hash::short_id,
};

/// `layers` of `network` as a network of its own, named after what it computes; none if they read more than one
/// tensor from outside.
///
/// # Errors
/// None for layers of a checked network; the builder's checks are passed on all the same.
fn cut(network: &Network, layers: Range<usize>, prefix: &str) -> Result<Option<Network>> {
    let all = network.layers();
    let Some(first) = all.get(layers.start) else { return Ok(None) };
    let Some(&outside) = first.inputs.first() else { return Ok(None) };
    let shape = network.shape(outside);
    // Names of layers are no part of what is computed, so they are made anew.
    let stem = common_prefix(&all[layers.clone()]).len();
    let mut builder = NetworkBuilder::new("", shape, network.dtype());
    for layer in &all[layers.clone()] {
        let inside = |source: &Source| match source {
            source if *source == outside => Some(Source::Input),
            Source::Layer(index) if layers.contains(index) => Some(Source::Layer(index - layers.start)),
            _ => None,
        };
        let Some(inputs) = layer.inputs.iter().map(inside).collect::<Option<Vec<Source>>>() else {
            return Ok(None);
        };
        let name = layer.name[stem..].trim_start_matches(['.', '/']);
        let name = if name.is_empty() { "layer" } else { name };
        builder.add(name, layer.op, &inputs, layer.activation)?;
    }
    let network = builder.finish();
    // Writing a network to JSON cannot fail.
    let id = short_id(serde_json::to_string(&network).unwrap_or_default().as_bytes());
    Ok(Some(network.relabelled(format!("{prefix}-{id}"), network.dtype())))
}

/// What the names of all `layers` begin with, up to a dot; nothing where there is one layer alone.
fn common_prefix(layers: &[Layer]) -> &str {
    let Some((first, rest)) = layers.split_first() else { return "" };
    if rest.is_empty() {
        return &first.name;
    }
    let dots = first.name.match_indices('.').map(|(dot, _)| &first.name[..=dot]);
    dots.rev().find(|prefix| rest.iter().all(|layer| layer.name.starts_with(prefix))).unwrap_or("")
}

/// Layers of a network, and what was cut out of it there.
pub(super) type Part = (Range<usize>, Network);

/// Every operator of `network` that reads one tensor, as a network of one layer; sums read theirs twice.
///
/// # Errors
/// As [`cut`].
pub(super) fn operators(network: &Network, dtype: DType) -> Result<Vec<Part>> {
    let mut found = Vec::new();
    for (index, layer) in network.layers().iter().enumerate() {
        let operator = match layer.op {
            // A gate or a second picture cannot come from one input.
            Op::Mul(_) | Op::Concat(_) => None,
            Op::Add(_) => sum(network, layer)?,
            _ => cut(network, index..index + 1, "op")?,
        };
        let part = |operator: Network| (index..index + 1, operator.relabelled(operator.name(), dtype));
        found.extend(operator.map(part));
    }
    Ok(found)
}

/// The sum of a tensor with itself, in the place of two of the same shape.
fn sum(network: &Network, layer: &Layer) -> Result<Option<Network>> {
    let shapes = network.input_shapes(layer);
    let [a, b] = shapes[..] else { return Ok(None) };
    if a != b {
        return Ok(None);
    }
    let mut builder = NetworkBuilder::new("", a, network.dtype());
    builder.add("layer", layer.op, &[Source::Input; 2], layer.activation)?;
    let network = builder.finish();
    let id = short_id(serde_json::to_string(&network).unwrap_or_default().as_bytes());
    Ok(Some(network.relabelled(format!("op-{id}"), network.dtype())))
}

/// The blocks of `network`: runs of at least two layers whose names share what stands before a dot, such as
/// `s2.b1`, and which read one tensor.
///
/// # Errors
/// As [`cut`].
pub(super) fn blocks(network: &Network, dtype: DType) -> Result<Vec<Part>> {
    let mut found = Vec::new();
    let layers = network.layers();
    let mut start = 0;
    while start < layers.len() {
        let own = block_name(&layers[start].name);
        let same = |layer: &&Layer| own.is_some_and(|own| is_within(&layer.name, own));
        let end = start + layers[start..].iter().take_while(same).count().max(1);
        if end - start > 1 {
            let block = cut(network, start..end, "block")?;
            found.extend(block.map(|block| (start..end, block.relabelled(block.name(), dtype))));
        }
        start = end;
    }
    Ok(found)
}

/// What stands before the last dot of the first layer's name.
fn block_name(layer: &str) -> Option<&str> {
    layer.rsplit_once('.').map(|(block, _)| block)
}

fn is_within(layer: &str, block: &str) -> bool {
    layer.strip_prefix(block).is_some_and(|rest| rest.starts_with('.'))
}

/// What tells subjects of one sort apart, on scales where steps of one are alike: for measuring the most
/// different first.
pub(super) fn features(network: &Network) -> Vec<f64> {
    let log = |value: u64| (value as f64 + 1.0).log2();
    let side = |shape: Shape| [log(u64::from(shape.h)), log(u64::from(shape.c))];
    let last = network.layers().last().map_or(network.input(), |layer| layer.output);
    let taps = network.layers().iter().map(|layer| match layer.op {
        Op::Conv2d(conv) => conv.window.taps(),
        Op::DepthwiseConv2d(conv) => conv.window.taps(),
        Op::AvgPool(pool) => pool.window.taps(),
        Op::MaxPool(pool) => pool.window.taps(),
        _ => 1,
    });
    let widest = network.layers().iter().map(|layer| layer.output.elements()).max().unwrap_or(0);
    let mut features = vec![log(network.macs().0), log(network.params().0), log(widest)];
    features.extend([log(taps.max().unwrap_or(1)), log(network.layers().len() as u64)]);
    features.extend(side(network.input()).into_iter().chain(side(last)));
    features
}
