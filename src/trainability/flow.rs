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
    /// The same with each path faded by its nonlinearities, to the power of the mean.
    faded: f64,
    /// For what feeds a gate: the octave of the gated tensor.
    gated: Option<u8>,
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
        if local.output_side.is_some() {
            flows[index] = Flow { share, faded: share, gated: None };
        }
        flows[index].faded *= local.fading;
        let flow = flows[index];
        sums.add(local, &flow);
        pass_on(wiring.inputs(index), local, &flow, flows);
    }
    sums
}

/// Divides what passes through a layer among the layers that it reads.
fn pass_on(inputs: &[Source], local: &Local, flow: &Flow, flows: &mut [Flow]) {
    for (position, (source, share)) in inputs.iter().zip(&local.shares).enumerate().rev() {
        let Source::Layer(read) = source else { continue };
        let target = &mut flows[*read];
        target.share += flow.share * share;
        target.faded += flow.faded * share;
        if local.gates && position > 0 {
            target.gated = Some(local.octave);
        } else if usize::from(local.octave) == HEAD {
            target.gated = target.gated.or(flow.gated);
        }
    }
}
