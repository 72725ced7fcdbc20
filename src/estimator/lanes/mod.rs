//! The parallelism factor from data: on how many channels the accelerator works at once.
//!
//! A lane without work takes as long as one with it, so latency against channels is a staircase. For each
//! lane count that hardware comes in, layers bound by arithmetic are explained by work in whole tiles of that
//! many channels; half of the rows are predicted by prices fitted to the other half, and the lane count that
//! leaves the least error is taken. Rows are then drawn again with repetition (Efron 1979); how often the same
//! lane count wins is the certainty.
//!
//! What is found are lanes of the arithmetic. Bricks of 16 channels in memory make a staircase too; it has a
//! price of its own here for every lane count, so it counts for none.

mod amounts;
mod vote;

use std::{collections::BTreeMap, fmt};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::{
    amounts::{Channels, Tiled, WIDTH, intensity},
    vote::{Ballot, vote},
};
use super::{
    descent::{Effort, descend, loss},
    graph::Placed,
    physical::Lanes,
    training::{Sample, Training},
};
use crate::{error::Result, measurement::Kind};

/// Lane counts that are tried; 1 is a device without a staircase.
const CANDIDATES: [u32; 11] = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128];
/// Kinds bound by arithmetic if any are.
const KINDS: [Kind; 4] = [Kind::Conv2d, Kind::PointwiseConv2d, Kind::DepthwiseConv2d, Kind::Dense];
/// Rows of one group that are looked at, and how few are too few for prices.
const ROWS: usize = 400;
const LEAST_ROWS: usize = 24;
/// Of a group with more rows than this, only the half with the most arithmetic for its bytes is looked at.
const FEW_ROWS: usize = 300;
/// Channels that fill this grid fill the tiles of most lane counts.
const GRID: u64 = 16;
/// Rows off the grid without which a lane count is a guess.
const LEAST_OFF_GRID: usize = 10;
/// Lane counts that are no power of two are rare; between 8 and 16, a device with stairs of both looks like 12. So their
/// error counts this much more.
const RARE: f64 = 1.05;
/// Times that output and input lanes are chosen in turn.
const SWEEPS: usize = 3;
const EFFORT: Effort = Effort { rounds: 6, outlier: 0.1 };

/// What the measurements say of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundLanes {
    /// Lanes of output channels.
    pub output: FoundLane,
    /// Lanes of input channels.
    pub input: FoundLane,
}

/// A lane count with how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundLane {
    /// Channels worked on at once; 1 where no staircase was found.
    pub lanes: u32,
    /// Share of the draws of the rows in which this lane count explains them best, 0 to 1.
    pub certainty: f64,
    /// Rows looked at.
    pub rows: usize,
    /// Rows whose channels fill no whole number of tiles; without them no staircase shows. Where no staircase was
    /// found, rows with an odd number of channels.
    pub rows_off_grid: usize,
}

impl FoundLanes {
    /// The lane counts alone.
    #[must_use]
    pub fn lanes(&self) -> Lanes {
        Lanes { input: self.input.lanes, output: self.output.lanes }
    }
}

impl FoundLane {
    const NOTHING: Self = Self { lanes: 1, certainty: 0.0, rows: 0, rows_off_grid: 0 };

    /// Whether there are rows enough off the grid for the certainty to mean something.
    #[must_use]
    pub fn can_tell(&self) -> bool {
        self.rows_off_grid >= LEAST_OFF_GRID
    }

    /// Whether there is a staircase, as far as can be told.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.can_tell() && self.lanes > 1
    }

    /// Whether more draws than not say so.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        self.can_tell() && self.certainty >= 0.5
    }
}

