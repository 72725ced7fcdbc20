//! What a run comes to: from the baseline to the architecture to take.
//!
//! A search knows predictions only. Once a device has spoken, it decides: among the entries that were measured like
//! the fastest one, the least measured latency that keeps to the limit is the one to take, and where the baseline was
//! measured as well, the gain is told as measured, with the prediction beside it. Once some were trained like the
//! baseline, only those count that are accurate enough.

use super::{
    AcrossTargets, Entry, Measured, Report,
    across::target_lines,
    trained::{accuracy_line, decimals},
};

/// The architecture to take, and what it gains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding<'r> {
    /// The design to beat.
    pub baseline: &'r Entry,
    /// The entry to take, as an index into the front.
    pub index: usize,
    /// The same.
    pub entry: &'r Entry,
    /// What the device said of both, where both were measured on one device.
    pub measured: Option<Gain>,
    /// The accelerators, where the run was for several.
    pub across: Option<&'r AcrossTargets>,
    /// The entry that was predicted to be faster, where measurements say otherwise.
    pub overtaken: Option<(usize, &'r Entry)>,
    /// The limit on the latency in milliseconds, where the entry takes longer as measured.
    pub over_limit_ms: Option<f64>,
    /// The most accurate entry, where training says that none is accurate enough, with what it lacks.
    pub inaccurate: Option<(usize, f64)>,
}

/// Latencies before and after, in milliseconds; relative ones, ratios, where a run was for several accelerators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Of the baseline.
    pub from_ms: f64,
    /// Of the entry.
    pub to_ms: f64,
}

impl Gain {
    /// How much less it is, in percent; negative if it is more.
    #[must_use]
    pub fn percent(self) -> f64 {
        100.0 * (1.0 - self.to_ms / self.from_ms)
    }

    /// The change in words: `60.5 % less`.
    #[must_use]
    pub fn change(self) -> String {
        let percent = self.percent();
        let word = if percent < 0.0 { "more" } else { "less" };
        format!("{:.1} % {word}", percent.abs())
    }
}

impl Report {
    /// What the run comes to; none where nothing met the requirement.
    #[must_use]
    pub fn finding(&self) -> Option<Finding<'_>> {
        let accurate: Vec<usize> = self
            .trained()
            .filter(|(_, _, more)| self.is_accurate(*more))
            .map(|(index, _, _)| index)
            .collect();
        let counts = |index: &usize| accurate.is_empty() || accurate.contains(index);
        let front = || self.front.iter().enumerate().filter(|(index, _)| counts(index));
        let predicted = match accurate.is_empty() {
            true => front().nth(self.chosen?)?,
            false => front().min_by(|a, b| a.1.cost().total_cmp(&b.1.cost()))?,
        };
        let limit_ms = predicted.1.measured.as_ref().and_then(|measured| self.limit_ms(measured));
        let (index, entry) = least_measured(predicted, front(), limit_ms);
        let fastest = front().min_by(|a, b| a.1.latency_ms.total_cmp(&b.1.latency_ms));
        let overtaken = fastest.filter(|(_, other)| is_beaten(other, entry));
        let over_limit_ms = limit_ms.filter(|limit| entry.measured.as_ref().is_some_and(|m| m.ms() > *limit));
        let most_accurate = self.trained().min_by(|a, b| a.2.total_cmp(&b.2));
        Some(Finding {
            baseline: &self.baseline,
            index,
            entry,
            measured: gain(&self.baseline, entry),
            across: self.across.as_ref(),
            overtaken,
            over_limit_ms,
            inaccurate: most_accurate.filter(|_| accurate.is_empty()).map(|(index, _, lacks)| (index, lacks)),
        })
    }

    /// Makes the entry to take the chosen one; after something was measured.
    pub fn choose(&mut self) {
        self.chosen = self.finding().map(|finding| finding.index);
        // It was reckoned for the one chosen before.
        self.fleet = None;
    }

    /// What the requirement allows a device like that of `measured` to take; none where latency is not limited, or
    /// relative to a baseline that was not measured there.
    pub(super) fn limit_ms(&self, measured: &Measured) -> Option<f64> {
        let baseline = self.baseline.measured.as_ref().filter(|baseline| baseline.is_like(measured));
        let limits = self.requirement.split("; ").filter_map(|part| part.strip_prefix("latency_ms <= "));
        let limit = |text: &str| match text.strip_suffix("baseline") {
            Some(ratio) => {
                let ratio = ratio.trim_end_matches(" x ").trim();
                let ratio = if ratio.is_empty() { Some(1.0) } else { ratio.parse::<f64>().ok() };
                Some(ratio? * baseline?.ms())
            }
            None => text.parse().ok(),
        };
        limits.filter_map(limit).reduce(f64::min)
    }
}

