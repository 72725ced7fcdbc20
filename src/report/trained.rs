//! What training said of architectures: the accuracies that the score could only guess.
//!
//! Once baseline and finalists were trained alike, accuracy decides: of those that are no less accurate than the
//! baseline, within the tolerance, the one with the least latency is to be taken.

use serde::{Deserialize, Serialize};

use super::{Entry, Report, Table};
use crate::error::Problem;

/// What training made of one architecture; part of an [`Entry`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trained {
    /// The median accuracy over the seeds, in the trainer's own unit; more is better.
    pub accuracy: f64,
    /// The accuracy with each seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f64>,
    /// What the accuracy is called, such as `top-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// What trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer: Option<String>,
}

impl Trained {
    /// What the accuracy is called.
    #[must_use]
    pub fn metric(&self) -> &str {
        self.metric.as_deref().unwrap_or("accuracy")
    }

    /// Whether both were trained by one trainer, so that they can be compared.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.trainer, &self.metric) == (&other.trainer, &other.metric)
    }
}

impl Report {
    /// Notes what training made of the architecture with this id; whether there is one. [`Report::choose`] then
    /// chooses anew.
    pub fn note_trained(&mut self, id: &str, trained: &Trained) -> bool {
        let mut found = false;
        for entry in self.front.iter_mut().chain([&mut self.baseline]).filter(|entry| entry.id == id) {
            entry.trained = Some(trained.clone());
            found = true;
        }
        found
    }

    /// The architectures worth training, as indices into the front: the fastest, the fastest that is by `step` more
    /// trainable, by two steps more, and so on. What lies closer together the score cannot tell apart.
    #[must_use]
    pub fn finalists(&self, count: usize, step: f64) -> Vec<usize> {
        let mut finalists = Vec::new();
        let mut least = f64::NEG_INFINITY;
        for (index, entry) in self.front.iter().enumerate() {
            if finalists.len() < count && entry.trainability >= least {
                finalists.push(index);
                least = entry.trainability + step;
            }
        }
        finalists
    }

    /// The entries that were trained like the baseline, by their indices, with what each lacks of its accuracy.
    pub(super) fn trained(&self) -> impl Iterator<Item = (usize, &Entry, f64)> {
        let front = self.front.iter().enumerate();
        front.filter_map(|(index, entry)| Some((index, entry, self.lacks(entry)?)))
    }

    /// What `entry` lacks of this baseline's accuracy, less than nothing where it has more; none unless both were
    /// trained alike.
    pub(super) fn lacks(&self, entry: &Entry) -> Option<f64> {
        let (own, baseline) = entry.trained.as_ref().zip(self.baseline.trained.as_ref())?;
        own.is_like(baseline).then_some(baseline.accuracy - own.accuracy)
    }

    /// Whether an accuracy that lacks so much of the baseline's is enough.
    pub(super) fn is_accurate(&self, lacks: f64) -> bool {
        // What was written in decimals must not fail by the last bit of their difference.
        lacks <= self.accuracy_tolerance.unwrap_or(0.0) + 1e-12
    }
}

/// From the baseline's accuracy to that of `entry`, in words; none unless both were trained alike.
pub(super) fn accuracy_line(baseline: &Entry, entry: &Entry) -> Option<String> {
    let (from, to) = (baseline.trained.as_ref()?, entry.trained.as_ref()?);
    let by = to.trainer.as_ref().map_or(String::new(), |trainer| format!(" by {trainer}"));
    let line =
        || format!("{} {} → {}, trained{by}", to.metric(), decimals(from.accuracy), decimals(to.accuracy));
    from.is_like(to).then(line)
}

/// The architectures that were trained, with their score beside; none if none was.
#[must_use]
pub fn trained_table(report: &Report) -> Option<Table> {
    let front = report.front.iter().enumerate().map(|(index, entry)| (format!("#{index}"), entry));
    let all = [("baseline".to_owned(), &report.baseline)].into_iter().chain(front);
    let trained: Vec<_> =
        all.filter_map(|(name, entry)| Some((name, entry, entry.trained.as_ref()?))).collect();
    let (_, _, first) = trained.first()?;
    let mut table =
        Table::new(&["", "latency ms", "trainability", first.metric(), "against baseline", "seeds", "apart"]);
    for (name, entry, own) in &trained {
        let baseline = report.baseline.trained.as_ref().filter(|baseline| baseline.is_like(own));
        let more = baseline.filter(|_| name != "baseline").map(|baseline| own.accuracy - baseline.accuracy);
        let [low, high] = range(&own.samples);
        table.push([
            name.clone(),
            format!("{:.3}", entry.latency_ms),
            format!("{:.3}", entry.trainability),
            decimals(own.accuracy),
            more.map_or(String::new(), |more| format!("{more:+.4}")),
            own.samples.len().max(1).to_string(),
            if own.samples.len() > 1 { decimals(high - low) } else { String::new() },
        ]);
    }
    Some(table)
}

/// How often training agreed with the score which of two architectures is better, where they differ in both.
#[must_use]
pub fn agreement(report: &Report) -> Option<String> {
    let entries: Vec<(f64, f64)> = report
        .trained()
        .map(|(_, entry, lacks)| (entry.trainability, -lacks))
        .chain(report.baseline.trained.as_ref().map(|_| (report.baseline.trainability, 0.0)))
        .collect();
    let (mut pairs, mut agreed) = (0_u32, 0_u32);
    for (index, one) in entries.iter().enumerate() {
        for two in &entries[index + 1..] {
            let product = (one.0 - two.0) * (one.1 - two.1);
            pairs += u32::from(product != 0.0);
            agreed += u32::from(product > 0.0);
        }
    }
    let word = if pairs == 1 { "pair" } else { "pairs" };
    (pairs > 0).then(|| format!("training agreed with the score in {agreed} of {pairs} {word}"))
}

fn range(samples: &[f64]) -> [f64; 2] {
    let low = samples.iter().copied().fold(f64::INFINITY, f64::min);
    [low, samples.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
}

/// An accuracy: four decimals of a share, two of a percentage.
pub(super) fn decimals(accuracy: f64) -> String {
    if accuracy.abs() > 2.0 { format!("{accuracy:.2}") } else { format!("{accuracy:.4}") }
}

/// What is wrong with the training of `entry`, which stands at `place` of `file`.
pub(super) fn problems(entry: &Entry, file: &str, place: &str) -> Vec<Problem> {
    let Some(trained) = &entry.trained else { return Vec::new() };
    let samples = trained.samples.iter().enumerate();
    let samples = samples.map(|(index, sample)| (format!("samples[{index}]"), *sample));
    let numbers = std::iter::once(("accuracy".to_owned(), trained.accuracy)).chain(samples);
    let problem = |(field, value): (String, f64)| Problem {
        file: file.to_owned(),
        position: None,
        path: format!("{place}.trained.{field}"),
        found: value.to_string(),
        expected: "a finite number".to_owned(),
    };
    numbers.filter(|(_, value)| !value.is_finite()).map(problem).collect()
}
