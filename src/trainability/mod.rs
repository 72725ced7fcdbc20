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
//! - A strided layer stands between two resolutions: half of it counts at each. So fusing a strided IBN takes
//!   its expansion from the finer stage without losing it.
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
//! | 119 published, ImageNet top-1, seen while choosing constants | .97, .88; ρ \| MACs .85 | .90, .74 | .87, .71; ρ \| MACs .26 |
//! | those of them under 1.2 G MACs | .98, .89; ρ \| MACs .88 | .91, .73 | .87, .71; ρ \| MACs .59 |
//! | 41 published, not seen | .98, .92; ρ \| MACs .53 | .98, .89 | .89, .73; ρ \| MACs .02 |
//! | all 160 | .97, .87; ρ \| MACs .83 | .92, .76 | .88, .71; ρ \| MACs .29 |
//! | NAS-Bench-201, CIFAR-10, all 15,625 cells | .93, .77 | .77, .60 | .75, .58 |
//! | the best tenth of its cells | .62 | | .12 |
//!
//! How often the better score of two of the 160 belongs to the better network, by how far the scores are apart:
//!
//! | apart | of one family | of different families |
//! |---|---|---|
//! | below 0.1 | 60 % | 56 % |
//! | 0.1 to 0.25 | 98 % | 72 % |
//! | 0.25 to 0.5 | 100 % | 86 % |
//! | 0.5 to 1 | 100 % | 95 % |
//!
//! At 72 % of top-1, 0.1 is worth 0.7 points; a network lies 2.1 points from the line through all others.
//!
//! Seen: MobileNetV1, V2, V3, MNASNet, EfficientNet, -Lite and -EdgeTPU, MobileNet-EdgeTPU, RegNet, ResNet, ResNeXt,
//! VGG, ShuffleNetV2, ProxylessNAS, FBNet, Single-Path NAS. Not seen: MNASNet-A1 over widths and resolutions
//! (but for its full size), TinyNet, PP-LCNet, DenseNet. Within every family ρ ≥ .90. The lists and their sources
//! are in `tests/trainability/published`, and tests keep the correlations;
//! `cargo run --release --example rank_published` and `rank_nasbench201 -- CSV` print all of this.
//!
//! The constants are round numbers, **chosen in sight of the first list and of NAS-Bench-201**: some three hundred
//! settings were compared. The exponents and the fading were chosen by their rank correlations, `wₛ` by designers'
//! MACs, resolution by the published list and its pairs at equal MACs, the depthwise discount by MobileNetV1's
//! ablation. The 41 had no part in that. Halving strided layers came after a look at them, for the sake of fusing
//! alone; before it they stood at .98, .91; ρ | MACs .41.
//!
//! Where it is wrong: the lists mix training recipes, and the score knows none. By the line through the other
//! families it promises too much for VGG (5 points of top-1), MobileNetV1 (4), DenseNet (3), and too little for
//! ShuffleNetV2 (5; its shuffle and split are not seen) and TinyNet (3). Networks under 50 M MACs lie up to 10
//! points below their promise, the largest EfficientNets 5; beyond 224 pixels and a few hundred layers it promises
//! gains two to three times the published ones. At equal MACs it hardly cares for the expansion ratio, so an
//! accelerator that dislikes depthwise convolutions gets wide stages that expand by 2. Two stages of one
//! resolution score up to 0.09 less where their widths are equal, because the skip connection between them shares
//! the variance out over more blocks. Squeeze-and-excite and hard-swish are valued by theory, not by measurement.
//! Detectors and segmenters were not measured at all: that they need resolution as classifiers do is an
//! assumption, and resolution is what their searches give up first. What decides between candidates closer than
//! 0.1 is training them.

mod flow;
mod local;
mod nonlinearity;
mod passage;
mod region;
mod signal;
mod sums;
mod tangent;

pub use flow::Flow;
pub use passage::{Ending, Passage, Totals};
pub use region::{Region, regions};
pub use signal::{Signal, signals};
pub use tangent::{Rise, Tangent, lost_by};

