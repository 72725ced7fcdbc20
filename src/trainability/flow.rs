//! Backward: how much of the output passes through every layer, and how much of that gradients see.
//!
//! A residual network is a sum over paths (Veit et al. 2016). At every sum a path keeps the share of the
//! variance with which it enters, so the shares of all paths add up to one; what passes through a layer
//! is the sum over its paths. One pass from the outputs to the input finds it for all layers, and adds up what
//! the score needs.

use super::{
    local::{Local, POWER},
    signal::HEAD,
    sums::Sums,
};
use crate::network::{Source, Wiring};

/// What passes through one layer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    /// The share of the outputs' variance whose path passes through this layer.
    pub(super) share: f64,
    /// What the nonlinearities on these paths leave of the gradient: the power mean over the paths.
    fade: f64,
    /// While paths are added up: the sum of their shares, each faded, to the power of the mean.
    faded: f64,
    /// For what feeds a gate: the octave of the gated tensor.
    gated: Option<u8>,
}

impl Flow {
    /// The layer's weight: the amplitude of its contribution (the square root of the variance's share)
    /// times the fading of its gradient. N equal residual blocks weigh 1/√2 + 1/√3 + … ≈ 2√N together.
    pub(super) fn weight(&self) -> f64 {
        self.share.sqrt() * self.fade
    }

    /// What is left of the gradient over all paths that were added up.
    fn mean(&self) -> f64 {
        if self.share > 0.0 { (self.faded / self.share).powf(1.0 / f64::from(POWER)) } else { 0.0 }
    }

    /// Where the layer is counted.
    pub(super) fn octave(&self, local: &Local) -> usize {
        if usize::from(local.octave) == HEAD {
            self.gated.map_or(HEAD, usize::from)
        } else {
            usize::from(local.octave)
        }
    }
}

/// Follows the flow through all layers; `flows` is memory that is used again.
pub(super) fn trace<'a>(
    wiring: &Wiring,
    locals: impl DoubleEndedIterator<Item = &'a Local> + Clone,
    flows: &mut Vec<Flow>,
) -> Sums {
    flows.clear();
    flows.resize(wiring.len(), Flow::default());
    let outputs = locals.clone().filter(|local| local.output_side.is_some()).count();
    let share = 1.0 / outputs as f64;
    let mut sums = Sums::of(outputs);
    for (index, local) in (0..wiring.len()).rev().zip(locals.rev()) {
        let mut flow = flows[index];
        if local.output_side.is_some() {
            flow = Flow { share, fade: 1.0, ..flow };
        } else if wiring.readers(Source::Layer(index)).count > 1 {
            flow.fade = flow.mean();
        }
        flow.fade *= local.fading;
        flows[index] = flow;
        sums.add(local, &flow);
        pass_on(wiring, index, local, flows);
    }
    sums
}

/// Divides what passes through a layer among the layers that it reads.
fn pass_on(wiring: &Wiring, layer: usize, local: &Local, flows: &mut [Flow]) {
    let flow = flows[layer];
    let inputs = wiring.inputs(layer);
    for (position, (source, share)) in inputs.iter().zip(&local.shares).enumerate().rev() {
        let Source::Layer(read) = source else { continue };
        let target = &mut flows[*read];
        let share = flow.share * share;
        target.share += share;
        // Powers take time, and a mean of one path needs none.
        if wiring.readers(*source).count > 1 {
            target.faded += share * flow.fade.powi(POWER);
        } else {
            target.fade = flow.fade;
        }
        if local.gates && position > 0 {
            target.gated = Some(local.octave);
        } else if usize::from(local.octave) == HEAD {
            target.gated = target.gated.or(flow.gated);
        }
    }
}
