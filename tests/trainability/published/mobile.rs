//! Mobile networks: chains of depthwise separable convolutions and inverted bottlenecks.

use nas::network::{Activation, Network};

use super::chain::{Chain, Ibn, eights};
use Activation::{HardSigmoid, HardSwish, Relu, Relu6, Sigmoid};

const PLAIN: Ibn = Ibn { hidden: 0, cout: 0, kernel: 3, stride: 1, excite: 0, fused: false, residual: true };

/// Expansion, kernel, stride, squeeze-and-excite, width, repeats.
type Stage = (u32, u32, u32, bool, u32, u32);

/// Stages of inverted bottlenecks whose squeeze has a quarter of the block's input channels.
fn stages(n: &mut Chain, stages: &[Stage], width: f64, depth: impl Fn(usize, u32) -> u32) {
    for (index, (expansion, kernel, stride, excite, cout, repeats)) in stages.iter().copied().enumerate() {
        for repeat in 0..depth(index, repeats) {
            let cin = n.width();
            let stride = if repeat == 0 { stride } else { 1 };
            let excite = if excite { (cin / 4).max(1) } else { 0 };
            let cout = eights(f64::from(cout) * width);
            n.ibn(Ibn { hidden: cin * expansion, cout, kernel, stride, excite, ..PLAIN });
        }
    }
}

pub(super) fn mobilenet_v1(width: f64, input: u32) -> Network {
    const BLOCKS: [(u32, u32, u32); 5] = [(64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 2, 6), (1024, 2, 2)];
    let channels = |c: u32| ((f64::from(c) * width) as u32).max(8);
    let mut n = Chain::new(format!("mobilenet_v1_{width}_{input}"), input, Relu);
    n.conv(channels(32), 3, 2);
    for (cout, first, repeats) in BLOCKS {
        for repeat in 0..repeats {
            n.depthwise(3, if repeat == 0 { first } else { 1 });
            n.conv(channels(cout), 1, 1);
        }
    }
    n.classify()
}

const V2: [Stage; 7] = [
    (1, 3, 1, false, 16, 1),
    (6, 3, 2, false, 24, 2),
    (6, 3, 2, false, 32, 3),
    (6, 3, 2, false, 64, 4),
    (6, 3, 1, false, 96, 3),
    (6, 3, 2, false, 160, 3),
    (6, 3, 1, false, 320, 1),
];

pub(super) fn mobilenet_v2(width: f64, input: u32) -> Network {
    let mut n = Chain::new(format!("mobilenet_v2_{width}_{input}"), input, Relu6);
    n.conv(eights(32.0 * width), 3, 2);
    stages(&mut n, &V2, width, |_, repeats| repeats);
    n.conv(eights(1280.0 * width.max(1.0)), 1, 1);
    n.classify()
}

/// Kernel, hidden, width, squeeze-and-excite, hard-swish, stride.
type V3Block = (u32, u32, u32, bool, bool, u32);
const V3_LARGE: [V3Block; 15] = [
    (3, 16, 16, false, false, 1),
    (3, 64, 24, false, false, 2),
    (3, 72, 24, false, false, 1),
    (5, 72, 40, true, false, 2),
    (5, 120, 40, true, false, 1),
    (5, 120, 40, true, false, 1),
    (3, 240, 80, false, true, 2),
    (3, 200, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 480, 112, true, true, 1),
    (3, 672, 112, true, true, 1),
    (5, 672, 160, true, true, 2),
    (5, 960, 160, true, true, 1),
    (5, 960, 160, true, true, 1),
];
const V3_SMALL: [V3Block; 11] = [
    (3, 16, 16, true, false, 2),
    (3, 72, 24, false, false, 2),
    (3, 88, 24, false, false, 1),
    (5, 96, 40, true, true, 2),
    (5, 240, 40, true, true, 1),
    (5, 240, 40, true, true, 1),
    (5, 120, 48, true, true, 1),
    (5, 144, 48, true, true, 1),
    (5, 288, 96, true, true, 2),
    (5, 576, 96, true, true, 1),
    (5, 576, 96, true, true, 1),
];

/// The minimalistic variants have neither 5x5 kernels nor hard-swish nor squeeze-and-excite.
pub(super) fn mobilenet_v3(large: bool, minimal: bool, width: f64, input: u32) -> Network {
    let (size, blocks, features, hidden): (_, &[V3Block], _, _) =
        if large { ("large", &V3_LARGE, 960.0, 1280.0) } else { ("small", &V3_SMALL, 576.0, 1024.0) };
    let size = format!("{size}{}", if minimal { "_minimal" } else { "" });
    let outer = if minimal { Relu } else { HardSwish };
    let mut n = Chain::new(format!("mobilenet_v3_{size}_{width}_{input}"), input, outer);
    n.excite = [Relu, HardSigmoid];
    n.conv(eights(16.0 * width), 3, 2);
    for (kernel, hidden, cout, excite, swish, stride) in blocks.iter().copied() {
        let [hidden, cout] = [hidden, cout].map(|channels| eights(f64::from(channels) * width));
        let excite = if excite && !minimal { eights(f64::from(hidden) / 4.0) } else { 0 };
        n.activation = if swish { outer } else { Relu };
        let kernel = if minimal { 3 } else { kernel };
        n.ibn(Ibn { hidden, cout, kernel, stride, excite, ..PLAIN });
    }
    n.activation = outer;
    n.conv(eights(features * width), 1, 1);
    n.pool();
    n.conv(eights(hidden * width.max(1.0)), 1, 1);
    n.finish()
}

