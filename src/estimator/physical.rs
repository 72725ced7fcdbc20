//! The physical part of an estimate: what a layer costs by what it has to do.
//!
//! After the roofline model (Williams, Waterman & Patterson 2009): arithmetic,
//! writing results and moving bytes on and off the chip overlap, so the slowest of
//! them decides; a fixed overhead comes on top. Work is counted in whole tiles of
//! the accelerator's lanes, since a lane without work takes as long as one with
//! it, and a picture or weights that do not fit at once are read again.

use serde::{Deserialize, Serialize};

use super::context::Placed;
use crate::{
    measurement::{Kind, Operation},
    network::Activation,
};

/// What overlaps with what: the slowest resource decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    /// Multiply-adds and the other arithmetic.
    Compute,
    /// Making results: rescaling, activations, element-wise work.
    Output,
    /// Moving bytes on the chip.
    OnChip,
    /// Moving bytes to and from the chip.
    OffChip,
    /// What every layer costs; never overlapped.
    Overhead,
}

/// Terms of the price with the resource that they occupy. The order is that of [`terms`].
pub(super) const TERMS: [(&str, Resource); 27] = [
    ("macs_in_tiles", Resource::Compute),
    ("macs_in_output_tiles", Resource::Compute),
    ("macs", Resource::Compute),
    ("taps", Resource::Compute),
    ("weights_in_tiles", Resource::Compute),
    ("outputs_in_tiles", Resource::Output),
    ("outputs", Resource::Output),
    ("looked_up", Resource::Output),
    ("channels_of_8x8_blocks", Resource::Output),
    ("channels_of_16x16_blocks", Resource::Output),
    ("channels_of_32x32_blocks", Resource::Output),
    ("input_bytes", Resource::OnChip),
    ("output_bytes", Resource::OnChip),
    ("bursts", Resource::OnChip),
    ("input_bytes_again", Resource::OnChip),
    ("weight_bytes_again", Resource::OnChip),
    ("weight_bytes", Resource::OffChip),
    ("weight_bytes_again_off_chip", Resource::OffChip),
    ("spilled_input_bytes", Resource::OffChip),
    ("spilled_output_bytes", Resource::OffChip),
    ("network_input_bytes", Resource::OffChip),
    ("network_input_bytes_again", Resource::OffChip),
    ("network_input_bursts", Resource::OffChip),
    ("network_output_bytes", Resource::OffChip),
    ("network_output_bursts", Resource::OffChip),
    ("layer", Resource::Overhead),
    ("layer_off_chip", Resource::Overhead),
];
pub(super) const TERM_COUNT: usize = TERMS.len();
const OVERLAPPING: usize = 4;

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

/// What the fit found out about the accelerator by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Machine {
    pub(super) lanes: Lanes,
    /// Output channels computed in one pass over the input.
    pub(super) pass_channels: u32,
    /// Output pixels computed in one pass over the weights.
    pub(super) pass_pixels: u32,
    /// Bytes that memory moves at once: a pixel's channels are moved in whole bursts.
    pub(super) burst_bytes: u32,
    /// Input and output that together fit in this many bytes stay on the chip.
    pub(super) on_chip_bytes: u64,
}

/// The amount of each term in a layer.
pub(super) fn terms(layer: Placed<'_>, machine: &Machine) -> [f64; TERM_COUNT] {
    let operation = layer.operation();
    let pixels = operation.output.pixels() as f64;
    let taps = operation.taps() as f64;
    let channels = u64::from(operation.output.c);
    let tiled = whole_tiles(channels, machine.lanes.output) as f64;
    let (deep, deep_tiled) = depths(operation, machine.lanes);
    let outputs = pixels * channels as f64;
    let weights = operation.weight_bytes() as f64;
    let multiplies = f64::from(u8::from(operation.kind.has_macs()));
    let input = operation.input_bytes() as f64;
    let input_again = input * (passes(operation, machine) - 1.0);
    let weights_again =
        weights * (operation.output.pixels().div_ceil(u64::from(machine.pass_pixels)) - 1) as f64;
    let (read_bursts, write_bursts) = bursts(operation, machine.burst_bytes);
    let output = operation.output_bytes() as f64;
    let (from, to) = off_chip(layer, machine.on_chip_bytes);
    let only = |condition: bool, amount: f64| if condition { amount } else { 0.0 };
    [
        pixels * taps * tiled * deep_tiled,
        pixels * taps * tiled * deep,
        operation.macs() as f64,
        (1.0 - multiplies) * outputs * taps,
        multiplies * taps * tiled * deep_tiled,
        pixels * tiled,
        outputs,
        only(is_looked_up(operation.activation), outputs),
        blocks(operation, 8) * tiled,
        blocks(operation, 16) * tiled,
        blocks(operation, 32) * tiled,
        input,
        output,
        read_bursts + write_bursts,
        input_again,
        weights_again,
        weights,
        weights_again,
        only(from == Place::OffChip, input),
        only(to == Place::OffChip, output),
        only(from == Place::Outside, input),
        only(from == Place::Outside, input_again),
        only(from == Place::Outside, read_bursts),
        only(to == Place::Outside, output),
        only(to == Place::Outside, write_bursts),
        1.0,
        f64::from(u8::from(from != Place::OnChip) + u8::from(to != Place::OnChip)),
    ]
}

