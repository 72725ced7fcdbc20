//! Trainability: how accurate a network can be expected to become, from its topology alone.
//!
//! No data, no training, no forward pass. The score is a sum of terms in natural-logarithm units, so the
//! difference of two networks that do the same task has a meaning; the absolute number has none.
//!
//! | term | formula | source |
//! |---|---|---|
//! | capacity at each stride | wₛ ln(1 + Fₛ), Fₛ = Σ over layers on the paths of √(cin·cout) · e^(−d/6ξ) | paths: Veit et al. 2016; depth scale ξ: Schoenholz et al. 2017; width and depth instead of weights: Shen et al. 2023 (DeepMAD) |
//! | input, output resolution | a ln(side) | Tan & Le 2019 (EfficientNet): width, depth and resolution trade off as powers |
//! | receptive field | b ln(v / (v + 1/12)), v = Σ (k² − 1) / 12 side² | variance of the effective receptive field: Luo et al. 2016; 1/12 is a picture's own |
//! | fluctuation | −c Σ 1/cin | variance of the logarithm of signal and gradient: Hanin & Rolnick 2018, Hanin 2018 |
//!
//! All sums run over the paths from the input to an output, each weighted by its share of the variance at
//! every sum it passes, so that N residual blocks count as 1/2 + 1/3 + … ≈ ln N and a plain chain as N, of
//! which e^(−d/6ξ) leaves the last six depth scales: 19 layers of ReLU. ln(1 + Fₛ) makes width in one
//! stage worth less and less; 1/cin makes a single thin layer cost what its narrowness costs the signal.

mod nonlinearity;
mod signal;

use signal::{HEAD, STRIDES, Signal};

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

const NAMES: [&str; TERMS] = [
    "capacity at stride 1",
    "capacity at stride 2",
    "capacity at stride 4",
    "capacity at stride 8",
    "capacity at stride 16",
    "capacity at stride 32",
    "capacity behind pooling",
    "input resolution",
    "output resolution",
    "receptive field",
    "fluctuation",
];
const TERMS: usize = STRIDES + 5;

/// How much a relative gain of capacity counts at each stride, and behind global pooling.
const CAPACITY: [f64; STRIDES + 1] = [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.05];
const INPUT_RESOLUTION: f64 = 1.5;
const OUTPUT_RESOLUTION: f64 = 0.1;
const RECEPTIVE_FIELD: f64 = 1.0;
const FLUCTUATION: f64 = 0.7;

/// Scores a network.
#[must_use]
pub fn trainability(network: &Network) -> Trainability {
    let signals = propagate(network);
    let heads = heads(network);
    let mut values = [0.0; TERMS];
    for head in &heads {
        for (sum, value) in values.iter_mut().zip(terms(network, &signals[*head], *head)) {
            *sum += value / heads.len() as f64;
        }
    }
    let terms = NAMES.into_iter().zip(values).map(|(name, value)| Term { name, value });
    Trainability { score: values.iter().sum(), terms: terms.collect() }
}

/// The state after each layer.
fn propagate(network: &Network) -> Vec<Signal> {
    let mut signals: Vec<Signal> = Vec::with_capacity(network.layers().len());
    for layer in network.layers() {
        let read = |source| match source {
            Source::Input => Signal::input(),
            Source::Layer(index) => signals[index],
        };
        let signal = Signal::after(network, layer, read);
        signals.push(signal);
    }
    signals
}

/// The layers that nobody reads: the network's outputs.
fn heads(network: &Network) -> Vec<usize> {
    let mut read = vec![false; network.layers().len()];
    for source in network.layers().iter().flat_map(|layer| &layer.inputs) {
        if let Source::Layer(index) = source {
            read[*index] = true;
        }
    }
    (0..read.len()).filter(|layer| !read[*layer]).collect()
}

/// The terms of one output.
fn terms(network: &Network, signal: &Signal, head: usize) -> [f64; TERMS] {
    let mut terms = [0.0; TERMS];
    for (octave, weight) in CAPACITY.into_iter().enumerate() {
        terms[octave] = weight * signal.capacity[octave].ln_1p();
    }
    let (input, output) = (network.input(), network.layers()[head].output);
    let side = |pixels: u64| (pixels as f64).ln() / 2.0;
    terms[HEAD + 1] = INPUT_RESOLUTION * side(input.pixels());
    terms[HEAD + 2] = OUTPUT_RESOLUTION * side(output.pixels().min(input.pixels()));
    terms[HEAD + 3] = RECEPTIVE_FIELD * (signal.reach / (signal.reach + 1.0 / 12.0)).ln();
    terms[HEAD + 4] = -FLUCTUATION * signal.fluctuation;
    terms
}

#[cfg(test)]
mod tests;
