//! A datasheet corrected by measurements.
//!
//! How much the figures count against the rows is decided by rows held out:
//! few rows bend a few factors, many rows bend each kind's own, more rows pay
//! for a boosted correction on top, and where a fit to the rows alone predicts
//! unseen rows better, that is what comes out.

use super::{
    Datasheet,
    factors::{Observation, Sheet},
    trial::Trial,
};
use crate::{
    error::{Error, Result},
    estimator::{
        Estimator, Fit, FitOptions,
        document::{Document, KindModel},
        evaluate::ANY,
        fit::{blank, data, learn},
        lanes, machine,
        model::fit_corrections,
        noise::target,
        physical::Work,
        range::Range,
        report::FitReport,
        training::{Sample, Training},
    },
    measurement::{Kind, Measurements},
    network::Network,
};

/// Fewer rows than this tell nothing of what other rows would say.
const LEAST_ROWS: usize = 5;
/// Springs on the factors that are tried, from stiff to loose.
const STRENGTHS: [f64; 8] = [100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03];
/// Looser springs must lessen the error by this share: few rows say little of which are best.
const LEAST_LOOSENING: f64 = 0.03;
/// A boosted correction, or a fit without the datasheet, is not tried with fewer rows than this.
const MANY_ROWS: usize = 200;
/// A way that needs more rows must lessen the error by this share to be taken.
const LEAST_GAIN: f64 = 0.05;
/// Weight of a layer that costs nothing, where the mean layer of a network weighs one more …
const LEAST_WEIGHT: f64 = 0.2;
/// … and no layer more than this …
const MOST_SHARE: f64 = 6.0;
/// … and an isolated operator, which need not cost what it does in a network, this.
const ISOLATED_WEIGHT: f64 = 0.3;
/// Weight of a whole network.
const WHOLE_WEIGHT: f64 = 4.0;

/// A way from figures and rows to an estimator.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Factors on the prices, held by springs of this strength.
    Factors(f64),
    /// The same with a boosted correction on top.
    Boosted(f64),
    /// A fit to the rows alone.
    RowsAlone,
}

/// Everything that an estimator is learnt from.
struct Calibrator<'a> {
    datasheet: &'a Datasheet,
    sheet: Sheet,
    /// The rows as the datasheet's chip would run their networks, and as the machine found in the rows does.
    training: Training,
    rows_training: Training,
    /// Microseconds of the mean layer in context.
    mean_us: f64,
    /// The least latency above zero: a layer that costs nothing counts as if it cost that.
    floor_us: f64,
    options: &'a FitOptions,
    /// The datasheet's own estimator, and what a fit to the rows starts from.
    analytic: Document,
    rows_alone: Document,
}

pub(super) fn calibrate(
    datasheet: &Datasheet,
    measurements: &[Measurements],
    networks: &[Network],
    options: &FitOptions,
) -> Result<Fit> {
    if measurements.is_empty() {
        let estimator = datasheet.estimator(options)?;
        let report = FitReport::brief(&estimator);
        return Ok(Fit { quality: report.quality.clone(), report, estimator });
    }
    if let Some(target) = target(measurements)? {
        return Err(Error::unusable(format!(
            "a datasheet speaks of latency, not of {}; fit that without --datasheet",
            target.name
        )));
    }
    let training = Training::join(measurements, networks)?;
    check(datasheet, &training)?;
    let all: Vec<&Sample> = training.samples.iter().collect();
    let machine = if is_many(&training) {
        machine::find(&training, lanes::find(&training, &all)?.lanes())?
    } else {
        machine::START
    };
    let calibrator = Calibrator {
        datasheet,
        sheet: Sheet::of(datasheet)?,
        mean_us: mean(&training),
        floor_us: floor(&training),
        options,
        analytic: Document { data: measurements.iter().map(data).collect(), ..datasheet.document(options) },
        rows_alone: Document { machine, ..blank(measurements, options) },
        rows_training: training.clone().scheduled(&machine),
        training: training.scheduled(&datasheet.machine()),
    };
    let (way, trial) = calibrator.best()?;
    let quality = trial.quality();
    let calibration = trial.calibration(calibrator.analytic.network.overhead);
    let mut document = calibrator.learn(way, &|_| true)?;
    document.network.overhead = calibration.overhead;
    document.network.scale = calibration.scale;
    document.network.interval = calibration.interval;
    document.name = datasheet.document(options).name;
    document.provenance = calibrator.provenance(way, measurements);
    document.quality = quality.clone();
    let estimator = Estimator::fitted(document)?;
    let report = FitReport::brief(&estimator);
    Ok(Fit { estimator, quality, report })
}

