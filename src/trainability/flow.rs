//! Backward: how much of the output passes through every layer, and how much of that gradients see.
//!
//! A residual network is a sum over paths (Veit et al. 2016). At every sum a path keeps the share of the
//! variance with which it enters, so the shares of all paths add up to one; what passes through a layer
//! is the sum over its paths. One pass from the outputs to the input finds it for all layers.

use super::signal::{HEAD, Signal};
use crate::network::{Layer, Network, Op, Source};

/// Gradients fade over this many depth scales ξ of the correlation map. Networks can be trained to a few
/// ξ (Schoenholz et al. 2017 find about six); a layer of ReLU is 0.31 / ξ, so a plain chain counts its
/// last 13 layers or so.
const DEPTH_SCALES: f64 = 4.0;
/// Of all paths to the output, those with the fewest nonlinearities carry the gradient (Veit et al.
/// 2016): fading is the power mean over the paths with this exponent, which tends to the maximum.
const POWER: f64 = 10.0;

/// What passes through one layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// The share of the outputs' variance whose path passes through this layer.
    pub(super) share: f64,
    /// The same with each path faded by its nonlinearities, to the power of the mean.
    faded: f64,
    /// For what feeds a gate: the octave of the gated tensor.
    gated: Option<usize>,
}

impl Flow {
    /// The layer's weight: the amplitude of its contribution (the square root of the variance's share)
    /// times the fading of its gradient. N equal residual blocks weigh 1/√2 + 1/√3 + … ≈ 2√N together.
    pub(super) fn weight(&self) -> f64 {
        if self.share <= 0.0 {
            return 0.0;
        }
        self.share.sqrt() * (self.faded / self.share).powf(1.0 / POWER)
    }

    /// Where the layer is counted.
    pub(super) fn octave(&self, signal: &Signal) -> usize {
        if signal.octave == HEAD { self.gated.unwrap_or(HEAD) } else { signal.octave }
    }
}

/// The flow through each layer, with its own activation included.
pub(super) fn trace(network: &Network, signals: &[Signal], outputs: &[usize]) -> Vec<Flow> {
    let mut flows = vec![Flow::default(); signals.len()];
    for output in outputs {
        let share = 1.0 / outputs.len() as f64;
        flows[*output] = Flow { share, faded: share, gated: None };
    }
    for (index, layer) in network.layers().iter().enumerate().rev() {
        let linear = signals[index].linear;
        if linear < 1.0 {
            flows[index].faded *= linear.powf(POWER / DEPTH_SCALES);
        }
        pass_on(network, signals, &mut flows, index, layer);
    }
    flows
}

/// Divides what passes through `layer` among the layers that it reads.
fn pass_on(network: &Network, signals: &[Signal], flows: &mut [Flow], index: usize, layer: &Layer) {
    let flow = flows[index];
    let weights = |source: &Source| weight(network, signals, layer, source);
    let total: f64 = layer.inputs.iter().map(weights).sum();
    let mut rest = 1.0;
    for (position, source) in layer.inputs.iter().enumerate().rev() {
        let share = match layer.op {
            // The last operand gates the ones before it.
            Op::Mul(_) if position > 0 => rest * signal(signals, source).map_or(0.0, Signal::gate_share),
            Op::Mul(_) => rest,
            _ => weights(source) / total,
        };
        rest -= share;
        let Source::Layer(read) = source else { continue };
        let target = &mut flows[*read];
        target.share += flow.share * share;
        target.faded += flow.faded * share;
        if matches!(layer.op, Op::Mul(_)) && position > 0 {
            target.gated = Some(signals[index].octave);
        } else if signals[index].octave == HEAD {
            target.gated = target.gated.or(flow.gated);
        }
    }
}

/// The variance that `source` brings into a sum or a concatenation.
fn weight(network: &Network, signals: &[Signal], layer: &Layer, source: &Source) -> f64 {
    let variance = signal(signals, source).map_or(1.0, |signal| signal.variance);
    let channels = if matches!(layer.op, Op::Concat(_)) { f64::from(network.shape(*source).c) } else { 1.0 };
    variance * channels
}

fn signal<'a>(signals: &'a [Signal], source: &Source) -> Option<&'a Signal> {
    match source {
        Source::Input => None,
        Source::Layer(index) => Some(&signals[*index]),
    }
}
