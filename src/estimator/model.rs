//! The layers' part of an estimator, and how it is learnt from samples.

use std::collections::BTreeMap;

use super::{
    boost::{Example, Settings},
    context::Context,
    correction::{Correction, Factor, GROUPS, group},
    document::KindModel,
    evaluate::ANY,
    features::features,
    physical::{Machine, Prices, TERMS, Times, Work},
    prices::{TermRow, fit_prices},
    range::Range,
    training::{Sample, Training},
};
use crate::{error::Result, measurement::Kind};

/// Prices by kind with what was seen of each.
pub(super) type Kinds = BTreeMap<String, KindModel>;

/// How the correction is learnt.
const SETTINGS: Settings =
    Settings { trees: 0, learning_rate: 0.25, shrinkage: 2.0, row_share: 0.7, feature_share: 0.6 };
/// A correction has a tree for every so many rows.
const ROWS_PER_TREE: usize = 20;
const LEAST_TREES: usize = 60;
const MOST_TREES: usize = 150;
/// Weight of a layer that costs nothing, where the mean layer of a network weighs one more: what a network
/// spends its time on matters most.
const LEAST_WEIGHT: f64 = 0.3;
/// Prices need no more rows than this of one kind.
const PRICED_ROWS: usize = 2500;

/// Fits the prices of every kind that was sampled.
///
/// # Errors
/// A sample holds a number that is not finite.
pub(super) fn fit_kinds(training: &Training, samples: &[&Sample], machine: &Machine) -> Result<Kinds> {
    let mut kinds = BTreeMap::new();
    for (name, kind) in Kind::NAMES {
        let of_kind = |sample: &&&Sample| training.placed(sample).operation().kind == kind;
        let chosen: Vec<&Sample> = samples.iter().filter(of_kind).copied().collect();
        if !chosen.is_empty() {
            kinds.insert(name.to_owned(), kind_model(training, &chosen, machine)?);
        }
    }
    kinds.insert(ANY.to_owned(), kind_model(training, samples, machine)?);
    Ok(kinds)
}

fn kind_model(training: &Training, samples: &[&Sample], machine: &Machine) -> Result<KindModel> {
    let mut range = Range::empty();
    let row = |sample: &&Sample| {
        let context = training.placed(sample).context();
        range.widen(context.operation);
        (Work::of(&context, machine).terms, sample.latency_us)
    };
    let rows: Vec<TermRow> = samples.iter().map(row).collect();
    let step = rows.len().div_ceil(PRICED_ROWS).max(1);
    let prices = fit_prices(&rows.into_iter().step_by(step).collect::<Vec<_>>())?;
    let named = TERMS.iter().zip(prices.0).filter(|(_, price)| *price > 0.0);
    Ok(KindModel {
        rows: samples.len(),
        prices: named.map(|((name, _), price)| ((*name).to_owned(), price)).collect(),
        range: range.to_map(),
    })
}

/// Fits the correction of every group that was sampled; `price` gives the physical times of work of a kind.
pub(super) fn fit_corrections(
    training: &Training,
    samples: &[&Sample],
    machine: &Machine,
    price: impl Fn(Kind, &Work) -> Times + Sync,
) -> Vec<Correction> {
    let shares = training.shares();
    let floor = samples.iter().map(|sample| sample.latency_us).filter(|us| *us > 0.0);
    let floor = floor.fold(f64::INFINITY, f64::min);
    let mut examples: [Vec<Example>; GROUPS.len()] = Default::default();
    for sample in samples {
        let context = training.placed(sample).context();
        let kind = context.operation.kind;
        let work = Work::of(&context, machine);
        let times = price(kind, &work);
        let target = (sample.latency_us.max(floor) / times.total().max(floor)).ln();
        let weight = LEAST_WEIGHT + shares.of(sample);
        let features = features(&context, &times, &work);
        examples[group(kind)].push(Example { features, target, weight });
    }
    let fitted = |(group, examples): (usize, &Vec<Example>)| {
        let trees = (examples.len() / ROWS_PER_TREE).clamp(LEAST_TREES, MOST_TREES);
        Correction::fit(group, examples, &Settings { trees, ..SETTINGS })
    };
    examples.iter().enumerate().filter(|(_, examples)| !examples.is_empty()).map(fitted).collect()
}

/// The latency of a layer in microseconds.
pub(super) fn corrected(context: &Context<'_>, times: &Times, work: &Work, factor: Option<&Factor>) -> f64 {
    match factor {
        Some(factor) => times.total() * factor.of(&features(context, times, work)),
        None => times.total(),
    }
}

/// The prices as an array, for kinds read from a file.
pub(super) fn named_prices(model: &KindModel) -> Result<Prices, (String, String)> {
    let mut prices = Prices([0.0; TERMS.len()]);
    for (name, price) in &model.prices {
        let Some(index) = TERMS.iter().position(|(term, _)| term == name) else {
            return Err((name.clone(), "an unknown term".into()));
        };
        if !(price.is_finite() && *price >= 0.0) {
            return Err((name.clone(), format!("{price}, which is not a price")));
        }
        prices.0[index] = *price;
    }
    Ok(prices)
}
