//! The physical part of an estimate: what a layer costs by what it has to do.
//!
//! After the roofline model (Williams, Waterman & Patterson 2009): arithmetic,
//! writing results and moving bytes on and off the chip overlap, so the slowest of
//! them decides; a fixed overhead comes on top. Work is counted in whole tiles of
//! the accelerator's lanes, since a lane without work takes as long as one with
//! it, and a picture or weights that do not fit at once are read again.

use serde::{Deserialize, Serialize};

use super::{
    context::Context,
    schedule::{Place, Stripes},
    tile::{Limits, Tiling},
    traffic::Traffic,
};
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
    /// Starting tiles: what each one waits for.
    Tiles,
    /// What every layer costs; never overlapped.
    Overhead,
}

impl Resource {
    /// All of them, the overlapping ones first.
    pub(super) const ALL: [Self; OVERLAPPING + 1] =
        [Self::Compute, Self::Output, Self::OnChip, Self::OffChip, Self::Tiles, Self::Overhead];
}

/// Terms of the price with the resource that they occupy. The order is that of [`terms`].
pub(super) const TERMS: [(&str, Resource); 33] = [
    ("macs_in_steps", Resource::Compute),
    ("macs_in_tiles", Resource::Compute),
    ("macs", Resource::Compute),
    ("taps", Resource::Compute),
    ("weights_in_steps", Resource::Compute),
    ("outputs_in_tiles", Resource::Output),
    ("outputs", Resource::Output),
    ("looked_up", Resource::Output),
    ("input_bytes", Resource::OnChip),
    ("fetched_bytes", Resource::OnChip),
    ("output_bytes", Resource::OnChip),
    ("weight_bytes_again", Resource::OnChip),
    ("weight_bytes", Resource::OffChip),
    ("weight_bytes_again_off_chip", Resource::OffChip),
    ("spilled_input_bytes", Resource::OffChip),
    ("spilled_fetched_bytes", Resource::OffChip),
    ("spilled_output_bytes", Resource::OffChip),
    ("network_input_bytes", Resource::OffChip),
    ("network_fetched_bytes", Resource::OffChip),
    ("network_input_bursts", Resource::OffChip),
    ("network_fetched_bursts", Resource::OffChip),
    ("network_output_bytes", Resource::OffChip),
    ("network_output_bursts", Resource::OffChip),
    ("network_written_bursts", Resource::OffChip),
    ("tiles", Resource::Tiles),
    ("tiles_read_off_chip", Resource::Tiles),
    ("tiles_written_off_chip", Resource::Tiles),
    ("tiles_fetched_bytes", Resource::Tiles),
    ("tiles_spilled_bytes", Resource::Tiles),
    ("tiles_network_bytes", Resource::Tiles),
    ("weights", Resource::Overhead),
    ("layer", Resource::Overhead),
    ("layer_off_chip", Resource::Overhead),
];
pub(super) const TERM_COUNT: usize = TERMS.len();
const OVERLAPPING: usize = 5;

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
    /// What limits a tile.
    pub(super) tile: Limits,
    /// Bytes that memory moves at once: a pixel's channels are moved in whole bursts.
    pub(super) burst_bytes: u32,
    /// Input and output that together fit in this many bytes stay on the chip.
    pub(super) on_chip_bytes: u64,
    /// Channels of an output that are written side by side at the most.
    pub(super) run_channels: u32,
    /// Whether layers that do not fit run together in stripes.
    pub(super) stripes: Stripes,
}

impl Machine {
    /// Whether every size is one that an accelerator could have.
    pub(super) fn is_sane(&self) -> bool {
        let Self { lanes, burst_bytes, run_channels, .. } = self;
        let sizes = [lanes.input, lanes.output, *burst_bytes, *run_channels];
        sizes.iter().all(|size| (1..=1 << 20).contains(size)) && self.tile.are_sane()
    }
}

/// What a layer has to do.
pub(super) struct Work {
    /// The amount of each term.
    pub(super) terms: [f64; TERM_COUNT],
    pub(super) tiling: Tiling,
    pub(super) traffic: Traffic,
}

impl Work {
    /// The work of a layer on `machine`.
    pub(super) fn of(context: &Context<'_>, machine: &Machine) -> Self {
        let tiling = Tiling::of(context.operation, context.step.rows, &machine.tile);
        let traffic = Traffic::of(context, machine, &tiling);
        Self { terms: terms(context.operation, machine, &tiling, &traffic), tiling, traffic }
    }
}

