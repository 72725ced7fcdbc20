//! The physical part of an estimate: what a layer costs by what it has to do.
//!
//! After the roofline model (Williams, Waterman & Patterson 2009): arithmetic,
//! writing results and moving bytes overlap, so the slowest of them decides; a
//! fixed overhead comes on top. Work is counted in whole tiles of the
//! accelerator's lanes, since a lane without work takes as long as one with it.

use serde::{Deserialize, Serialize};

use super::operation::{Kind, Operation};
use crate::network::Activation;

/// What overlaps with what: the slowest resource decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    /// Multiply-adds and the other arithmetic.
    Compute,
    /// Making results: rescaling, activations, element-wise work.
    Output,
    /// Moving bytes.
    Memory,
    /// What every layer costs; never overlapped.
    Overhead,
}

/// Terms of the price with the resource that they occupy. The order is that of [`terms`].
pub(super) const TERMS: [(&str, Resource); 11] = [
    ("macs_in_tiles", Resource::Compute),
    ("macs_in_output_tiles", Resource::Compute),
    ("macs", Resource::Compute),
    ("taps", Resource::Compute),
    ("outputs_in_tiles", Resource::Output),
    ("outputs", Resource::Output),
    ("looked_up", Resource::Output),
    ("input_bytes", Resource::Memory),
    ("output_bytes", Resource::Memory),
    ("weight_bytes", Resource::Memory),
    ("layer", Resource::Overhead),
];
pub(super) const TERM_COUNT: usize = TERMS.len();
const OVERLAPPING: usize = 3;

/// How sharply the slowest resource wins: the exponent of the sum that stands in for a maximum.
const SHARPNESS: i32 = 8;

/// Channels that the accelerator works on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    /// Input channels; 1 where no staircase was found.
    pub input: u32,
    /// Output channels; 1 where no staircase was found.
    pub output: u32,
}

/// The amount of each term in an operation.
pub(super) fn terms(operation: &Operation, lanes: Lanes) -> [f64; TERM_COUNT] {
    let pixels = operation.output.pixels() as f64;
    let taps = operation.taps() as f64;
    let channels = u64::from(operation.output.c);
    let tiled = whole_tiles(channels, lanes.output) as f64;
    let (deep, deep_tiled) = depths(operation, lanes);
    let outputs = pixels * channels as f64;
    let pooled = if operation.kind.has_macs() { 0.0 } else { outputs * taps };
    [
        pixels * taps * tiled * deep_tiled,
        pixels * taps * tiled * deep,
        operation.macs() as f64,
        pooled,
        pixels * tiled,
        outputs,
        if is_looked_up(operation.activation) { outputs } else { 0.0 },
        operation.input_bytes() as f64,
        operation.output_bytes() as f64,
        operation.weight_bytes() as f64,
        1.0,
    ]
}

/// Input channels of one output channel, as they are and in whole tiles; zero where nothing is multiplied.
fn depths(operation: &Operation, lanes: Lanes) -> (f64, f64) {
    match operation.kind {
        Kind::DepthwiseConv2d => (1.0, 1.0),
        kind if kind.has_macs() => {
            let depth = operation.depth();
            (depth as f64, whole_tiles(depth, lanes.input) as f64)
        }
        _ => (0.0, 0.0),
    }
}

fn whole_tiles(count: u64, lanes: u32) -> u64 {
    count.next_multiple_of(u64::from(lanes.max(1)))
}

/// Whether an activation needs a look-up or an operator of its own; clamps come free with rescaling.
pub(super) fn is_looked_up(activation: Activation) -> bool {
    !matches!(activation, Activation::None | Activation::Relu | Activation::Relu6)
}

/// Prices of the terms of one kind of operator, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Prices(pub(super) [f64; TERM_COUNT]);

/// The time of a layer by resource, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    overlapping: [f64; OVERLAPPING],
    overhead: f64,
}

impl Prices {
    /// The prices `step` of the way to `goal`.
    pub(super) fn towards(&self, goal: &Self, step: f64) -> Self {
        Self(std::array::from_fn(|index| self.0[index] + step * (goal.0[index] - self.0[index])))
    }

    /// The times that `terms` take.
    pub(super) fn times(&self, terms: &[f64; TERM_COUNT]) -> Times {
        let mut times = Times { overlapping: [0.0; OVERLAPPING], overhead: 0.0 };
        for ((price, amount), (_, resource)) in self.0.iter().zip(terms).zip(&TERMS) {
            match resource {
                Resource::Overhead => times.overhead += price * amount,
                overlapping => times.overlapping[*overlapping as usize] += price * amount,
            }
        }
        times
    }
}

impl Times {
    /// The latency in microseconds.
    pub(super) fn total(&self) -> f64 {
        self.overhead + self.slowest()
    }

    /// A smooth maximum of the overlapping resources.
    fn slowest(&self) -> f64 {
        let most = self.overlapping.iter().copied().fold(0.0, f64::max);
        if most <= 0.0 {
            return 0.0;
        }
        let sum: f64 = self.overlapping.iter().map(|time| (time / most).powi(SHARPNESS)).sum();
        most * sum.powf(1.0 / f64::from(SHARPNESS))
    }

    /// How the total changes with the time of `resource`.
    pub(super) fn share(&self, resource: Resource) -> f64 {
        match resource {
            Resource::Overhead => 1.0,
            overlapping => {
                let slowest = self.slowest();
                let time = self.overlapping[overlapping as usize];
                if slowest > 0.0 { (time / slowest).powi(SHARPNESS - 1) } else { 1.0 }
            }
        }
    }

    /// The resource that decides.
    pub(super) fn bound(&self) -> Resource {
        let [compute, output, memory] = self.overlapping;
        if self.overhead > self.slowest() {
            Resource::Overhead
        } else if memory > compute.max(output) {
            Resource::Memory
        } else if output > compute {
            Resource::Output
        } else {
            Resource::Compute
        }
    }
}
