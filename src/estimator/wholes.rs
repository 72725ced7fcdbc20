//! Prices from whole networks alone.
//!
//! Nobody can say from one number what a single layer took, but a hundred networks are a hundred sums over
//! layers whose work is known. Kinds of operator that behave alike share prices, and every group's prices are
//! held by springs to those that explain the networks best if all kinds paid alike: what the networks cannot
//! tell apart stays alike. The strength of the springs and what the accelerator is like are searched coarsely by
//! the error on networks that the prices have not seen.

use rayon::prelude::*;

use super::{
    correction::{GROUPS, group},
    descent::{Effort, Priced, Prior, descend, loss},
    document::{Document, KindModel},
    evaluate::ANY,
    graph::Placed,
    machine::START,
    model::Kinds,
    physical::{Lanes, Machine, Prices, Resource, TERM_COUNT, TERMS, Work},
    range::Range,
    training::{Training, Whole},
};
use crate::{
    error::Result,
    measurement::{Kind, Operation},
};

/// Fewer networks than this say nothing of their layers.
pub(super) const LEAST_NETWORKS: usize = 20;
/// Networks that are looked at; more hardly help prices so few.
const MOST_NETWORKS: usize = 400;
/// What is tried for the lanes of either side and for the memory on the chip.
const LANES: [u32; 4] = [1, 8, 16, 32];
const ON_CHIP_BYTES: [u64; 6] = [1 << 16, 1 << 17, 1 << 18, 3 << 17, 1 << 20, 1 << 40];
/// How firmly a group is held to what all groups pay.
const STRENGTHS: [f64; 3] = [1e-2, 1e-1, 1.0];
const EFFORT: Effort = Effort { rounds: 6, outlier: 0.3 };
/// Parts in which the trials are held out.
const PARTS: usize = 3;

/// What is to be known before prices can be fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Setting {
    pub(super) machine: Machine,
    strength: f64,
}

/// A network as the sum of its layers.
struct Sum {
    /// Group and amounts of each layer.
    layers: Vec<(usize, [f64; TERM_COUNT])>,
    /// Whether the groups have prices of their own.
    by_group: bool,
    measured: f64,
}

/// Whether there is nothing but whole networks to learn from.
pub(super) fn alone(training: &Training) -> bool {
    training.samples.is_empty() && training.wholes.len() >= LEAST_NETWORKS
}

/// The setting that predicts networks held out best.
///
/// # Errors
/// A network holds a number that is not finite.
pub(super) fn search(training: &Training) -> Result<Setting> {
    let wholes: Vec<&Whole> = training.wholes.iter().collect();
    // What the accelerator is like shows whether or not kinds share their prices, which is quicker.
    let error = |machine: &Machine| held_out_error(training, &wholes, machine, &shared_by_group);
    let mut machine = START;
    let on_chip = ON_CHIP_BYTES.map(|on_chip_bytes| Machine { on_chip_bytes, ..machine });
    machine = least(&on_chip, error)?;
    let output = LANES.map(|output| Machine { lanes: Lanes { output, ..machine.lanes }, ..machine });
    machine = least(&output, error)?;
    let input = LANES.map(|input| Machine { lanes: Lanes { input, ..machine.lanes }, ..machine });
    machine = least(&input, error)?;
    let strength = least(&STRENGTHS, |strength| {
        held_out_error(training, &wholes, &machine, &|rows: &[&Sum]| by_group(rows, *strength))
    })?;
    Ok(Setting { machine, strength })
}

/// The first of the trials with the least error.
fn least<T: Copy + Send + Sync>(trials: &[T], error: impl Fn(&T) -> Result<f64> + Sync + Send) -> Result<T> {
    let errors: Vec<f64> = trials.par_iter().map(error).collect::<Result<_>>()?;
    let best =
        (0..trials.len()).fold(0, |best, index| if errors[index] < errors[best] { index } else { best });
    Ok(trials[best])
}

/// The loss of networks predicted from prices that `fit` makes of the others.
fn held_out_error(
    training: &Training,
    wholes: &[&Whole],
    machine: &Machine,
    fit: &(impl Fn(&[&Sum]) -> Result<Vec<f64>> + Sync),
) -> Result<f64> {
    let rows = sums(training, wholes, machine);
    let part = |part: usize| -> Result<f64> {
        let (seen, unseen): (Vec<_>, Vec<_>) =
            rows.iter().enumerate().partition(|(index, _)| index % PARTS != part);
        let seen: Vec<&Sum> = seen.into_iter().map(|(_, row)| row).collect();
        let prices = fit(&seen)?;
        Ok(unseen.iter().map(|(_, row)| loss(*row, &prices, EFFORT)).sum())
    };
    (0..PARTS).into_par_iter().map(part).collect::<Result<Vec<f64>>>().map(|losses| losses.iter().sum())
}