/// Finds the lanes that explain `samples` best.
///
/// # Errors
/// A sample holds a number that is not finite.
pub(super) fn find(training: &Training, samples: &[&Sample]) -> Result<FoundLanes> {
    let groups = groups(training, samples);
    if groups.is_empty() {
        return Ok(FoundLanes { output: FoundLane::NOTHING, input: FoundLane::NOTHING });
    }
    let mut lanes = Lanes { input: 1, output: 1 };
    let mut found = (FoundLane::NOTHING, FoundLane::NOTHING);
    for _ in 0..SWEEPS {
        let before = lanes;
        found.0 = choose(&groups, |output| Lanes { output, ..lanes }, |channels| Some(channels.output))?;
        lanes.output = found.0.lanes;
        found.1 = choose(&groups, |input| Lanes { input, ..lanes }, |channels| channels.input)?;
        lanes.input = found.1.lanes;
        if lanes == before {
            break;
        }
    }
    Ok(FoundLanes { output: found.0, input: found.1 })
}

/// Rows that share prices.
type Group<'t> = Vec<Measured<'t>>;

/// A row: the layer, its latency in microseconds, and what it is drawn together with.
#[derive(Clone, Copy)]
struct Measured<'t> {
    layer: Placed<'t>,
    latency_us: f64,
    draw: usize,
    /// Which half of its group predicts it.
    half: usize,
}

/// The rows by kind, isolated or in context, since these pay differently for memory.
fn groups<'t>(training: &'t Training, samples: &[&Sample]) -> Vec<Group<'t>> {
    let group = |kind: Kind, isolated: bool| -> Group<'t> {
        let of_group = |sample: &(usize, &&Sample)| {
            let kind_of = training.placed(sample.1).operation().kind;
            sample.1.latency_us > 0.0 && sample.1.network.is_none() == isolated && kind_of == kind
        };
        let row = |(index, sample): (usize, &&Sample)| Measured {
            layer: training.placed(sample),
            latency_us: sample.latency_us,
            // The layers of a network resemble each other, so they are drawn together.
            draw: sample.network.map_or(index, |network| samples.len() + network),
            half: 0,
        };
        halved(thin(samples.iter().enumerate().filter(of_group).map(row).collect()))
    };
    let each = KINDS.iter().flat_map(|kind| [group(*kind, true), group(*kind, false)]);
    each.filter(|group| group.len() >= LEAST_ROWS).collect()
}

