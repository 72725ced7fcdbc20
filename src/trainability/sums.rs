//! What the score needs of all regions together.

use super::{
    SATURATION,
    flow::{Flow, Gated},
    region::{Octave, Region},
    signal::{HEAD, STRIDES},
};

/// What layers weigh together: Σ weight · amount.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amounts {
    /// √(cin · cout) of the layers that mix channels.
    pub(super) capacity: f64,
    /// The nonlinear share of the activations, in units of ReLU's.
    pub(super) nonlinearity: f64,
    /// ln(side of the window) of the convolutions that see more than a pixel.
    pub(super) reach: f64,
}

impl Amounts {
    pub(super) fn times(self, weight: f64) -> Self {
        Self {
            capacity: weight * self.capacity,
            nonlinearity: weight * self.nonlinearity,
            reach: weight * self.reach,
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            capacity: self.capacity + other.capacity,
            nonlinearity: self.nonlinearity + other.nonlinearity,
            reach: self.reach + other.reach,
        }
    }

    pub(super) fn larger(self, other: Self) -> Self {
        Self {
            capacity: self.capacity.max(other.capacity),
            nonlinearity: self.nonlinearity.max(other.nonlinearity),
            reach: self.reach.max(other.reach),
        }
    }

    pub(super) fn are_nothing(self) -> bool {
        self.capacity + self.nonlinearity + self.reach == 0.0
    }
}

/// Sums over the regions of one network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// What the layers at each octave weigh, and in the head.
    pub(super) octaves: [Amounts; STRIDES + 1],
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
    /// Follows the flow through all regions, from the last to the first. `exits` are the regions whose exits regions
    /// further on may read, by their numbers; `flows` is memory that is used again.
    pub(super) fn of<'a>(
        regions: impl DoubleEndedIterator<Item = &'a Region> + Clone,
        exits: &[usize],
        flows: &mut Vec<Flow>,
    ) -> Self {
        let outputs = regions.clone().filter(|region| region.output_side.is_some()).count();
        let mut sums = Self { outputs, ..Self::default() };
        flows.clear();
        flows.resize(regions.clone().count(), Flow::default());
        let mut before = flows.as_mut_slice();
        for region in regions.rev() {
            let Some((flow, rest)) = before.split_last_mut() else { break };
            if region.output_side.is_some() {
                *flow = Flow::whole(1.0 / outputs as f64, flow.gated);
            }
            sums.add(region, flow);
            region.pass_on(flow, rest, exits);
            before = rest;
        }
        sums
    }

    /// Adds a region through whose exit so much passes.
    pub(super) fn add(&mut self, region: &Region, flow: &Flow) {
        self.output_sides += region.output_side.unwrap_or(0.0);
        self.blur += flow.share * region.blur;
        self.fluctuation += flow.share * region.fluctuation;
        self.bottleneck = self.bottleneck.max(flow.share * region.bottleneck);
        let weight = flow.share.sqrt() * flow.fade();
        for (octave, amounts) in &region.deposits {
            let amounts = amounts.times(weight);
            match (*octave, flow.gated) {
                (Octave::At(octave), _) => self.count(octave.into(), amounts),
                (Octave::OfGate { read }, Some(Gated::At(octave))) if usize::from(octave) != HEAD => {
                    self.count(read.unwrap_or(octave).into(), amounts.times(0.5));
                    self.count(octave.into(), amounts.times(0.5));
                }
                (Octave::OfGate { .. }, _) => self.count(HEAD, amounts),
            }
        }
    }

    /// Adds the sums of other regions: `share` times what counts by its share of the output, `weight` times the amounts.
    pub(super) fn add_sums(&mut self, other: &Self, share: f64, weight: f64) {
        for (octave, amounts) in other.octaves.iter().enumerate() {
            self.count(octave, amounts.times(weight));
        }
        self.blur += share * other.blur;
        self.fluctuation += share * other.fluctuation;
        self.bottleneck = self.bottleneck.max(share * other.bottleneck);
        self.output_sides += share * other.output_sides;
    }

    fn count(&mut self, octave: usize, amounts: Amounts) {
        self.octaves[octave] = self.octaves[octave].plus(amounts);
    }

    /// The capacity that nonlinearities make use of: however deep, linear layers are one linear map.
    pub(super) fn used_capacity(&self, octave: usize) -> f64 {
        let Amounts { capacity, nonlinearity, .. } = self.octaves[octave];
        capacity * (1.0 - (-SATURATION * nonlinearity).exp())
    }
}
