//! What is compared of two runs, and in which units.

use crate::{
    report::{Entry, entry::rounded, target::volume, trained::decimals},
    units::{Bytes, binary_bytes, energy, si},
};

/// A number that a run is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Latency of the headline architecture relative to the baseline's, of runs for several accelerators.
    RelativeLatency,
    /// Estimated latency of the headline architecture.
    LatencyMs,
    /// How much less than the run's own baseline that is, in percent.
    LatencyReductionPct,
    /// Its trainability score.
    Trainability,
    /// Its accuracy as trained.
    Accuracy,
    /// Its multiply-adds.
    Macs,
    /// Its trained numbers.
    Params,
    /// Bytes of its trained numbers.
    ModelBytes,
    /// Its peak activation bytes.
    PeakActivationBytes,
    /// Its energy of an inference.
    EnergyUj,
    /// The hypervolume of the whole front.
    Hypervolume,
    /// Median of the measured latencies of the headline architecture.
    MeasuredLatencyMs,
}

/// What a quantity is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Time,
    Percent,
    Bytes,
    Energy,
    Count,
    Plain,
}

impl Quantity {
    /// Names as they stand in files and conditions.
    pub const NAMES: [(&'static str, Self); 12] = [
        ("relative_latency", Self::RelativeLatency),
        ("latency_ms", Self::LatencyMs),
        ("latency_reduction_pct", Self::LatencyReductionPct),
        ("trainability", Self::Trainability),
        ("accuracy", Self::Accuracy),
        ("macs", Self::Macs),
        ("params", Self::Params),
        ("model_bytes", Self::ModelBytes),
        ("peak_activation_bytes", Self::PeakActivationBytes),
        ("energy_uj", Self::EnergyUj),
        ("hypervolume", Self::Hypervolume),
        ("measured_latency_ms", Self::MeasuredLatencyMs),
    ];

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Self::LatencyMs | Self::MeasuredLatencyMs => Unit::Time,
            Self::LatencyReductionPct => Unit::Percent,
            Self::Macs | Self::Params => Unit::Count,
            Self::ModelBytes | Self::PeakActivationBytes => Unit::Bytes,
            Self::EnergyUj => Unit::Energy,
            Self::Trainability | Self::Accuracy | Self::Hypervolume | Self::RelativeLatency => Unit::Plain,
        }
    }

    /// Whether less of it is better.
    #[must_use]
    pub fn smaller_is_better(self) -> bool {
        !matches!(self, Self::LatencyReductionPct | Self::Trainability | Self::Accuracy | Self::Hypervolume)
    }

    /// Whether a change in percent of it means anything: a score may have its zero anywhere.
    pub(super) fn is_ratio(self) -> bool {
        !matches!(self, Self::LatencyReductionPct | Self::Trainability)
    }

    /// Whether runs may know nothing of it; it is left out where none does.
    pub(super) fn is_optional(self) -> bool {
        matches!(self, Self::MeasuredLatencyMs | Self::EnergyUj | Self::RelativeLatency | Self::Accuracy)
    }

    /// Whether runs for several accelerators have one of it for each.
    pub(super) fn is_by_target(self) -> bool {
        matches!(self, Self::LatencyMs | Self::LatencyReductionPct)
    }

    /// Its value for the headline architecture on the accelerator called `target`.
    pub(super) fn on(self, entry: &Entry, target: &str) -> Option<f64> {
        let latency = entry.on(target)?;
        match self {
            Self::LatencyMs => Some(latency.latency_ms),
            Self::LatencyReductionPct => latency.latency_reduction_pct,
            _ => None,
        }
    }

    /// Its value for the headline architecture; the hypervolume belongs to the front instead.
    pub(super) fn of(self, entry: &Entry) -> Option<f64> {
        match self {
            Self::LatencyMs => Some(entry.latency_ms),
            Self::LatencyReductionPct => entry.latency_reduction_pct,
            Self::Trainability => Some(entry.trainability),
            Self::Accuracy => Some(entry.trained.as_ref()?.accuracy),
            Self::Macs => Some(entry.macs.0 as f64),
            Self::Params => Some(entry.params.0 as f64),
            Self::ModelBytes => Some(entry.model_bytes.0 as f64),
            Self::PeakActivationBytes => Some(entry.peak_activation_bytes.0 as f64),
            Self::EnergyUj => entry.energy_uj,
            Self::Hypervolume => None,
            Self::RelativeLatency => entry.relative_latency,
            Self::MeasuredLatencyMs => entry.measured.as_ref()?.median_ms().map(rounded),
        }
    }

    /// A value of this quantity for people.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        let sign = if value < 0.0 { "−" } else { "" };
        let value = value.abs();
        let shown = match self.unit() {
            Unit::Time => format!("{value:.3} ms"),
            Unit::Percent => format!("{value:.1} %"),
            Unit::Bytes => binary_bytes(Bytes(value as u64)),
            Unit::Energy => energy(value),
            Unit::Count => si(value as u64),
            Unit::Plain if self == Self::Hypervolume => volume(value),
            Unit::Plain if self == Self::Accuracy => decimals(value),
            Unit::Plain => format!("{value:.3}"),
        };
        format!("{sign}{shown}")
    }

    /// A change of this quantity for people, always with its sign.
    #[must_use]
    pub fn show_change(self, change: f64) -> String {
        let sign = if change > 0.0 { "+" } else { "" };
        let shown = self.show(change);
        // A change of a percentage is not a percentage of it.
        format!("{sign}{}", if self.unit() == Unit::Percent { shown.replace(" %", " points") } else { shown })
    }
}

/// A change in percent with its sign: `−1.3 %`; changes too small for that get more digits.
pub(super) fn show_percent(percent: f64) -> String {
    let size = percent.abs();
    let digits = if size == 0.0 || size >= 0.1 { 1 } else { 3 };
    let sign = if percent > 0.0 {
        "+"
    } else if percent < 0.0 {
        "−"
    } else {
        ""
    };
    format!("{sign}{size:.digits$} %")
}

/// The change from `base` to `new` in percent of `base`.
pub(super) fn percent(base: f64, new: f64) -> f64 {
    match new - base {
        0.0 => 0.0,
        change => 100.0 * change / base.abs(),
    }
}
