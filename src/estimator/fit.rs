//! Fitting an estimator to measurements.

use std::collections::BTreeMap;

use super::{
    Estimator, FitOptions, Quality,
    calibration::Calibration,
    document::{Data, Document, NetworkModel, SCHEMA, UNIT},
    features::FEATURES,
    held_out::{self, HeldOut},
    machine,
    model::{fit_corrections, fit_kinds},
    training::{Sample, Training},
};
use crate::{
    error::{Error, Result},
    measurement::Measurements,
    network::Network,
};

/// Fewer measured layers than this cannot tell the prices apart.
const LEAST_LAYERS: usize = 12;

/// A fitted estimator with its held-out quality.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The estimator.
    pub estimator: Estimator,
    /// What it is worth on networks that it has not seen.
    pub quality: Quality,
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
    check_amount(&training)?;
    let all: Vec<&Sample> = training.samples.iter().collect();
    let blank = Document { machine: machine::find(&training, &all)?, ..blank(measurements, options) };
    let held_out = HeldOut::predict(&training, options.folds, |chosen| {
        Estimator::fitted(learn(&training, &blank, options, chosen)?)
    })?;
    held_out.check_against_constant()?;
    let quality = Quality { additivity: additivity(&training, &blank, options)?, ..held_out.quality() };
    let calibration = held_out.calibration();
    let estimator = Estimator::fitted(Document {
        network: network_model(calibration),
        quality: quality.clone(),
        ..learn(&training, &blank, options, &|_| true)?
    })?;
    Ok(Fit { estimator, quality })
}

fn check_amount(training: &Training) -> Result<()> {
    let layers = training.samples.len();
    if layers < LEAST_LAYERS {
        return Err(Error::unusable(format!(
            "{layers} measured layers or isolated operators are too few to fit; measure at least \
             {LEAST_LAYERS}, better some hundred"
        )));
    }
    Ok(())
}

/// An estimator that knows nothing yet.
pub(super) fn blank(measurements: &[Measurements], options: &FitOptions) -> Document {
    Document {
        schema: SCHEMA.into(),
        name: name(measurements, options),
        provenance: provenance(measurements, options),
        unit: UNIT.into(),
        data: measurements.iter().map(data).collect(),
        machine: machine::START,
        kinds: BTreeMap::new(),
        features: FEATURES.map(str::to_owned).to_vec(),
        corrections: Vec::new(),
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
    let samples: Vec<&Sample> = training.samples.iter().filter(|sample| chosen(sample)).collect();
    let kinds = fit_kinds(training, &samples, &blank.machine)?;
    let mut document = Document { kinds, ..blank.clone() };
    if options.correction {
        let physical = Estimator::fitted(document.clone())?;
        let times = |layer: super::Placed<'_>| physical.times(layer);
        document.corrections = fit_corrections(training, &samples, &blank.machine, times);
    }
    Ok(document)
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
