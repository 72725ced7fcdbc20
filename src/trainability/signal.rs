//! What the theory knows of one tensor, and how a layer changes it.
//!
//! A residual network is a sum over paths (Veit et al. 2016), and each path carries the share of the
//! variance with which it enters a sum. Every quantity here is therefore an average over the paths
//! from the network's input to the tensor, weighted by variance; one pass in topological order finds it.

use super::nonlinearity::Moments;
use crate::network::{Activation, Layer, Network, Op, Shape, Source, Window};

/// Capacity is counted apart for each octave of resolution: strides 1, 2, 4, 8, 16, and 32 or more.
pub(super) const STRIDES: usize = 6;
/// Where the capacity of layers behind global pooling is counted.
pub(super) const HEAD: usize = STRIDES;

/// Networks can be trained to a depth of about six times the depth scale of their correlation map
/// (Schoenholz et al. 2017, figure 4); the contribution of a layer decays so with the layers after it.
const REACH: f64 = 6.0;

/// The state of one tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    /// Variance of an element, with unit-variance input, He-scaled weights and batch-norm.
    pub(super) variance: f64,
    /// Mean of an element, which batch-norm removes.
    mean: f64,
    /// Mean squared entry of the Jacobian to the input; its quotient with the variance is the gradient gain.
    jacobian: f64,
    /// Width summed along the paths, for each stride.
    pub(super) capacity: [f64; STRIDES + 1],
    /// Σ 1 / width along the paths.
    pub(super) fluctuation: f64,
    /// Variance of the position that an element looks at, in units of the squared picture side.
    pub(super) reach: f64,
    /// Which capacity the next layer adds to.
    octave: usize,
}

impl Signal {
    /// The network's input.
    pub(super) fn input() -> Self {
        Self {
            variance: 1.0,
            mean: 0.0,
            jacobian: 1.0,
            capacity: [0.0; STRIDES + 1],
            fluctuation: 0.0,
            reach: 0.0,
            octave: 0,
        }
    }

    /// By how much squared gradients grow from this tensor back to the input.
    pub(super) fn gradient_gain(&self) -> f64 {
        self.jacobian / self.variance
    }

    /// The tensor after `layer`.
    pub(super) fn after(network: &Network, layer: &Layer, read: impl Fn(Source) -> Self) -> Self {
        let Some(first) = layer.inputs.first() else { return Self::input() };
        let shape = network.shape(*first);
        let x = read(*first);
        let mut y = match &layer.op {
            Op::Conv2d(conv) if conv.groups == shape.c => x.normalised().moved(&conv.window, shape),
            Op::Conv2d(conv) => x.mixed(shape.c, conv.cout).moved(&conv.window, shape),
            Op::DepthwiseConv2d(conv) => x.normalised().moved(&conv.window, shape),
            Op::Dense(dense) => Self { octave: HEAD, ..x }.mixed(shape.c, dense.cout),
            Op::AvgPool(pool) => x.averaged(&pool.window).moved(&pool.window, shape),
            Op::MaxPool(pool) => x.moved(&pool.window, shape),
            Op::GlobalAvgPool(_) => x.pooled(),
            Op::Resize(_) => x,
            Op::Add(_) => Self::sum(layer.inputs.iter().map(|source| (read(*source), 1.0))),
            Op::Concat(_) => Self::concatenation(network, layer, read),
            Op::Mul(_) => layer.inputs[1..].iter().fold(x, |x, gate| x.gated(&read(*gate))),
        };
        if y.octave != HEAD {
            y.octave = octave(network.input(), layer.output);
        }
        y.activated(layer.activation)
    }

    /// Batch-norm (or He scaling): unit variance, gradients scaled alike.
    fn normalised(self) -> Self {
        Self { variance: 1.0, mean: 0.0, jacobian: self.gradient_gain(), ..self }
    }

    /// A layer that mixes `cin` channels into `cout`. Its capacity is the geometric mean of the two, the
    /// width of the square layer with as many weights; its fluctuation 1 / cin (Hanin & Rolnick 2018).
    fn mixed(self, cin: u32, cout: u32) -> Self {
        let mut y = self.normalised();
        y.capacity[y.octave] += (f64::from(cin) * f64::from(cout)).sqrt();
        y.fluctuation += 1.0 / f64::from(cin);
        y
    }

