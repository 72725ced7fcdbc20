//! Trainability: how accurate a network can be expected to become, from its topology alone.
//!
//! No data, no training, no forward pass. The score is a sum of terms in natural-logarithm units, so the
//! difference of two networks that do the same task has a meaning; the absolute number has none.
//!
//! | term | formula | source |
//! |---|---|---|
//! | capacity at stride s, behind pooling | wₛ ln(1 + νₛ Fₛ), Fₛ = Σ aₗ √(cin cout) | width and depth instead of weights: Shen et al. 2023 (DeepMAD) |
//! | receptive field | ½ Σ wₛ ln(1 + Gₛ), Gₛ = Σ aₗ ln(kernel side) | receptive field grows layer by layer: Luo et al. 2016 |
//! | input, output resolution | 1.35 ln(side), 0.1 ln(side) | width and resolution trade off as powers: Tan & Le 2019 (EfficientNet) |
//! | blur | −0.015 Σ πₗ ln(side / stride) over average pools | low-pass before a nonlinearity |
//! | fluctuation | −0.2 Σ πₗ / cin | variance of the logarithm of signal and gradient: Hanin & Rolnick 2018 |
//! | bottleneck | −2 max πₗ / cin | the tightest cut of the signal's paths |
//!
//! - πₗ is the share of the output's variance whose paths pass through layer l (Veit et al. 2016): at a
//!   sum each operand has the share of its variance, at a gate that of the gate's variance. Batch-norm
//!   makes each convolution's output a unit of variance, so the n-th block of a residual stage has 1 / n.
//! - aₗ = √πₗ · e^(−d / 4ξ) is the amplitude of the layer's contribution times what d layers of
//!   nonlinearity leave of its gradient, where e^(−1/ξ) is what one of them leaves linear of its input
//!   (Schoenholz et al. 2017). So N residual blocks count as 2√N; a plain chain counts its last 13 layers
//!   of ReLU or so, and every layer more fades the stages before it.
//! - νₛ = 1 − e^(−3n), n = Σ aₗ (1 − e^(−1/ξ)) in units of ReLU: linear layers alone are one linear map.
//! - wₛ = 0.1, 0.1, 0.15, 0.2, 0.3, 0.25 for strides 1 to 32: roughly the shares of multiply-adds that
//!   MobileNetV2 and V3, MNASNet and EfficientNet spend there. Where Σ w ln F is largest under a budget of
//!   multiply-adds, the shares of the budget are proportional to w; so that is what their designers chose.
//!
//! Fₛ and Gₛ are sums over blocks, and whatever follows a stage only scales them: ln(1 + F) ≈ ln F makes the
//! score additive over stages but for the 1, the bottleneck, and SE gates' share.
//!
//! # How well it ranks
//!
//! Spearman's ρ and Kendall's τ with accuracy. ρ | MACs is the partial rank correlation at equal MACs.
//!
//! | networks | score ρ, τ | log MACs ρ, τ | log params ρ, τ |
//! |---|---|---|---|
//! | 121 published, ImageNet top-1 (below) | .97, .88; ρ \| MACs .85 | .90, .74 | .87, .71; ρ \| MACs .25 |
//! | those of them under 1.2 G MACs | .98; ρ \| MACs .88 | .91 | .87; ρ \| MACs .59 |
//! | NAS-Bench-201, CIFAR-10, all 15,625 cells | .93, .77 | .77, .60 | .75, .58 |
//! | the best tenth of its cells | .62 | | .12 |
//!
//! Published: MobileNetV1, V2, V3, MNASNet, EfficientNet, -Lite and -EdgeTPU, MobileNet-EdgeTPU, RegNet, ResNet,
//! ResNeXt, VGG, ShuffleNetV2, ProxylessNAS, FBNet, SPNASNet; figures from the papers and torchvision. Within one
//! family ρ ≥ .95. NAS-Bench-201:
//! `cargo run --release --example rank_nasbench201 -- CSV`.
//!
//! The constants are round numbers, **chosen in sight of both lists**: some three hundred settings were
//! compared on them and no list was held out, so these are not predictions of unseen accuracies. The
//! exponents and the fading were chosen by their rank correlations, `wₛ` by designers' MACs, resolution by the
//! published list and its pairs at equal MACs, the depthwise discount by MobileNetV1's ablation. With ln Σ F
//! and ln(side) alone, and one ratio fitted on all families but the one predicted, ρ was .95 (the form was
//! still chosen in sight). Expect less on other tasks.
//!
//! Where it is wrong: the list mixes training recipes, and the score knows none. It thinks too little of
//! ShuffleNetV2 (its shuffle and split are not seen) and too much of VGG and the largest EfficientNets; beyond
//! 224 pixels and a few hundred layers it promises gains two to three times the published ones. Squeeze-and-excite
//! and hard-swish are valued by theory, not by measurement. Detectors and segmenters were not measured at all.
//! What decides between candidates closer than 0.1 is training them.