const MNASNET_A1: [Stage; 6] = [
    (6, 3, 2, false, 24, 2),
    (3, 5, 2, true, 40, 3),
    (6, 3, 2, false, 80, 4),
    (6, 3, 1, true, 112, 2),
    (6, 5, 2, true, 160, 3),
    (6, 3, 1, false, 320, 1),
];
const MNASNET_B1: [Stage; 6] = [
    (3, 3, 2, false, 24, 3),
    (3, 5, 2, false, 40, 3),
    (6, 5, 2, false, 80, 3),
    (6, 3, 1, false, 96, 2),
    (6, 5, 2, false, 192, 4),
    (6, 3, 1, false, 320, 1),
];

pub(super) fn mnasnet(excite: bool, width: f64, input: u32) -> Network {
    let (name, table) = if excite { ("a1", &MNASNET_A1) } else { ("b1", &MNASNET_B1) };
    let mut n = Chain::new(format!("mnasnet_{name}_{width}_{input}"), input, Relu);
    n.conv(eights(32.0 * width), 3, 2);
    n.depthwise(3, 1);
    n.linear(eights(16.0 * width), 1, 1);
    stages(&mut n, table, width, |_, repeats| repeats);
    n.conv(1280, 1, 1);
    n.classify()
}

const EFFICIENTNET: [Stage; 7] = [
    (1, 3, 1, true, 16, 1),
    (6, 3, 2, true, 24, 2),
    (6, 5, 2, true, 40, 2),
    (6, 3, 2, true, 80, 3),
    (6, 5, 1, true, 112, 3),
    (6, 5, 2, true, 192, 4),
    (6, 3, 1, true, 320, 1),
];

/// The sizes by name: width, depth, input. Swish is written as hard-swish.
pub(super) fn efficientnet(name: &str, width: f64, depth: f64, input: u32) -> Network {
    let mut n = Chain::new(format!("efficientnet_{name}"), input, HardSwish);
    n.excite = [HardSwish, Sigmoid];
    n.conv(eights(32.0 * width), 3, 2);
    stages(&mut n, &EFFICIENTNET, width, |_, repeats| (f64::from(repeats) * depth).ceil() as u32);
    n.conv(eights(1280.0 * width), 1, 1);
    n.classify()
}

/// Without squeeze-and-excite and swish; stem, first and last stage and features are not scaled in depth.
pub(super) fn efficientnet_lite(name: &str, width: f64, depth: f64, input: u32) -> Network {
    let plain = EFFICIENTNET.map(|(t, kernel, stride, _, c, repeats)| (t, kernel, stride, false, c, repeats));
    let mut n = Chain::new(format!("efficientnet_{name}"), input, Relu6);
    n.conv(32, 3, 2);
    let fixed = |stage| stage == 0 || stage == 6;
    let repeats =
        |stage, repeats| if fixed(stage) { repeats } else { (f64::from(repeats) * depth).ceil() as u32 };
    stages(&mut n, &plain, width, repeats);
    n.conv(1280, 1, 1);
    n.classify()
}

/// EfficientNet-B0 made smaller: stem and features keep their widths, depths are rounded.
pub(super) fn tinynet(name: &str, width: f64, depth: f64, input: u32) -> Network {
    let mut n = Chain::new(format!("tinynet_{name}"), input, HardSwish);
    n.excite = [HardSwish, Sigmoid];
    n.conv(32, 3, 2);
    let repeats = |_, repeats| (f64::from(repeats) * depth).round().max(1.0) as u32;
    stages(&mut n, &EFFICIENTNET, width, repeats);
    n.conv(1280, 1, 1);
    n.classify()
}

pub(super) fn efficientnet_edgetpu(name: &str, width: f64, depth: f64, input: u32) -> Network {
    // Expansion, kernel, stride, width, repeats, fused.
    const STAGES: [(u32, u32, u32, u32, u32, bool); 6] = [
        (4, 3, 1, 24, 1, true),
        (8, 3, 2, 32, 2, true),
        (8, 3, 2, 48, 4, true),
        (8, 5, 2, 96, 5, false),
        (8, 5, 1, 144, 4, false),
        (8, 5, 2, 192, 2, false),
    ];
    let scaled = |channels: u32| eights(f64::from(channels) * width);
    let mut n = Chain::new(format!("efficientnet_edgetpu_{name}"), input, Relu);
    n.conv(scaled(32), 3, 2);
    for (stage, (expansion, kernel, first, cout, repeats, fused)) in STAGES.into_iter().enumerate() {
        for repeat in 0..(f64::from(repeats) * depth).ceil() as u32 {
            let hidden = expansion * if stage == 0 { scaled(24) } else { n.width() };
            let stride = if repeat == 0 { first } else { 1 };
            n.ibn(Ibn { hidden, cout: scaled(cout), kernel, stride, excite: 0, fused, residual: stage > 0 });
        }
    }
    n.conv(scaled(1280), 1, 1);
    n.classify()
}