    /// A window over a picture of this shape: k taps, d apart, are spread with variance d² (k² − 1) / 12.
    fn moved(self, window: &Window, picture: Shape) -> Self {
        let spread = |axis: usize, side: u32| {
            let (k, d, side) =
                (f64::from(window.kernel[axis]), f64::from(window.dilation[axis]), f64::from(side));
            // A window larger than the picture sees the picture.
            ((k * k - 1.0) * d * d / (side * side)).min(1.0) / 12.0
        };
        Self { reach: self.reach + (spread(0, picture.h) + spread(1, picture.w)) / 2.0, ..self }
    }

    /// Averaging leaves of independent neighbours 1 / k², of equal ones all; half way, in logarithms, 1 / k.
    fn averaged(self, window: &Window) -> Self {
        let left = 1.0 / (window.taps() as f64).sqrt();
        Self { variance: self.variance * left, jacobian: self.jacobian * left, ..self }
    }

    /// A look at the whole picture.
    fn pooled(self) -> Self {
        Self { reach: self.reach + 1.0 / 12.0, octave: HEAD, ..self }
    }

    /// A nonlinearity.
    fn activated(self, activation: Activation) -> Self {
        if activation == Activation::None {
            return self;
        }
        let Moments { mean, variance, slope, linear } = Moments::under(activation, self.mean, self.variance);
        let capacity = self.capacity.map(|capacity| capacity * linear.powf(1.0 / REACH));
        Self { mean, variance, capacity, jacobian: self.jacobian * slope, ..self }
    }

    /// x · gate: the gate's own variance decides how much of the output depends on its path.
    fn gated(self, gate: &Self) -> Self {
        let square = gate.mean * gate.mean + gate.variance;
        let share = gate.variance / square;
        let mut y = self;
        y.average(&[(self, 1.0 - share), (*gate, share)]);
        // What the gate learned behind the pooling belongs to the stage that it gates.
        y.capacity[self.octave] += y.capacity[HEAD];
        y.capacity[HEAD] = 0.0;
        Self { variance: self.variance * square, jacobian: self.jacobian * square, mean: 0.0, ..y }
    }

    /// The sum of independent tensors, each taken `times` over.
    fn sum(parts: impl Iterator<Item = (Self, f64)>) -> Self {
        let mut parts: Vec<(Self, f64)> = parts.collect();
        let total = |of: fn(&Self) -> f64| parts.iter().map(|(x, times)| of(x) * times).sum();
        let (mean, variance, jacobian) = (total(|x| x.mean), total(|x| x.variance), total(|x| x.jacobian));
        for (x, times) in &mut parts {
            *times *= x.variance / variance;
        }
        let mut y = Self { mean, variance, jacobian, ..Self::input() };
        y.average(&parts);
        y
    }

    /// Channels side by side: paths share the tensor as they share its channels and its variance.
    fn concatenation(network: &Network, layer: &Layer, read: impl Fn(Source) -> Self) -> Self {
        let all = f64::from(layer.output.c);
        let channels = |source: &Source| f64::from(network.shape(*source).c);
        Self::sum(layer.inputs.iter().map(|source| (read(*source), channels(source) / all)))
    }

    /// Replaces what is averaged over paths by the mean over `shares`, which add up to one.
    fn average(&mut self, shares: &[(Self, f64)]) {
        let mean = |of: fn(&Self) -> f64| shares.iter().map(|(x, share)| of(x) * share).sum();
        self.fluctuation = mean(|x| x.fluctuation);
        self.reach = mean(|x| x.reach);
        for (octave, capacity) in self.capacity.iter_mut().enumerate() {
            *capacity = shares.iter().map(|(x, share)| x.capacity[octave] * share).sum();
        }
    }
}

/// How often the picture was halved on the way from `input` to `output`.
fn octave(input: Shape, output: Shape) -> usize {
    let ratio = input.pixels() as f64 / output.pixels() as f64;
    let halvings = (ratio.log2() / 2.0).round().max(0.0);
    (halvings as usize).min(STRIDES - 1)
}
