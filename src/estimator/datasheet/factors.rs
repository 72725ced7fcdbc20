//! Factors on the prices of a datasheet, fitted to what few measurements there are.
//!
//! A price is multiplied by three factors: one for its resource, one for its
//! term, one for its kind of operator and resource. Each is held near one by a
//! spring, so that a handful of rows moves what they speak of together (the
//! bandwidth of the memory off the chip, say) and leaves the rest to the figures.

use super::{Datasheet, solve::Equations};
use crate::{
    error::{Error, Result},
    estimator::{
        document::KindModel,
        graph::{Graph, Placed},
        model::named_prices,
        physical::{Machine, Prices, Resource, TERM_COUNT, TERMS, Times, Work},
        range::Range,
    },
    measurement::Kind,
};

const KINDS: usize = Kind::NAMES.len();
const RESOURCES: usize = Resource::Overhead as usize + 1;
/// The array's multiply-adds, and those of operators that keep channels apart, are different resources here.
const CLASSES: usize = RESOURCES + 1;
const FACTORS: usize = CLASSES + TERM_COUNT + KINDS * RESOURCES;

/// How far each sort of factor is expected to be from one, as logarithms. The array's throughput is the
/// surest figure of a datasheet, fixed overheads are the least sure.
const CLASS_SPREADS: [f64; CLASSES] = [0.3, 0.7, 0.5, 0.5, 1.5, 1.0, 1.0];
const TERM_SPREAD: f64 = 0.5;
/// What a tile costs as such is a guess and no figure.
const TILE_SPREAD: f64 = 1.5;
/// A kind's own multiply-adds on the array, and whatever else a kind may be better or worse at.
const KIND_COMPUTE_SPREAD: f64 = 0.3;
const KIND_SPREAD: f64 = 1.0;
/// Rounds in which the factors settle.
const ROUNDS: usize = 40;
/// A round that gains less than this share ends the fit.
const LEAST_GAIN: f64 = 1e-6;
/// A step that makes it worse is halved at most this often.
const HALVINGS: usize = 12;
/// Logarithms of errors beyond this count linearly (Huber 1964).
const OUTLIER: f64 = 0.3;

/// One measurement: the layers behind it, what comes on top of them, and the latency in microseconds.
pub(super) struct Observation {
    layers: Vec<(Kind, [f64; TERM_COUNT])>,
    overhead: f64,
    latency_us: f64,
    weight: f64,
}

impl Observation {
    pub(super) fn of_layer(layer: Placed<'_>, machine: &Machine, latency_us: f64, weight: f64) -> Self {
        let layers = vec![(layer.operation().kind, Work::of(&layer.context(), machine).terms)];
        Self { layers, overhead: 0.0, latency_us, weight }
    }

    pub(super) fn of_network(
        graph: &Graph,
        machine: &Machine,
        overhead: f64,
        latency_us: f64,
        weight: f64,
    ) -> Self {
        let work = |layer: Placed<'_>| (layer.operation().kind, Work::of(&layer.context(), machine).terms);
        let layers = graph.layers().map(work).collect();
        Self { layers, overhead, latency_us, weight }
    }
}

/// Prices of every kind of operator.
#[derive(Clone)]
pub(super) struct Sheet([Prices; KINDS]);

/// Logarithms of the factors.
type Logs = [f64; FACTORS];

impl Sheet {
    /// The prices of a datasheet as they follow from its figures.
    ///
    /// # Errors
    /// A price has the name of a term that there is not.
    pub(super) fn of(datasheet: &Datasheet) -> Result<Self> {
        let mut sheet = [Prices([0.0; TERM_COUNT]); KINDS];
        for (name, kind) in Kind::NAMES {
            let prices = datasheet.prices(kind).into_iter().map(|(name, price)| (name.to_owned(), price));
            let model = KindModel { rows: 0, prices: prices.collect(), range: Range::everything().to_map() };
            sheet[kind as usize] = named_prices(&model)
                .map_err(|(term, found)| Error::unusable(format!("prices of {name}, {term}: {found}")))?;
        }
        Ok(Self(sheet))
    }

    /// The prices of `kind` by term, those that are zero left out.
    pub(super) fn named(&self, kind: Kind) -> impl Iterator<Item = (String, f64)> {
        let priced = TERMS.iter().zip(self.0[kind as usize].0).filter(|(_, price)| *price > 0.0);
        priced.map(|((name, _), price)| ((*name).to_owned(), price))
    }

    /// The prices that come nearest to the observations with springs of this `strength` on all factors.
    pub(super) fn corrected(&self, observations: &[Observation], strength: f64) -> Self {
        let mut logs = [0.0; FACTORS];
        let mut sheet = self.clone();
        let mut error = sheet.error(observations) + tension(&logs, strength);
        for _ in 0..ROUNDS {
            let step = sheet.step(observations, &logs, strength);
            let Some((better, found)) = self.halved(observations, &logs, &step, strength, error) else {
                break;
            };
            let gain = error - better;
            (error, logs) = (better, found);
            sheet = self.times(&logs);
            if gain < LEAST_GAIN * error {
                break;
            }
        }
        sheet
    }

