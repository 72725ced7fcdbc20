//! Predicting what a fit has not seen.

use rayon::prelude::*;

use super::{
    Accuracy, Additivity, Estimator, Quality,
    calibration::{Calibration, interval},
    graph::Graph,
    noise::Floor,
    points::HeldOutPoints,
    quality::spearman,
    training::{Sample, Training, Whole},
};
use crate::{
    error::{Error, Result},
    measurement::Kind,
};

/// Share of unseen networks that the interval is meant to cover.
pub(super) const NOMINAL: f64 = 0.9;

/// Predictions by estimators that have not seen what they predict.
pub(super) struct HeldOut<'t> {
    training: &'t Training,
    folds: usize,
    /// Predicted microseconds of each sample.
    layers: Vec<f64>,
    /// Part, sum of the layers as predicted, and latency as measured, of each network.
    networks: Vec<(usize, f64, f64)>,
    /// What no prediction is better than.
    noise: Floor,
}

impl<'t> HeldOut<'t> {
    /// Predicts each part of the networks by what `learn` makes of the others.
    ///
    /// # Errors
    /// As `learn`.
    pub(super) fn predict(
        training: &'t Training,
        folds: usize,
        learn: impl Fn(&dyn Fn(&Sample) -> bool) -> Result<Estimator> + Sync,
    ) -> Result<Self> {
        let folds = folds.max(2);
        let without = |fold| learn(&|sample: &Sample| training.part(sample, folds) != fold);
        let estimators: Vec<Estimator> = (0..folds).into_par_iter().map(without).collect::<Result<_>>()?;
        Ok(Self::by(training, folds, &estimators))
    }

    /// The same where there are only whole networks to learn from.
    ///
    /// # Errors
    /// As `learn`.
    pub(super) fn predict_wholes(
        training: &'t Training,
        folds: usize,
        learn: impl Fn(&dyn Fn(&Whole) -> bool) -> Result<Estimator> + Sync,
    ) -> Result<Self> {
        let folds = folds.max(2);
        let without = |fold| learn(&|whole: &Whole| training.part_of(whole.network, folds) != fold);
        let estimators: Vec<Estimator> = (0..folds).into_par_iter().map(without).collect::<Result<_>>()?;
        Ok(Self::by(training, folds, &estimators))
    }

    /// What each estimator says of the part that it has not seen.
    fn by(training: &'t Training, folds: usize, estimators: &[Estimator]) -> Self {
        let layer =
            |sample: &Sample| estimators[training.part(sample, folds)].layer_us(training.placed(sample));
        let network = |whole: &Whole| {
            let part = training.part_of(whole.network, folds);
            (part, sum(&estimators[part], training.graph(whole)), whole.latency_us)
        };
        Self {
            training,
            folds,
            layers: training.samples.par_iter().map(layer).collect(),
            networks: training.wholes.par_iter().map(network).collect(),
            noise: Floor::default(),
        }
    }

    /// How many parts there are.
    pub(super) fn folds(&self) -> usize {
        self.folds
    }

