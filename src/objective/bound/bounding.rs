//! Branch and bound over the regions of all frames.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rayon::prelude::*;

use super::{
    super::ArchitectureSearch,
    LatencyBound,
    cut::cut,
    design::Design,
    lattice::Lattice,
    limits::Limits,
    queue::{Open, Queue},
    region::Region,
    relaxation::{Relaxation, Relaxed},
};
use crate::{
    error::Result,
    search::{Candidate, Problem as _},
    space::Genotype,
};

/// Regions that are bounded between two looks at what is open.
const BATCH: usize = 16;
/// A bound this near the best design known is as good as met.
const NEAR: f64 = 1e-4;

/// What came of a region.
#[derive(Default)]
struct Outcome {
    /// What is left open of it.
    open: Vec<Open>,
    /// Architectures that came up.
    met: Vec<Met>,
    regions: u64,
}

/// An architecture as it was priced as a whole.
struct Met {
    frame: usize,
    design: Arc<Design>,
    /// What each of its parts adds, in microseconds.
    parts: Vec<(usize, f64)>,
}

/// What the bounds of one search need.
pub(super) struct Bounding<'a, 's> {
    pub(super) search: &'s ArchitectureSearch<'a>,
    pub(super) limits: Limits,
    pub(super) overhead_us: f64,
    pub(super) lattices: Vec<Lattice>,
}

impl Bounding<'_, '_> {
    /// Bounds all frames, and divides what is open until there is nothing better to be had or so many regions have been
    /// looked at. What parts were seen to cost on the way counts from then on.
    pub(super) fn run(
        &mut self,
        bound: &mut LatencyBound,
        most_regions: u64,
        stop: &AtomicBool,
    ) -> Result<()> {
        (bound.regions, bound.met, bound.surprise) = (0, 0, 0.0);
        let mut queue = Queue::default();
        let mut cheaper = Vec::new();
        let wanted_us = |bound: &LatencyBound| bound.known_us * (1.0 - NEAR) - self.overhead_us;
        let begun = wanted_us(bound);
        let frames = (0..self.lattices.len()).into_par_iter();
        let whole = frames.map(|frame| self.solve(frame, Region::all(self.search.space()), None, begun));
        let mut outcomes: Vec<Outcome> = whole.collect::<Result<_>>()?;
        loop {
            for outcome in outcomes {
                self.keep(outcome, bound, &mut queue, &mut cheaper)?;
            }
            // What was left aside takes no less than what was wanted.
            let (open_us, wanted_us) = (queue.least_us(), wanted_us(bound));
            bound.latency_us = (open_us.min(wanted_us) + self.overhead_us) * (1.0 - bound.surprise);
            bound.closed = open_us >= wanted_us;
            if bound.closed || bound.regions >= most_regions || stop.load(Ordering::Relaxed) {
                break;
            }
            let batch = queue.take(BATCH).into_par_iter();
            outcomes = batch.map(|open| self.divide(open, wanted_us)).collect::<Result<_>>()?;
        }
        for (frame, part, us) in cheaper {
            let known = &mut self.lattices[frame].parts[part].us;
            *known = known.min(us);
        }
        Ok(())
    }

    /// Bounds both sides of a region.
    fn divide(&self, open: Open, wanted_us: f64) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let Open { frame, region, relaxed } = open;
        if relaxed.bound_us >= wanted_us {
            return Ok(outcome);
        }
        // What cannot be divided is one architecture, which has been met: its latency is known.
        let Some(cut) = cut(&self.lattices[frame], &region, &relaxed) else { return Ok(outcome) };
        for side in region.divided(cut) {
            let side = self.solve(frame, side, Some(&relaxed), wanted_us)?;
            outcome.open.extend(side.open);
            outcome.met.extend(side.met);
            outcome.regions += side.regions;
        }
        Ok(outcome)
    }

    /// Bounds a region, a part of one of which something is known already.
    fn solve(
        &self,
        frame: usize,
        region: Region,
        outer: Option<&Relaxed>,
        wanted_us: f64,
    ) -> Result<Outcome> {
        let lattice = &self.lattices[frame];
        let relaxation = Relaxation { lattice, limits: &self.limits, wanted_us };
        let mut designs = Vec::new();
        let relaxed = relaxation.solve(&region, outer, |design| designs.push(design.clone()));
        let met = designs.into_iter().map(|design| self.price(frame, design)).collect::<Result<_>>()?;
        let open = relaxed.filter(|relaxed| relaxed.bound_us < wanted_us);
        let open = open.map(|relaxed| Open { frame, region, relaxed });
        Ok(Outcome { open: open.into_iter().collect(), met, regions: 1 })
    }

    /// What the parts of an architecture cost where they stand in it.
    fn price(&self, frame: usize, design: Arc<Design>) -> Result<Met> {
        let placed = self.search.compiled.parts(&design.genotype)?;
        let keys = &self.lattices[frame].keys;
        let known =
            placed.iter().filter_map(|part| Some((*keys.get(&part.known.piece.key)?, part.priced.us)));
        Ok(Met { frame, parts: known.collect(), design })
    }

    /// Takes in what came of a region: what is left open, what is faster than all before and keeps to the limits, and what
    /// is cheaper than was known.
    fn keep(
        &self,
        outcome: Outcome,
        bound: &mut LatencyBound,
        queue: &mut Queue,
        cheaper: &mut Vec<(usize, usize, f64)>,
    ) -> Result<()> {
        bound.regions += outcome.regions;
        bound.met += outcome.met.len() as u64;
        outcome.open.into_iter().for_each(|open| queue.add(open));
        for Met { frame, design, parts } in outcome.met {
            let us: f64 = parts.iter().map(|(_, us)| us).sum();
            bound.surprise = bound.surprise.max(1.0 - us / design.us);
            let known = &self.lattices[frame].parts;
            cheaper.extend(
                parts.iter().filter(|(part, us)| *us < known[*part].us).map(|(part, us)| (frame, *part, *us)),
            );
            let us = us + self.overhead_us;
            if us * (1.0 - 1e-9) < bound.known_us {
                self.offer(&design.genotype, bound)?;
            }
        }
        Ok(())
    }

    /// Keeps an architecture that is faster than all before if it keeps to the limits.
    fn offer(&self, genotype: &[u8], bound: &mut LatencyBound) -> Result<()> {
        let metrics = self.search.compiled.metrics(genotype)?;
        let keeps = self.search.excesses(&metrics).all(|(_, excess)| excess <= 0.0);
        if keeps && metrics.latency_us < bound.known_us {
            bound.known_us = metrics.latency_us;
            let mut genes = Genotype::first(self.search.free.len());
            self.search.reduced(genotype, &mut genes.0);
            self.search.canonicalise(&mut genes.0);
            let evaluation = self.search.evaluate(&genes.0);
            bound.better.push(Candidate::new(genes, evaluation));
        }
        Ok(())
    }
}
