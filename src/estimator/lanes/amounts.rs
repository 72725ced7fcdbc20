//! What a layer has to do if the accelerator worked on so many channels at once.

use crate::{
    estimator::{Placed, descent::Priced, physical::Lanes},
    measurement::{Kind, Operation},
};

/// Things that have a price here.
pub(super) const WIDTH: usize = 11;
/// Memory holds channels in bricks of this many; a staircase that memory makes is not one of the lanes.
const BRICK: u64 = 16;
/// How sharply the slowest resource wins.
const SHARPNESS: i32 = 8;
/// Amounts of each overlapping resource: arithmetic, results, bytes on the chip, weights. What follows is
/// never overlapped.
const RESOURCES: [std::ops::Range<usize>; 4] = [0..2, 2..3, 3..7, 7..8];
const OVERLAPPED: usize = 8;

/// A layer whose price depends on the lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiled {
    amounts: [f64; WIDTH],
    measured: f64,
}

/// How many channels a layer has, as far as lanes can matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Channels {
    pub(super) output: u64,
    /// None where each output channel reads one input channel.
    pub(super) input: Option<u64>,
}

impl Channels {
    pub(super) fn of(operation: &Operation) -> Self {
        let deep = operation.kind != Kind::DepthwiseConv2d;
        Self { output: u64::from(operation.output.c), input: deep.then(|| operation.depth()) }
    }
}

/// Multiply-adds for each byte moved: the more, the more the staircase shows.
pub(super) fn intensity(operation: &Operation) -> f64 {
    let bytes = operation.input_bytes() + operation.output_bytes() + operation.weight_bytes();
    operation.macs() as f64 / bytes.max(1) as f64
}

impl Tiled {
    pub(super) fn new(layer: Placed<'_>, measured: f64, lanes: Lanes) -> Self {
        let operation = layer.operation();
        let whole = |count: u64, lanes: u64| count.next_multiple_of(lanes.max(1)) as f64;
        let channels = Channels::of(operation);
        let depth = channels.input.map_or(1.0, |depth| whole(depth, u64::from(lanes.input)));
        let taps = operation.taps() as f64;
        let tiles = taps * depth * whole(channels.output, u64::from(lanes.output));
        let pixels = operation.output.pixels() as f64;
        let (input, output) = (operation.input_bytes() as f64, operation.output_bytes() as f64);
        let weights = operation.weight_bytes() as f64;
        let bricks = |c: u32| whole(u64::from(c), BRICK) / f64::from(c.max(1));
        let amounts = [
            pixels * tiles,
            tiles,
            pixels * channels.output as f64,
            input,
            output,
            input * bricks(operation.input.c),
            output * bricks(operation.output.c),
            weights,
            1.0,
            input + output,
            weights,
        ];
        Self { amounts, measured }
    }

    /// The time of each overlapping resource, and the smooth maximum of them.
    fn overlapped(&self, prices: &[f64]) -> ([f64; RESOURCES.len()], f64) {
        let time = |range: &std::ops::Range<usize>| -> f64 {
            self.amounts[range.clone()].iter().zip(&prices[range.clone()]).map(|(a, p)| a * p).sum()
        };
        let times = std::array::from_fn(|resource| time(&RESOURCES[resource]));
        let most = times.iter().copied().fold(0.0, f64::max);
        if most <= 0.0 {
            return (times, 0.0);
        }
        let sum: f64 = times.iter().map(|time| (time / most).powi(SHARPNESS)).sum();
        (times, most * sum.sqrt().sqrt().sqrt())
    }

    fn fixed(&self, prices: &[f64]) -> f64 {
        self.amounts[OVERLAPPED..].iter().zip(&prices[OVERLAPPED..]).map(|(a, p)| a * p).sum()
    }
}

impl Priced for Tiled {
    fn add_amounts(&self, amounts: &mut [f64]) {
        amounts.iter_mut().zip(&self.amounts).for_each(|(sum, amount)| *sum += amount);
    }

    fn add_slopes(&self, prices: &[f64], slopes: &mut [f64]) -> f64 {
        let (times, slowest) = self.overlapped(prices);
        let share = |time: f64| if slowest > 0.0 { (time / slowest).powi(SHARPNESS - 1) } else { 1.0 };
        for (range, time) in RESOURCES.iter().zip(times) {
            let share = share(time);
            range.clone().for_each(|index| slopes[index] += share * self.amounts[index]);
        }
        (OVERLAPPED..WIDTH).for_each(|index| slopes[index] += self.amounts[index]);
        slowest + self.fixed(prices)
    }

    fn total(&self, prices: &[f64]) -> f64 {
        self.overlapped(prices).1 + self.fixed(prices)
    }

    fn measured(&self) -> f64 {
        self.measured
    }
}
