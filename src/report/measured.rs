//! What a device said of an architecture.

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{error::Problem, measure::Spread};

/// Latencies of one architecture as measured on a device; part of an [`Entry`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Median latency in milliseconds.
    pub latency_ms: f64,
    /// Median absolute deviation from it, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mad_ms: Option<f64>,
    /// Every run, in milliseconds; without these, nothing can be said of a difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples_ms: Vec<f64>,
    /// What was measured on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
}

impl Measured {
    /// The median of the samples in milliseconds; absent where there are none.
    #[must_use]
    pub fn median_ms(&self) -> Option<f64> {
        Spread::of(&self.samples_ms).map(|spread| spread.median)
    }

    /// The latency in milliseconds: the median of the samples, else the one that was given.
    #[must_use]
    pub fn ms(&self) -> f64 {
        self.median_ms().unwrap_or(self.latency_ms)
    }

    /// Whether both come from one device, as far as they say.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.device == other.device
    }

    /// Where it comes from: `measured on board 7 by bench v1`.
    #[must_use]
    pub fn origin(&self) -> String {
        let part = |word: &str, name: &Option<String>| {
            name.as_ref().map_or(String::new(), |name| format!(" {word} {name}"))
        };
        format!("measured{}{}", part("on", &self.device), part("by", &self.runner))
    }

    /// Numbers that no device can have said.
    fn problems(&self, file: &str, place: &str) -> Vec<Problem> {
        let problem = |field: String, value: f64, expected: &str| Problem {
            file: file.to_owned(),
            position: None,
            path: format!("{place}.measured.{field}"),
            found: value.to_string(),
            expected: expected.to_owned(),
        };
        let is_time = |value: f64| value.is_finite() && value > 0.0;
        let mut problems = Vec::new();
        if !is_time(self.latency_ms) {
            problems.push(problem("latency_ms".into(), self.latency_ms, "milliseconds above zero"));
        }
        if let Some(mad) = self.mad_ms.filter(|mad| !(mad.is_finite() && *mad >= 0.0)) {
            problems.push(problem("mad_ms".into(), mad, "milliseconds from zero"));
        }
        let samples = self.samples_ms.iter().enumerate().filter(|(_, sample)| !is_time(**sample));
        problems.extend(samples.map(|(index, sample)| {
            problem(format!("samples_ms[{index}]"), *sample, "milliseconds above zero")
        }));
        problems
    }
}

/// What is wrong with the measurements of `entry`, which stands at `place` of `file`.
pub(super) fn problems(entry: &Entry, file: &str, place: &str) -> Vec<Problem> {
    let own = entry.measured.iter().map(|measured| (place.to_owned(), measured));
    let on = entry.latencies.iter().enumerate();
    let on =
        on.filter_map(|(index, one)| Some((format!("{place}.latencies[{index}]"), one.measured.as_ref()?)));
    own.chain(on).flat_map(|(place, measured)| measured.problems(file, &place)).collect()
}
