//! From the sum of the layers to the network, and how far that can be trusted.

use super::regression::Normal;

/// What networks that a fit has not seen say about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Calibration {
    /// Microseconds that a network costs beside its layers.
    pub(super) overhead: f64,
    /// Factor on the sum of the layers.
    pub(super) scale: f64,
    /// Ends of the interval as factors of the latency.
    pub(super) interval: (f64, f64),
}

impl Default for Calibration {
    /// Nothing is known; the interval is a guess.
    fn default() -> Self {
        Self { overhead: 0.0, scale: 1.0, interval: (0.5, 2.0) }
    }
}

impl Calibration {
    /// Learns from pairs of (sum of the layers as predicted, latency as measured) of unseen networks.
    pub(super) fn fit(pairs: &[(f64, f64)], nominal: f64) -> Self {
        let (overhead, scale) = line(pairs);
        let ratio = |(predicted, measured): &(f64, f64)| measured / (overhead + scale * predicted);
        Self { overhead, scale, interval: interval(pairs.iter().map(ratio).collect(), nominal) }
    }

    /// The latency of a network whose layers sum to `sum`.
    pub(super) fn apply(&self, sum: f64) -> f64 {
        self.overhead + self.scale * sum
    }
}

/// Overhead and scale, none negative, with the least relative error; no line through fewer than 20 networks.
fn line(pairs: &[(f64, f64)]) -> (f64, f64) {
    const LEAST: usize = 20;
    let mut normal = Normal::new(2);
    for (predicted, measured) in pairs {
        normal.push(&[1.0 / measured, predicted / measured], 1.0, 1.0);
    }
    match normal.solve() {
        Ok(found) if pairs.len() >= LEAST && found[1] > 0.0 => (found[0], found[1]),
        _ => (0.0, 1.0),
    }
}

/// The factors between which the share `nominal` of new ratios will lie (conformal prediction, Vovk et al.
/// 2005): order statistics of `n` ratios, with the `n + 1`-st yet to come.
pub(super) fn interval(mut ratios: Vec<f64>, nominal: f64) -> (f64, f64) {
    ratios.retain(|ratio| ratio.is_finite() && *ratio > 0.0);
    ratios.sort_by(f64::total_cmp);
    let n = ratios.len() as f64;
    let tail = (1.0 - nominal) / 2.0;
    // A hair more, since 0.05 * 100 is a hair less than 5 in binary.
    let low = (tail * (n + 1.0) + 1e-9).floor();
    if low < 1.0 {
        return few(&ratios);
    }
    (ratios[low as usize - 1], ratios[ratios.len() - low as usize])
}

/// Too few ratios for the share: twice as far as the farthest that was seen.
fn few(ratios: &[f64]) -> (f64, f64) {
    match (ratios.first(), ratios.last()) {
        (Some(low), Some(high)) => (low.min(1.0).powi(2) * 0.9, high.max(1.0).powi(2) / 0.9),
        _ => Calibration::default().interval,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_leaves_the_nominal_share_outside() {
        let ratios: Vec<f64> = (1..=99).map(f64::from).collect();
        assert_eq!(interval(ratios, 0.9), (5.0, 95.0));
    }

    #[test]
    fn few_networks_make_a_wide_interval() {
        let (low, high) = interval(vec![0.9, 1.1], 0.9);
        assert!(low < 0.9 && high > 1.1);
    }

    #[test]
    fn overhead_and_scale_are_recovered() {
        let pairs: Vec<(f64, f64)> = (1..40).map(|i| (f64::from(i), 3.0 + 1.5 * f64::from(i))).collect();
        let Calibration { overhead, scale, .. } = Calibration::fit(&pairs, 0.9);
        assert!((overhead - 3.0).abs() < 1e-3 && (scale - 1.5).abs() < 1e-3, "{overhead} {scale}");
    }
}
