//! Rows that say the same, and how far they are apart.

use std::{collections::HashMap, fmt::Debug};

use super::noise::{Group, Spread};

/// Values in order of first appearance, each with all that was measured for it and where.
pub(super) struct Repeats<K> {
    places: HashMap<String, usize>,
    measured: Vec<(K, Vec<Value>)>,
}

/// One measured number and the line that it stands in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) value: f64,
    pub(super) line: usize,
}

impl<K> Default for Repeats<K> {
    fn default() -> Self {
        Self { places: HashMap::new(), measured: Vec::new() }
    }
}

impl<K: Debug> Repeats<K> {
    pub(super) fn add(&mut self, key: K, value: Value) {
        let place = *self.places.entry(format!("{key:?}")).or_insert_with(|| {
            self.measured.push((key, Vec::new()));
            self.measured.len() - 1
        });
        self.measured[place].1.push(value);
    }

    /// A value of its own, whatever else there is.
    pub(super) fn add_apart(&mut self, key: K, value: Value) {
        self.measured.push((key, vec![value]));
    }

    /// All that was measured, group by group.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[Value]> {
        self.measured.iter().map(|(_, values)| values.as_slice())
    }

    pub(super) fn medians(self) -> impl Iterator<Item = (K, f64)> {
        self.measured.into_iter().map(|(key, values)| {
            let mut values: Vec<f64> = values.iter().map(|value| value.value).collect();
            (key, median(&mut values))
        })
    }
}

/// The spread of all groups together.
pub(super) fn spread<'g>(groups: impl IntoIterator<Item = &'g [Value]>) -> Option<Spread> {
    let values = |group: &[Value]| group.iter().map(|value| value.value).collect();
    Spread::of(groups.into_iter().map(values).collect::<Vec<Group>>())
}

/// Repeats that differ by more than a factor of two are hardly the same measurement.
const CONFLICT: f64 = 2.0;

/// Says which lines repeat one another and yet differ too much.
pub(super) fn conflicts<'g>(groups: impl IntoIterator<Item = &'g [Value]>) -> Vec<String> {
    groups.into_iter().filter_map(conflict).collect()
}

/// Of many repeats the tenth at either end may be anything, as where a run was interrupted.
fn conflict(group: &[Value]) -> Option<String> {
    let mut sorted = group.to_vec();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.line.cmp(&b.line)));
    let wild = sorted.len() / 10;
    let (low, high) = (sorted.get(wild)?, sorted.get(sorted.len() - 1 - wild)?);
    let differ = low.value > 0.0 && high.value > CONFLICT * low.value;
    differ.then(|| {
        format!(
            "lines {} and {} say the same, yet {} and {} were measured",
            low.line, high.line, low.value, high.value
        )
    })
}

/// The median; zero of nothing.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(values: impl IntoIterator<Item = f64>) -> Vec<Value> {
        values.into_iter().enumerate().map(|(line, value)| Value { value, line: line + 2 }).collect()
    }

    #[test]
    fn few_repeats_must_agree_and_of_many_most() {
        let few = group([5.0, 5.1, 11.0]);
        let many = group((0..20).map(|i| if i == 7 { 50.0 } else { 5.0 }));
        let apart = group((0..20).map(|i| if i % 2 == 0 { 50.0 } else { 5.0 }));
        let merged = group([0.0, 3.0]);
        let said = conflicts([few.as_slice(), &many, &apart, &merged]);
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[0], "lines 2 and 4 say the same, yet 5 and 11 were measured");
    }
}
