//! More than two runs in a row: how the headline moved, and the last one judged.

use serde::Serialize;

use super::{
    Comparison, Difference, Headline, Quantity, Rules, Verdict, comparable, compare, empty, fronts,
    headlines, quantity, quantity_row::Subject,
};
use crate::{
    error::{Error, Result},
    report::{Entry, Run, entry::rounded},
};

/// The value of a trend's `schema`.
pub const TREND_SCHEMA: &str = "nas.trend/1";

/// What is followed from run to run; measured latency, accuracy and energy only where there is one.
const FOLLOWED: [Quantity; 10] = [
    Quantity::RelativeLatency,
    Quantity::LatencyMs,
    Quantity::MeasuredLatencyMs,
    Quantity::LatencyReductionPct,
    Quantity::Trainability,
    Quantity::Accuracy,
    Quantity::Params,
    Quantity::PeakActivationBytes,
    Quantity::EnergyUj,
    Quantity::Hypervolume,
];

/// The run that the last one is judged against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The first: slow drift fails too.
    #[default]
    First,
    /// The one before it.
    Previous,
}

/// A run and what the user calls it.
#[derive(Clone, Debug)]
pub struct NamedRun {
    /// Such as its folder.
    pub name: String,
    /// The run.
    pub run: Run,
}

/// Several runs in a row, `nas.trend/1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// [`TREND_SCHEMA`].
    pub schema: &'static str,
    /// The version of `nas` that wrote it.
    pub version: &'static str,
    /// How the last run was judged.
    pub verdict: Verdict,
    /// The run that it was judged against.
    pub against: Against,
    /// What hypervolumes are of: whole fronts, or the entries of the reports where a front.csv is missing.
    pub of: &'static str,
    /// The reference point of all hypervolumes: microseconds, negated trainability.
    pub reference: Vec<f64>,
    /// The runs in the order given; empty if they cannot be compared.
    pub runs: Vec<TrendRun>,
    /// The last run against the one it is judged by; its differences are those of all runs.
    pub comparison: Comparison,
}

/// One run of a trend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrendRun {
    /// What the user calls it.
    pub run: String,
    /// Its headline architecture; absent if nothing meets the requirement.
    pub headline: Option<Headline>,
    /// Its numbers.
    pub values: Vec<TrendValue>,
}

/// One number of a run and how it moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrendValue {
    /// Its name.
    pub name: String,
    #[serde(skip)]
    pub(super) quantity: Quantity,
    #[serde(skip)]
    pub(super) target: Option<String>,
    /// The number; absent where there is none.
    pub value: Option<f64>,
    /// Since the first run; absent for it, and where either has no number.
    pub since_first: Option<Move>,
    /// Since the run before; absent for the first, and where either has no number.
    pub since_previous: Option<Move>,
}

/// How far a number moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Move {
    /// In the unit of the number.
    pub change: f64,
    /// In percent of what it was; absent where zero means nothing, as for scores.
    pub change_pct: Option<f64>,
}

impl Trend {
    /// Follows `runs` and judges the last one by `rules`.
    ///
    /// # Errors
    /// There are fewer than two runs.
    pub fn of(runs: &[NamedRun], against: Against, rules: &Rules) -> Result<Self> {
        let ([first, ..], [.., previous, last]) = (runs, runs) else {
            return Err(Error::unusable("a trend needs at least two runs"));
        };
        let differences = differences(runs, rules);
        let comparable = differences.iter().all(|difference| difference.allowed);
        let judge = if against == Against::First { first } else { previous };
        let comparison = match comparable {
            true => Comparison { differences, ..compare(&judge.run, &last.run, rules) },
            false => empty(&last.run.report, differences),
        };
        let whole = runs.iter().all(|named| named.run.front.is_some());
        let references = runs.iter().map(|named| &named.run.report.hypervolume_reference);
        let reference = references.into_iter().find(|point| !point.is_empty()).cloned().unwrap_or_default();
        let counted = if comparable { runs } else { &[] };
        Ok(Self {
            schema: TREND_SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            verdict: comparison.verdict,
            against,
            of: fronts::extent(whole),
            runs: rows(counted, &reference, whole),
            reference,
            comparison,
        })
    }

    /// As indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// What any run does not share with the first or the one before it; a run that found nothing hides no difference.
fn differences(runs: &[NamedRun], rules: &Rules) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let Some(first) = runs.first() else { return found };
    for pair in runs.windows(2) {
        let [previous, run] = pair else { continue };
        let since = |other: &NamedRun| {
            let names = [other.name.clone(), run.name.clone()];
            let differences = comparable::differences(&other.run.report, &run.run.report, &rules.allowed);
            differences.into_iter().map(move |difference| difference.between(names.clone()))
        };
        let known = found.len();
        found.extend(since(first));
        let fresh: Vec<Difference> = since(previous)
            .filter(|difference| found[known..].iter().all(|other| other.premise != difference.premise))
            // What came back to what it was before is no difference from the first.
            .filter(|difference| !found.iter().any(|other| other.undoes(difference)))
            .collect();
        found.extend(fresh);
    }
    found
}

fn rows(runs: &[NamedRun], reference: &[f64], whole: bool) -> Vec<TrendRun> {
    let targets = runs.first().map_or_else(Vec::new, |named| super::targets(&named.run.report));
    let followed: Vec<Subject> =
        FOLLOWED.iter().flat_map(|quantity| Subject::of(*quantity, &targets)).collect();
    let headlines = headlines(&runs.iter().map(|named| &named.run.report).collect::<Vec<_>>());
    let values: Vec<Vec<Option<f64>>> = runs
        .iter()
        .zip(&headlines)
        .map(|(named, entry)| {
            let volume = fronts::hypervolume(&fronts::points(&named.run, whole), reference);
            followed.iter().map(|subject| value(subject, *entry, volume)).collect()
        })
        .collect();
    let known = |column: usize| values.iter().any(|row| row[column].is_some());
    let columns: Vec<usize> = (0..followed.len())
        .filter(|column| !followed[*column].quantity.is_optional() || known(*column))
        .collect();
    let cell = |index: usize, column: usize| TrendValue {
        name: followed[column].name(),
        quantity: followed[column].quantity,
        target: followed[column].target.clone(),
        value: values[index][column],
        since_first: moved(followed[column].quantity, &values, (index > 0).then_some(0), index, column),
        since_previous: moved(followed[column].quantity, &values, index.checked_sub(1), index, column),
    };
    let row = |(index, (named, entry)): (usize, (&NamedRun, &Option<&Entry>))| TrendRun {
        run: named.name.clone(),
        headline: entry.map(Headline::of),
        values: columns.iter().map(|column| cell(index, *column)).collect(),
    };
    runs.iter().zip(&headlines).enumerate().map(row).collect()
}

fn value(subject: &Subject, entry: Option<&Entry>, volume: Option<f64>) -> Option<f64> {
    match subject.quantity {
        Quantity::Hypervolume => volume,
        _ => subject.value(entry?),
    }
}

fn moved(
    quantity: Quantity,
    values: &[Vec<Option<f64>>],
    from: Option<usize>,
    to: usize,
    column: usize,
) -> Option<Move> {
    let (before, after) = (values[from?][column]?, values[to][column]?);
    let change_pct = quantity.is_ratio().then(|| rounded(quantity::percent(before, after)));
    Some(Move { change: rounded(after - before), change_pct })
}