use local::log_side;
use signal::{HEAD, STRIDES};
use sums::Sums;

use crate::network::{Network, Shape, Wiring};

/// How much rank correlation the score is known to have, to be said wherever it decides.
pub const KNOWN_CORRELATION: &str = "zero-shot score: rank correlation with accuracy is 0.97 over 160 published \
    ImageNet classifiers (0.83 at equal MACs), 0.93 over NAS-Bench-201 (0.62 within its best tenth), unknown for \
    detectors and segmenters; below a difference of 0.1 the order is little better than chance, so train the finalists";

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

/// The terms, those of capacity first.
const TERMS: [&str; STRIDES + 7] = [
    "capacity at stride 1",
    "capacity at stride 2",
    "capacity at stride 4",
    "capacity at stride 8",
    "capacity at stride 16",
    "capacity at stride 32",
    "capacity behind pooling",
    "receptive field",
    "input resolution",
    "output resolution",
    "blur",
    "fluctuation",
    "bottleneck",
];
/// How much a relative gain of capacity counts at each stride, and behind global pooling.
const CAPACITY: [f64; STRIDES + 1] = [0.1, 0.1, 0.15, 0.2, 0.3, 0.25, 0.05];
const RECEPTIVE_FIELD: f64 = 0.5;
const INPUT_RESOLUTION: f64 = 1.35;
const OUTPUT_RESOLUTION: f64 = 0.1;
const BLUR: f64 = 0.015;
const FLUCTUATION: f64 = 0.2;
const BOTTLENECK: f64 = 2.0;
/// How soon nonlinearities make use of all capacity.
const SATURATION: f64 = 3.0;

/// Scores a network.
#[must_use]
pub fn trainability(network: &Network) -> Trainability {
    let values = values(network.input(), &sums(network));
    let terms = TERMS.into_iter().zip(values).map(|(name, value)| Term { name, value });
    Trainability { score: values.iter().sum(), terms: terms.collect() }
}

fn sums(network: &Network) -> Sums {
    let (wiring, signals) = (Wiring::of(network), signals(network));
    let exits: Vec<usize> = network.parts().map(|part| part.end - 1).collect();
    let (mut all, mut places) = (Vec::new(), Vec::new());
    for part in network.parts() {
        all.extend(regions(network, &wiring, &signals, part, &exits));
        places.push(all.len() - 1);
    }
    Sums::of(all.iter(), &places, &mut Vec::new())
}

/// The score of a network with this input, as [`trainability`] gives it, from its regions. `exits` are the
/// places of those whose exits stand for the numbered ones of [`regions`], and `flows` is memory that is used again.
#[must_use]
pub fn score<'a>(
    input: Shape,
    regions: impl DoubleEndedIterator<Item = &'a Region> + Clone,
    exits: &[usize],
    flows: &mut Vec<Flow>,
) -> f64 {
    values(input, &Sums::of(regions, exits, flows)).iter().sum()
}

/// The value of each term.
fn values(input: Shape, sums: &Sums) -> [f64; TERMS.len()] {
    let mut values = [0.0; TERMS.len()];
    for (octave, value) in values.iter_mut().take(HEAD).enumerate() {
        *value = CAPACITY[octave] * sums.used_capacity(octave).ln_1p();
    }
    // Behind global pooling a linear classifier is all that is needed.
    values[HEAD] = CAPACITY[HEAD] * sums.octaves[HEAD].capacity.ln_1p();
    let reach: f64 =
        CAPACITY.iter().zip(sums.octaves).map(|(weight, sums)| weight * sums.reach.ln_1p()).sum();
    values[HEAD + 1..].copy_from_slice(&[
        RECEPTIVE_FIELD * reach,
        INPUT_RESOLUTION * log_side(input.pixels()),
        // The mean over the outputs.
        OUTPUT_RESOLUTION * sums.output_sides / sums.outputs.max(1) as f64,
        -BLUR * sums.blur,
        -FLUCTUATION * sums.fluctuation,
        -BOTTLENECK * sums.bottleneck,
    ]);
    values
}

#[cfg(test)]
mod tests;