pub(super) fn mobilenet_edgetpu(width: f64, input: u32) -> Network {
    // Expansion of the first block and of the others, kernel, stride, width, repeats, fused.
    const STAGES: [(u32, u32, u32, u32, u32, u32, bool); 7] = [
        (1, 1, 3, 1, 16, 1, false),
        (8, 4, 3, 2, 32, 4, true),
        (8, 4, 3, 2, 48, 4, true),
        (8, 4, 3, 2, 96, 4, false),
        (8, 4, 3, 1, 96, 4, false),
        (8, 4, 5, 2, 160, 4, false),
        (8, 8, 3, 1, 192, 1, false),
    ];
    let scaled = |channels: u32| eights(f64::from(channels) * width);
    let mut n = Chain::new(format!("mobilenet_edgetpu_{width}_{input}"), input, Relu);
    n.conv(scaled(32), 3, 2);
    for (widest, expansion, kernel, first, cout, repeats, fused) in STAGES {
        for repeat in 0..repeats {
            let (expansion, stride) = if repeat == 0 { (widest, first) } else { (expansion, 1) };
            let (hidden, residual) = (n.width() * expansion, repeat > 0);
            n.ibn(Ibn { hidden, cout: scaled(cout), kernel, stride, excite: 0, fused, residual });
        }
    }
    n.conv(1280, 1, 1);
    n.classify()
}

/// A stage of a searched network: width, stride, and expansion and kernel of each block.
pub(super) type Searched<'a> = (u32, u32, &'a [(u32, u32)]);

/// Stem, separable first block and features have the given widths.
pub(super) fn searched(name: &str, stem: u32, first: u32, stages: &[Searched<'_>], features: u32) -> Network {
    let mut n = Chain::new(name, 224, Relu);
    n.conv(stem, 3, 2);
    n.depthwise(3, 1);
    n.linear(first, 1, 1);
    for (cout, first, blocks) in stages {
        for (index, (expansion, kernel)) in blocks.iter().enumerate() {
            let (hidden, stride) = (n.width() * expansion, if index == 0 { *first } else { 1 });
            n.ibn(Ibn { hidden, cout: *cout, kernel: *kernel, stride, ..PLAIN });
        }
    }
    n.conv(features, 1, 1);
    n.classify()
}

pub(super) fn pp_lcnet(width: f64) -> Network {
    // Kernel, width, stride, repeats; the last two have squeeze-and-excite.
    const BLOCKS: [(u32, u32, u32, u32); 9] = [
        (3, 32, 1, 1),
        (3, 64, 2, 1),
        (3, 64, 1, 1),
        (3, 128, 2, 1),
        (3, 128, 1, 1),
        (3, 256, 2, 1),
        (5, 256, 1, 5),
        (5, 512, 2, 1),
        (5, 512, 1, 1),
    ];
    let scaled = |channels: u32| eights(f64::from(channels) * width);
    let mut n = Chain::new(format!("pp_lcnet_{width}"), 224, HardSwish);
    n.excite = [Relu, HardSigmoid];
    n.conv(scaled(16), 3, 2);
    for (kernel, cout, stride, repeats) in BLOCKS {
        for _ in 0..repeats {
            n.depthwise(kernel, stride);
            if cout == 512 {
                n.squeeze_excite(n.width() / 4);
            }
            n.conv(scaled(cout), 1, 1);
        }
    }
    n.pool();
    n.conv(1280, 1, 1);
    n.finish()
}

/// Without shuffle, which changes only which half goes through the next block.
pub(super) fn shufflenet_v2(name: &str, widths: [u32; 3], features: u32) -> Network {
    let mut n = Chain::new(format!("shufflenet_v2_{name}"), 224, Relu);
    n.conv(24, 3, 2);
    n.max_pool(3, 2);
    for (cout, repeats) in widths.into_iter().zip([4, 8, 4]) {
        let start = n.x;
        linear_depthwise(&mut n, 2, cout / 2);
        let mut kept = n.x;
        n.x = start;
        n.conv(cout / 2, 1, 1);
        linear_depthwise(&mut n, 2, cout / 2);
        for _ in 1..repeats {
            n.conv(cout / 2, 1, 1);
            linear_depthwise(&mut n, 1, cout / 2);
            std::mem::swap(&mut kept, &mut n.x);
        }
        n.concat(&[kept]);
    }
    n.conv(features, 1, 1);
    n.classify()
}

/// 3x3 depthwise without activation, 1x1 convolution.
fn linear_depthwise(n: &mut Chain, stride: u32, cout: u32) {
    let activation = std::mem::replace(&mut n.activation, Activation::None);
    n.depthwise(3, stride);
    n.activation = activation;
    n.conv(cout, 1, 1);
}