mod flow;
mod nonlinearity;
mod signal;
mod sums;

use signal::{HEAD, STRIDES};
use sums::Sums;

use crate::network::{Network, Source};

/// One summand of the score, so that an expert sees why a network scores low.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// What it measures.
    pub name: &'static str,
    /// What it adds to the score.
    pub value: f64,
}

/// The expected trainability of a network and what it consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct Trainability {
    /// The sum of the terms; larger is better. Compare only networks that do the same task.
    pub score: f64,
    /// The summands.
    pub terms: Vec<Term>,
}

const CAPACITY_NAMES: [&str; STRIDES + 1] = [
    "capacity at stride 1",
    "capacity at stride 2",
    "capacity at stride 4",
    "capacity at stride 8",
    "capacity at stride 16",
    "capacity at stride 32",
    "capacity behind pooling",
];
/// How much a relative gain of capacity counts at each stride, and behind global pooling.
const CAPACITY: [f64; STRIDES + 1] = [0.1, 0.1, 0.15, 0.2, 0.3, 0.25, 0.05];
const RECEPTIVE_FIELD: f64 = 0.5;
const INPUT_RESOLUTION: f64 = 1.35;
const OUTPUT_RESOLUTION: f64 = 0.1;
const BLUR: f64 = 0.015;
const FLUCTUATION: f64 = 0.2;
const BOTTLENECK: f64 = 2.0;

/// Scores a network.
#[must_use]
pub fn trainability(network: &Network) -> Trainability {
    let outputs = outputs(network);
    let signals = signal::propagate(network);
    let flows = flow::trace(network, &signals, &outputs);
    let terms = terms(network, &outputs, &Sums::over(network, &signals, &flows));
    Trainability { score: terms.iter().map(|term| term.value).sum(), terms }
}

/// The layers that nobody reads.
fn outputs(network: &Network) -> Vec<usize> {
    let mut read = vec![false; network.layers().len()];
    for source in network.layers().iter().flat_map(|layer| &layer.inputs) {
        if let Source::Layer(index) = source {
            read[*index] = true;
        }
    }
    (0..read.len()).filter(|layer| !read[*layer]).collect()
}

fn terms(network: &Network, outputs: &[usize], sums: &Sums) -> Vec<Term> {
    let capacity = |octave: usize| {
        // Behind global pooling a linear classifier is all that is needed.
        let sum = if octave == HEAD { sums.capacity[octave] } else { sums.used_capacity(octave) };
        Term { name: CAPACITY_NAMES[octave], value: CAPACITY[octave] * sum.ln_1p() }
    };
    let reach: f64 = CAPACITY.iter().zip(sums.reach).map(|(weight, sum)| weight * sum.ln_1p()).sum();
    let others = [
        ("receptive field", RECEPTIVE_FIELD * reach),
        ("input resolution", INPUT_RESOLUTION * log_side(network.input().pixels())),
        ("output resolution", OUTPUT_RESOLUTION * output_side(network, outputs)),
        ("blur", -BLUR * sums.blur),
        ("fluctuation", -FLUCTUATION * sums.fluctuation),
        ("bottleneck", -BOTTLENECK * sums.bottleneck),
    ];
    let others = others.into_iter().map(|(name, value)| Term { name, value });
    (0..=HEAD).map(capacity).chain(others).collect()
}

/// The mean logarithm of the outputs' sides; detail beyond the input's is none.
fn output_side(network: &Network, outputs: &[usize]) -> f64 {
    let input = network.input().pixels();
    let side = |output: &usize| log_side(network.layers()[*output].output.pixels().min(input));
    outputs.iter().map(side).sum::<f64>() / outputs.len().max(1) as f64
}

/// The logarithm of the side of a square of so many pixels.
fn log_side(pixels: u64) -> f64 {
    (pixels.max(1) as f64).ln() / 2.0
}

#[cfg(test)]
mod tests;
