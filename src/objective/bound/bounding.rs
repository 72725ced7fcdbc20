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
    line::Line,
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
    /// The bounds of what is left aside.
    aside: Vec<Line>,
}

/// An architecture as it was priced as a whole.
struct Met {
    frame: usize,
    design: Arc<Design>,
    /// What each of its parts adds, in microseconds.
    parts: Vec<(usize, f64)>,
}

/// What was seen on the way.
#[derive(Default)]
struct Seen {
    /// Parts of a frame that cost less than was known, in microseconds.
    cheaper: Vec<(usize, usize, f64)>,
    /// As [`Bounding::better`].
    better: Vec<Candidate>,
    /// As [`Outcome::aside`].
    aside: Vec<Line>,
}

/// What the bounds of one search need.
pub(super) struct Bounding<'a, 's> {
    search: &'s ArchitectureSearch<'a>,
    limits: Limits,
    overhead_us: f64,
    lattices: Vec<Lattice>,
    /// What was last known of each frame as a whole: what mixes well at one score does at the next.
    roots: Vec<Option<Relaxed>>,
    /// What is faster than all that was known of its score, and keeps to the limits.
    pub(super) better: Vec<Candidate>,
}

/// What a region is bounded for.
#[derive(Clone, Copy)]
struct Goal<'l> {
    limits: &'l Limits,
    /// The latency that is to be beaten, in microseconds.
    wanted_us: f64,
}

impl<'a, 's> Bounding<'a, 's> {
    pub(super) fn new(
        search: &'s ArchitectureSearch<'a>,
        limits: Limits,
        overhead_us: f64,
        lattices: Vec<Lattice>,
    ) -> Self {
        let roots = vec![None; lattices.len()];
        Self { search, limits, overhead_us, lattices, roots, better: Vec::new() }
    }

    /// Bounds all frames, and divides what is open until there is nothing better to be had or so many regions have been
    /// looked at. What parts were seen to cost on the way counts from then on. Returns the bounds of all regions that came
    /// of it.
    pub(super) fn run(
        &mut self,
        bound: &mut LatencyBound,
        most_regions: u64,
        stop: &AtomicBool,
    ) -> Result<Vec<Line>> {
        (bound.regions, bound.met, bound.surprise) = (0, 0, 0.0);
        if stop.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        bound.known_us = self.known_us(bound);
        let limits = self.limits.with_score(bound.score);
        let goal = |bound: &LatencyBound| Goal {
            limits: &limits,
            wanted_us: bound.known_us * (1.0 - NEAR) - self.overhead_us,
        };
        let (mut queue, mut seen) = (Queue::default(), Seen::default());
        let begun = goal(bound);
        let frames = (0..self.lattices.len()).into_par_iter();
        let whole = frames.map(|frame| {
            let root = self.roots[frame].as_ref().map(Relaxed::unbounded);
            self.solve(frame, Region::all(self.search.space()), root.as_ref(), begun)
        });
        let mut outcomes: Vec<Outcome> = whole.collect::<Result<_>>()?;
        for (root, outcome) in self.roots.iter_mut().zip(&outcomes) {
            *root = outcome.open.first().map(|open| open.relaxed.clone()).or(root.take());
        }
        loop {
            for outcome in outcomes {
                self.keep(outcome, bound, &mut queue, &mut seen)?;
            }
            // What was left aside takes no less than what was wanted.
            let (open_us, goal) = (queue.least_us(), goal(bound));
            bound.latency_us = open_us.min(goal.wanted_us) + self.overhead_us;
            bound.closed = open_us >= goal.wanted_us;
            if bound.closed || bound.regions >= most_regions || stop.load(Ordering::Relaxed) {
                break;
            }
            let batch = queue.take(BATCH).into_par_iter();
            outcomes = batch.map(|open| self.divide(open, goal)).collect::<Result<_>>()?;
        }
        for (frame, part, us) in seen.cheaper {
            let known = &mut self.lattices[frame].parts[part].us;
            *known = known.min(us);
        }
        self.better.extend(seen.better);
        seen.aside.extend(queue.into_lines());
        Ok(seen.aside)
    }