    /// The longest part of `step` that lessens the error, with the error there.
    fn halved(
        &self,
        observations: &[Observation],
        logs: &Logs,
        step: &[f64],
        strength: f64,
        error: f64,
    ) -> Option<(f64, Logs)> {
        (0..HALVINGS).find_map(|halving| {
            let part = 0.5_f64.powi(halving as i32);
            let tried: Logs = std::array::from_fn(|i| logs[i] + part * step[i]);
            let better = self.times(&tried).error(observations) + tension(&tried, strength);
            (better < error).then_some((better, tried))
        })
    }

    /// Where a linear look at the errors leads (Gauss and Newton).
    fn step(&self, observations: &[Observation], logs: &Logs, strength: f64) -> Vec<f64> {
        let mut equations = Equations::new(FACTORS);
        for observation in observations {
            let (error, slopes) = self.slopes(observation);
            let weight = observation.weight * (OUTLIER / error.abs()).min(1.0);
            equations.push(&slopes, -error, weight);
        }
        for (i, log) in logs.iter().enumerate() {
            equations.hold(i, -log, strength / spread(i).powi(2));
        }
        equations.solve()
    }

    /// The logarithm of predicted over measured, and how it changes with each factor.
    fn slopes(&self, observation: &Observation) -> (f64, Vec<(usize, f64)>) {
        let mut slopes = [0.0; FACTORS];
        let mut total = observation.overhead;
        for (kind, terms) in &observation.layers {
            let (prices, times) = self.times_of(*kind, terms);
            total += times.total();
            for (index, (_, resource)) in TERMS.iter().enumerate() {
                let slope = times.share(*resource) * prices.0[index] * terms[index];
                factors_of(*kind, index).iter().for_each(|factor| slopes[*factor] += slope);
            }
        }
        let total = total.max(f64::MIN_POSITIVE);
        let slopes = slopes.iter().enumerate().filter(|(_, slope)| **slope != 0.0);
        let slopes = slopes.map(|(factor, slope)| (factor, slope / total)).collect();
        ((total / observation.latency_us).ln(), slopes)
    }

    fn times_of(&self, kind: Kind, terms: &[f64; TERM_COUNT]) -> (&Prices, Times) {
        let prices = &self.0[kind as usize];
        (prices, prices.times(terms))
    }

    /// Weighted sum of squared errors of the logarithm, linear for outliers.
    fn error(&self, observations: &[Observation]) -> f64 {
        let total = |observation: &Observation| -> f64 {
            let layers = observation.layers.iter();
            observation.overhead
                + layers.map(|(kind, terms)| self.times_of(*kind, terms).1.total()).sum::<f64>()
        };
        let error = |observation: &Observation| {
            let ratio = total(observation).max(f64::MIN_POSITIVE) / observation.latency_us;
            observation.weight * robust(ratio.ln())
        };
        observations.iter().map(error).sum()
    }

    /// These prices times the factors.
    fn times(&self, logs: &Logs) -> Self {
        let mut sheet = self.clone();
        for (_, kind) in Kind::NAMES {
            for (index, price) in sheet.0[kind as usize].0.iter_mut().enumerate() {
                *price *= factors_of(kind, index).iter().map(|factor| logs[*factor]).sum::<f64>().exp();
            }
        }
        sheet
    }
}

/// The square of an error, linear beyond [`OUTLIER`].
pub(super) fn robust(error: f64) -> f64 {
    let error = error.abs();
    if error <= OUTLIER { error * error } else { OUTLIER * (2.0 * error - OUTLIER) }
}

/// The energy of the springs.
fn tension(logs: &Logs, strength: f64) -> f64 {
    logs.iter().enumerate().map(|(i, log)| strength * (log / spread(i)).powi(2)).sum()
}

fn spread(factor: usize) -> f64 {
    if let Some(spread) = CLASS_SPREADS.get(factor) {
        return *spread;
    }
    let factor = factor - CLASSES;
    if let Some((name, _)) = TERMS.get(factor) {
        return if name.starts_with("tiles") { TILE_SPREAD } else { TERM_SPREAD };
    }
    let (kind, resource) = ((factor - TERM_COUNT) / RESOURCES, (factor - TERM_COUNT) % RESOURCES);
    let is_array = resource == Resource::Compute as usize && is_on_the_array(Kind::NAMES[kind].1);
    if is_array { KIND_COMPUTE_SPREAD } else { KIND_SPREAD }
}

/// Whether the multiply-adds of this kind are done by the whole array.
fn is_on_the_array(kind: Kind) -> bool {
    kind.has_macs() && kind != Kind::DepthwiseConv2d
}

/// The factors on the price of a term of a kind.
fn factors_of(kind: Kind, term: usize) -> [usize; 3] {
    let resource = TERMS[term].1 as usize;
    let apart = resource == Resource::Compute as usize && !is_on_the_array(kind);
    let class = if apart { CLASSES - 1 } else { resource };
    [class, CLASSES + term, CLASSES + TERM_COUNT + kind as usize * RESOURCES + resource]
}
