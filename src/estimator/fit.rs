//! Fitting an estimator to measurements.

use std::collections::BTreeMap;

use super::{
    Estimator, FitOptions, Quality,
    calibration::Calibration,
    document::{Data, Document, DtypeModel, NetworkModel, SCHEMA, UNIT},
    features::FEATURES,
    formats,
    held_out::{self, HeldOut},
    lanes, machine,
    model::{fit_corrections, fit_kinds},
    noise::{Floor, target, with_target},
    physical::Work,
    report::{FitReport, learning_curve},
    training::{Sample, Training, Whole},
    wholes,
};
use crate::{
    error::{Error, Result},
    measurement::{Kind, Measurements},
    network::Network,
};

/// Fewer measured layers than this cannot tell the prices apart.
pub(super) const LEAST_LAYERS: usize = 12;

/// A fitted estimator with its held-out quality.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The estimator.
    pub estimator: Estimator,
    /// What it is worth on networks that it has not seen.
    pub quality: Quality,
    /// Where it errs most, whether more data would help, and where to measure next.
    pub report: FitReport,
}

/// Fits an estimator to `measurements`; `networks` are the graphs behind the in-context rows.
///
/// The result depends on the arguments only, not on the number of threads.
///
/// # Errors
/// There is too little to fit, rows do not belong to `networks`, or nothing better than a constant was
/// found.
pub fn fit(measurements: &[Measurements], networks: &[Network], options: &FitOptions) -> Result<Fit> {
    let training = Training::join(measurements, networks)?;
    let blank = with_target(blank(measurements, options), target(measurements)?);
    formats::check(&training)?;
    if wholes::alone(&training) {
        return fit_wholes(&training, &blank, options);
    }
    check_amount(&training)?;
    let noise = Floor::of(measurements, &training);
    let lanes = lanes::find(&training, &formats::main(&training))?;
    let machine = machine::find(&formats::only_main(&training), lanes.lanes())?;
    let training = training.scheduled(&machine);
    let blank = Document { machine, lanes: Some(lanes), ..blank };
    let held_out = HeldOut::predict(&training, options.folds, |chosen| {
        Estimator::fitted(learn(&training, &blank, options, chosen)?)
    })?
    .with_noise(noise);
    held_out.check_against_constant()?;
    let quality = Quality { additivity: additivity(&training, &blank, options)?, ..held_out.quality() };
    let calibration = held_out.calibration();
    let estimator = Estimator::fitted(Document {
        network: network_model(calibration),
        quality: quality.clone(),
        ..learn(&training, &blank, options, &|_| true)?
    })?;
    let curve = options.learning_curve.then(|| {
        learning_curve(&held_out, |seen| {
            let chosen = |sample: &Sample| seen(training.unit(sample));
            Estimator::fitted(learn(&training, &blank, options, &chosen)?)
        })
    });
    let report = FitReport::new(&estimator, &held_out, curve.transpose()?.flatten(), options.old.as_ref());
    Ok(Fit { estimator, quality, report })
}

/// The same from whole networks and nothing else.
fn fit_wholes(training: &Training, blank: &Document, options: &FitOptions) -> Result<Fit> {
    let setting = wholes::search(training)?;
    let training = &training.clone().scheduled(&setting.machine);
    let learn = |chosen: &dyn Fn(&Whole) -> bool| wholes::learn(training, blank, &setting, chosen);
    let held_out =
        HeldOut::predict_wholes(training, options.folds, |chosen| Estimator::fitted(learn(chosen)?))?;
    held_out.check_against_constant()?;
    let quality = held_out.quality();
    let estimator = Estimator::fitted(Document {
        network: network_model(held_out.calibration()),
        quality: quality.clone(),
        ..learn(&|_| true)?
    })?;
    let curve = options.learning_curve.then(|| {
        learning_curve(&held_out, |seen| Estimator::fitted(learn(&|whole: &Whole| seen(whole.network))?))
    });
    let report = FitReport::new(&estimator, &held_out, curve.transpose()?.flatten(), options.old.as_ref());
    Ok(Fit { estimator, quality, report })
}