/// Square blocks of this side that cover the output picture.
fn blocks(operation: &Operation, side: u32) -> f64 {
    let count = |size: u32| u64::from(size.div_ceil(side));
    (count(operation.output.h) * count(operation.output.w)) as f64
}

/// Bursts that move the input and the output pixel by pixel.
fn bursts(operation: &Operation, burst_bytes: u32) -> (f64, f64) {
    let each =
        |channels: u32| (u64::from(channels) * operation.bytes).div_ceil(u64::from(burst_bytes)) as f64;
    let input_pixels = operation.input_elements as f64 / f64::from(operation.input.c);
    let output_pixels = operation.output.pixels() as f64;
    (input_pixels * each(operation.input.c), output_pixels * each(operation.output.c))
}

/// How often the input is read: once for every so many output channels.
fn passes(operation: &Operation, machine: &Machine) -> f64 {
    match operation.kind {
        Kind::Dense => f64::from(operation.output.c.div_ceil(machine.pass_channels)),
        kind if kind.is_standard_conv() => f64::from(operation.output.c.div_ceil(machine.pass_channels)),
        _ => 1.0,
    }
}

/// Where a tensor lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On the chip.
    OnChip,
    /// Between layers, but spilled since too much is alive with it.
    OffChip,
    /// It is an input or an output of the network.
    Outside,
}

/// Where a layer reads from and writes to.
pub(super) fn off_chip(layer: Placed<'_>, on_chip_bytes: u64) -> (Place, Place) {
    let place = |writer: Placed<'_>| {
        if writer.peak_bytes() > on_chip_bytes { Place::OffChip } else { Place::OnChip }
    };
    let from = layer.producer().map_or(Place::Outside, place);
    let to = if layer.consumer().is_some() { place(layer) } else { Place::Outside };
    (from, to)
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
    /// The smooth maximum of the overlapping resources.
    slowest: f64,
}

impl Prices {
    /// The times that `terms` take.
    pub(super) fn times(&self, terms: &[f64; TERM_COUNT]) -> Times {
        let mut overlapping = [0.0; OVERLAPPING];
        let mut overhead = 0.0;
        for ((price, amount), (_, resource)) in self.0.iter().zip(terms).zip(&TERMS) {
            match resource {
                Resource::Overhead => overhead += price * amount,
                other => overlapping[*other as usize] += price * amount,
            }
        }
        Times { overlapping, overhead, slowest: smooth_maximum(&overlapping) }
    }
}

fn smooth_maximum(times: &[f64; OVERLAPPING]) -> f64 {
    let most = times.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return 0.0;
    }
    let sum: f64 = times.iter().map(|time| (time / most).powi(SHARPNESS)).sum();
    most * sum.powf(1.0 / f64::from(SHARPNESS))
}

impl Times {
    /// The latency in microseconds.
    pub(super) fn total(&self) -> f64 {
        self.overhead + self.slowest
    }

    /// How the total changes with the time of `resource`.
    pub(super) fn share(&self, resource: Resource) -> f64 {
        match resource {
            Resource::Overhead => 1.0,
            _ if self.slowest <= 0.0 => 1.0,
            other => (self.overlapping[other as usize] / self.slowest).powi(SHARPNESS - 1),
        }
    }

    /// The time of a resource as a share of the total.
    pub(super) fn fraction(&self, resource: Resource) -> f64 {
        let time = match resource {
            Resource::Overhead => self.overhead,
            other => self.overlapping[other as usize],
        };
        if self.total() > 0.0 { time / self.total() } else { 0.0 }
    }

    /// The resource that decides.
    pub(super) fn bound(&self) -> Resource {
        const ALL: [Resource; OVERLAPPING + 1] =
            [Resource::Compute, Resource::Output, Resource::OnChip, Resource::OffChip, Resource::Overhead];
        let slower = |a: Resource, b: Resource| if self.fraction(b) > self.fraction(a) { b } else { a };
        ALL.into_iter().fold(Resource::Compute, slower)
    }
}
