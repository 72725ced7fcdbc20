//! What the score needs of all layers together.

use super::{
    flow::Flow,
    signal::{HEAD, STRIDES, Signal, is_depthwise},
};
use crate::network::{
    Layer, Network, Op, Shape, Source, Window,
    ops::{Conv2d, DepthwiseConv2d},
};

/// The share of its output's variance that ReLU makes nonlinear, 1 − 1 / (4 · 0.341).
const RELU: f64 = 0.2665;

/// Sums over the layers of one network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// Σ weight · √(cin · cout) over the layers that mix channels, for each octave and the head.
    pub(super) capacity: [f64; STRIDES + 1],
    /// Σ weight · nonlinear share over the activations, in units of ReLU's, for each octave and the head.
    nonlinearity: [f64; STRIDES + 1],
    /// Σ weight · ln(side of the window) over the convolutions that see more than a pixel, for each octave and the head.
    pub(super) reach: [f64; STRIDES + 1],
    /// Σ share · ln(side / stride) over average pools: octaves of detail that they blur.
    pub(super) blur: f64,
    /// Σ share / cin over the layers that mix channels.
    pub(super) fluctuation: f64,
    /// The largest share / cin: the tightest cut that the signal must pass.
    pub(super) bottleneck: f64,
}

impl Sums {
    pub(super) fn over(network: &Network, signals: &[Signal], flows: &[Flow]) -> Self {
        let mut sums = Self::default();
        for ((layer, signal), flow) in network.layers().iter().zip(signals).zip(flows) {
            let Some(source) = layer.inputs.first() else { continue };
            let written = flow.octave(signal);
            let read = match source {
                Source::Input if written != HEAD => 0,
                Source::Layer(index) if written != HEAD && signals[*index].octave != HEAD => {
                    signals[*index].octave
                }
                _ => written,
            };
            // A strided layer stands between two resolutions; half of it counts at each.
            let (half, input) = (0.5 * flow.weight(), network.shape(*source));
            let nonlinearity = half * (1.0 - signal.linear) / RELU;
            let (capacity, reach) = (half * capacity(layer, input), half * reach(layer, input));
            for octave in [read, written] {
                sums.nonlinearity[octave] += nonlinearity;
                sums.capacity[octave] += capacity;
                sums.reach[octave] += reach;
            }
            sums.add_share(layer, *source, input, flow);
        }
        sums
    }

    /// The capacity that nonlinearities make use of: however deep, linear layers are one linear map.
    pub(super) fn used_capacity(&self, octave: usize) -> f64 {
        self.capacity[octave] * (1.0 - (-3.0 * self.nonlinearity[octave]).exp())
    }

    fn add_share(&mut self, layer: &Layer, source: Source, input: Shape, flow: &Flow) {
        if let Op::AvgPool(pool) = &layer.op {
            self.blur += flow.share * (side(&pool.window, input) / stride(&pool.window)).ln().max(0.0);
        }
        // The channels of the picture itself are nobody's choice.
        if mixes(layer) && source != Source::Input {
            let cin = f64::from(input.c);
            self.fluctuation += flow.share / cin;
            self.bottleneck = self.bottleneck.max(flow.share / cin);
        }
    }
}

/// Whether a layer is a convolution or dense layer that mixes channels.
fn mixes(layer: &Layer) -> bool {
    matches!(layer.op, Op::Conv2d(_) | Op::Dense(_)) && !is_depthwise(layer)
}

fn capacity(layer: &Layer, input: Shape) -> f64 {
    if mixes(layer) { (f64::from(input.c) * f64::from(layer.output.c)).sqrt() } else { 0.0 }
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

/// The side of the square that a window spans, at most the picture's.
fn side(window: &Window, input: Shape) -> f64 {
    let span = |axis: usize, limit: u32| ((window.kernel[axis] - 1) * window.dilation[axis] + 1).min(limit);
    (f64::from(span(0, input.h)) * f64::from(span(1, input.w))).sqrt()
}

fn stride(window: &Window) -> f64 {
    (f64::from(window.stride[0]) * f64::from(window.stride[1])).sqrt()
}