fn terms(operation: &Operation, machine: &Machine, tiling: &Tiling, traffic: &Traffic) -> [f64; TERM_COUNT] {
    let mut terms = [0.0; TERM_COUNT];
    let off_chip = [traffic.from, traffic.to].into_iter().filter(|place| *place != Place::OnChip).count();
    let amounts = computed(operation, machine, tiling)
        .into_iter()
        .chain(moved(operation, traffic))
        .chain(begun(operation, tiling, traffic))
        .chain([operation.weight_bytes() as f64, 1.0, off_chip as f64]);
    terms.iter_mut().zip(amounts).for_each(|(term, amount)| *term = amount);
    terms
}

/// Arithmetic and results.
fn computed(operation: &Operation, machine: &Machine, tiling: &Tiling) -> [f64; 8] {
    let pixels = operation.output.pixels() as f64;
    let outputs = operation.output.elements() as f64;
    let tiled = whole_tiles(u64::from(operation.output.c), machine.lanes.output) as f64;
    let [step_h, step_w, _] = machine.tile.steps[0];
    let whole = |size: u32, step: u32| u64::from(size).next_multiple_of(u64::from(step)) as f64;
    let stepped = whole(operation.output.h, step_h) * whole(operation.output.w, step_w);
    let multiplies = f64::from(u8::from(operation.kind.has_macs()));
    let looked_up = f64::from(u8::from(is_looked_up(operation.activation)));
    [
        tiling.busy * tiled * tiling.steps,
        stepped * tiled * whole_depth(operation, machine.lanes) * operation.taps() as f64,
        operation.macs() as f64,
        (1.0 - multiplies) * outputs * window(operation),
        multiplies * tiling.areas * tiled * tiling.steps,
        pixels * tiled,
        outputs,
        looked_up * outputs,
    ]
}

/// Bytes moved, on the chip and off it.
fn moved(operation: &Operation, traffic: &Traffic) -> [f64; 16] {
    let Traffic { fetched, weights_again, read_off_chip, from, to, .. } = *traffic;
    let (input, output) = (operation.input_bytes() as f64, operation.output_bytes() as f64);
    let outside_in = f64::from(u8::from(from == Place::Outside));
    let outside_out = f64::from(u8::from(to == Place::Outside));
    let spilled = f64::from(u8::from(to == Place::OffChip));
    let again = if traffic.weights_stay { 0.0 } else { weights_again };
    [
        input,
        fetched,
        output,
        weights_again,
        operation.weight_bytes() as f64,
        again,
        read_off_chip * input,
        read_off_chip * fetched,
        spilled * output,
        outside_in * input,
        outside_in * fetched,
        outside_in * traffic.read_bursts,
        outside_in * traffic.fetched_bursts,
        outside_out * output,
        outside_out * traffic.written_bursts,
        outside_out * traffic.spread_bursts,
    ]
}

/// What it takes to begin tiles.
fn begun(operation: &Operation, tiling: &Tiling, traffic: &Traffic) -> [f64; 6] {
    let tiles = tiling.count(operation.output.c);
    let [patch_h, patch_w] = tiling.patch.map(f64::from);
    let block = tiles * patch_h * patch_w * f64::from(tiling.depth) * operation.bytes as f64;
    let only = |condition: bool, amount: f64| if condition { amount } else { 0.0 };
    let share = only(traffic.fetched > 0.0, (block / traffic.fetched).min(1.0));
    let spilled = only(traffic.to == Place::OffChip, operation.output_bytes() as f64);
    let outside = only(traffic.from == Place::Outside, share * traffic.fetched_bursts)
        + only(traffic.to == Place::Outside, traffic.spread_bursts);
    [
        tiles,
        only(traffic.from != Place::OnChip, tiles),
        only(traffic.to != Place::OnChip, tiles),
        block,
        traffic.read_off_chip * block + spilled,
        outside,
    ]
}

/// Values that one result is made of, where nothing is multiplied.
fn window(operation: &Operation) -> f64 {
    match operation.kind {
        Kind::Resize => operation.output.pixels() as f64 / operation.input.pixels().max(1) as f64,
        _ => operation.taps() as f64,
    }
}

/// Input channels of one output channel in whole tiles; zero where nothing is multiplied.
fn whole_depth(operation: &Operation, lanes: Lanes) -> f64 {
    match operation.kind {
        Kind::DepthwiseConv2d => 1.0,
        kind if kind.has_macs() => whole_tiles(operation.depth(), lanes.input) as f64,
        _ => 0.0,
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
        let slower = |a: Resource, b: Resource| if self.fraction(b) > self.fraction(a) { b } else { a };
        Resource::ALL.into_iter().fold(Resource::Compute, slower)
    }
}