/// At most [`ROWS`] rows, of the busiest half where there are many, and half of them off the grid if there are.
fn thin(rows: Group<'_>) -> Group<'_> {
    let mut busy: Vec<f64> = rows.iter().map(|row| intensity(row.layer.operation())).collect();
    busy.sort_by(f64::total_cmp);
    let least = if rows.len() > FEW_ROWS { busy[rows.len() / 2] } else { 0.0 };
    let busiest: Group<'_> =
        rows.into_iter().filter(|row| intensity(row.layer.operation()) >= least).collect();
    if busiest.len() <= ROWS {
        return busiest;
    }
    let (off, on): (Group<'_>, Group<'_>) = busiest.into_iter().partition(is_off_grid);
    let off = spread(off, (ROWS / 2).max(ROWS.saturating_sub(on.len())));
    let on = spread(on, ROWS - off.len());
    off.into_iter().chain(on).collect()
}

/// Whether a row can tell lanes from bricks of memory; networks are mostly drawn on a grid.
fn is_off_grid(row: &Measured<'_>) -> bool {
    let operation = row.layer.operation();
    let off = |channels: u64| !channels.is_multiple_of(GRID);
    off(u64::from(operation.output.c)) || operation.kind.is_standard_conv() && off(operation.depth())
}

/// Evenly spread rows, at most so many.
fn spread(rows: Group<'_>, most: usize) -> Group<'_> {
    let step = rows.len().div_ceil(most.max(1)).max(1);
    rows.into_iter().step_by(step).collect()
}

/// Puts what is drawn together into one half, in turn.
fn halved(mut rows: Group<'_>) -> Group<'_> {
    let mut halves = BTreeMap::new();
    for row in &mut rows {
        let next = halves.len() % 2;
        row.half = *halves.entry(row.draw).or_insert(next);
    }
    rows
}

/// The lane count that explains the rows best, with the others as `set` leaves them.
fn choose(
    groups: &[Group<'_>],
    set: impl Fn(u32) -> Lanes + Sync,
    channels: impl Fn(Channels) -> Option<u64>,
) -> Result<FoundLane> {
    let draws: Vec<usize> = groups.iter().flatten().map(|row| row.draw).collect();
    let losses = |lanes: &u32| held_out_losses(groups, set(*lanes));
    let mut losses: Vec<Vec<f64>> = CANDIDATES.par_iter().map(losses).collect::<Result<_>>()?;
    level(&mut losses, groups);
    let odd = CANDIDATES.iter().zip(&mut losses).filter(|(lanes, _)| !lanes.is_power_of_two());
    odd.for_each(|(_, losses)| losses.iter_mut().for_each(|loss| *loss *= RARE));
    let Ballot { winner, certainty } = vote(&losses, &draws);
    let lanes = CANDIDATES[winner];
    let of_rows = groups.iter().flatten().filter_map(|row| channels(Channels::of(row.layer.operation())));
    let counts: Vec<u64> = of_rows.collect();
    let grid = u64::from(lanes.max(2));
    let rows_off_grid = counts.iter().filter(|count| !count.is_multiple_of(grid)).count();
    Ok(FoundLane { lanes, certainty, rows: counts.len(), rows_off_grid })
}

/// Measures each group's losses by the least that any candidate leaves: a group that waits for memory is explained
/// badly by all of them, and its noise must not outvote the groups where the lanes show.
fn level(losses: &mut [Vec<f64>], groups: &[Group<'_>]) {
    let mut first = 0;
    for group in groups {
        let rows = first..first + group.len();
        let sums = losses.iter().map(|losses| losses[rows.clone()].iter().sum::<f64>());
        let least = sums.fold(f64::INFINITY, f64::min) / group.len() as f64;
        if least > 0.0 {
            losses
                .iter_mut()
                .for_each(|losses| losses[rows.clone()].iter_mut().for_each(|loss| *loss /= least));
        }
        first = rows.end;
    }
}

/// The loss of each row, predicted from prices fitted to the other half of its group.
fn held_out_losses(groups: &[Group<'_>], lanes: Lanes) -> Result<Vec<f64>> {
    let mut losses = Vec::new();
    for group in groups {
        let rows: Vec<Tiled> = group.iter().map(|row| Tiled::new(row.layer, row.latency_us, lanes)).collect();
        let of_half = |half| -> Result<Vec<f64>> {
            let chosen = rows.iter().zip(group).filter(|(_, row)| row.half == half);
            let chosen: Vec<&Tiled> = chosen.map(|(row, _)| row).collect();
            if chosen.is_empty() {
                return Ok(vec![0.0; WIDTH]);
            }
            descend(&chosen, WIDTH, None, EFFORT)
        };
        let prices = [of_half(1)?, of_half(0)?];
        losses.extend(rows.iter().zip(group).map(|(tiled, row)| loss(tiled, &prices[row.half], EFFORT)));
    }
    Ok(losses)
}

impl fmt::Display for FoundLanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lanes: ")?;
        self.output.say(f, "output")?;
        write!(f, ", ")?;
        self.input.say(f, "input")
    }
}

impl FoundLane {
    fn say(&self, f: &mut fmt::Formatter<'_>, side: &str) -> fmt::Result {
        let Self { lanes, rows, rows_off_grid, .. } = self;
        let percent = 100.0 * self.certainty;
        match (self.can_tell(), *lanes) {
            (false, _) if *rows == 0 => {
                write!(f, "cannot tell for {side} channels: no rows bound by arithmetic")
            }
            (false, _) => write!(
                f,
                "cannot tell for {side} channels: {rows_off_grid} of {rows} rows off the grid are too few"
            ),
            (true, 1) => write!(f, "none found on {side} channels (certainty {percent:.0} %)"),
            (true, lanes) => write!(f, "{lanes} {side} channels (certainty {percent:.0} %)"),
        }
    }
}

#[cfg(test)]
mod tests;
