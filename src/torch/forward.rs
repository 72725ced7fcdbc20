//! The network's function: `forward`, one line a layer.

use std::fmt::Write;

use super::{
    activation_function,
    layers::{pads, pair},
    names::Names,
    quiet,
};
use crate::{
    error::{Error, Result},
    network::{Layer, Network, Op, Source, Window, ops::ResizeMode},
};

/// What a layer wrote.
#[derive(Clone)]
struct Value {
    variable: String,
    /// Whether it has two sides, batch and features.
    flat: bool,
}

/// `def forward` with its body.
///
/// # Errors
/// A pool cannot be said in PyTorch.
pub(super) fn forward(network: &Network, names: &Names) -> Result<String> {
    let consumers = network.consumers();
    let mut text = String::from("\n    def forward(self, input):\n");
    let mut values: Vec<Value> = Vec::new();
    let mut block = None;
    for (index, (layer, name)) in network.layers().iter().zip(names.layers()).enumerate() {
        if name.block != block {
            block = name.block;
            let said = block.map_or("", |block| names.block(block).0);
            if !said.is_empty() {
                let _ = writeln!(text, "        # {}", quiet(said));
            }
        }
        // What the next layer alone reads needs no name of its own.
        let passed_on =
            consumers[index].iter().all(|reader| *reader == index + 1) && !consumers[index].is_empty();
        let variable = if passed_on { "x".to_owned() } else { name.variable.clone() };
        let (call, flat) = call(network, layer, &names.module(index), &values)?;
        let _ = writeln!(text, "        {variable} = {call}");
        values.push(Value { variable, flat });
    }
    let unread = values.iter().zip(&consumers).filter(|(_, readers)| readers.is_empty());
    let outputs: Vec<&str> = unread.map(|(value, _)| value.variable.as_str()).collect();
    let _ = writeln!(text, "        return {}", outputs.join(", "));
    Ok(text)
}

/// The expression for a layer, and whether its value is flat.
fn call(network: &Network, layer: &Layer, module: &str, values: &[Value]) -> Result<(String, bool)> {
    let input = |source: &Source| match source {
        Source::Input => Value { variable: "input".into(), flat: false },
        Source::Layer(index) => values[*index].clone(),
    };
    let inputs: Vec<Value> = layer.inputs.iter().map(input).collect();
    let mixes = matches!(layer.op, Op::Add(_) | Op::Mul(_) | Op::Concat(_));
    let flat = matches!(layer.op, Op::Dense(_)) || (mixes && inputs.iter().all(|value| value.flat));
    let form = |value: &Value| match (value.flat, flat) {
        (true, false) => format!("{}[:, :, None, None]", value.variable),
        (false, true) => format!("torch.flatten({}, 1)", value.variable),
        _ => value.variable.clone(),
    };
    let inputs: Vec<String> = inputs.iter().map(form).collect();
    let first = inputs.first().map_or("", String::as_str);
    let shape = network.input_shapes(layer).first().copied().unwrap_or(layer.output);
    let called = match layer.op {
        Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::Dense(_) => {
            return Ok((format!("{module}({first})"), flat));
        }
        Op::Add(_) => inputs.join(" + "),
        Op::Mul(_) => inputs.join(" * "),
        Op::Concat(_) => format!("torch.cat([{}], 1)", inputs.join(", ")),
        Op::GlobalAvgPool(_) => format!("F.adaptive_avg_pool2d({first}, 1)"),
        Op::AvgPool(pool) => {
            check_border(layer, &pool.window, pool.window.pads(shape))?;
            if pool.window.dilation != [1; 2] {
                return Err(refused(layer, "an average over a dilated window", "a window without dilation"));
            }
            let (kernel, stride) = (pair(pool.window.kernel), pair(pool.window.stride));
            format!("avg_pool({first}, {kernel}, {stride}, {})", pads(pool.window.pads(shape)))
        }
        Op::MaxPool(pool) => {
            check_border(layer, &pool.window, pool.window.pads(shape))?;
            let (kernel, stride) = (pair(pool.window.kernel), pair(pool.window.stride));
            let dilation = pair(pool.window.dilation);
            let padded = match pool.window.pads(shape) {
                [0, 0, 0, 0] => first.to_owned(),
                sides => format!("F.pad({first}, {}, value=float(\"-inf\"))", pads(sides)),
            };
            format!("F.max_pool2d({padded}, {kernel}, {stride}, dilation={dilation})")
        }
        Op::Slice(slice) => {
            let end = u64::from(slice.start) + u64::from(slice.cout);
            format!("{first}[:, {}:{end}]", slice.start)
        }
        Op::Resize(resize) => {
            let mode = match resize.mode {
                ResizeMode::Nearest => "mode=\"nearest\"",
                ResizeMode::Bilinear => "mode=\"bilinear\", align_corners=False",
            };
            format!("F.interpolate({first}, size=({}, {}), {mode})", resize.size[0], resize.size[1])
        }
    };
    Ok(match activation_function(layer.activation) {
        Some(function) => (format!("{function}({called})"), flat),
        None => (called, flat),
    })
}

fn check_border(layer: &Layer, window: &Window, pads: [u32; 4]) -> Result<()> {
    if (0..4).any(|side| pads[side] >= window.kernel[side % 2]) {
        return Err(refused(layer, "a pool whose border is as wide as its window", "a narrower border"));
    }
    Ok(())
}

fn refused(layer: &Layer, found: &str, expected: &str) -> Error {
    Error::unusable(format!("layer `{}`: found {found}, expected {expected}", layer.name))
}