/// The rows have to be enough, and of the datasheet's number format.
fn check(datasheet: &Datasheet, training: &Training) -> Result<()> {
    let costly = training.samples.iter().filter(|sample| sample.latency_us > 0.0).count();
    let rows = costly + training.wholes.len();
    if rows < LEAST_ROWS {
        return Err(Error::unusable(format!(
            "{rows} measured rows are too few to correct a datasheet; measure at least {LEAST_ROWS}, better 50, \
             or give the datasheet without measurements"
        )));
    }
    let bytes = datasheet.dtype().bytes();
    let other = |sample: &&Sample| training.placed(sample).operation().bytes != bytes;
    match training.samples.iter().find(other) {
        None => Ok(()),
        Some(sample) => Err(Error::unusable(format!(
            "the estimator is for {}, but a measured {} has {} bytes an activation; give rows of one number \
             format, and choose it with --dtype",
            datasheet.dtype().name(),
            training.placed(sample).operation().kind.name(),
            training.placed(sample).operation().bytes
        ))),
    }
}

fn mean(training: &Training) -> f64 {
    let layers = || training.samples.iter().filter(|sample| sample.network.is_some());
    let sum: f64 = layers().map(|sample| sample.latency_us).sum();
    (sum / layers().count().max(1) as f64).max(f64::MIN_POSITIVE)
}

fn floor(training: &Training) -> f64 {
    let samples = training.samples.iter().map(|sample| sample.latency_us);
    let costly = samples.chain(training.wholes.iter().map(|whole| whole.latency_us)).filter(|us| *us > 0.0);
    costly.fold(f64::INFINITY, f64::min)
}

fn is_many(training: &Training) -> bool {
    training.samples.len() >= MANY_ROWS
}

