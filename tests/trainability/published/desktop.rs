//! Larger networks, of dense and grouped convolutions, as torchvision has them.

use nas::network::{Activation::Relu, Network, Source};

use super::chain::Chain;

/// Adds the skip connection from `start`, projected where the shape has changed.
fn shortcut(n: &mut Chain, start: Source, width: u32, stride: u32) {
    let end = std::mem::replace(&mut n.x, start);
    if stride > 1 || width != n.width() {
        n.linear(width, 1, stride);
    }
    n.add(end, Relu);
}

/// 1x1, grouped 3x3 of stride `stride`, 1x1, residual; squeezed to `excite` channels if those are any.
fn bottleneck(n: &mut Chain, middle: u32, groups: u32, cout: u32, stride: u32, excite: u32) {
    let start = n.x;
    n.conv(middle, 1, 1);
    n.grouped(middle, 3, stride, groups);
    if excite > 0 {
        n.squeeze_excite(excite);
    }
    n.linear(cout, 1, 1);
    shortcut(n, start, cout, stride);
}

/// Two 3x3, residual.
fn basic(n: &mut Chain, width: u32, stride: u32) {
    let start = n.x;
    n.conv(width, 3, stride);
    n.linear(width, 3, 1);
    shortcut(n, start, width, stride);
}

fn stem(name: String) -> Chain {
    let mut n = Chain::new(name, 224, Relu);
    n.conv(64, 7, 2);
    n.max_pool(3, 2);
    n
}

/// `groups` of `width` channels in the first bottlenecks; no groups for the basic block.
pub(super) fn resnet(name: &str, blocks: [u32; 4], groups: u32, width: u32) -> Network {
    let mut n = stem(format!("resnet_{name}"));
    for (stage, blocks) in blocks.into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            match groups {
                0 => basic(&mut n, 64 << stage, stride),
                _ => bottleneck(&mut n, (groups * width) << stage, groups, 256 << stage, stride, 0),
            }
        }
    }
    n.classify()
}

/// RegNet-Y has squeeze-and-excite to a quarter of the block's input channels, RegNet-X none.
pub(super) fn regnet(name: &str, blocks: [u32; 4], widths: [u32; 4], group: u32) -> Network {
    let mut n = Chain::new(format!("regnet_{name}"), 224, Relu);
    n.conv(32, 3, 2);
    for (blocks, width) in blocks.into_iter().zip(widths) {
        for block in 0..blocks {
            let quarter = (f64::from(n.width()) / 4.0).round_ties_even() as u32;
            let excite = if name.starts_with('y') { quarter } else { 0 };
            let (groups, stride) = (width / group.min(width), if block == 0 { 2 } else { 1 });
            bottleneck(&mut n, width, groups, width, stride, excite);
        }
    }
    n.classify()
}

/// Convolutions before each of five pools, with batch-norm.
pub(super) fn vgg(name: &str, convs: [u32; 5]) -> Network {
    let mut n = Chain::new(format!("vgg_{name}"), 224, Relu);
    for (convs, width) in convs.into_iter().zip([64, 128, 256, 512, 512]) {
        for _ in 0..convs {
            n.conv(width, 3, 1);
        }
        n.max_pool(2, 2);
    }
    // The first dense layer as the 7x7 convolution that it is.
    n.conv(4096, 7, 7);
    n.pool();
    n.dense(4096, Relu);
    n.finish()
}

/// Each layer's `growth` channels are put beside what it read; ReLU comes before the convolutions.
pub(super) fn densenet(name: &str, first: u32, growth: u32, blocks: [u32; 4]) -> Network {
    let mut n = Chain::new(format!("densenet_{name}"), 224, Relu);
    n.conv(first, 7, 2);
    n.max_pool(3, 2);
    for (stage, layers) in blocks.into_iter().enumerate() {
        if stage > 0 {
            n.relu();
            n.linear(n.width() / 2, 1, 1);
            n.avg_pool(2, 2);
        }
        for _ in 0..layers {
            let read = n.x;
            n.relu();
            n.conv(4 * growth, 1, 1);
            n.linear(growth, 3, 1);
            n.concat(&[read]);
        }
    }
    n.relu();
    n.classify()
}