    /// The least latency that is known of what scores as much as a bound asks for.
    pub(super) fn known_us(&self, bound: &LatencyBound) -> f64 {
        let least = bound.score.unwrap_or(f64::NEG_INFINITY);
        let better = self.better.iter().filter(|better| -better.objectives[1] >= least);
        better.map(|better| better.objectives[0]).fold(bound.known_us, f64::min)
    }

    /// Bounds both sides of a region.
    fn divide(&self, open: Open, goal: Goal<'_>) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let Open { frame, region, relaxed } = open;
        // What cannot be divided is one architecture, which has been met: its latency is known.
        let cut = cut(&self.lattices[frame], &region, &relaxed);
        let Some(cut) = cut.filter(|_| relaxed.bound_us < goal.wanted_us) else {
            outcome.aside.push(relaxed.line());
            return Ok(outcome);
        };
        for side in region.divided(cut) {
            let side = self.solve(frame, side, Some(&relaxed), goal)?;
            outcome.open.extend(side.open);
            outcome.met.extend(side.met);
            outcome.aside.extend(side.aside);
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
        goal: Goal<'_>,
    ) -> Result<Outcome> {
        let Goal { limits, wanted_us } = goal;
        let relaxation = Relaxation { lattice: &self.lattices[frame], limits, wanted_us };
        let mut designs = Vec::new();
        let relaxed = relaxation.solve(&region, outer, |design| designs.push(design.clone()));
        let met = designs.into_iter().map(|design| self.price(frame, design)).collect::<Result<_>>()?;
        let (mut open, mut aside) = (Vec::new(), Vec::new());
        match relaxed {
            Some(relaxed) if relaxed.bound_us < wanted_us => open.push(Open { frame, region, relaxed }),
            Some(relaxed) => aside.push(relaxed.line()),
            None => aside.push(Line::EMPTY),
        }
        Ok(Outcome { open, met, regions: 1, aside })
    }

    /// What the parts of an architecture cost where they stand in it.
    fn price(&self, frame: usize, design: Arc<Design>) -> Result<Met> {
        let placed = self.search.compiled.parts(&design.genotype)?;
        Ok(Met { frame, parts: self.lattices[frame].costs(&placed).collect(), design })
    }

    /// Takes in what came of a region: what is left open, what is faster than all before and keeps to the limits, and what
    /// is cheaper than was known.
    fn keep(
        &self,
        outcome: Outcome,
        bound: &mut LatencyBound,
        queue: &mut Queue,
        seen: &mut Seen,
    ) -> Result<()> {
        bound.regions += outcome.regions;
        bound.met += outcome.met.len() as u64;
        seen.aside.extend(outcome.aside);
        outcome.open.into_iter().for_each(|open| queue.add(open));
        for Met { frame, design, parts } in outcome.met {
            let us: f64 = parts.iter().map(|(_, us)| us).sum();
            bound.surprise = bound.surprise.max(1.0 - us / design.us);
            let known = &self.lattices[frame].parts;
            let cheaper = parts.iter().filter(|(part, us)| *us < known[*part].us);
            seen.cheaper.extend(cheaper.map(|(part, us)| (frame, *part, *us)));
            let us = us + self.overhead_us;
            if us * (1.0 - 1e-9) < bound.known_us {
                seen.better.extend(self.better(&design.genotype, bound)?);
            }
        }
        Ok(())
    }

    /// An architecture, if it is faster than all before, scores as much as a bound asks for and keeps to the limits.
    fn better(&self, genotype: &[u8], bound: &mut LatencyBound) -> Result<Option<Candidate>> {
        let metrics = self.search.compiled.metrics(genotype)?;
        let keeps = self.search.excesses(&metrics).all(|(_, excess)| excess <= 0.0)
            && bound.score.is_none_or(|least| metrics.trainability >= least);
        if !keeps || metrics.latency_us >= bound.known_us {
            return Ok(None);
        }
        bound.known_us = metrics.latency_us;
        let mut genes = Genotype::first(self.search.free.len());
        self.search.reduced(genotype, &mut genes.0);
        self.search.canonicalise(&mut genes.0);
        let evaluation = self.search.evaluate(&genes.0);
        Ok(Some(Candidate::new(genes, evaluation)))
    }
}
