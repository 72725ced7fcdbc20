//! What a block costs at every width: the staircase that curation walks along.

mod width;

pub use width::Width;

use rayon::prelude::*;
use serde::Serialize;

use super::{Entry, Run, changes::aligned, entry::rounded};
use crate::{
    error::Result,
    estimator::Estimator,
    space::{Architecture, Space},
    units::Macs,
};
use width::Place;

/// The least width that is priced, unless the architecture has a smaller one.
const NARROWEST: u32 = 8;
/// Up to this width every number of channels is priced, beyond every second.
const EVERY: u32 = 400;

/// The latency of the chosen architecture's blocks against their channels, all else as chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Landscape {
    /// The estimator's parallelism factor; 1 where it has no staircase.
    pub lanes: u32,
    /// A curve for each block; first the one whose latency changed most from the baseline.
    pub curves: Vec<Curve>,
}

/// What one block costs at every width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The block's name: `s2.b1`.
    pub block: String,
    /// What is varied.
    pub width: Width,
    /// Every width that was priced, ascending; the curated ones, the baseline's and the chosen one are among them.
    pub points: Vec<CurvePrice>,
    /// The widths that the space offers, ascending; empty where the space is not at hand.
    pub curated: Vec<u32>,
    /// The baseline's width, if it has this block with such a width.
    pub baseline: Option<u32>,
    /// The width that was found.
    pub chosen: u32,
}

/// The price of a block at one width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePrice {
    /// The width.
    pub channels: u32,
    /// Estimated latency of the block's layers.
    pub latency_ms: f64,
    /// Multiply-adds of the block's layers.
    pub macs: Macs,
}

impl Curve {
    /// The price at a width that was priced.
    #[must_use]
    pub fn at(&self, channels: u32) -> Option<CurvePrice> {
        let index = self.points.binary_search_by_key(&channels, |point| point.channels).ok()?;
        self.points.get(index).copied()
    }

    /// The two neighbouring widths between which the latency grows most, relative to the narrower one. A width
    /// that costs nothing is none to start from.
    #[must_use]
    pub fn steepest(&self) -> Option<(CurvePrice, CurvePrice)> {
        let steps = self.points.iter().copied().zip(self.points.iter().copied().skip(1));
        let growth = |(a, b): &(CurvePrice, CurvePrice)| b.latency_ms / a.latency_ms;
        let costly = steps.filter(|(a, _)| a.latency_ms > 0.0 && a.macs.0 > 0);
        costly.max_by(|a, b| growth(a).total_cmp(&growth(b)))
    }
}

impl Landscape {
    /// The landscape around the run's chosen architecture. None where no estimator is at hand, nothing was
    /// chosen, or the chosen architecture has no blocks.
    ///
    /// # Errors
    /// The blocks of the report are not an architecture.
    pub fn of(run: &Run) -> Result<Option<Self>> {
        let chosen = run.report.finding().map(|finding| finding.entry);
        let (Some(entry), Some(estimator)) = (chosen, &run.estimator) else { return Ok(None) };
        if entry.blocks.is_empty() {
            return Ok(None);
        }
        let around = Around {
            chosen: Architecture::parse(&entry.blocks)?,
            baseline: Architecture::parse(&run.report.baseline.blocks)?,
            neighbours: run.space.as_ref().map_or(Vec::new(), |space| neighbours(space, &entry.genotype)),
            estimator,
        };
        let mut curves = around.curves()?;
        let change = |block: &str| changed_ms(&run.report.baseline, entry, block);
        // Stable: of equal changes the block nearer to the input comes first.
        curves.sort_by(|a, b| change(&b.block).total_cmp(&change(&a.block)));
        Ok((!curves.is_empty()).then(|| Self { lanes: estimator.parallelism(), curves }))
    }
}

/// By how much the latency of a block changed, whichever way.
fn changed_ms(baseline: &Entry, chosen: &Entry, block: &str) -> f64 {
    let pairs = aligned(baseline, chosen);
    let pair = pairs.iter().find(|pair| pair.name == block);
    let sides = pair.map(|pair| [&pair.before, &pair.after].map(|cost| cost.as_ref()));
    sides.map_or(0.0, |[before, after]| {
        let cost = |side: Option<&super::BlockCost<'_>>| side.map_or(0.0, super::BlockCost::latency_ms);
        (cost(after) - cost(before)).abs()
    })
}

