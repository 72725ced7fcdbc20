//! Forward: the variance of every tensor and what is left of the input in it.

use super::nonlinearity::Moments;
use crate::network::{Activation, Layer, Network, Op, Shape, Source};

/// Layers are counted apart for each octave of resolution: strides 1, 2, 4, 8, 16, and 32 or more.
pub(super) const STRIDES: usize = 6;
/// Where layers behind global pooling are counted.
pub(super) const HEAD: usize = STRIDES;

/// How much of an activation's nonlinearity counts after a depthwise convolution. The correlation map
/// belongs to layers that mix channels at random, and fusing must be no way to a better score: at 0.4 a
/// network of IBNs scores as its fused twin does. MobileNetV1 with standard convolutions gains 0.13 in
/// log-odds of top-1 by the score and 0.05 by measurement (Howard et al. 2017, table 4).
const DEPTHWISE: f64 = 0.4;
/// Variance that averaging over the picture leaves of a squeeze-and-excite gate, which has no batch-norm.
const GATE: f64 = 0.25;

/// The state of one tensor.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Variance of an element, with unit-variance input and batch-norm after each convolution.
    pub(super) variance: f64,
    /// Mean of an element, which batch-norm removes.
    mean: f64,
    /// The share of the variance that the layer's activation leaves linear, e^(−1/ξ).
    pub(super) linear: f64,
    /// The octave of resolution, or [`HEAD`].
    pub(super) octave: usize,
}

impl Signal {
    /// The network's input, or a convolution's output before the activation.
    const UNIT: Self = Self { variance: 1.0, mean: 0.0, linear: 1.0, octave: 0 };

    /// The tensor after `layer`.
    fn after(network: &Network, layer: &Layer, read: impl Fn(&Source) -> Self) -> Self {
        let mut inputs = layer.inputs.iter();
        let Some(x) = inputs.next().map(&read) else { return Self::UNIT };
        let y = match &layer.op {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::Dense(_) => Self::UNIT,
            Op::MaxPool(_) | Op::AvgPool(_) | Op::GlobalAvgPool(_) | Op::Resize(_) | Op::Slice(_) => x,
            Op::Add(_) => inputs.map(&read).fold(x, Self::plus),
            Op::Concat(_) => Self::concatenation(network, layer, read),
            Op::Mul(_) => inputs.map(&read).fold(x, Self::times),
        };
        let pooled = matches!(layer.op, Op::GlobalAvgPool(_) | Op::Dense(_))
            || (x.octave == HEAD && layer.output.pixels() == 1);
        let octave = if pooled { HEAD } else { octave(network.input(), layer.output) };
        Self { octave, ..y.activated(layer) }
    }

    /// All that a layer which reads the tensor needs to know of it, as bits.
    #[must_use]
    pub fn bits(&self) -> [u64; 3] {
        [self.variance.to_bits(), self.mean.to_bits(), self.octave as u64]
    }

    /// The sum of independent tensors.
    fn plus(self, other: Self) -> Self {
        Self { variance: self.variance + other.variance, mean: self.mean + other.mean, ..self }
    }

    /// The product of independent tensors, the second a gate.
    fn times(self, gate: Self) -> Self {
        let square = gate.mean * gate.mean + GATE * gate.variance;
        Self { variance: self.variance * square, mean: self.mean * gate.mean, ..self }
    }

    /// Channels side by side: the mean over them.
    fn concatenation(network: &Network, layer: &Layer, read: impl Fn(&Source) -> Self) -> Self {
        let all = f64::from(layer.output.c);
        let parts =
            layer.inputs.iter().map(|source| (read(source), f64::from(network.shape(*source).c) / all));
        parts.fold(Self { variance: 0.0, ..Self::UNIT }, |sum, (x, share)| {
            sum.plus(Self { variance: x.variance * share, mean: x.mean * share, ..x })
        })
    }

    fn activated(self, layer: &Layer) -> Self {
        if layer.activation == Activation::None {
            return Self { linear: 1.0, ..self };
        }
        let Moments { mean, variance, linear } = Moments::under(layer.activation, self.mean, self.variance);
        let linear = if is_depthwise(layer) { linear.powf(DEPTHWISE) } else { linear };
        Self { mean, variance, linear, ..self }
    }

    /// The share of x · gate that depends on what the gate saw.
    pub(super) fn gate_share(&self) -> f64 {
        let variance = GATE * self.variance;
        variance / (self.mean * self.mean + variance)
    }
}

/// Whether a layer filters each channel on its own.
pub(super) fn is_depthwise(layer: &Layer) -> bool {
    match &layer.op {
        Op::DepthwiseConv2d(_) => true,
        Op::Conv2d(conv) => conv.groups > 1 && conv.groups == conv.cout,
        _ => false,
    }
}

/// How often the picture was halved on the way from `input` to `output`, to the nearest whole number.
fn octave(input: Shape, output: Shape) -> usize {
    let halved = |times: &usize| 2 * input.pixels() >= output.pixels() << (2 * times);
    (1..STRIDES).take_while(halved).count()
}

/// The state after each layer.
#[must_use]
pub fn signals(network: &Network) -> Vec<Signal> {
    let mut signals: Vec<Signal> = Vec::with_capacity(network.layers().len());
    for layer in network.layers() {
        let read = |source: &Source| match source {
            Source::Input => Signal::UNIT,
            Source::Layer(index) => signals[*index],
        };
        let signal = Signal::after(network, layer, read);
        signals.push(signal);
    }
    signals
}

/// The state of what `source` writes; none for the network's input.
pub(super) fn signal_of<'a>(signals: &'a [Signal], source: &Source) -> Option<&'a Signal> {
    match source {
        Source::Input => None,
        Source::Layer(index) => Some(&signals[*index]),
    }
}