fn check_amount(training: &Training) -> Result<()> {
    let (layers, networks) = (training.samples.len(), training.wholes.len());
    if layers < LEAST_LAYERS {
        return Err(Error::unusable(format!(
            "{layers} measured layers or isolated operators are too few to fit; measure at least \
             {LEAST_LAYERS}, better some hundred, or at least {} whole networks and nothing else (here {networks})",
            wholes::LEAST_NETWORKS
        )));
    }
    let network = training.samples.first().and_then(|sample| sample.network);
    if network.is_some() && training.samples.iter().all(|sample| sample.network == network) {
        return Err(Error::unusable(
            "all rows are of one network, so nothing is left that a fit has not seen; add profiles of at least one \
             other network, better of twenty, or isolated operators",
        ));
    }
    Ok(())
}

/// An estimator that knows nothing yet.
pub(super) fn blank(measurements: &[Measurements], options: &FitOptions) -> Document {
    Document {
        schema: SCHEMA.into(),
        name: name(measurements, options),
        provenance: provenance(measurements, options),
        target: None,
        unit: UNIT.into(),
        data: measurements.iter().map(data).collect(),
        machine: machine::START,
        lanes: None,
        kinds: BTreeMap::new(),
        features: FEATURES.map(str::to_owned).to_vec(),
        corrections: Vec::new(),
        by_dtype: BTreeMap::new(),
        network: network_model(Calibration::default()),
        quality: Quality::default(),
    }
}

fn network_model(calibration: Calibration) -> NetworkModel {
    let Calibration { overhead, scale, interval } = calibration;
    NetworkModel { overhead, scale, interval, nominal: held_out::NOMINAL }
}

/// The document with what the `chosen` samples teach.
pub(super) fn learn(
    training: &Training,
    blank: &Document,
    options: &FitOptions,
    chosen: &dyn Fn(&Sample) -> bool,
) -> Result<Document> {
    let mut document = blank.clone();
    for (number, dtype) in formats::all(training).into_iter().enumerate() {
        let of = |sample: &&Sample| chosen(sample) && training.dtype(sample) == Some(dtype);
        let samples: Vec<&Sample> = training.samples.iter().filter(of).collect();
        // Of a format with one network a fit may not see any; then the others speak for it.
        if number > 0 && samples.is_empty() {
            continue;
        }
        let DtypeModel { kinds, corrections } = learn_format(training, blank, options, &samples)?;
        if number == 0 {
            (document.kinds, document.corrections) = (kinds, corrections);
        } else {
            document.by_dtype.insert(dtype.name().to_owned(), DtypeModel { kinds, corrections });
        }
    }
    Ok(document)
}

/// The layers' part for samples of one number format: prices, steps and stripes of one say little of another's.
fn learn_format(
    training: &Training,
    blank: &Document,
    options: &FitOptions,
    samples: &[&Sample],
) -> Result<DtypeModel> {
    let kinds = fit_kinds(training, samples, &blank.machine)?;
    if !options.correction {
        return Ok(DtypeModel { kinds, corrections: Vec::new() });
    }
    let physical = Estimator::fitted(Document { kinds: kinds.clone(), ..blank.clone() })?;
    let times = |kind: Kind, work: &Work| physical.times(kind, work);
    Ok(DtypeModel { kinds, corrections: fit_corrections(training, samples, &blank.machine, times) })
}

/// What an estimator fitted to isolated operators alone would say of the networks, if there are both.
fn additivity(
    training: &Training,
    blank: &Document,
    options: &FitOptions,
) -> Result<Option<super::Additivity>> {
    let isolated = |sample: &Sample| sample.network.is_none();
    if training.wholes.is_empty() || training.samples.iter().filter(|s| isolated(s)).count() < LEAST_LAYERS {
        return Ok(None);
    }
    let estimator = Estimator::fitted(learn(training, blank, options, &isolated)?)?;
    Ok(held_out::additivity(training, &estimator))
}

fn name(measurements: &[Measurements], options: &FitOptions) -> String {
    let device = || measurements.iter().find_map(|file| file.device.clone());
    options.name.clone().or_else(device).unwrap_or_else(|| "device".into())
}

fn provenance(measurements: &[Measurements], options: &FitOptions) -> String {
    let beside = || measurements.iter().find_map(|file| file.provenance.clone());
    options.provenance.clone().or_else(beside).unwrap_or_else(|| "not stated".into())
}

pub(super) fn data(file: &Measurements) -> Data {
    let name = std::path::Path::new(&file.file).file_name();
    let name = name.map_or_else(|| file.file.clone(), |name| name.to_string_lossy().into_owned());
    Data { file: name, hash: file.hash.clone(), rows: file.rows }
}
