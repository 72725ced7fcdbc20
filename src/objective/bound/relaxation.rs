//! The least latency of a region where limits need to be kept on average only.
//!
//! Mixtures of architectures make the problem convex: they keep to the limits if their sums do on average, and their score
//! is that of the mean sums, which is no less than the mean score. The best mixture is found by column generation
//! (Dantzig & Wolfe 1960): a small linear program finds the prices of the limits that known architectures leave, the
//! cheapest path at these prices is a bound for all, and a further column. The score is bounded by tangents at the mixtures
//! that come up (Kelley 1960).

use std::sync::Arc;

use super::{
    design::Design,
    lattice::Lattice,
    limits::Limits,
    line::Line,
    most::most,
    region::Region,
    shortest::{Prices, shortest},
    simplex::{Optimum, maximum},
};
use crate::trainability::{Tangent, Totals, lost_by};

/// Prices are at most so many times the latency that is to be beaten.
const MOST_PRICE: f64 = 20.0;
/// A bound that is as near as this to what the columns allow will not rise.
const NEAR: f64 = 1e-4;
/// A tangent this near the score is as good as another.
const NEAR_SCORE: f64 = 1e-4;
/// Tangents that are added for one program at the most.
const TANGENTS: usize = 8;
/// Cheapest paths that are asked for at the most.
const ROUNDS: usize = 40;

/// What is known of a region.
#[derive(Clone, Debug)]
pub(super) struct Relaxed {
    /// No architecture of the region takes less, in microseconds.
    pub(super) bound_us: f64,
    /// What that rises by for each unit of the score that is asked for; it is a bound there as well.
    pub(super) rise: f64,
    /// Architectures of it with their shares of the best mixture.
    pub(super) mixture: Vec<(f64, Arc<Design>)>,
    pub(super) prices: Prices,
    tangents: Vec<Tangent>,
}

impl Relaxed {
    /// What it says of higher scores.
    pub(super) fn line(&self) -> Line {
        Line { us: self.bound_us, rise: self.rise }
    }

    /// What mixes well, where nothing is known of what it takes at the least.
    pub(super) fn unbounded(&self) -> Self {
        Self { bound_us: f64::NEG_INFINITY, ..self.clone() }
    }
}

/// A region to be bounded.
pub(super) struct Relaxation<'l> {
    pub(super) lattice: &'l Lattice,
    pub(super) limits: &'l Limits,
    /// The latency that is to be beaten, in microseconds.
    pub(super) wanted_us: f64,
}

