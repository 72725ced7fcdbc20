//! Held-out error against the amount of data.

use rayon::prelude::*;
use serde::Serialize;

use crate::{
    error::Result,
    estimator::{
        Accuracy, Estimator,
        held_out::{HeldOut, sum},
        training::{Training, Whole},
    },
};

/// Eighths of the data that fits are tried with; all of it is known already.
const EIGHTHS: [usize; 3] = [1, 2, 4];
/// With more rows than this, only the first part is held out: the figure is steady enough.
const MANY_ROWS: usize = 10_000;
/// Rows that a fit cannot do without.
const LEAST_ROWS: usize = 12;
/// A smaller gain from twice the data is not worth measuring for.
const WORTHWHILE: f64 = 0.1;

/// The error on what a fit has not seen, by how much it has seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearningCurve {
    /// What is counted and predicted: `networks`, or `isolated operators` where there are no networks.
    pub unit: &'static str,
    /// From little data to all.
    pub points: Vec<CurvePoint>,
    /// How fast the error falls: it is taken to go with the amount of data to the power of minus this.
    pub exponent: f64,
    /// What the error would be at twice the data, in percent, if it goes on like that.
    pub mape_pct_at_twice: f64,
    /// Whether more data would help, in words.
    pub verdict: String,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Networks or isolated operators that the fit has seen.
    pub n: usize,
    /// Rows that the fit has seen.
    pub rows: usize,
    /// Mean absolute relative error on those held out, in percent.
    pub mape_pct: f64,
}

/// The curve; `learn` fits an estimator to what is counted by the numbers chosen. None where there is too little to split.
///
/// # Errors
/// As `learn`.
pub(in crate::estimator) fn learning_curve(
    held_out: &HeldOut<'_>,
    learn: impl Fn(&dyn Fn(usize) -> bool) -> Result<Estimator> + Sync,
) -> Result<Option<LearningCurve>> {
    let training = held_out.training();
    let parts = if training.samples.len() > MANY_ROWS { 1 } else { held_out.folds() };
    let trials: Vec<(usize, usize)> =
        EIGHTHS.iter().flat_map(|eighths| (0..parts).map(move |part| (*eighths, part))).collect();
    let trial = |(eighths, part): &(usize, usize)| -> Result<Option<(usize, Trial)>> {
        let folds = held_out.folds();
        let seen = |unit: usize| training.part_of(unit, folds) != *part && is_among(unit / folds, *eighths);
        let count = Count::of(training, &seen);
        if count.rows < LEAST_ROWS {
            return Ok(None);
        }
        Ok(Some((*eighths, Trial { count, pairs: predict(held_out, *part, &learn(&seen)?) })))
    };
    let trials: Vec<Option<(usize, Trial)>> = trials.par_iter().map(trial).collect::<Result<_>>()?;
    let all = (0..parts).map(|part| Trial::of_all(held_out, part));
    let trials: Vec<(usize, Trial)> =
        trials.into_iter().flatten().chain(all.map(|trial| (8, trial))).collect();
    let points = EIGHTHS.iter().chain(&[8]).filter_map(|eighths| {
        let trials = trials.iter().filter(|trial| trial.0 == *eighths).map(|trial| &trial.1);
        point(&trials.collect::<Vec<_>>(), parts)
    });
    Ok(LearningCurve::through(points.collect(), unit(training)))
}

fn unit(training: &Training) -> &'static str {
    if training.wholes.is_empty() { "isolated operators" } else { "networks" }
}

/// Whether the unit with this number is among so many eighths; more eighths hold all that fewer hold.
fn is_among(number: usize, eighths: usize) -> bool {
    // The bits of the number turned round, so that every eighth is spread over all files.
    let turned = [0, 4, 2, 6, 1, 5, 3, 7][number % 8];
    turned < eighths
}

/// What a fit has seen.
#[derive(Clone, Copy, Default)]
struct Count {
    units: usize,
    rows: usize,
}

impl Count {
    fn of(training: &Training, seen: &dyn Fn(usize) -> bool) -> Self {
        if training.samples.is_empty() {
            let units = training.wholes.iter().filter(|whole| seen(whole.network)).count();
            return Self { units, rows: units };
        }
        let of_networks = !training.wholes.is_empty();
        let mut units = std::collections::BTreeSet::new();
        let mut rows = 0;
        for sample in training.samples.iter().filter(|sample| seen(training.unit(sample))) {
            rows += 1;
            if sample.network.is_some() == of_networks {
                units.insert(training.unit(sample));
            }
        }
        Self { units: units.len(), rows }
    }
}

/// A fit to some of the data, with what it predicts of a part that it has not seen and what was measured.
struct Trial {
    count: Count,
    pairs: Vec<(f64, f64)>,
}

