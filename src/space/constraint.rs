//! Constraints: what a candidate must keep to.

use std::fmt;

/// A quantity of an architecture that can be constrained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Estimated latency in milliseconds.
    LatencyMs,
    /// Multiply-adds.
    Macs,
    /// Trained numbers.
    Params,
    /// Bytes of the trained numbers.
    ModelBytes,
    /// Peak activation bytes, activations in place.
    PeakActivationBytes,
    /// The zero-shot trainability score.
    Trainability,
    /// Energy of an inference in microjoules; known where there is an energy model.
    EnergyUj,
}

impl Metric {
    /// Names as they stand in files.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("latency_ms", Self::LatencyMs),
        ("macs", Self::Macs),
        ("params", Self::Params),
        ("model_bytes", Self::ModelBytes),
        ("peak_activation_bytes", Self::PeakActivationBytes),
        ("trainability", Self::Trainability),
        ("energy_uj", Self::EnergyUj),
    ];

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// Which side of the limit is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At most the limit.
    Max,
    /// At least the limit.
    Min,
}

/// What the limit is counted in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// The metric's own unit.
    Absolute(f64),
    /// Multiples of the baseline's value.
    OfBaseline(f64),
}

/// One bound on one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constraint {
    /// What is bounded.
    pub metric: Metric,
    /// From which side.
    pub side: Side,
    /// Where.
    pub limit: Limit,
    /// The accelerator whose latency it is, by number, where a search is for several.
    pub target: Option<usize>,
}

impl Constraint {
    /// A bound on a metric, whatever accelerators there are.
    #[must_use]
    pub fn new(metric: Metric, side: Side, limit: Limit) -> Self {
        Self { metric, side, limit, target: None }
    }

    /// The same bound on the accelerator with this number alone.
    #[must_use]
    pub fn on(self, target: usize) -> Self {
        Self { target: Some(target), ..self }
    }

    /// In words, with the names of the accelerators: `latency_ms[npu] <= 5`.
    #[must_use]
    pub fn words(&self, targets: &[&str]) -> String {
        let name = self.target.and_then(|target| targets.get(target));
        let place = name.map_or(String::new(), |name| format!("[{name}]"));
        let sign = match self.side {
            Side::Max => "<=",
            Side::Min => ">=",
        };
        let metric = self.metric.name();
        match self.limit {
            Limit::Absolute(value) => format!("{metric}{place} {sign} {value}"),
            Limit::OfBaseline(1.0) => format!("{metric}{place} {sign} baseline"),
            Limit::OfBaseline(ratio) => format!("{metric}{place} {sign} {ratio} x baseline"),
        }
    }

    /// The limit in the metric's unit, given the baseline's value.
    #[must_use]
    pub fn bound(&self, baseline: f64) -> f64 {
        match self.limit {
            Limit::Absolute(value) => value,
            Limit::OfBaseline(ratio) => ratio * baseline,
        }
    }

    /// By how much `value` misses the limit, relative to it; zero at it, negative where there is room.
    ///
    /// Trainability is a sum of logarithms, where a difference is what is relative. A value that is not a number keeps
    /// to nothing.
    #[must_use]
    pub fn excess(&self, value: f64, baseline: f64) -> f64 {
        let bound = self.bound(baseline);
        let excess = match self.side {
            Side::Max => value - bound,
            Side::Min => bound - value,
        };
        // Sums in a different order may differ in the last bits; that is not a violation.
        let scale = bound.abs().max(1e-9);
        let unit = if self.metric == Metric::Trainability { 1.0 } else { scale };
        if excess.abs() <= 1e-12 * scale { 0.0 } else { excess / unit }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(&[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excess_is_relative_and_zero_at_the_limit() {
        let half = Constraint::new(Metric::ModelBytes, Side::Max, Limit::OfBaseline(0.5));
        assert_eq!([25.0, 50.0, 75.0].map(|value| half.excess(value, 100.0)), [-0.5, 0.0, 0.5]);
        assert_eq!(half.to_string(), "model_bytes <= 0.5 x baseline");
        let least = Constraint::new(Metric::Trainability, Side::Min, Limit::OfBaseline(1.0));
        assert_eq!(least.excess(12.5, 13.0), 0.5);
    }

    #[test]
    fn what_is_not_known_keeps_to_no_limit() {
        for side in [Side::Max, Side::Min] {
            let limit = Constraint::new(Metric::EnergyUj, side, Limit::Absolute(1.0));
            assert!(limit.excess(f64::NAN, 1.0).is_nan());
        }
    }
}
