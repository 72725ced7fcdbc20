//! Finding out what the accelerator is like: lanes, passes and memory on the chip.
//!
//! Each property is a number that the terms depend on in steps, so it cannot be
//! fitted by least squares; it is searched among sizes that hardware comes in.

use rayon::prelude::*;

use super::{
    context::Placed,
    physical::{Lanes, Machine, TERM_COUNT, TERMS, terms},
    prices::{TermRow, fit_prices, log_error},
    training::{Sample, Training},
};
use crate::{error::Result, measurement::Kind};

/// Lane counts that are tried; 1 is a device without a staircase.
const LANES: [u32; 8] = [1, 4, 8, 12, 16, 24, 32, 64];
const BURST_BYTES: [u32; 5] = [8, 16, 32, 64, 128];
const PASS_CHANNELS: [u32; 5] = [16, 32, 64, 128, 256];
const PASS_PIXELS: [u32; 5] = [64, 256, 1024, 4096, 65_536];
const ON_CHIP_BYTES: [u64; 9] =
    [1 << 16, 1 << 17, 3 << 16, 1 << 18, 3 << 17, 1 << 19, 3 << 18, 1 << 20, 1 << 40];
/// Rows of each kind that a trial looks at.
const ROWS: usize = 400;
/// Times that every property is tried.
const SWEEPS: usize = 2;
/// Where the search starts.
pub(super) const START: Machine = Machine {
    lanes: Lanes { input: 1, output: 1 },
    pass_channels: 64,
    pass_pixels: 1024,
    burst_bytes: 32,
    on_chip_bytes: 3 << 17,
};
/// A staircase must lessen the squared error by this share to be believed.
const LEAST_GAIN: f64 = 0.02;

/// Terms that follow neither staircase; without them a lane count has to explain the rows by itself.
const UNTILED: [&str; 4] = ["macs_in_output_tiles", "macs", "outputs", "output_bytes"];

/// The machine that explains the samples best, with lanes as searched here or as `found` by their staircase.
///
/// # Errors
/// A sample holds a number that is not finite.
pub(super) fn find(training: &Training, samples: &[&Sample], found: Lanes) -> Result<Machine> {
    let kinds = [Kind::Conv2d, Kind::PointwiseConv2d, Kind::DepthwiseConv2d];
    let rows = |kind: &Kind| thin(all_of(training, samples, *kind));
    let thinned: Vec<Vec<Measured>> = kinds.iter().map(rows).collect();
    let dense: Vec<Vec<Measured>> = thinned[..2].iter().map(|rows| busiest(rows)).collect();
    let staircase = |machine: &Machine| total(&dense, machine, true);
    let error = |machine: &Machine| total(&thinned, machine, false);
    let mut searched = START;
    for _ in 0..SWEEPS {
        searched = choose(searched, &LANES, |m, lanes| m.lanes.output = lanes, LEAST_GAIN, &staircase)?;
        searched = choose(searched, &LANES, |m, lanes| m.lanes.input = lanes, LEAST_GAIN, &staircase)?;
    }
    let mut tried = vec![found, searched.lanes];
    if found.output > 1 {
        // Many machines are square; bricks of channels in memory may hide that on the input side.
        tried.push(Lanes { input: found.output, output: found.output });
    }
    let mut best = (f64::INFINITY, START);
    for lanes in tried {
        let machine = memory_and_passes(Machine { lanes, ..START }, &error)?;
        let left = error(&machine)?;
        if left < best.0 {
            best = (left, machine);
        }
    }
    Ok(best.1)
}

/// Searches what is not lanes.
fn memory_and_passes(from: Machine, error: &(impl Fn(&Machine) -> Result<f64> + Sync)) -> Result<Machine> {
    let mut best = choose(from, &BURST_BYTES, |m, bytes| m.burst_bytes = bytes, 0.0, error)?;
    best = choose(best, &ON_CHIP_BYTES, |m, bytes| m.on_chip_bytes = bytes, 0.0, error)?;
    best = choose(best, &PASS_CHANNELS, |m, channels| m.pass_channels = channels, 0.0, error)?;
    choose(best, &PASS_PIXELS, |m, pixels| m.pass_pixels = pixels, 0.0, error)
}

/// A layer with its latency in microseconds.
type Measured<'t> = (Placed<'t>, f64);

/// Layers of one kind that cost something.
fn all_of<'t>(training: &'t Training, samples: &[&Sample], kind: Kind) -> Vec<Measured<'t>> {
    let placed = samples.iter().map(|sample| (training.placed(sample), sample.latency_us));
    placed.filter(|(layer, us)| *us > 0.0 && layer.operation().kind == kind).collect()
}

/// Evenly spread rows, at most [`ROWS`].
fn thin(rows: Vec<Measured<'_>>) -> Vec<Measured<'_>> {
    let step = rows.len().div_ceil(ROWS).max(1);
    rows.into_iter().step_by(step).collect()
}

/// The half with the most multiply-adds a byte, where the staircase of the lanes shows.
fn busiest<'t>(rows: &[Measured<'t>]) -> Vec<Measured<'t>> {
    let mut rows = rows.to_vec();
    let intensity = |(layer, _): &Measured<'_>| {
        let operation = layer.operation();
        let bytes = operation.input_bytes() + operation.output_bytes() + operation.weight_bytes();
        operation.macs() as f64 / bytes.max(1) as f64
    };
    rows.sort_by(|a, b| intensity(b).total_cmp(&intensity(a)));
    rows.truncate(rows.len().div_ceil(2));
    rows
}

/// The squared relative error that the best prices leave, by kind.
fn total(kinds: &[Vec<Measured<'_>>], machine: &Machine, tiled_only: bool) -> Result<f64> {
    let left = |rows: &Vec<Measured<'_>>| -> Result<f64> {
        let row = |(layer, us): &Measured<'_>| (terms(*layer, machine), *us);
        let mut rows: Vec<TermRow> = rows.iter().map(row).collect();
        if tiled_only {
            rows.iter_mut().for_each(|(terms, _)| drop_untiled(terms));
        }
        Ok(log_error(&rows, &fit_prices(&rows)?))
    };
    kinds.iter().map(left).sum()
}

fn drop_untiled(terms: &mut [f64; TERM_COUNT]) {
    for (term, (name, _)) in terms.iter_mut().zip(&TERMS) {
        if UNTILED.contains(name) {
            *term = 0.0;
        }
    }
}

/// The machine with the value that explains most; the first value stands unless another gains enough.
fn choose<T: Copy + Sync>(
    machine: Machine,
    values: &[T],
    set: impl Fn(&mut Machine, T) + Sync,
    least_gain: f64,
    error: &(impl Fn(&Machine) -> Result<f64> + Sync),
) -> Result<Machine> {
    let trial = |value: &T| {
        let mut tried = machine;
        set(&mut tried, *value);
        error(&tried).map(|error| (error, tried))
    };
    let trials: Vec<(f64, Machine)> = values.par_iter().map(trial).collect::<Result<_>>()?;
    let first = trials[0];
    let best = trials.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or(first);
    Ok(if best.0 < (1.0 - least_gain) * first.0 { best.1 } else { first.1 })
}