impl Calibrator<'_> {
    /// The way that predicts unseen rows best, with its predictions.
    fn best(&self) -> Result<(Way, Trial<'_>)> {
        let mut best = self.tried(Way::Factors(STRENGTHS[0]))?;
        for strength in &STRENGTHS[1..] {
            best = nearer(best, self.tried(Way::Factors(*strength))?, LEAST_LOOSENING);
        }
        if is_many(&self.training) && self.options.correction {
            let Way::Factors(strength) = best.1 else { return Ok((best.1, best.2)) };
            best = nearer(best, self.tried(Way::Boosted(strength))?, LEAST_GAIN);
        }
        if is_many(&self.training) {
            best = nearer(best, self.tried(Way::RowsAlone)?, LEAST_GAIN);
        }
        Ok((best.1, best.2))
    }

    fn tried(&self, way: Way) -> Result<(f64, Way, Trial<'_>)> {
        let training = if way == Way::RowsAlone { &self.rows_training } else { &self.training };
        let trial =
            Trial::run(training, self.options.folds, |chosen| Estimator::fitted(self.learn(way, chosen)?))?;
        let error = trial.error(|sample| self.weight(sample), WHOLE_WEIGHT);
        Ok((error, way, trial))
    }

    /// What the `chosen` rows teach.
    fn learn(&self, way: Way, chosen: &dyn Fn(&Sample) -> bool) -> Result<Document> {
        match way {
            Way::RowsAlone => learn(&self.rows_training, &self.rows_alone, self.options, chosen),
            Way::Factors(strength) => Ok(self.factored(strength, chosen)),
            Way::Boosted(strength) => {
                let mut document = self.factored(strength, chosen);
                let factored = Estimator::fitted(document.clone())?;
                let samples: Vec<&Sample> = self.training.samples.iter().filter(|s| chosen(s)).collect();
                let times = |kind: Kind, work: &Work| factored.times(kind, work);
                document.corrections = fit_corrections(&self.training, &samples, &document.machine, times);
                Ok(document)
            }
        }
    }

    fn factored(&self, strength: f64, chosen: &dyn Fn(&Sample) -> bool) -> Document {
        let sheet = self.sheet.corrected(&self.observations(chosen), strength);
        let of_kind = |kind: Kind| {
            let samples = self.training.samples.iter();
            samples.filter(|sample| chosen(sample) && self.kind(sample) == kind).count()
        };
        let model = |kind: Kind| KindModel {
            rows: of_kind(kind),
            prices: sheet.named(kind).collect(),
            range: Range::everything().to_map(),
        };
        let kinds = Kind::NAMES.map(|(name, kind)| (name.to_owned(), model(kind)));
        let any = (ANY.to_owned(), KindModel { rows: 0, ..model(Kind::Add) });
        Document { kinds: kinds.into_iter().chain([any]).collect(), ..self.analytic.clone() }
    }

    fn observations(&self, chosen: &dyn Fn(&Sample) -> bool) -> Vec<Observation> {
        let machine = self.datasheet.machine();
        let samples = self.training.samples.iter().filter(|sample| chosen(sample)).map(|sample| {
            let layer = self.training.placed(sample);
            let latency_us = sample.latency_us.max(self.floor_us);
            Observation::of_layer(layer, &machine, latency_us, self.weight(sample))
        });
        let wholes = self.training.wholes.iter().filter(|whole| chosen(&Training::stand_in(whole)));
        let overhead = self.analytic.network.overhead;
        let wholes = wholes.map(|whole| {
            let graph = self.training.graph(whole);
            Observation::of_network(graph, &machine, overhead, whole.latency_us, WHOLE_WEIGHT)
        });
        samples.chain(wholes).collect()
    }

    /// What networks spend their time on matters most. The other layers of a sample's network need not have
    /// been measured, so its share is that of the mean sample.
    fn weight(&self, sample: &Sample) -> f64 {
        match sample.network {
            None => ISOLATED_WEIGHT,
            Some(_) => LEAST_WEIGHT + (sample.latency_us / self.mean_us).min(MOST_SHARE),
        }
    }

    fn kind(&self, sample: &Sample) -> Kind {
        self.training.placed(sample).operation().kind
    }

    fn provenance(&self, way: Way, measurements: &[Measurements]) -> String {
        if let Some(stated) = &self.options.provenance {
            return stated.clone();
        }
        let rows: usize = measurements.iter().map(|file| file.rows).sum();
        let files: Vec<String> = measurements.iter().map(|file| data(file).file).collect();
        let (sheet, files) = (self.datasheet.file_name(), files.join(", "));
        let stated = measurements.iter().find_map(|file| file.provenance.clone());
        let stated = stated.map_or(String::new(), |stated| format!(" ({stated})"));
        match way {
            Way::RowsAlone => format!(
                "fitted to {rows} rows of {files}{stated}, which predict unseen rows better than the datasheet \
                 {sheet} does"
            ),
            _ => format!("analytic, from the datasheet {sheet}, corrected by {rows} rows of {files}{stated}"),
        }
    }
}

/// The one with less error; `other` has to gain the share `least_gain`.
fn nearer<'t>(
    best: (f64, Way, Trial<'t>),
    other: (f64, Way, Trial<'t>),
    least_gain: f64,
) -> (f64, Way, Trial<'t>) {
    if other.0 < (1.0 - least_gain) * best.0 { other } else { best }
}