impl Trial {
    /// The fit that is known already.
    fn of_all(held_out: &HeldOut<'_>, part: usize) -> Self {
        let training = held_out.training();
        let folds = held_out.folds();
        let count = Count::of(training, &|unit| training.part_of(unit, folds) != part);
        let networks = || {
            let pairs = training.wholes.iter().zip(held_out.networks());
            pairs.filter(|(whole, _)| training.part_of(whole.network, folds) == part).map(|(_, pair)| pair)
        };
        let isolated = || {
            let pairs = training.samples.iter().zip(held_out.layers());
            let of_part = pairs.filter(|(sample, _)| training.part(sample, folds) == part);
            of_part.map(|(sample, predicted)| (*predicted, sample.latency_us))
        };
        let pairs = if training.wholes.is_empty() { isolated().collect() } else { networks().collect() };
        Self { count, pairs }
    }
}

/// What `estimator` says of a part, calibrated as the other parts say.
fn predict(held_out: &HeldOut<'_>, part: usize, estimator: &Estimator) -> Vec<(f64, f64)> {
    let (training, folds) = (held_out.training(), held_out.folds());
    if training.wholes.is_empty() {
        let samples = training.samples.iter().filter(|sample| training.part(sample, folds) == part);
        return samples.map(|s| (estimator.layer_us(training.placed(s)), s.latency_us)).collect();
    }
    let calibration = held_out.calibrations().get(part).copied().unwrap_or_default();
    let wholes = training.wholes.iter().filter(|whole| training.part_of(whole.network, folds) == part);
    let pair = |whole: &Whole| (calibration.apply(sum(estimator, training.graph(whole))), whole.latency_us);
    wholes.map(pair).collect()
}

/// The mean over the parts; none unless every part has a fit.
fn point(trials: &[&Trial], parts: usize) -> Option<CurvePoint> {
    let pairs: Vec<(f64, f64)> = trials.iter().flat_map(|trial| trial.pairs.iter().copied()).collect();
    let accuracy = Accuracy::of(&pairs).filter(|_| trials.len() == parts)?;
    let mean =
        |count: fn(&Count) -> usize| trials.iter().map(|t| count(&t.count)).sum::<usize>() / parts.max(1);
    Some(CurvePoint {
        n: mean(|count| count.units),
        rows: mean(|count| count.rows),
        mape_pct: accuracy.mape_pct,
    })
}

impl LearningCurve {
    /// A power law through the last three points, in logarithms; none through fewer.
    fn through(points: Vec<CurvePoint>, unit: &'static str) -> Option<Self> {
        let usable = points.iter().filter(|point| point.mape_pct > 0.0 && point.rows > 0);
        let logs: Vec<(f64, f64)> = usable.map(|p| ((p.rows as f64).ln(), p.mape_pct.ln())).collect();
        let last = points.last().filter(|_| logs.len() >= 3)?.mape_pct;
        // With little data everything helps; what counts is how the error falls at the end.
        let exponent = -slope(&logs[logs.len() - 3..]);
        let mape_pct_at_twice = last * (-exponent).exp2();
        let gain = 1.0 - mape_pct_at_twice / last;
        let verdict = if gain >= WORTHWHILE {
            format!(
                "more data would help: twice as many rows should bring {last:.2} % to about {mape_pct_at_twice:.2} %"
            )
        } else {
            format!(
                "more rows of the same sort would hardly help: twice as many should bring {last:.2} % to about \
                 {mape_pct_at_twice:.2} %"
            )
        };
        Some(Self { unit, points, exponent, mape_pct_at_twice, verdict })
    }
}

/// The slope of the least-squares line; zero where all points stand above one another.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let up: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let along: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    if along > 0.0 { up / along } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(errors: [f64; 4]) -> Vec<CurvePoint> {
        let point = |(index, mape_pct): (u32, f64)| {
            let n = 100 << index;
            CurvePoint { n, rows: 10 * n, mape_pct }
        };
        (0..).zip(errors).map(point).collect()
    }

    #[test]
    fn an_error_that_halves_with_twice_the_data_is_said_to_go_on_so() {
        let curve = LearningCurve::through(points([8.0, 4.0, 2.0, 1.0]), "networks").unwrap();
        assert!((curve.exponent - 1.0).abs() < 1e-9 && (curve.mape_pct_at_twice - 0.5).abs() < 1e-9);
        assert!(curve.verdict.starts_with("more data would help"), "{}", curve.verdict);
    }

    #[test]
    fn an_error_that_stays_is_said_to_stay() {
        let curve = LearningCurve::through(points([5.2, 5.1, 5.0, 5.0]), "networks").unwrap();
        assert!(curve.verdict.contains("hardly help"), "{}", curve.verdict);
        assert!(LearningCurve::through(points([5.2, 5.1, 5.0, 5.0])[..2].to_vec(), "networks").is_none());
    }

    #[test]
    fn eighths_hold_what_fewer_eighths_hold() {
        let count = |eighths| (0..64).filter(|number| is_among(*number, eighths)).count();
        assert_eq!([count(1), count(2), count(4), count(8)], [8, 16, 32, 64]);
        assert!((0..64).all(|number| !is_among(number, 1) || is_among(number, 4)));
    }
}
