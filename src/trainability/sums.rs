//! What the score needs of all layers together.

use super::{
    flow::Flow,
    local::Local,
    signal::{HEAD, STRIDES},
};

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
    /// Σ ln(side) over the outputs.
    pub(super) output_sides: f64,
    /// How many outputs there are.
    pub(super) outputs: usize,
}

impl Sums {
    /// Nothing is added yet of a network with so many outputs.
    pub(super) fn of(outputs: usize) -> Self {
        Self { outputs, ..Self::default() }
    }

    /// Adds a layer through which so much passes.
    pub(super) fn add(&mut self, local: &Local, flow: &Flow) {
        self.output_sides += local.output_side.unwrap_or(0.0);
        self.blur += flow.share * local.blur;
        let narrowness = flow.share * local.narrowness;
        self.fluctuation += narrowness;
        self.bottleneck = self.bottleneck.max(narrowness);
        if local.capacity + local.reach + local.nonlinearity > 0.0 {
            self.add_weighted(local, flow);
        }
    }

    /// A strided layer stands between two resolutions; half of it counts at each.
    fn add_weighted(&mut self, local: &Local, flow: &Flow) {
        let written = flow.octave(local);
        let read = if written == HEAD { HEAD } else { local.read.map_or(written, usize::from) };
        let half = 0.5 * flow.weight();
        for octave in [read, written] {
            self.nonlinearity[octave] += half * local.nonlinearity;
            self.capacity[octave] += half * local.capacity;
            self.reach[octave] += half * local.reach;
        }
    }

    /// The capacity that nonlinearities make use of: however deep, linear layers are one linear map.
    pub(super) fn used_capacity(&self, octave: usize) -> f64 {
        self.capacity[octave] * (1.0 - (-3.0 * self.nonlinearity[octave]).exp())
    }
}