/// The architectures that differ from `genotype` by one width gene, by the kind of that gene.
fn neighbours(space: &Space, genotype: &[u8]) -> Vec<(crate::space::GeneKind, Architecture)> {
    if !space.contains(genotype) {
        return Vec::new();
    }
    let mut neighbours = Vec::new();
    for (index, gene) in space.genes().iter().enumerate() {
        if ![Width::Hidden, Width::Output].iter().any(|width| width.gene() == gene.kind) {
            continue;
        }
        for alternative in 0..gene.labels.len() {
            let mut genes = genotype.to_vec();
            genes[index] = alternative as u8;
            neighbours.push((gene.kind, space.architecture(&genes)));
        }
    }
    neighbours
}

/// Everything that the curves of one architecture share.
struct Around<'r> {
    chosen: Architecture,
    baseline: Architecture,
    neighbours: Vec<(crate::space::GeneKind, Architecture)>,
    estimator: &'r Estimator,
}

impl Around<'_> {
    fn curves(&self) -> Result<Vec<Curve>> {
        let stages = self.chosen.stages.iter().enumerate();
        let places = stages.flat_map(|(stage, blocks)| (0..blocks.len()).map(move |block| (stage, block)));
        places.filter_map(|place| self.curve(place).transpose()).collect()
    }

    fn curve(&self, place: Place) -> Result<Option<Curve>> {
        let Some(width) = Width::of(&self.chosen, place) else { return Ok(None) };
        let Some(chosen) = width.count(&self.chosen, place) else { return Ok(None) };
        let baseline = width.count(&self.baseline, place);
        let curated = self.curated(width, place);
        let marks: Vec<u32> = curated.iter().copied().chain(baseline).chain([chosen]).collect();
        let points: Result<Vec<CurvePrice>> = widths(&marks, self.estimator.parallelism())
            .into_par_iter()
            .map(|channels| self.price(width, place, channels))
            .collect();
        let block = format!("s{}.b{}", place.0 + 1, place.1 + 1);
        Ok(Some(Curve { block, width, points: points?, curated, baseline, chosen }))
    }

    /// The widths that the space offers for this block.
    fn curated(&self, width: Width, place: Place) -> Vec<u32> {
        let offered = self.neighbours.iter().filter(|(kind, _)| *kind == width.gene());
        let mut widths: Vec<u32> = offered.filter_map(|(_, other)| width.count(other, place)).collect();
        widths.sort_unstable();
        widths.dedup();
        widths
    }

    fn price(&self, width: Width, place: Place, channels: u32) -> Result<CurvePrice> {
        let network = width.set(&self.chosen, place, channels).network("")?;
        let prefix = format!("s{}.b{}.", place.0 + 1, place.1 + 1);
        let graph = self.estimator.graph(&network);
        let layers = network.layers().iter().zip(graph.layers());
        let (latency_us, macs) = layers.filter(|(layer, _)| layer.name.starts_with(&prefix)).fold(
            (0.0, 0),
            |(latency_us, macs), (layer, placed)| {
                (latency_us + self.estimator.layer_us(placed), macs + layer.macs.0)
            },
        );
        Ok(CurvePrice { channels, latency_ms: rounded(latency_us / 1e3), macs: Macs(macs) })
    }
}

/// All widths to price: a regular row to a little beyond the widest of `marks`, and the marks themselves.
fn widths(marks: &[u32], lanes: u32) -> Vec<u32> {
    let widest = marks.iter().copied().max().unwrap_or(NARROWEST);
    let beyond = widest.saturating_add((widest / 8).max(lanes).max(NARROWEST));
    let step = if beyond <= EVERY { 1 } else { 2 };
    let mut widths: Vec<u32> = (NARROWEST..=beyond).step_by(step).chain(marks.iter().copied()).collect();
    widths.sort_unstable();
    widths.dedup();
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_widths_up_to_a_little_beyond_the_marks_are_priced() {
        assert_eq!(widths(&[4, 16], 1), [&[4][..], &(8..=24).collect::<Vec<_>>()].concat());
        let wide = widths(&[801], 16);
        assert!(wide.contains(&801) && wide.contains(&800) && !wide.contains(&799));
        assert_eq!(wide.last(), Some(&900));
    }
}
