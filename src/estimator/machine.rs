//! Finding out what the accelerator is like: lanes, tiles, and memory on the chip.
//!
//! Each property is a number that the terms depend on in steps, so it cannot be
//! fitted by least squares; it is searched among sizes that hardware comes in, one
//! property after the other and then all again.

use rayon::prelude::*;

use super::{
    physical::{Lanes, Machine, Work},
    prices::{TermRow, log_error, rough_prices},
    schedule::Stripes,
    tile::{Limits, Steps},
    training::{Sample, Training},
};
use crate::{error::Result, measurement::Kind};

/// Lane counts that are tried; 1 is a device without a staircase.
const LANES: [u32; 8] = [1, 4, 8, 12, 16, 24, 32, 64];
/// Channels that are written side by side at the most.
const RUN_CHANNELS: [u32; 3] = [16, 32, 64];
const BURST_BYTES: [u32; 5] = [8, 16, 32, 64, 128];
const ON_CHIP_BYTES: [u64; 9] =
    [1 << 16, 1 << 17, 3 << 16, 1 << 18, 3 << 17, 1 << 19, 3 << 18, 1 << 20, 1 << 40];
const STRIPES: [Stripes; 3] = [Stripes::None, Stripes::Free, Stripes::BeforeSums];
/// Rows, columns and channels that are computed in one step; an accelerator may have several ways.
const STEPS: [Steps; 11] = [
    [[1, 1, 8]; 3],
    [[1, 2, 8]; 3],
    [[2, 1, 8]; 3],
    [[2, 2, 8]; 3],
    [[2, 2, 16]; 3],
    [[1, 4, 16]; 3],
    [[4, 4, 16]; 3],
    [[1, 2, 16], [1, 4, 8], [2, 2, 8]],
    [[2, 2, 16], [1, 4, 16], [1, 4, 16]],
    [[2, 2, 32], [1, 4, 32], [2, 4, 16]],
    [[2, 2, 64], [1, 4, 64], [4, 4, 16]],
];
/// Kilobytes for the inputs and for the partial sums of a tile; the last ones are one memory that can be divided
/// in two ways.
const BUFFERS: [[(u32, u32); 2]; 17] = [
    [(2, 2); 2],
    [(4, 4); 2],
    [(4, 8); 2],
    [(8, 4); 2],
    [(8, 8); 2],
    [(8, 16); 2],
    [(16, 8); 2],
    [(16, 16); 2],
    [(8, 32); 2],
    [(16, 32); 2],
    [(16, 64); 2],
    [(32, 32); 2],
    [(64, 64); 2],
    [(3, 2), (1, 4)],
    [(6, 4), (2, 8)],
    [(12, 8), (4, 16)],
    [(24, 16), (8, 32)],
];
/// Input channels that are read together, and taps that are multiplied together.
const DEPTHS: [(u32, u32); 4] = [(16, 4), (32, 4), (64, 4), (64, 1)];
/// Rows, columns and channels of the largest tile.
const MOST: [[u32; 3]; 2] = [[32, 64, 128], [128, 128, 1024]];
/// Rows of each kind that a trial looks at.
const ROWS: usize = 400;
/// Times that every property is tried.
const SWEEPS: usize = 2;
/// Where the search starts.
pub(super) const START: Machine = Machine {
    lanes: Lanes { input: 1, output: 1 },
    tile: Limits {
        steps: [[1, 1, 8]; 3],
        taps: 4,
        most: [32, 64, 128],
        depth: 32,
        buffers: [(8 << 10, 8 << 10); 2],
    },
    burst_bytes: 32,
    on_chip_bytes: 1 << 40,
    run_channels: 64,
    stripes: Stripes::None,
};
/// Any property must lessen the squared error by this share to be changed, and lanes by more to be believed.
const LEAST_GAIN: f64 = 1e-3;
const LEAST_STAIRCASE: f64 = 0.02;

/// The machine that explains the samples best; lanes stay as `found` by their staircase unless others do better.
///
/// # Errors
/// A sample holds a number that is not finite.
pub(super) fn find(training: &Training, found: Lanes) -> Result<Machine> {
    let kinds = [Kind::Conv2d, Kind::PointwiseConv2d, Kind::DepthwiseConv2d, Kind::InputConv2d];
    let parts = kinds.map(|kind| training.only(&thin(all_of(training, kind))));
    let error = |machine: &Machine| total(&parts, machine);
    let mut machine = Machine { lanes: found, ..START };
    for _ in 0..SWEEPS {
        machine = with_memory(machine, &error)?;
        machine = choose(machine, &LANES, |m, lanes| m.lanes.output = lanes, LEAST_STAIRCASE, &error)?;
        machine = choose(machine, &LANES, |m, lanes| m.lanes.input = lanes, LEAST_STAIRCASE, &error)?;
        machine = with_tile(machine, &error)?;
    }
    Ok(machine)
}

