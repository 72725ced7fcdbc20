//! How good an estimator is on what it has not seen.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{noise::Floor, points::HeldOutPoints};

/// Error figures of one group of measurements that the fit did not see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// How many measurements.
    pub n: usize,
    /// Mean absolute error relative to the measurement, in percent.
    pub mape_pct: f64,
    /// Share of measurements predicted within ±10 %, in percent.
    pub within_10_pct: f64,
    /// Spearman's rank correlation of prediction and measurement.
    pub spearman: f64,
}

/// The quality of a fit; held out by network, never by row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Whole networks that the fit has not seen.
    pub networks: Option<Accuracy>,
    /// Layers of networks that the fit has not seen, all kinds together.
    pub layers: Option<Accuracy>,
    /// The same by kind of operator.
    pub layers_by_kind: Vec<(String, Accuracy)>,
    /// Isolated operators that the fit has not seen, all kinds together.
    pub isolated: Option<Accuracy>,
    /// The same by kind of operator.
    pub isolated_by_kind: Vec<(String, Accuracy)>,
    /// Whole networks against the sum of their layers priced as if each were alone; what a fit from
    /// isolated rows alone would say.
    pub additivity: Option<Additivity>,
    /// Share of unseen networks inside their interval, in percent; the nominal share is 90.
    pub interval_coverage_pct: Option<f64>,
    /// How far repeats are apart: what no fit can be better than. None where there are too few repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Floor>,
    /// Some of what was held out, measured and predicted. None in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOutPoints>,
}

/// Whether isolated operators add up to a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Additivity {
    /// Networks compared.
    pub n: usize,
    /// Median of (sum of layers priced as isolated) / (measured network).
    pub median_ratio: f64,
    /// Spearman's rank correlation of the sum with the measured network.
    pub spearman: f64,
}

impl Additivity {
    /// Whether a fit from isolated operators alone can be trusted for networks.
    #[must_use]
    pub fn is_additive(&self) -> bool {
        (0.87..=1.15).contains(&self.median_ratio) && self.spearman >= 0.97
    }
}

impl Accuracy {
    /// Compares predictions with measurements; none where there is no measurement above zero.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let pairs: Vec<(f64, f64)> = pairs.iter().copied().filter(|(_, measured)| *measured > 0.0).collect();
        if pairs.is_empty() {
            return None;
        }
        let n = pairs.len();
        let errors: Vec<f64> =
            pairs.iter().map(|(predicted, measured)| (predicted / measured - 1.0).abs()).collect();
        let within = errors.iter().filter(|error| **error <= 0.1).count();
        Some(Self {
            n,
            mape_pct: 100.0 * errors.iter().sum::<f64>() / n as f64,
            within_10_pct: 100.0 * within as f64 / n as f64,
            spearman: spearman(&pairs),
        })
    }
}

/// Spearman's rank correlation; equal values share their mean rank.
pub(super) fn spearman(pairs: &[(f64, f64)]) -> f64 {
    let a = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let b = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let mean = (pairs.len() as f64 - 1.0) / 2.0;
    let product =
        |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum() };
    let size = (product(&a, &a) * product(&b, &b)).sqrt();
    if size > 0.0 { product(&a, &b) / size } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for tie in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let first = order.partition_point(|index| values[*index] < values[tie[0]]);
        let mean = first as f64 + (tie.len() as f64 - 1.0) / 2.0;
        tie.iter().for_each(|index| ranks[*index] = mean);
    }
    ranks
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<32}{:>7}{:>9}{:>14}{:>10}", "held out", "n", "MAPE %", "within ±10 %", "Spearman")?;
        let Floor { layers, networks } = self.noise.unwrap_or_default();
        row(f, "networks", self.networks.as_ref(), networks)?;
        row(f, "layers in context", self.layers.as_ref(), layers)?;
        for (kind, accuracy) in &self.layers_by_kind {
            row(f, &format!("  {kind}"), Some(accuracy), layers)?;
        }
        row(f, "isolated operators", self.isolated.as_ref(), layers)?;
        for (kind, accuracy) in &self.isolated_by_kind {
            row(f, &format!("  {kind}"), Some(accuracy), layers)?;
        }
        for (what, noise) in [("layers", layers), ("networks", networks)] {
            if let Some(noise) = noise {
                writeln!(f, "repeats of {what} differ by {:.2} %; no fit is better", 100.0 * noise)?;
            }
        }
        if let Some(coverage) = self.interval_coverage_pct {
            writeln!(f, "90 % interval covers {coverage:.1} % of unseen networks")?;
        }
        self.additivity.as_ref().map_or(Ok(()), |additivity| additivity.fmt(f))
    }
}

/// A line of the table; an error below the noise is luck, and said to be.
fn row(f: &mut fmt::Formatter<'_>, name: &str, group: Option<&Accuracy>, noise: Option<f64>) -> fmt::Result {
    let Some(Accuracy { n, mape_pct, within_10_pct, spearman }) = group else { return Ok(()) };
    write!(f, "{name:<32}{n:>7}{mape_pct:>9.2}{within_10_pct:>14.1}{spearman:>10.4}")?;
    let lucky = noise.is_some_and(|noise| *mape_pct <= 100.0 * noise);
    writeln!(f, "{}", if lucky { "  at the noise floor" } else { "" })
}

impl fmt::Display for Additivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, median_ratio, spearman } = self;
        writeln!(
            f,
            "isolated operators sum to {median_ratio:.2} times the measured network (Spearman {spearman:.3}, {n} networks)"
        )?;
        if self.is_additive() {
            return Ok(());
        }
        writeln!(
            f,
            "warning: isolated operators do not add up on this device; measure networks layer by layer (columns `network`, `layer`)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_equal_values_are_shared() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
    }

    #[test]
    fn spearman_sees_order_only() {
        assert!((spearman(&[(1.0, 10.0), (2.0, 100.0), (3.0, 1e6)]) - 1.0).abs() < 1e-12);
        assert!((spearman(&[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&[(1.0, 3.0), (1.0, 2.0)]), 0.0, "a constant ranks nothing");
    }

    #[test]
    fn accuracy_is_relative_and_skips_layers_that_cost_nothing() {
        let accuracy = Accuracy::of(&[(95.0, 100.0), (120.0, 100.0), (1.0, 0.0)]).unwrap();
        assert_eq!((accuracy.n, accuracy.within_10_pct), (2, 50.0));
        assert!((accuracy.mape_pct - 12.5).abs() < 1e-9);
    }
}
