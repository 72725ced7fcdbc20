//! What a layer brings to the score, whatever follows it.
//!
//! The forward pass settles all of it; what follows a layer only decides how much
//! of it counts. So these records can be kept and put together to other networks.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::{
    signal::{HEAD, Signal, is_depthwise, signal_of},
    sums::Amounts,
};
use crate::network::{
    Layer, Network, Op, Readers, Shape, Source, Window, Wiring,
    ops::{Conv2d, DepthwiseConv2d},
};

/// The share of its output's variance that ReLU makes nonlinear, 1 − 1 / (4 · 0.341).
const RELU: f64 = 0.2665;
/// Of all paths to the output, those with the fewest nonlinearities carry the gradient (Veit et al.
/// 2016): fading is the power mean over the paths with this exponent, which tends to the maximum.
pub(super) const POWER: i32 = 10;

/// One layer as the backward pass needs it.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// What its nonlinearity leaves of the gradient.
    pub(super) fading: f64,
    /// The nonlinear share of its activation, in units of ReLU's.
    nonlinearity: f64,
    /// √(cin · cout) if it mixes channels.
    capacity: f64,
    /// ln(side of the window) if it sees more than a pixel.
    reach: f64,
    /// ln(side / stride) of an average pool: octaves of detail that it blurs.
    pub(super) blur: f64,
    /// 1 / cin if it mixes channels.
    pub(super) narrowness: f64,
    /// The octave of resolution that it writes.
    pub(super) octave: u8,
    /// The octave that it reads, unless that is the head's.
    pub(super) read: Option<u8>,
    /// Whether its later operands gate the first.
    pub(super) gates: bool,
    /// How what passes through it is divided among its inputs.
    pub(super) shares: SmallVec<[f64; 2]>,
    /// For an output of the network, the logarithm of its side; detail beyond the input's is none.
    pub(super) output_side: Option<f64>,
}

/// The records of some layers of a network whose tensors are in these states ([`signals`](super::signals)).
pub(super) fn locals(
    network: &Network,
    wiring: &Wiring,
    signals: &[Signal],
    layers: Range<usize>,
) -> Vec<Local> {
    let local = |index: usize| {
        let layer = &network.layers()[index];
        let is_output = wiring.readers(Source::Layer(index)) == Readers::default();
        let pixels = layer.output.pixels().min(network.input().pixels());
        Local {
            output_side: is_output.then(|| log_side(pixels)),
            ..Local::of(network, layer, &signals[index], signals)
        }
    };
    layers.map(local).collect()
}

impl Local {
    /// What it brings beside its weight.
    pub(super) fn amounts(&self) -> Amounts {
        Amounts { capacity: self.capacity, nonlinearity: self.nonlinearity, reach: self.reach }
    }

    fn of(network: &Network, layer: &Layer, signal: &Signal, signals: &[Signal]) -> Self {
        let source = layer.inputs.first().copied().unwrap_or(Source::Input);
        let input = network.shape(source);
        let mixes = mixes(layer);
        // The channels of the picture itself are nobody's choice.
        let narrow = mixes && source != Source::Input;
        let read = signal_of(signals, &source).map_or(0, |signal| signal.octave);
        Self {
            fading: fading(signal.linear),
            nonlinearity: (1.0 - signal.linear) / RELU,
            capacity: if mixes { (f64::from(input.c) * f64::from(layer.output.c)).sqrt() } else { 0.0 },
            reach: reach(layer, input),
            blur: blur(layer, input),
            narrowness: if narrow { 1.0 / f64::from(input.c) } else { 0.0 },
            octave: signal.octave as u8,
            read: (read != HEAD).then_some(read as u8),
            gates: matches!(layer.op, Op::Mul(_)),
            shares: shares(network, layer, signals),
            output_side: None,
        }
    }
}

/// What a nonlinearity that leaves so much linear leaves of the gradient.
///
/// Gradients fade over four depth scales ξ of the correlation map, hence the fourth root. Networks can be
/// trained to a few ξ (Schoenholz et al. 2017 find about six); a layer of ReLU is 0.31 / ξ, so a plain
/// chain counts its last 13 layers or so.
fn fading(linear: f64) -> f64 {
    linear.sqrt().sqrt()
}

/// Whether a layer is a convolution or dense layer that mixes channels.
fn mixes(layer: &Layer) -> bool {
    matches!(layer.op, Op::Conv2d(_) | Op::Dense(_)) && !is_depthwise(layer)
}

fn reach(layer: &Layer, input: Shape) -> f64 {
    match &layer.op {
        Op::Conv2d(Conv2d { window, .. }) | Op::DepthwiseConv2d(DepthwiseConv2d { window, .. })
            if window.taps() > 1 =>
        {
            side(window, input).ln()
        }
        _ => 0.0,
    }
}

fn blur(layer: &Layer, input: Shape) -> f64 {
    match &layer.op {
        Op::AvgPool(pool) => (side(&pool.window, input) / stride(&pool.window)).ln().max(0.0),
        _ => 0.0,
    }
}

/// The side of the square that a window spans, at most the picture's.
fn side(window: &Window, input: Shape) -> f64 {
    let span = |axis: usize, limit: u32| ((window.kernel[axis] - 1) * window.dilation[axis] + 1).min(limit);
    (f64::from(span(0, input.h)) * f64::from(span(1, input.w))).sqrt()
}

fn stride(window: &Window) -> f64 {
    (f64::from(window.stride[0]) * f64::from(window.stride[1])).sqrt()
}

/// The logarithm of the side of a square of so many pixels.
pub(super) fn log_side(pixels: u64) -> f64 {
    (pixels.max(1) as f64).ln() / 2.0
}

/// At a sum each input has the share of its variance; at a gate, the gate has that of the gate's variance.
fn shares(network: &Network, layer: &Layer, signals: &[Signal]) -> SmallVec<[f64; 2]> {
    if layer.inputs.len() == 1 {
        return smallvec![1.0];
    }
    let weights = |source: &Source| weight(network, signals, layer, source);
    let total: f64 = layer.inputs.iter().map(weights).sum();
    if !matches!(layer.op, Op::Mul(_)) {
        return layer.inputs.iter().map(|source| weights(source) / total).collect();
    }
    let mut rest = 1.0;
    let mut shares: SmallVec<[f64; 2]> = layer.inputs.iter().map(|_| 0.0).collect();
    // The last operand gates the ones before it.
    for (position, source) in layer.inputs.iter().enumerate().rev() {
        let gate = signal_of(signals, source).map_or(0.0, Signal::gate_share);
        shares[position] = if position > 0 { rest * gate } else { rest };
        rest -= shares[position];
    }
    shares
}

/// The variance that `source` brings into a sum or a concatenation.
fn weight(network: &Network, signals: &[Signal], layer: &Layer, source: &Source) -> f64 {
    let variance = signal_of(signals, source).map_or(1.0, |signal| signal.variance);
    let channels = if matches!(layer.op, Op::Concat(_)) { f64::from(network.shape(*source).c) } else { 1.0 };
    variance * channels
}