/// The least measured of those measured like `predicted`, if that one was measured; those over the limit only where
/// all are.
pub(super) fn least_measured<'e>(
    predicted: (usize, &'e Entry),
    entries: impl Iterator<Item = (usize, &'e Entry)>,
    limit_ms: Option<f64>,
) -> (usize, &'e Entry) {
    let Some(device) = &predicted.1.measured else { return predicted };
    let like = |(index, entry): (usize, &'e Entry)| {
        let measured = entry.measured.as_ref().filter(|measured| measured.is_like(device))?;
        Some((index, entry, measured.ms()))
    };
    let over = |ms: f64| limit_ms.is_some_and(|limit| ms > limit);
    let least = entries.filter_map(like).min_by(|a, b| over(a.2).cmp(&over(b.2)).then(a.2.total_cmp(&b.2)));
    least.map_or(predicted, |(index, entry, _)| (index, entry))
}

/// Whether a device disagrees that `other`, the least predicted, is faster than `entry`.
fn is_beaten(other: &Entry, entry: &Entry) -> bool {
    let both = other.measured.as_ref().zip(entry.measured.as_ref());
    other.id != entry.id && both.is_some_and(|(other, entry)| other.is_like(entry))
}

/// From one entry to another as measured; none unless both were measured on one device.
pub(super) fn gain(from: &Entry, to: &Entry) -> Option<Gain> {
    let (from, to) = (from.measured.as_ref()?, to.measured.as_ref()?);
    from.is_like(to).then(|| Gain { from_ms: from.ms(), to_ms: to.ms() })
}

impl Finding<'_> {
    /// What was predicted.
    #[must_use]
    pub fn predicted(&self) -> Gain {
        Gain { from_ms: self.baseline.cost(), to_ms: self.entry.cost() }
    }

    /// Where the measurement comes from, `measured on board 7 by bench v1`; `predicted` where there is none.
    #[must_use]
    pub fn origin(&self) -> String {
        match (self.measured, &self.entry.measured) {
            (Some(_), Some(measured)) => measured.origin(),
            _ => "predicted".to_owned(),
        }
    }

    /// The gain that counts: as measured, else as predicted.
    #[must_use]
    pub fn gain(&self) -> Gain {
        self.measured.unwrap_or_else(|| self.predicted())
    }

    /// The verdict in a line, without the names of devices: `3.389 → 1.339 ms, 60.5 % less latency`; for several
    /// accelerators `relative latency 1 → 0.617, 38.3 % less (worst of 3 targets)`.
    pub(super) fn headline(&self) -> String {
        let gain = self.gain();
        if let Some(across) = self.across {
            let (to, change) = (gain.to_ms, gain.change());
            return format!("relative latency 1 → {to:.3}, {change} ({})", across.words());
        }
        format!("{:.3} → {:.3} ms, {} latency", gain.from_ms, gain.to_ms, gain.change())
    }

    /// What each of several accelerators gains, in a line each.
    pub(super) fn target_lines(&self) -> Vec<String> {
        target_lines(self.baseline, self.entry)
    }

    /// The accuracies as trained; none unless baseline and entry were trained alike.
    pub(super) fn accuracy(&self) -> Option<String> {
        accuracy_line(self.baseline, self.entry)
    }

    /// The prediction beside a measured headline; none where the headline is the prediction.
    pub(super) fn beside(&self) -> Option<String> {
        let Gain { from_ms, to_ms } = self.predicted();
        self.measured
            .map(|_| format!("predicted {from_ms:.3} → {to_ms:.3} ms, {}", self.predicted().change()))
    }

    /// What to keep in mind, in sentences without a full stop.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some((index, lacks)) = self.inaccurate {
            notes.push(format!(
                "as trained, no entry is as accurate as the baseline; #{index} lacks least, {}; train others with `nas \
                 train RUN#ENTRY`, or allow less with --tolerance",
                decimals(lacks)
            ));
        }
        let ms = |entry: &Entry| entry.measured.as_ref().map(Measured::ms);
        if let Some((index, other)) = self.overtaken
            && let Some((theirs, ours)) = ms(other).zip(ms(self.entry))
        {
            let over = if theirs < ours { ", over the limit" } else { "" };
            notes.push(format!(
                "#{index} was predicted to take least, {:.3} ms, but took {theirs:.3} ms{over}; #{} took {ours:.3} ms",
                other.latency_ms, self.index
            ));
        }
        if let Some(ours) = ms(self.entry).filter(|ms| !self.entry.holds(*ms)) {
            let Entry { latency_ms_low: low, latency_ms_high: high, .. } = self.entry;
            notes.push(format!(
                "{ours:.3} ms lies outside the predicted interval of {low:.3} to {high:.3} ms; measure some operators \
                 there and fit the estimator anew"
            ));
        }
        if let Some(limit) = self.over_limit_ms {
            notes.push(format!(
                "as measured, no entry keeps to the limit of {limit:.3} ms; measure others with `nas measure RUN#3 \
                 --verify`, or search with a lower limit"
            ));
        }
        notes
    }
}

impl Entry {
    /// Whether a latency in milliseconds lies in the 90 % interval.
    fn holds(&self, ms: f64) -> bool {
        (self.latency_ms_low..=self.latency_ms_high).contains(&ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_told_as_less_or_more() {
        assert_eq!(Gain { from_ms: 4.0, to_ms: 1.0 }.change(), "75.0 % less");
        assert_eq!(Gain { from_ms: 4.0, to_ms: 5.0 }.change(), "25.0 % more");
    }
}
