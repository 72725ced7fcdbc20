//! Fitting an estimator to measurements.

use std::collections::BTreeMap;

use super::{
    Accuracy, Estimator, FitOptions, Lanes, Measurements, Quality,
    document::{Data, Document, KindModel, NetworkModel, SCHEMA, UNIT},
    evaluate::ANY,
    operation::{Kind, Operation},
    physical::{Prices, TERM_COUNT, TERMS, Times, terms},
    range::Range,
    regression::Normal,
    training::{Sample, Training},
};
use crate::{
    error::{Error, Result},
    network::Network,
};

/// Rounds in which the smooth maximum settles.
const ROUNDS: usize = 12;

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
/// # Errors
/// There is too little to fit, or nothing better than a constant was found.
pub fn fit(measurements: &[Measurements], networks: &[Network], options: &FitOptions) -> Result<Fit> {
    let training = Training::join(measurements, networks)?;
    if training.samples.is_empty() {
        return Err(Error::unusable("no layer was measured; nothing to fit"));
    }
    let lanes = Lanes { input: 16, output: 16 };
    let mut document = Document {
        schema: SCHEMA.into(),
        name: name(measurements, options),
        provenance: provenance(measurements, options),
        unit: UNIT.into(),
        data: measurements.iter().map(data).collect(),
        lanes,
        kinds: kinds(&training, lanes)?,
        network: NetworkModel { overhead: 0.0, scale: 1.0, interval: (0.8, 1.25), nominal: 0.9 },
        quality: Quality::default(),
    };
    let estimator = Estimator::fitted(document.clone())?;
    document.quality.networks = Accuracy::of(&whole_pairs(&training, &estimator));
    let estimator = Estimator::fitted(document)?;
    Ok(Fit { quality: estimator.quality().clone(), estimator })
}

fn whole_pairs(training: &Training, estimator: &Estimator) -> Vec<(f64, f64)> {
    let predicted = |whole| training.graph(whole).layers().map(|layer| estimator.layer_us(layer)).sum();
    training.wholes.iter().map(|whole| (predicted(whole), whole.latency_us)).collect()
}

fn name(measurements: &[Measurements], options: &FitOptions) -> String {
    let device = || measurements.iter().find_map(|file| file.device.clone());
    options.name.clone().or_else(device).unwrap_or_else(|| "device".into())
}

fn provenance(measurements: &[Measurements], options: &FitOptions) -> String {
    let beside = || measurements.iter().find_map(|file| file.provenance.clone());
    options.provenance.clone().or_else(beside).unwrap_or_else(|| "not stated".into())
}

fn data(file: &Measurements) -> Data {
    Data { file: file.file.clone(), hash: file.hash.clone(), rows: file.rows }
}

fn kinds(training: &Training, lanes: Lanes) -> Result<BTreeMap<String, KindModel>> {
    let mut kinds = BTreeMap::new();
    for (name, kind) in Kind::NAMES {
        let of_kind = |sample: &&Sample| training.placed(sample).operation().kind == kind;
        let samples: Vec<&Sample> = training.samples.iter().filter(of_kind).collect();
        if !samples.is_empty() {
            kinds.insert(name.to_owned(), kind_model(training, &samples, lanes)?);
        }
    }
    let all: Vec<&Sample> = training.samples.iter().collect();
    kinds.insert(ANY.to_owned(), kind_model(training, &all, lanes)?);
    Ok(kinds)
}

fn kind_model(training: &Training, samples: &[&Sample], lanes: Lanes) -> Result<KindModel> {
    let mut range = Range::empty();
    let operations: Vec<(&Operation, f64)> =
        samples.iter().map(|sample| (training.placed(sample).operation(), sample.latency_us)).collect();
    operations.iter().for_each(|(operation, _)| range.widen(operation));
    let rows: Vec<([f64; TERM_COUNT], f64)> =
        operations.iter().map(|(operation, latency)| (terms(operation, lanes), *latency)).collect();
    let prices = fit_prices(&rows)?;
    let named = TERMS.iter().zip(prices.0).filter(|(_, price)| *price > 0.0);
    Ok(KindModel {
        rows: samples.len(),
        prices: named.map(|((name, _), price)| ((*name).to_owned(), price)).collect(),
        range: range.to_map(),
    })
}

/// Terms of a layer with its measured latency.
type TermRow = ([f64; TERM_COUNT], f64);

/// Non-negative prices that minimise the squared relative error (Gauss-Newton with backtracking).
fn fit_prices(rows: &[TermRow]) -> Result<Prices> {
    let rows: Vec<TermRow> = rows.iter().copied().filter(|(_, latency)| *latency > 0.0).collect();
    if rows.is_empty() {
        return Ok(Prices([0.0; TERM_COUNT]));
    }
    let mut prices = linearised(&rows, None)?;
    let mut error = relative_error(&rows, &prices);
    for _ in 0..ROUNDS {
        let goal = linearised(&rows, Some(&prices))?;
        let steps = (0..6).map(|halvings| prices.towards(&goal, 0.5_f64.powi(halvings)));
        let tried = steps.map(|prices| (relative_error(&rows, &prices), prices));
        let Some((better, next)) = tried.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|(e, _)| *e < error)
        else {
            break;
        };
        (error, prices) = (better, next);
    }
    Ok(prices)
}

/// The best prices if every resource kept its share of the total as under `at`; of the plain sum if none.
///
/// The smooth maximum is homogeneous in the prices, so its linearisation passes through the origin and each
/// round is a plain non-negative least-squares problem with the target one.
fn linearised(rows: &[TermRow], at: Option<&Prices>) -> Result<Prices> {
    let mut normal = Normal::new(TERM_COUNT);
    for (terms, latency) in rows {
        let times = at.map(|prices| prices.times(terms));
        let share = |index: usize| times.map_or(1.0, |times: Times| times.share(TERMS[index].1));
        let slopes: [f64; TERM_COUNT] = std::array::from_fn(|index| share(index) * terms[index] / latency);
        normal.push(&slopes, 1.0, 1.0);
    }
    let mut prices = Prices([0.0; TERM_COUNT]);
    prices.0.copy_from_slice(&normal.solve()?);
    Ok(prices)
}

fn relative_error(rows: &[TermRow], prices: &Prices) -> f64 {
    let error = |(terms, latency): &TermRow| (prices.times(terms).total() / latency - 1.0).powi(2);
    rows.iter().map(error).sum()
}