impl Relaxation<'_> {
    /// Bounds a region, by what is known of one that it is a part of; none if nothing in it keeps to the limits. All
    /// architectures that come up are `met`.
    pub(super) fn solve(
        &self,
        region: &Region,
        outer: Option<&Relaxed>,
        mut met: impl FnMut(&Arc<Design>),
    ) -> Option<Relaxed> {
        let inside = |(_, design): &&(f64, Arc<Design>)| is_inside(region, design);
        let mut columns: Vec<Arc<Design>> = outer
            .iter()
            .flat_map(|outer| &outer.mixture)
            .filter(inside)
            .map(|(_, design)| design.clone())
            .collect();
        let most = most(self.lattice, region);
        let mut tangents = outer.map_or_else(Vec::new, |outer| outer.tangents.clone());
        let mut prices = outer.map_or_else(|| self.first_prices(), |outer| outer.prices.clone());
        let (mut bound_us, mut rise) =
            outer.map_or((f64::NEG_INFINITY, 0.0), |outer| (outer.bound_us, outer.rise));
        let mut weights = Vec::new();
        for round in 0..ROUNDS {
            let mut most_us = f64::INFINITY;
            if !columns.is_empty() {
                let optimum = self.master(region, &columns, &most, &mut tangents);
                most_us = optimum.value;
                prices = self.prices(&optimum, &tangents);
                weights = optimum.duals[..columns.len()].to_vec();
            }
            if bound_us >= self.wanted_us || (round > 0 && most_us - bound_us < NEAR * self.wanted_us) {
                break;
            }
            let found = shortest(self.lattice, region, self.limits, &prices)?;
            if found.bound_us > bound_us {
                (bound_us, rise) = (found.bound_us, prices.score);
            }
            let design = Arc::new(found.design);
            met(&design);
            if columns.iter().any(|known| known.genotype == design.genotype) {
                break;
            }
            columns.push(design);
            weights.push(0.0);
        }
        let mixture = weights.into_iter().zip(columns).collect();
        Some(Relaxed { bound_us, rise, mixture, prices, tangents })
    }

    fn first_prices(&self) -> Prices {
        let score = if self.limits.score.is_some() { self.wanted_us } else { 0.0 };
        let amounts = vec![0.1 * self.wanted_us; self.limits.amounts.len()];
        Prices {
            score,
            amounts,
            tangent: Tangent::at(self.lattice.input, &Totals::default(), &Totals::default()),
        }
    }

    /// The best mixture of the columns, with tangents that are as good as the score there.
    fn master(
        &self,
        region: &Region,
        columns: &[Arc<Design>],
        most: &Totals,
        tangents: &mut Vec<Tangent>,
    ) -> Optimum {
        let mut optimum = self.program(region, columns, tangents);
        if self.limits.score.is_none() {
            return optimum;
        }
        for _ in 0..TANGENTS {
            let weights = optimum.duals.iter().copied();
            let mixed = weights.zip(columns.iter().map(|design| &design.totals));
            let mean = Totals::mean(mixed.filter(|(weight, _)| *weight > 0.0));
            let tangent = Tangent::at(self.lattice.input, &mean, most);
            let claimed = tangents.iter().map(|known| known.of(&mean)).fold(f64::INFINITY, f64::min);
            if claimed - tangent.of(&mean) < NEAR_SCORE {
                break;
            }
            tangents.push(tangent);
            optimum = self.program(region, columns, tangents);
        }
        optimum
    }

    /// The linear program whose variables are the latency, the prices of the amounts, and those of the score by each
    /// tangent: it is the dual of the one for the mixture, so its duals are the shares.
    fn program(&self, region: &Region, columns: &[Arc<Design>], tangents: &[Tangent]) -> Optimum {
        let least = self.limits.score.map(|score| score + lost_by(region.bottleneck.0));
        let row = |design: &Arc<Design>| {
            let missing = tangents.iter().filter_map(|tangent| Some(least? - tangent.of(&design.totals)));
            let amounts = design.excesses.iter().copied();
            let prices = amounts.chain(missing).map(|missed| -missed);
            (std::iter::once(1.0).chain(prices).collect::<Vec<f64>>(), design.us)
        };
        let mut rows: Vec<(Vec<f64>, f64)> = columns.iter().map(row).collect();
        let count = rows.first().map_or(1, |(row, _)| row.len());
        let mut all = vec![1.0; count];
        all[0] = 0.0;
        rows.push((all, MOST_PRICE * self.wanted_us));
        let mut objective = vec![0.0; count];
        objective[0] = 1.0;
        maximum(&objective, &rows)
    }

    fn prices(&self, optimum: &Optimum, tangents: &[Tangent]) -> Prices {
        let (amounts, by_tangent) = optimum.variables[1..].split_at(self.limits.amounts.len());
        let score: f64 = by_tangent.iter().sum();
        let tangent = match score > 0.0 {
            true => Tangent::mean(by_tangent.iter().map(|price| price / score).zip(tangents)),
            false => tangents.last().cloned().unwrap_or_else(|| self.first_prices().tangent),
        };
        Prices { score, amounts: amounts.to_vec(), tangent }
    }
}

fn is_inside(region: &Region, design: &Design) -> bool {
    let setting: Vec<(usize, u8)> =
        design.genes.iter().map(|(gene, _)| (*gene, design.genotype[*gene])).collect();
    let (_, most) = region.bottleneck;
    region.contains(&setting) && design.totals.bottleneck() <= most
}
