//! Going downhill from prices to better prices, whatever a row is: one layer or a whole network.
//!
//! The slowest of several resources decides, so a latency is not linear in the prices; each round looks
//! along the slopes, solves a least-squares problem whose coefficients cannot be negative, and is held back
//! as far as it takes to gain (Levenberg 1944, Marquardt 1963).

use super::regression::Normal;
use crate::error::Result;

/// How strongly a round may be held back to where it started.
const HOLDS: [f64; 4] = [1e-3, 1e-2, 1e-1, 1.0];
/// A round that gains less than this share ends the descent.
const LEAST_GAIN: f64 = 1e-3;

/// A measured latency that prices explain.
pub(super) trait Priced {
    /// Adds what the row has of each thing that has a price.
    fn add_amounts(&self, amounts: &mut [f64]);
    /// The latency at these prices; the slope of each price is added to `slopes`. The latency is homogeneous
    /// in the prices, so slopes times prices are the latency.
    fn add_slopes(&self, prices: &[f64], slopes: &mut [f64]) -> f64;
    /// The latency at these prices.
    fn total(&self, prices: &[f64]) -> f64;
    /// Measured microseconds, above zero.
    fn measured(&self) -> f64;
}

/// Where prices are believed to lie before a row is seen.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    /// The prices believed in.
    pub(super) at: Vec<f64>,
    /// How firmly, against the size that each price has in the rows.
    pub(super) strength: f64,
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Rounds at most.
    pub(super) rounds: usize,
    /// Logarithms of errors beyond this count linearly (Huber 1964).
    pub(super) outlier: f64,
}

impl Effort {
    /// The loss of a logarithm of an error.
    pub(super) fn loss(&self, error: f64) -> f64 {
        let error = error.abs();
        if error <= self.outlier { error * error } else { self.outlier * (2.0 * error - self.outlier) }
    }
}

/// The loss of a row at these prices.
pub(super) fn loss(row: &impl Priced, prices: &[f64], effort: Effort) -> f64 {
    effort.loss((row.total(prices).max(f64::MIN_POSITIVE) / row.measured()).ln())
}

/// Non-negative prices of `width` things, from where nothing overlaps downhill.
///
/// # Errors
/// There are no rows, or one holds a number that is not finite.
pub(super) fn descend<R: Priced>(
    rows: &[&R],
    width: usize,
    prior: Option<&Prior>,
    effort: Effort,
) -> Result<Vec<f64>> {
    let sizes = sizes(rows, width);
    let mut prices = match prior {
        Some(prior) => prior.at.clone(),
        None => as_sum(rows, width)?,
    };
    let mut error = penalised(rows, &prices, &sizes, prior, effort);
    for _ in 0..effort.rounds {
        let (better, next) = round(rows, &prices, &sizes, prior, effort)?;
        if better.is_nan() || better > (1.0 - LEAST_GAIN) * error {
            break;
        }
        (error, prices) = (better, next);
    }
    Ok(prices)
}

/// What each thing is in all rows together, relative to their latencies.
fn sizes<R: Priced>(rows: &[&R], width: usize) -> Vec<f64> {
    let mut sizes = vec![0.0; width];
    for row in rows {
        let amounts = amounts(*row, width);
        sizes.iter_mut().zip(amounts).for_each(|(size, amount)| *size += (amount / row.measured()).powi(2));
    }
    sizes
}

fn amounts(row: &impl Priced, width: usize) -> Vec<f64> {
    let mut amounts = vec![0.0; width];
    row.add_amounts(&mut amounts);
    amounts
}

/// The best prices if nothing overlapped.
fn as_sum<R: Priced>(rows: &[&R], width: usize) -> Result<Vec<f64>> {
    let mut normal = Normal::new(width);
    for row in rows {
        let relative: Vec<f64> = amounts(*row, width).iter().map(|a| a / row.measured()).collect();
        normal.push(&relative, 1.0, 1.0);
    }
    normal.solve()
}

fn penalised<R: Priced>(
    rows: &[&R],
    prices: &[f64],
    sizes: &[f64],
    prior: Option<&Prior>,
    effort: Effort,
) -> f64 {
    let spring = |prior: &Prior| -> f64 {
        let distances = prices.iter().zip(&prior.at).zip(sizes);
        distances.map(|((price, at), size)| prior.strength * size * (price - at).powi(2)).sum()
    };
    rows.iter().map(|row| loss(*row, prices, effort)).sum::<f64>() + prior.map_or(0.0, spring)
}

/// The best of the prices that a linear look from `prices` leads to, with their error.
fn round<R: Priced>(
    rows: &[&R],
    prices: &[f64],
    sizes: &[f64],
    prior: Option<&Prior>,
    effort: Effort,
) -> Result<(f64, Vec<f64>)> {
    let mut normal = linear(rows, prices, effort);
    if let Some(prior) = prior {
        normal = normal.held(&prior.at, &scaled(sizes, prior.strength));
    }
    let mut best = (f64::INFINITY, prices.to_vec());
    for hold in HOLDS {
        let found = normal.held(prices, &scaled(sizes, hold)).solve()?;
        let error = penalised(rows, &found, sizes, prior, effort);
        if error < best.0 {
            best = (error, found);
        }
    }
    Ok(best)
}

fn scaled(sizes: &[f64], strength: f64) -> Vec<f64> {
    sizes.iter().map(|size| strength * size).collect()
}

/// The slopes at `prices` against what they should come to.
fn linear<R: Priced>(rows: &[&R], prices: &[f64], effort: Effort) -> Normal {
    let mut normal = Normal::new(prices.len());
    for row in rows {
        let mut slopes = vec![0.0; prices.len()];
        let total = row.add_slopes(prices, &mut slopes).max(f64::MIN_POSITIVE);
        slopes.iter_mut().for_each(|slope| *slope /= total);
        let error = (total / row.measured()).ln();
        normal.push(&slopes, 1.0 - error, (effort.outlier / error.abs()).min(1.0));
    }
    normal
}
