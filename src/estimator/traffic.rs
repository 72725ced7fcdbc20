//! What a layer moves, from where and to where.

use super::{context::Context, physical::Machine, schedule::Place, tile::Tiling};
use crate::measurement::Operation;

/// Output channels whose weights are fetched together at the least.
const SLICE: u32 = 16;

/// What a layer moves and where.
pub(super) struct Traffic {
    /// Where the latest input lies.
    pub(super) from: Place,
    /// Where the output lies.
    pub(super) to: Place,
    /// Share of the input that lies off the chip.
    pub(super) read_off_chip: f64,
    /// Bytes of input fetched, with what is fetched again.
    pub(super) fetched: f64,
    /// Bytes of weights beyond reading them once.
    pub(super) weights_again: f64,
    /// Whether the weights, or slices of them, find room on the chip to be read again from there.
    pub(super) weights_stay: bool,
    /// Bursts that read the input pixel by pixel.
    pub(super) read_bursts: f64,
    /// Bursts that write the output pixel by pixel.
    pub(super) written_bursts: f64,
    /// Bytes of whole bursts that fetch the input tile by tile.
    pub(super) fetched_bursts: f64,
    /// Bytes of whole bursts that write the output tile by tile.
    pub(super) spread_bursts: f64,
}

impl Traffic {
    /// What a layer moves if it is cut in this way.
    pub(super) fn of(context: &Context<'_>, machine: &Machine, tiling: &Tiling) -> Self {
        let operation = context.operation;
        let windowed = operation.kind.has_macs() || operation.taps() > 1;
        let tiled = tiling.fetched(operation.input.c) * operation.bytes as f64;
        let fetched = if windowed { tiled } else { operation.input_bytes() as f64 };
        let runs = Runs { bytes: operation.bytes, burst: u64::from(machine.burst_bytes) };
        let [_, width, depth] = tiling.tile;
        let written = depth.min(machine.run_channels);
        let input_pixels = operation.input_elements / u64::from(operation.input.c.max(1));
        Self {
            from: context.from(),
            to: context.to(),
            read_off_chip: context.read_off_chip(),
            fetched,
            weights_again: operation.weight_bytes() as f64 * (tiling.areas - 1.0),
            weights_stay: 2 * slice_bytes(operation) <= context.step.free_bytes,
            read_bursts: runs.pixel_by_pixel(input_pixels, operation.input.c),
            written_bursts: runs.pixel_by_pixel(operation.output.pixels(), operation.output.c),
            fetched_bursts: fetched / runs.used(tiling.depth, operation.input.c, tiling.patch[1]),
            spread_bursts: operation.output_bytes() as f64 / runs.used(written, operation.output.c, width),
        }
    }
}

/// How a network's input and output lie in memory: the channels of a pixel side by side.
struct Runs {
    /// Bytes of a value.
    bytes: u64,
    /// Bytes that memory moves at once.
    burst: u64,
}

impl Runs {
    /// Bursts that move so many pixels one by one.
    fn pixel_by_pixel(&self, pixels: u64, channels: u32) -> f64 {
        pixels as f64 * (u64::from(channels) * self.bytes).div_ceil(self.burst) as f64
    }

    /// How much of a burst is used by tiles of `depth` channels and `width` pixels: a run in memory ends where
    /// the depth of the tile does, unless that is all channels.
    fn used(&self, depth: u32, channels: u32, width: u32) -> f64 {
        let run = u64::from(depth.max(1)) * if depth == channels { u64::from(width) } else { 1 };
        (run * self.bytes).min(self.burst) as f64 / self.burst as f64
    }
}

fn slice_bytes(operation: &Operation) -> u64 {
    operation.weight_bytes() / u64::from(operation.output.c.div_ceil(SLICE).max(1))
}
