//! How fast an architecture of a space can be at the most.
//!
//! A search tells how good a design it has found, and never how much better another might be. This does: it finds a latency
//! that no architecture of the space which keeps to its limits falls below. All architectures are paths through a
//! lattice of parts ([`lattice`], [`explore`]); the least latency of a mixture of them that keeps to the limits is a
//! bound for each ([`relaxation`], [`shortest`]); and where that mixes designs that differ in a gene, both sides of it are bounded by
//! themselves (branch and bound: Land & Doig 1960; best first).
//!
//! One thing is taken for granted and not proven: that no part costs less than in any of the networks that were priced on
//! the way. What a part costs depends on its neighbours, and not all neighbours are tried. Everything else holds for
//! certain: each bound on the score is a tangent of a concave function, and every price of a limit gives a bound.

mod bounding;
mod cut;
mod design;
mod explore;
mod follow;
mod front;
mod labels;
mod lattice;
mod learn;
mod limits;
mod line;
mod most;
mod queue;
mod reads;
mod region;
mod relaxation;
mod shortest;
mod simplex;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::ArchitectureSearch;
use crate::{
    error::{Error, Result},
    space::{Genotype, Metric, Setting, Side},
};
use bounding::Bounding;
use explore::explore;
pub use front::{FrontBound, LatencyBound, Level};
use lattice::Lattice;
use learn::learn;
use limits::Limits;
use region::Region;
use relaxation::Relaxation;

/// Times that all is bounded anew with what parts were seen to cost meanwhile.
const RUNS: u32 = 4;
/// One in so many regions is looked at for each level, before all are for the first.
const REHEARSAL: u64 = 8;
/// Parts are known well enough if no network is cheaper than them by a larger share.
const SURPRISE: f64 = 5e-4;

/// Frames whose bound is above so many times the latency that is known are not looked at again.
const FAR: f64 = 1.2;

/// The networks that were priced for a frame, and its lattice unless it is far from the best.
type Explored = (u64, Option<Lattice>);

impl ArchitectureSearch<'_> {
    /// Bounds the latency of all architectures that keep to the limits, by what they score at the least, from the lowest level
    /// up: about `most_regions` regions of the space are looked at for the first, and an eighth of that for each other one. What parts cost is
    /// learnt from random architectures, and from these `designs` and others like them. None if `stop` was set before all
    /// bounds were there, or without levels.
    ///
    /// # Errors
    /// The search is for several accelerators; or the space has parts of which nothing can be said one by one.
    pub fn bound(
        &self,
        levels: &[Level],
        designs: &[Genotype],
        most_regions: u64,
        stop: &AtomicBool,
    ) -> Result<Option<FrontBound>> {
        if self.targets.are_several() {
            return Err(Error::unusable("the latency can be bounded for one accelerator only"));
        }
        if levels.is_empty() {
            return Ok(None);
        }
        let (limits, overhead_us) = (self.limits(), self.compiled.overhead_us());
        let mut bounds: Vec<LatencyBound> = levels
            .iter()
            .map(|level| LatencyBound::unknown(level.score.or(limits.score), level.known_us))
            .collect();
        let Some(explored) = self.lattices(&limits, &bounds, designs, stop)? else { return Ok(None) };
        let networks = explored.iter().map(|(networks, _)| networks).sum();
        let lattices: Vec<Lattice> = explored.into_iter().filter_map(|(_, lattice)| lattice).collect();
        let mut bounding = Bounding::new(self, limits, overhead_us, lattices);
        // What is met near the best tells best what parts cost there; so all is bounded until that tells nothing new.
        let is_enough = |surprise: f64| surprise <= SURPRISE || stop.load(Ordering::Relaxed);
        let (mut regions, mut surprise) = (Vec::new(), f64::INFINITY);
        for _ in 0..RUNS {
            let sweep = bounds.iter_mut().map(|bound| bounding.run(bound, most_regions / REHEARSAL, stop));
            regions = sweep.collect::<Result<_>>()?;
            surprise = bounds.iter().map(|bound| bound.surprise).fold(0.0, f64::max);
            if is_enough(surprise) {
                break;
            }
        }
        for _ in 0..RUNS {
            regions[0] = bounding.run(&mut bounds[0], most_regions, stop)?;
            if is_enough(bounds[0].surprise) {
                break;
            }
        }
        let surprise = surprise.max(bounds[0].surprise);
        let mut below_us = 0.0;
        for bound in &mut bounds {
            bound.known_us = bounding.known_us(bound);
            // What scores more takes no less than what scores as much.
            below_us = (bound.latency_us * (1.0 - surprise)).max(below_us);
            bound.latency_us = below_us.min(bound.known_us);
        }
        let better = bounding.better;
        let bound = FrontBound { levels: bounds, networks, surprise, better, regions, overhead_us };
        Ok((!stop.load(Ordering::Relaxed)).then_some(bound))
    }

    /// The lattices of all frames in which something may be near what is known at one of the levels, and how many networks
    /// were priced for each; none if `stop` was set meanwhile.
    fn lattices(
        &self,
        limits: &Limits,
        levels: &[LatencyBound],
        designs: &[Genotype],
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Explored>>> {
        let designs: Vec<Vec<u8>> = designs.iter().map(|genes| self.full(&genes.0).0.to_vec()).collect();
        let is_near = |lattice: &Lattice, level: &LatencyBound| {
            let limits = limits.with_score(level.score);
            let far_us = FAR * level.known_us - self.compiled.overhead_us();
            let relaxation = Relaxation { lattice, limits: &limits, wanted_us: far_us };
            let relaxed = relaxation.solve(&Region::all(self.space()), None, |_| {});
            relaxed.is_some_and(|relaxed| relaxed.bound_us < far_us)
        };
        let explored = |(number, frame): (usize, &Setting)| -> Result<Option<Explored>> {
            let Some(mut lattice) = explore(self, frame, number, stop)? else { return Ok(None) };
            learn(self, &mut lattice, frame, number, &designs, stop)?;
            let is_near = levels.iter().any(|level| is_near(&lattice, level));
            Ok(Some((lattice.networks, is_near.then_some(lattice))))
        };
        self.space().frames(&self.free()).par_iter().enumerate().map(explored).collect()
    }

    /// The limits that follow part by part. Where there are others, a bound without them holds all the same.
    fn limits(&self) -> Limits {
        let mut limits = Limits { score: None, amounts: Vec::new(), peak_bytes: f64::INFINITY };
        for constraint in &self.constraints {
            let bound = constraint.bound(self.baseline.bounded(constraint));
            match (constraint.metric, constraint.side) {
                (Metric::Trainability, Side::Min) => {
                    limits.score = Some(limits.score.map_or(bound, |score| score.max(bound)));
                }
                (Metric::PeakActivationBytes, Side::Max) => limits.peak_bytes = limits.peak_bytes.min(bound),
                (Metric::Macs | Metric::Params | Metric::ModelBytes, Side::Max) => {
                    limits.amounts.push((constraint.metric, bound));
                }
                _ => {}
            }
        }
        limits
    }

    /// Whether a gene of the space is free.
    fn free(&self) -> impl Fn(usize) -> bool {
        |gene| self.free.binary_search(&gene).is_ok()
    }
}