    /// What was measured.
    pub(super) fn training(&self) -> &'t Training {
        self.training
    }

    /// Predicted microseconds of each sample, by a fit that has not seen it.
    pub(super) fn layers(&self) -> &[f64] {
        &self.layers
    }

    /// Predicted and measured microseconds of each network, by a fit and a calibration that have not seen it.
    pub(super) fn networks(&self) -> Vec<(f64, f64)> {
        let calibrations = self.calibrations();
        let network =
            |(part, sum, measured): &(usize, f64, f64)| (calibrations[*part].apply(*sum), *measured);
        self.networks.iter().map(network).collect()
    }

    /// For each part, the calibration that the other parts give.
    pub(super) fn calibrations(&self) -> Vec<Calibration> {
        (0..self.folds).map(|part| self.calibration_without(Some(part))).collect()
    }

    /// The same, with intervals no narrower than the noise of the measurements.
    pub(super) fn with_noise(self, noise: Floor) -> Self {
        Self { noise, ..self }
    }

    /// What the estimator fitted to everything is to be calibrated with.
    pub(super) fn calibration(&self) -> Calibration {
        if self.networks.is_empty() {
            let pairs = self.training.samples.iter().zip(&self.layers);
            let ratios = pairs.map(|(sample, predicted)| sample.latency_us / predicted).collect();
            let calibration = Calibration { interval: interval(ratios, NOMINAL), ..Calibration::default() };
            return self.noise.widened(calibration, false);
        }
        self.calibration_without(None)
    }

    /// The calibration that the networks of the other parts give.
    fn calibration_without(&self, part: Option<usize>) -> Calibration {
        let others = self.networks.iter().filter(|network| Some(network.0) != part);
        let pairs: Vec<(f64, f64)> = others.map(|(_, sum, measured)| (*sum, *measured)).collect();
        self.noise.widened(Calibration::fit(&pairs, NOMINAL), true)
    }

    /// A fit must beat the best constant.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check_against_constant(&self) -> Result<()> {
        let costly = |(sample, _): &(&Sample, &f64)| sample.latency_us > 0.0;
        let mut pairs: Vec<(f64, f64)> = self
            .training
            .samples
            .iter()
            .zip(&self.layers)
            .filter(costly)
            .map(|(sample, predicted)| (predicted.ln(), sample.latency_us.ln()))
            .collect();
        if pairs.is_empty() {
            pairs = self.networks.iter().map(|(_, sum, measured)| (sum.ln(), measured.ln())).collect();
        }
        let mean = pairs.iter().map(|pair| pair.1).sum::<f64>() / pairs.len().max(1) as f64;
        let of_fit: f64 = pairs.iter().map(|(predicted, measured)| (predicted - measured).powi(2)).sum();
        let of_constant: f64 = pairs.iter().map(|(_, measured)| (mean - measured).powi(2)).sum();
        if of_fit.is_finite() && of_fit < of_constant {
            return Ok(());
        }
        Err(Error::unusable(
            "the best fit predicts unseen rows no better than one constant latency; check that the rows \
             describe what was measured (columns, units), and that latencies differ at all",
        ))
    }

    /// The figures for the report.
    pub(super) fn quality(&self) -> Quality {
        let calibrations = self.calibrations();
        let networks = self.networks();
        let inside = self.networks.iter().zip(&networks).filter(|((part, ..), (predicted, measured))| {
            let (low, high) = calibrations[*part].interval;
            (low * predicted..=high * predicted).contains(measured)
        });
        let covered = 100.0 * inside.count() as f64 / networks.len().max(1) as f64;
        Quality {
            layers: self.accuracy(false, None),
            layers_by_kind: self.by_kind(false),
            isolated: self.accuracy(true, None),
            isolated_by_kind: self.by_kind(true),
            interval_coverage_pct: (!networks.is_empty()).then_some(covered),
            networks: Accuracy::of(&networks),
            additivity: None,
            noise: (self.noise != Floor::default()).then_some(self.noise),
            held_out: HeldOutPoints::of(self.training, &networks, &self.layers),
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
        let pairs = self.training.samples.iter().zip(&self.layers).filter(chosen);
        Accuracy::of(&pairs.map(|(sample, us)| (*us, sample.latency_us)).collect::<Vec<_>>())
    }
}

/// The sum of the layers as `estimator` prices them.
pub(super) fn sum(estimator: &Estimator, graph: &Graph) -> f64 {
    graph.layers().map(|layer| estimator.layer_us(layer)).sum()
}

/// Compares networks with the sum of their layers, each priced by `estimator` as if it were alone.
pub(super) fn additivity(training: &Training, estimator: &Estimator) -> Option<Additivity> {
    let alone = |graph: &Graph| -> f64 {
        let single = |layer: super::Placed<'_>| Graph::chain([layer.operation().isolated()]);
        graph.layers().map(|layer| sum(estimator, &single(layer))).sum()
    };
    let pairs: Vec<(f64, f64)> =
        training.wholes.par_iter().map(|whole| (alone(training.graph(whole)), whole.latency_us)).collect();
    let mut ratios: Vec<f64> = pairs.iter().map(|(sum, measured)| sum / measured).collect();
    ratios.sort_by(f64::total_cmp);
    let median_ratio = *ratios.get(ratios.len() / 2)?;
    Some(Additivity { n: pairs.len(), median_ratio, spearman: spearman(&pairs) })
}
