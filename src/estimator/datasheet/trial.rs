//! Predicting rows by estimators that have not seen them.

use rayon::prelude::*;

use super::factors::robust;
use crate::{
    error::Result,
    estimator::{
        Accuracy, Estimator, Quality,
        calibration::{Calibration, interval},
        held_out::NOMINAL,
        points::HeldOutPoints,
        training::{Sample, Training, Whole},
    },
    measurement::Kind,
};

/// Fewer networks than this say nothing of the interval.
const LEAST_NETWORKS: usize = 20;

/// Predictions of every row, in microseconds, by estimators fitted to the other parts.
pub(super) struct Trial<'t> {
    training: &'t Training,
    samples: Vec<f64>,
    /// With the overhead of the network.
    wholes: Vec<f64>,
}

impl<'t> Trial<'t> {
    /// Predicts each of `folds` parts by what `learn` makes of the others.
    ///
    /// # Errors
    /// As `learn`.
    pub(super) fn run(
        training: &'t Training,
        folds: usize,
        learn: impl Fn(&dyn Fn(&Sample) -> bool) -> Result<Estimator> + Sync,
    ) -> Result<Self> {
        let folds = folds.max(2);
        let without = |fold| learn(&|sample: &Sample| training.part(sample, folds) != fold);
        let estimators: Vec<Estimator> = (0..folds).into_par_iter().map(without).collect::<Result<_>>()?;
        let sample =
            |sample: &Sample| estimators[training.part(sample, folds)].layer_us(training.placed(sample));
        let whole = |whole: &Whole| {
            let estimator = &estimators[training.part_of(whole.network, folds)];
            let layers = training.graph(whole).layers().map(|layer| estimator.layer_us(layer));
            estimator.overhead_us() + layers.sum::<f64>()
        };
        Ok(Self {
            training,
            samples: training.samples.par_iter().map(sample).collect(),
            wholes: training.wholes.par_iter().map(whole).collect(),
        })
    }

    /// How far predictions and measurements are apart: weighted squares of the logarithm's error, in the mean.
    pub(super) fn error(&self, weight: impl Fn(&Sample) -> f64, whole_weight: f64) -> f64 {
        let samples = self.training.samples.iter().zip(&self.samples);
        let samples = samples.map(|(sample, us)| (weight(sample), *us, sample.latency_us));
        let wholes = self.training.wholes.iter().zip(&self.wholes);
        let wholes = wholes.map(|(whole, us)| (whole_weight, *us, whole.latency_us));
        let rows = samples.chain(wholes).filter(|(_, _, measured)| *measured > 0.0);
        let (sum, weights) = rows.fold((0.0, 0.0), |(sum, weights), (weight, us, measured)| {
            (sum + weight * robust((us / measured).ln()), weights + weight)
        });
        sum / f64::max(weights, f64::MIN_POSITIVE)
    }

    /// Overhead, scale and interval of networks: from networks if there are enough, else the interval is that
    /// of single rows, which is wider than that of their sums.
    pub(super) fn calibration(&self, overhead: f64) -> Calibration {
        let wholes = self.training.wholes.iter().zip(&self.wholes);
        if self.wholes.len() >= LEAST_NETWORKS {
            let pairs: Vec<(f64, f64)> =
                wholes.map(|(whole, us)| (us - overhead, whole.latency_us)).collect();
            return Calibration::fit(&pairs, NOMINAL);
        }
        let samples = self.training.samples.iter().zip(&self.samples);
        let ratios = samples.map(|(sample, us)| sample.latency_us / us);
        let ratios = ratios.chain(wholes.map(|(whole, us)| whole.latency_us / us)).collect();
        Calibration { overhead, scale: 1.0, interval: interval(ratios, NOMINAL) }
    }

    /// The figures for the report.
    pub(super) fn quality(&self) -> Quality {
        let wholes = self.training.wholes.iter().zip(&self.wholes);
        let networks: Vec<(f64, f64)> = wholes.map(|(whole, us)| (*us, whole.latency_us)).collect();
        Quality {
            networks: Accuracy::of(&networks),
            layers: self.accuracy(false, None),
            layers_by_kind: self.by_kind(false),
            isolated: self.accuracy(true, None),
            isolated_by_kind: self.by_kind(true),
            held_out: HeldOutPoints::of(self.training, &networks, &self.samples),
            ..Quality::default()
        }
    }

    fn by_kind(&self, isolated: bool) -> Vec<(String, Accuracy)> {
        let of = |(name, kind): (&str, Kind)| Some((name.to_owned(), self.accuracy(isolated, Some(kind))?));
        Kind::NAMES.into_iter().filter_map(of).collect()
    }

    fn accuracy(&self, isolated: bool, kind: Option<Kind>) -> Option<Accuracy> {
        let chosen = |(sample, _): &(&Sample, &f64)| {
            let of_kind = |kind| self.training.placed(sample).operation().kind == kind;
            sample.network.is_none() == isolated && kind.is_none_or(of_kind)
        };
        let pairs = self.training.samples.iter().zip(&self.samples).filter(chosen);
        Accuracy::of(&pairs.map(|(sample, us)| (*us, sample.latency_us)).collect::<Vec<_>>())
    }
}
