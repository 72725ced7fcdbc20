//! Linear bounds on the score from above.
//!
//! The score without its bottleneck is concave in the sums that it is made of, as far as there is capacity at all. So
//! a tangent lies nowhere below it.

use std::f64::consts::LN_2;

use super::{
    BLUR, BOTTLENECK, CAPACITY, FLUCTUATION, INPUT_RESOLUTION, OUTPUT_RESOLUTION, RECEPTIVE_FIELD,
    SATURATION,
    local::log_side,
    passage::{Passage, Totals},
    signal::{HEAD, STRIDES},
    sums::{Amounts, Sums},
};
use crate::network::Shape;

/// A linear function of a network's sums that is nowhere below its score, the bottleneck left out.
#[derive(Clone, Debug)]
pub struct Tangent {
    constant: f64,
    slopes: [Amounts; STRIDES + 1],
}

/// What a part adds to the bound.
#[derive(Clone, Copy, Debug)]
pub struct Rise {
    /// In proportion to the share that passes through its exit.
    pub by_share: f64,
    /// In proportion to the square root of the share times what is left there of the gradient.
    pub by_weight: f64,
}

impl Tangent {
    /// The tangent at these sums for networks with this input whose sums are `most` these.
    #[must_use]
    pub fn at(input: Shape, sums: &Totals, most: &Totals) -> Self {
        let mut tangent =
            Self { constant: INPUT_RESOLUTION * log_side(input.pixels()), slopes: Default::default() };
        for (octave, slope) in tangent.slopes.iter_mut().enumerate() {
            let both = |totals: &Totals| {
                let Amounts { capacity, nonlinearity, .. } = totals.0.octaves[octave];
                [capacity, nonlinearity]
            };
            let at = both(sums);
            let plane = if octave == HEAD { Plane::log(at[0]) } else { Plane::used(at, both(most)) };
            let seen = Plane::log(sums.0.octaves[octave].reach);
            let weight = CAPACITY[octave];
            tangent.constant += weight * (plane.constant + RECEPTIVE_FIELD * seen.constant);
            *slope = Amounts {
                capacity: weight * plane.slopes[0],
                nonlinearity: weight * plane.slopes[1],
                reach: weight * RECEPTIVE_FIELD * seen.slopes[0],
            };
        }
        tangent
    }

    /// The mean of tangents, which is nowhere below the score as well; weights add up to one.
    #[must_use]
    pub fn mean<'a>(all: impl Iterator<Item = (f64, &'a Self)>) -> Self {
        let mut mean = Self { constant: 0.0, slopes: Default::default() };
        for (weight, tangent) in all {
            mean.constant += weight * tangent.constant;
            for (sum, slope) in mean.slopes.iter_mut().zip(&tangent.slopes) {
                *sum = sum.plus(slope.times(weight));
            }
        }
        mean
    }

    /// The bound on the score of networks with these sums but for their bottleneck ([`lost_by`]).
    #[must_use]
    pub fn of(&self, totals: &Totals) -> f64 {
        self.constant + self.of_part(totals)
    }

    /// What a part of a head adds to it.
    #[must_use]
    pub fn of_part(&self, totals: &Totals) -> f64 {
        let sums = &totals.0;
        let output = OUTPUT_RESOLUTION * sums.output_sides / sums.outputs.max(1) as f64;
        self.gain(sums) - loss(sums) + output
    }

    /// What is the same for all networks.
    #[must_use]
    pub fn constant(&self) -> f64 {
        self.constant
    }

    /// What a part adds to it that everything passes through.
    #[must_use]
    pub fn of_passage(&self, passage: &Passage) -> Rise {
        Rise { by_share: -loss(&passage.sums), by_weight: self.gain(&passage.sums) }
    }

    fn gain(&self, sums: &Sums) -> f64 {
        let gain = |(slope, sum): (&Amounts, &Amounts)| {
            slope.capacity * sum.capacity + slope.nonlinearity * sum.nonlinearity + slope.reach * sum.reach
        };
        self.slopes.iter().zip(&sums.octaves).map(gain).sum()
    }
}

