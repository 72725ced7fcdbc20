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
mod labels;
mod lattice;
mod limits;
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
    search::Candidate,
    space::{Metric, Setting, Side},
};
use bounding::Bounding;
use explore::explore;
use lattice::Lattice;
use limits::Limits;
use region::Region;
use relaxation::Relaxation;

/// Times that all is bounded anew with what parts were seen to cost meanwhile.
const RUNS: u32 = 3;
/// A rehearsal looks at one in so many regions.
const REHEARSAL: u64 = 8;
/// Parts are known well enough if no network is cheaper than them by a larger share.
const SURPRISE: f64 = 5e-4;

/// Frames whose bound is above so many times the latency that is known are not looked at again.
const FAR: f64 = 1.2;

/// The networks that were priced for a frame, and its lattice unless it is far from the best.
type Explored = (u64, Option<Lattice>);

/// What no architecture of a space that keeps to its limits falls below.
#[derive(Clone, Debug)]
pub struct LatencyBound {
    /// The least latency that any of them can have, in microseconds.
    pub latency_us: f64,
    /// The least that one was found to have.
    pub known_us: f64,
    /// Networks that were priced beforehand, to know what parts cost.
    pub networks: u64,
    /// Regions of the space that were bounded.
    pub regions: u64,
    /// Architectures that came up on the way and were priced as a whole.
    pub met: u64,
    /// By what share the cheapest of them was cheaper than its parts at their least: zero if what parts cost at the least
    /// is known. The bound is that much lower.
    pub surprise: f64,
    /// Whether no region is left that could hold something faster than what is known.
    pub closed: bool,
    /// Architectures that came up on the way and keep to the limits, the fastest last, each faster than what was known
    /// before.
    pub better: Vec<Candidate>,
}

impl ArchitectureSearch<'_> {
    /// Bounds the latency of all architectures that keep to the limits, where one is known that takes `known_us`; about
    /// `most_regions` regions of the space are looked at. None if `stop` was set before there was a bound.
    ///
    /// # Errors
    /// The search is for several accelerators; or the space has parts of which nothing can be said one by one.
    pub fn bound(&self, known_us: f64, most_regions: u64, stop: &AtomicBool) -> Result<Option<LatencyBound>> {
        if self.targets.are_several() {
            return Err(Error::unusable("the latency can be bounded for one accelerator only"));
        }
        let (limits, overhead_us) = (self.limits(), self.compiled.overhead_us());
        let far_us = FAR * known_us - overhead_us;
        let Some(explored) = self.lattices(&limits, far_us, stop)? else { return Ok(None) };
        let networks = explored.iter().map(|(networks, _)| networks).sum();
        let lattices = explored.into_iter().filter_map(|(_, lattice)| lattice).collect();
        let mut bounding = Bounding { search: self, limits, overhead_us, lattices };
        let mut bound = LatencyBound {
            latency_us: known_us,
            known_us,
            networks,
            regions: 0,
            met: 0,
            surprise: 0.0,
            closed: false,
            better: Vec::new(),
        };
        // What is met near the best tells best what parts cost there; so first a little is bounded, and then all of it.
        for most in [most_regions / REHEARSAL, most_regions] {
            for _ in 0..RUNS {
                bounding.run(&mut bound, most, stop)?;
                if bound.surprise <= SURPRISE || stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
        Ok((!stop.load(Ordering::Relaxed)).then_some(bound))
    }

    /// The lattices of all frames in which something may take less than `far_us`, and how many networks were priced for
    /// each; none if `stop` was set meanwhile.
    fn lattices(&self, limits: &Limits, far_us: f64, stop: &AtomicBool) -> Result<Option<Vec<Explored>>> {
        let explored = |(number, frame): (usize, &Setting)| -> Result<Option<Explored>> {
            let Some(lattice) = explore(self, frame, number, stop)? else { return Ok(None) };
            let relaxation = Relaxation { lattice: &lattice, limits, wanted_us: far_us };
            let relaxed = relaxation.solve(&Region::all(self.space()), None, |_| {});
            let is_near = relaxed.is_some_and(|relaxed| relaxed.bound_us < far_us);
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
