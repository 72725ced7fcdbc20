//! Where a region is divided.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    design::Design,
    lattice::Lattice,
    region::{Cut, Region},
    relaxation::Relaxed,
};
use crate::trainability::{Tangent, Totals, lost_by};

/// Shares of a mixture below this are rounding.
const LEAST_SHARE: f64 = 1e-6;
/// What a microsecond by which both sides differ is worth beside one by which their mixture is too good.
const APART: f64 = 1e-4;

/// A design with its share of a mixture.
type Mixed<'m> = &'m (f64, Arc<Design>);

/// Where to divide a region: where that takes most from the best mixture. None if there is one architecture only.
pub(super) fn cut(lattice: &Lattice, region: &Region, relaxed: &Relaxed) -> Option<Cut> {
    let mixed: Vec<Mixed<'_>> = relaxed.mixture.iter().filter(|(share, _)| *share > LEAST_SHARE).collect();
    let by_gene = by_gene(lattice, &mixed, relaxed.prices.score);
    let by_bottleneck = by_bottleneck(lattice, region, &mixed, relaxed.prices.score);
    let best = by_gene.into_iter().chain(by_bottleneck).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, cut)| cut).or_else(|| aside(region, &mixed.first()?.1))
}

/// The best way to divide a mixture by a gene, and what that takes from it in microseconds.
fn by_gene(lattice: &Lattice, mixed: &[Mixed<'_>], price: f64) -> Option<(f64, Cut)> {
    let genes: BTreeSet<usize> =
        mixed.iter().flat_map(|(_, design)| &design.genes).map(|(gene, _)| *gene).collect();
    let mut best: Option<(f64, Cut)> = None;
    for gene in genes {
        let with: Vec<Mixed<'_>> =
            mixed.iter().copied().filter(|(_, design)| design.us_of(gene).is_some()).collect();
        let values: BTreeSet<u8> = with.iter().map(|(_, design)| design.genotype[gene]).collect();
        for last in values.iter().take(values.len().saturating_sub(1)) {
            let (below, above): (Vec<Mixed<'_>>, Vec<Mixed<'_>>) =
                with.iter().copied().partition(|(_, design)| design.genotype[gene] <= *last);
            let gain = gain(lattice, &with) - gain(lattice, &below) - gain(lattice, &above);
            let apart = (mean_us(gene, &below) - mean_us(gene, &above)).abs();
            let worth = price * gain + APART * share(&below).min(share(&above)) * apart;
            if best.is_none_or(|(known, _)| worth > known) {
                best = Some((worth, Cut::Gene(gene, *last)));
            }
        }
    }
    best
}

/// What a mixture scores in all, its share counted.
fn gain(lattice: &Lattice, mixed: &[Mixed<'_>]) -> f64 {
    let all = share(mixed);
    let mean = Totals::mean(mixed.iter().map(|(share, design)| (share / all, &design.totals)));
    all * Tangent::at(lattice.input, &mean, &mean).of(&mean)
}

fn share(mixed: &[Mixed<'_>]) -> f64 {
    mixed.iter().map(|(share, _)| share).sum()
}

/// The mean latency of the parts that a gene is about.
fn mean_us(gene: usize, mixed: &[Mixed<'_>]) -> f64 {
    let sum: f64 = mixed.iter().filter_map(|(share, design)| Some(share * design.us_of(gene)?)).sum();
    sum / share(mixed)
}

/// The way to divide a mixture by bottlenecks that are taken for wider than they are: those that are no wider are on one
/// side, and what they lose by it counts there from now on.
fn by_bottleneck(lattice: &Lattice, region: &Region, mixed: &[Mixed<'_>], price: f64) -> Option<(f64, Cut)> {
    let (least, _) = region.bottleneck;
    let cuts = || mixed.iter().map(|(share, design)| (share, design.totals.bottleneck()));
    let lost: f64 = cuts().map(|(share, cut)| share * (lost_by(cut) - lost_by(least)).max(0.0)).sum();
    let from = cuts().map(|(_, cut)| cut).filter(|cut| *cut > least).min_by(f64::total_cmp)?;
    let below = lattice.bottlenecks.partition_point(|cut| *cut < from);
    // Where there is none, nothing is on the other side.
    let most = below.checked_sub(1).map_or(-1.0, |below| lattice.bottlenecks[below]);
    Some((price * lost, Cut::Bottleneck(most, from)))
}

/// A cut that sets other architectures apart from this one; none if there is no other.
fn aside(region: &Region, design: &Design) -> Option<Cut> {
    let free = design.genes.iter().filter(|(gene, _)| {
        let (first, last) = region.gene(*gene);
        first < last
    });
    let (gene, _) = free.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let value = design.genotype[*gene];
    let (_, last) = region.gene(*gene);
    Some(Cut::Gene(*gene, if value < last { value } else { value - 1 }))
}