/// What the score loses by a bottleneck.
#[must_use]
pub fn lost_by(bottleneck: f64) -> f64 {
    BOTTLENECK * bottleneck
}

fn loss(sums: &Sums) -> f64 {
    BLUR * sums.blur + FLUCTUATION * sums.fluctuation
}

/// A plane over capacity and nonlinearity.
struct Plane {
    constant: f64,
    slopes: [f64; 2],
}

/// Where the tangents of planes that are tried touch, as multiples of the point where the plane is to be low.
const TOUCHING: [f64; 8] = [1.0, 1.2, 1.5, 2.0, 2.7, 3.5, 5.0, 8.0];
/// Stretches of nonlinearity that a plane is checked on.
const STRETCHES: u32 = 128;

impl Plane {
    /// The tangent of ln(1 + x).
    fn log(x: f64) -> Self {
        let slope = 1.0 / (1.0 + x);
        Self { constant: x.ln_1p() - slope * x, slopes: [slope, 0.0] }
    }

    /// A plane that is nowhere below f = ln(1 + C ν), ν = 1 − e^(−3n), where both are at most `most`, and low at `at`.
    ///
    /// The determinant of the Hessian of f has the sign of 3 C ν² (1 + C ν) − (1 − C² ν²) dν/dn, so f is concave where
    /// C ν is one or more; that is a convex set, since 1 / ν is convex, and a tangent there is nowhere below f. For less, at
    /// any n: on the edge, at C = 1 / ν, the plane is no lower than f; from there to C = 0 it falls by its slope a, and is
    /// lower than f by no more than r − 1 − ln r, r = a / ν between 1/2 and 1, which is ln 2 − 1/2 at the worst. So a tangent
    /// whose constant is that large is nowhere below f. Where there is too little for that, planes are raised as far as needed.
    fn used(at: [f64; 2], most: [f64; 2]) -> Self {
        let tangent = Self::touching(at);
        if capacity_used(at) >= 1.0 && tangent.constant >= LN_2 - 0.5 {
            return tangent;
        }
        let raised = TOUCHING.map(|times| Self::touching(at.map(|sum| sum * times)).raised(most));
        let lowest = raised.into_iter().min_by(|a, b| a.value(at).total_cmp(&b.value(at)));
        lowest.filter(|plane| plane.value(at) < at[0].ln_1p()).unwrap_or_else(|| Self::log(at[0]))
    }

    /// The tangent plane of f.
    fn touching(at @ [capacity, nonlinearity]: [f64; 2]) -> Self {
        let value = 1.0 + capacity_used(at);
        let rest = (-SATURATION * nonlinearity).exp();
        let slopes = [(1.0 - rest) / value, capacity * SATURATION * rest / value];
        let constant = value.ln() - slopes[0] * capacity - slopes[1] * nonlinearity;
        Self { constant, slopes }
    }

    /// The same slopes, nowhere below f up to `most`. At each n f is concave in C, so the C where it is highest above the
    /// plane is known; over a stretch of n it is at most what it is at its end, and the plane at least what it is at its start.
    fn raised(mut self, [capacity, nonlinearity]: [f64; 2]) -> Self {
        let [a, b] = self.slopes;
        let end = |stretch: u32| nonlinearity * (f64::from(stretch) / f64::from(STRETCHES)).powi(2);
        let above = |stretch: u32| {
            let used = 1.0 - (-SATURATION * end(stretch + 1)).exp();
            let highest = (1.0 / a - 1.0 / used).clamp(0.0, capacity);
            (highest * used).ln_1p() - a * highest - b * end(stretch)
        };
        self.constant = (0..STRETCHES).map(above).fold(0.0, f64::max);
        self
    }

    fn value(&self, at: [f64; 2]) -> f64 {
        self.constant + self.slopes[0] * at[0] + self.slopes[1] * at[1]
    }
}

/// C ν.
fn capacity_used([capacity, nonlinearity]: [f64; 2]) -> f64 {
    capacity * (1.0 - (-SATURATION * nonlinearity).exp())
}