/// The networks as sums, at most [`MOST_NETWORKS`].
fn sums(training: &Training, wholes: &[&Whole], machine: &Machine) -> Vec<Sum> {
    let step = wholes.len().div_ceil(MOST_NETWORKS).max(1);
    let layers = |whole: &Whole| {
        let graph = training.graph(whole).clone().scheduled(machine.on_chip_bytes, machine.stripes);
        let layer =
            |layer: Placed<'_>| (group(layer.operation().kind), Work::of(&layer.context(), machine).terms);
        graph.layers().map(layer).collect()
    };
    let sum = |whole: &&Whole| Sum { layers: layers(whole), by_group: true, measured: whole.latency_us };
    wholes.iter().step_by(step).filter(|whole| whole.latency_us > 0.0).map(sum).collect()
}

/// Prices of all groups, one group after another.
fn by_group(rows: &[&Sum], strength: f64) -> Result<Vec<f64>> {
    let at = shared_by_group(rows)?;
    descend(rows, GROUPS.len() * TERM_COUNT, Some(&Prior { at, strength }), EFFORT)
}

/// The same prices for every group.
fn shared_by_group(rows: &[&Sum]) -> Result<Vec<f64>> {
    Ok(shared(rows)?.repeat(GROUPS.len()))
}

/// Prices if all kinds paid alike.
fn shared(rows: &[&Sum]) -> Result<Vec<f64>> {
    let alike = |row: &&Sum| Sum { layers: row.layers.clone(), by_group: false, measured: row.measured };
    let alike: Vec<Sum> = rows.iter().map(alike).collect();
    descend(&alike.iter().collect::<Vec<_>>(), TERM_COUNT, None, EFFORT)
}

/// Prices of every kind that the networks have; none was measured singly, so each counts no rows.
///
/// # Errors
/// There are no networks, or one holds a number that is not finite.
pub(super) fn learn(
    training: &Training,
    blank: &Document,
    setting: &Setting,
    chosen: &dyn Fn(&Whole) -> bool,
) -> Result<Document> {
    let wholes: Vec<&Whole> = training.wholes.iter().filter(|whole| chosen(whole)).collect();
    let rows = sums(training, &wholes, &setting.machine);
    let rows: Vec<&Sum> = rows.iter().collect();
    let prices = by_group(&rows, setting.strength)?;
    let operations = || {
        let graphs = wholes.iter().map(|whole| training.graph(whole));
        graphs.flat_map(|graph| graph.layers().map(|layer| layer.operation()))
    };
    let mut kinds = Kinds::new();
    for (name, kind) in Kind::NAMES {
        let first = group(kind) * TERM_COUNT;
        if let Some(model) =
            model(operations().filter(|o| o.kind == kind), &prices[first..first + TERM_COUNT])
        {
            kinds.insert(name.to_owned(), model);
        }
    }
    if let Some(any) = model(operations(), &shared(&rows)?) {
        kinds.insert(ANY.to_owned(), any);
    }
    Ok(Document { machine: setting.machine, kinds, ..blank.clone() })
}

/// The prices of operations like these; none where there are none.
fn model<'o>(operations: impl Iterator<Item = &'o Operation>, prices: &[f64]) -> Option<KindModel> {
    let mut operations = operations.peekable();
    operations.peek()?;
    let mut range = Range::empty();
    operations.for_each(|operation| range.widen(operation));
    let named = TERMS.iter().zip(prices).filter(|(_, price)| **price > 0.0);
    let prices = named.map(|((name, _), price)| ((*name).to_owned(), *price)).collect();
    Some(KindModel { rows: 0, prices, range: range.to_map() })
}

impl Sum {
    /// Where the prices of a group begin.
    fn first(&self, group: usize) -> usize {
        if self.by_group { group * TERM_COUNT } else { 0 }
    }

    fn prices(&self, prices: &[f64], group: usize) -> Prices {
        let first = self.first(group);
        Prices(std::array::from_fn(|index| prices[first + index]))
    }
}

impl Priced for Sum {
    fn add_amounts(&self, amounts: &mut [f64]) {
        for (group, terms) in &self.layers {
            let own = &mut amounts[self.first(*group)..];
            own.iter_mut().zip(terms).for_each(|(sum, amount)| *sum += amount);
        }
    }

    fn add_slopes(&self, prices: &[f64], slopes: &mut [f64]) -> f64 {
        let mut total = 0.0;
        for (group, terms) in &self.layers {
            let times = self.prices(prices, *group).times(terms);
            total += times.total();
            let own = &mut slopes[self.first(*group)..];
            let share = |resource: Resource| times.share(resource);
            for ((slope, amount), (_, resource)) in own.iter_mut().zip(terms).zip(&TERMS) {
                *slope += share(*resource) * amount;
            }
        }
        total
    }

    fn total(&self, prices: &[f64]) -> f64 {
        self.layers.iter().map(|(group, terms)| self.prices(prices, *group).times(terms).total()).sum()
    }

    fn measured(&self) -> f64 {
        self.measured
    }
}

#[cfg(test)]
mod tests;