/// The machine with the memory that explains most. What is kept on the chip decides most latencies where
/// anything is off it, so this comes first.
fn with_memory(machine: Machine, error: &(impl Fn(&Machine) -> Result<f64> + Sync)) -> Result<Machine> {
    let sizes = ON_CHIP_BYTES.iter();
    let memories: Vec<_> = sizes.flat_map(|bytes| STRIPES.map(|stripes| (*bytes, stripes))).collect();
    let remember = |m: &mut Machine, (bytes, stripes)| (m.on_chip_bytes, m.stripes) = (bytes, stripes);
    let machine = choose(machine, &memories, remember, LEAST_GAIN, error)?;
    let machine = choose(machine, &BURST_BYTES, |m, bytes| m.burst_bytes = bytes, LEAST_GAIN, error)?;
    choose(machine, &RUN_CHANNELS, |m, channels| m.run_channels = channels, LEAST_GAIN, error)
}

/// The machine with the tile that explains most.
fn with_tile(machine: Machine, error: &(impl Fn(&Machine) -> Result<f64> + Sync)) -> Result<Machine> {
    let kilobytes = |(inputs, sums): (u32, u32)| (inputs << 10, sums << 10);
    let divide = |m: &mut Machine, buffers: [(u32, u32); 2]| m.tile.buffers = buffers.map(kilobytes);
    let machine = choose(machine, &BUFFERS, divide, LEAST_GAIN, error)?;
    let machine = choose(machine, &STEPS, |m, steps| m.tile.steps = steps, LEAST_GAIN, error)?;
    let machine = choose(machine, &BUFFERS, divide, LEAST_GAIN, error)?;
    let deepen = |m: &mut Machine, (depth, taps)| (m.tile.depth, m.tile.taps) = (depth, taps);
    let machine = choose(machine, &DEPTHS, deepen, LEAST_GAIN, error)?;
    choose(machine, &MOST, |m, most| m.tile.most = most, LEAST_GAIN, error)
}

/// Layers of one kind that cost something.
fn all_of(training: &Training, kind: Kind) -> Vec<&Sample> {
    let of_kind = |sample: &&Sample| training.placed(sample).operation().kind == kind;
    training.samples.iter().filter(|sample| sample.latency_us > 0.0).filter(of_kind).collect()
}

/// Evenly spread rows, at most [`ROWS`].
fn thin(rows: Vec<&Sample>) -> Vec<&Sample> {
    let step = rows.len().div_ceil(ROWS).max(1);
    rows.into_iter().step_by(step).collect()
}

/// The squared relative error that the best prices leave, by kind.
fn total(kinds: &[Training], machine: &Machine) -> Result<f64> {
    let left = |part: &Training| -> Result<f64> {
        let part = part.clone().scheduled(machine);
        let row =
            |sample: &Sample| (Work::of(&part.placed(sample).context(), machine).terms, sample.latency_us);
        let rows: Vec<TermRow> = part.samples.iter().map(row).collect();
        Ok(log_error(&rows, &rough_prices(&rows)?))
    };
    kinds.iter().map(left).sum()
}

/// The machine with the value that explains most; what it has stands unless another gains enough.
fn choose<T: Copy + Sync>(
    machine: Machine,
    values: &[T],
    set: impl Fn(&mut Machine, T) + Sync,
    least_gain: f64,
    error: &(impl Fn(&Machine) -> Result<f64> + Sync),
) -> Result<Machine> {
    let with = |value: &T| {
        let mut tried = machine;
        set(&mut tried, *value);
        tried
    };
    let tried: Vec<Machine> = [machine].into_iter().chain(values.iter().map(with)).collect();
    let errors: Vec<f64> = tried.par_iter().map(error).collect::<Result<_>>()?;
    let best = tried.iter().zip(&errors).min_by(|a, b| a.1.total_cmp(b.1));
    Ok(best.filter(|(_, error)| **error < (1.0 - least_gain) * errors[0]).map_or(machine, |(best, _)| *best))
}
