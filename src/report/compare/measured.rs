//! Measured latencies of both headline architectures against each other.

use serde::Serialize;

use super::{Quantity, quantity, rank_test::rank_test};
use crate::report::{Entry, Measured, entry::rounded};

/// Fewer samples than this say little, and a comparison of them warns.
const ENOUGH: usize = 10;
/// A difference is significant if chance alone gives one as large less often than this.
pub(super) const SIGNIFICANCE: f64 = 0.05;

/// The samples of both headline architectures by their medians and a rank test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredComparison {
    /// What NEW was measured on, if it says so.
    pub device: Option<String>,
    /// How many samples each has.
    pub samples: [usize; 2],
    /// The median of each in milliseconds.
    pub median_ms: [f64; 2],
    /// The change of the median in percent.
    pub change_pct: f64,
    /// Pairs of samples in which NEW's is slower; a tie counts half.
    pub u: f64,
    /// The two-sided p of the rank test of Mann and Whitney.
    pub p: f64,
    /// Whether `p` is exact; an approximation by the normal curve otherwise.
    pub exact: bool,
    /// The p below which a difference is significant.
    pub significance: f64,
    /// Whether it is.
    pub significant: bool,
    /// What to keep in mind before relying on it.
    pub warnings: Vec<String>,
}

impl MeasuredComparison {
    /// Compares the samples of both; none where either has no samples.
    pub(super) fn of(base: &Entry, new: &Entry, significance: f64) -> Option<Self> {
        let (old, now) = (base.measured.as_ref()?, new.measured.as_ref()?);
        let test = rank_test(&old.samples_ms, &now.samples_ms)?;
        let (before, after) = (old.median_ms()?, now.median_ms()?);
        Some(Self {
            device: now.device.clone(),
            samples: [old.samples_ms.len(), now.samples_ms.len()],
            median_ms: [rounded(before), rounded(after)],
            change_pct: rounded(quantity::percent(before, after)),
            u: test.u,
            p: test.p,
            exact: test.exact,
            significance,
            significant: test.p < significance,
            warnings: warnings(old, now),
        })
    }

    /// The p and the numbers of samples: `p = 0.0123, n = 12 and 15`.
    pub(super) fn evidence(&self) -> String {
        let p = if self.p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p = {:.4}", self.p) };
        let [old, now] = self.samples;
        format!("{p}, n = {old} and {now}")
    }

    /// The medians and what the test says of them, in a line.
    pub(super) fn sentence(&self) -> String {
        let [before, after] = self.median_ms;
        let on = self.device.as_ref().map_or(String::new(), |device| format!(" on {device}"));
        let change = match self.change_pct {
            0.0 => "no change".to_owned(),
            change => quantity::show_percent(change),
        };
        let word = if self.significant { "significant" } else { "not significant" };
        let how = if self.exact { "exact" } else { "normal approximation" };
        format!(
            "measured{on}: median {} → {} ({change}), {word} at {} ({}; Mann-Whitney, {how})",
            Quantity::MeasuredLatencyMs.show(before),
            Quantity::MeasuredLatencyMs.show(after),
            self.significance,
            self.evidence()
        )
    }
}

fn warnings(old: &Measured, now: &Measured) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, measured) in [("BASE", old), ("NEW", now)] {
        let count = measured.samples_ms.len();
        if count < ENOUGH {
            warnings.push(format!("{name} has {count} measured samples; take at least {ENOUGH}"));
        }
    }
    if let (Some(before), Some(after)) = (&old.runner, &now.runner)
        && before != after
    {
        warnings.push(format!("measured by different runners: {before} in BASE, {after} in NEW"));
    }
    warnings
}
