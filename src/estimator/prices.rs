//! Fitting the physical model.

use super::{
    physical::{Prices, TERM_COUNT, TERMS},
    regression::Normal,
};
use crate::error::{Error, Result};

/// Rounds in which the smooth maximum settles, and in which it is clear how well it will.
const ROUNDS: usize = 25;
const FEW_ROUNDS: usize = 6;
/// How strongly a round may be held back to where it started, from hardly to almost fully.
const HOLDS: [f64; 6] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];
/// A round that gains less than this share ends the search.
const LEAST_GAIN: f64 = 1e-4;

/// Terms of a layer with its measured latency in microseconds.
pub(super) type TermRow = ([f64; TERM_COUNT], f64);

/// Logarithms of errors beyond this count linearly: such rows are priced by what the terms do not see.
const OUTLIER: f64 = 0.3;

/// Non-negative prices that minimise the error of the logarithm (Levenberg 1944, Marquardt 1963).
///
/// # Errors
/// The rows hold a number that is not finite.
pub(super) fn fit_prices(rows: &[TermRow]) -> Result<Prices> {
    settle(rows, ROUNDS)
}

/// Prices that are good enough to compare machines.
///
/// # Errors
/// As [`fit_prices`].
pub(super) fn rough_prices(rows: &[TermRow]) -> Result<Prices> {
    settle(rows, FEW_ROUNDS)
}

fn settle(rows: &[TermRow], rounds: usize) -> Result<Prices> {
    let rows: Vec<TermRow> = rows.iter().copied().filter(|(_, latency)| *latency > 0.0).collect();
    if rows.is_empty() {
        return Ok(Prices([0.0; TERM_COUNT]));
    }
    let mut prices = as_sum(&rows)?;
    let mut error = log_error(&rows, &prices);
    for _ in 0..rounds {
        let (better, next) = round(&rows, &prices)?;
        if better.is_nan() || better > (1.0 - LEAST_GAIN) * error {
            break;
        }
        (error, prices) = (better, next);
    }
    Ok(prices)
}

/// The best prices if nothing overlapped.
fn as_sum(rows: &[TermRow]) -> Result<Prices> {
    let mut normal = Normal::new(TERM_COUNT);
    for (terms, latency) in rows {
        normal.push(&terms.map(|term| term / latency), 1.0, 1.0);
    }
    from_slice(&normal.solve()?)
}

/// The best of the prices that a linear look from `prices` leads to, with their error.
///
/// The smooth maximum is homogeneous in the prices, so the slopes times the prices are the total itself, and
/// a round is a non-negative least-squares problem: slopes / total against 1 - ln(total / latency). A
/// resource that decides nowhere has no slope; what holds it is its size were it alone.
fn round(rows: &[TermRow], prices: &Prices) -> Result<(f64, Prices)> {
    let mut normal = Normal::new(TERM_COUNT);
    let mut sizes = [0.0; TERM_COUNT];
    for (terms, latency) in rows {
        let times = prices.times(terms);
        let total = times.total().max(f64::MIN_POSITIVE);
        let slope = |index: usize| times.share(TERMS[index].1) * terms[index] / total;
        let slopes: [f64; TERM_COUNT] = std::array::from_fn(slope);
        let error = (total / latency).ln();
        normal.push(&slopes, 1.0 - error, (OUTLIER / error.abs()).min(1.0));
        sizes.iter_mut().zip(terms).for_each(|(size, term)| *size += (term / latency).powi(2));
    }
    let mut best = (f64::INFINITY, *prices);
    for hold in HOLDS {
        let held = normal.held(&prices.0, &sizes.map(|size| hold * size));
        let found = from_slice(&held.solve()?)?;
        let error = log_error(rows, &found);
        if error < best.0 {
            best = (error, found);
        }
    }
    Ok(best)
}

fn from_slice(found: &[f64]) -> Result<Prices> {
    let found = found.try_into().map_err(|_| Error::unusable("a price for each term is missing"))?;
    Ok(Prices(found))
}

/// Sum of squared errors of the logarithm, linear for outliers (Huber 1964).
pub(super) fn log_error(rows: &[TermRow], prices: &Prices) -> f64 {
    let error = |(terms, latency): &TermRow| {
        let error = (prices.times(terms).total().max(f64::MIN_POSITIVE) / latency).ln().abs();
        if error <= OUTLIER { error * error } else { OUTLIER * (2.0 * error - OUTLIER) }
    };
    rows.iter().map(error).sum()
}
