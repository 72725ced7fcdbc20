//! The modules of a network: `__init__`.

use std::fmt::Write;

use super::{activation_class, names::Names, quiet};
use crate::network::{Layer, Network, Op, Window};

/// What follows `super().__init__()`: one attribute a block, one line a module.
pub(super) fn init(network: &Network, names: &Names, batch_norm: bool) -> String {
    let norms = network.batch_norms();
    let mut lines: Vec<(Option<usize>, usize, String)> = Vec::new();
    for (index, layer) in network.layers().iter().enumerate() {
        let norm = batch_norm && norms.get(index).copied().unwrap_or_default();
        if let Some(module) = module(network, layer, norm) {
            lines.push((names.layers().get(index).and_then(|name| name.block), index, module));
        }
    }
    // The modules of a block stand together, at the place of its first.
    let mut text = String::new();
    let mut written = std::collections::HashSet::new();
    for (block, index, module) in &lines {
        let Some(block) = block else {
            let _ = writeln!(text, "        {} = {module}", names.module(*index));
            continue;
        };
        if !written.insert(*block) {
            continue;
        }
        let (name, attribute) = names.block(*block);
        let _ = writeln!(text, "        self.{attribute} = Block(  # {}", quiet(name));
        for (_, index, module) in lines.iter().filter(|(other, ..)| *other == Some(*block)) {
            let member = names.layers().get(*index).map_or("", |name| &name.member);
            let _ = writeln!(text, "            {member}={module},");
        }
        text.push_str("        )\n");
    }
    text
}

/// The call that makes a layer's module; none for operators without trained numbers.
fn module(network: &Network, layer: &Layer, norm: bool) -> Option<String> {
    let input = network.input_shapes(layer).first().copied()?;
    let mut call = match layer.op {
        Op::Conv2d(conv) => {
            let head = format!("conv({}, {}", input.c, layer.output.c);
            head + &windowed(&conv.window, input) + &groups(conv.groups) + &normed(norm, conv.bias)
        }
        Op::DepthwiseConv2d(conv) => {
            let head = format!("conv({}, {}", input.c, layer.output.c);
            head + &windowed(&conv.window, input) + &groups(input.c) + &normed(norm, conv.bias)
        }
        Op::Dense(dense) => {
            let bias = if dense.bias { "" } else { ", bias=False" };
            format!("dense({}, {}{bias}", input.elements(), layer.output.c)
        }
        _ => return None,
    };
    if let Some(class) = activation_class(layer.activation) {
        let _ = write!(call, ", act={class}");
    }
    Some(call + ")")
}

fn windowed(window: &Window, input: crate::network::Shape) -> String {
    let mut text = format!(", {}", pair(window.kernel));
    if window.stride != [1; 2] {
        let _ = write!(text, ", stride={}", pair(window.stride));
    }
    if window.pads(input) != [0; 4] {
        let _ = write!(text, ", pads={}", pads(window.pads(input)));
    }
    if window.dilation != [1; 2] {
        let _ = write!(text, ", dilation={}", pair(window.dilation));
    }
    text
}

fn groups(groups: u32) -> String {
    if groups == 1 { String::new() } else { format!(", groups={groups}") }
}

fn normed(norm: bool, bias: bool) -> String {
    match (norm, bias) {
        (true, _) => String::new(),
        (false, true) => ", bias=True, norm=False".into(),
        (false, false) => ", norm=False".into(),
    }
}

/// One number where both are the same.
pub(super) fn pair([h, w]: [u32; 2]) -> String {
    if h == w { h.to_string() } else { format!("({h}, {w})") }
}

/// Borders as PyTorch orders them.
pub(super) fn pads([top, left, bottom, right]: [u32; 4]) -> String {
    format!("({left}, {right}, {top}, {bottom})")
}
