//! All architectures of one frame as paths through a lattice.
//!
//! A frame fixes what every part depends on: number format, input size, depth multiplier. What a block then costs depends
//! on its own genes, on those that its stage shares and on what it reads. So the blocks behind a point of the network
//! are the same whatever leads there, and all architectures are paths from the stem to a head through few points.

use std::collections::HashMap;

use super::super::{compiled::Placed, piece};
use crate::{
    network::Shape,
    space::Setting,
    stable_hash::{AsIs, Fingerprint, fingerprint},
    trainability::{Flow, Passage, Totals},
};

/// One part in one place of the chain, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The least that it added to the latency of any network, in microseconds.
    pub(super) us: f64,
    /// What is only added up.
    pub(super) amounts: piece::Totals,
    /// The least elements alive at once in any network with it.
    pub(super) peak: u64,
}

/// The parts of a network by what tells them apart, and what each adds to its latency, in microseconds. What the stem adds is
/// counted with the first block: they have the largest tensors, where one is cheap only if the other is dear.
pub(super) fn told_apart(placed: &[Placed]) -> impl Iterator<Item = (Fingerprint, f64)> {
    let stem = placed.first().map_or((0, 0.0), |stem| (stem.known.piece.key, stem.priced.us));
    placed.iter().enumerate().map(move |(number, part)| {
        let (key, us) = (part.known.piece.key, part.priced.us);
        match number {
            0 => (key, 0.0),
            1 => (fingerprint(&[key, stem.0]), us + stem.1),
            _ => (key, us),
        }
    })
}

/// A part that leads from one point to another.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) part: usize,
    pub(super) passage: Passage,
    pub(super) to: usize,
}

/// An alternative at a point.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Stands for the part by itself.
    pub(super) own: Fingerprint,
    /// The genes that it sets.
    pub(super) setting: Setting,
    /// Where it leads; none until a network has been seen that takes it.
    pub(super) way: Option<Way>,
    /// How many of the point's genotypes it was seen behind.
    pub(super) tried: usize,
}

/// A point between two parts.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// The stage that goes on here, from one; none before the stem.
    pub(super) stage: usize,
    /// Blocks of it that lie behind.
    pub(super) position: usize,
    /// Stands for the tensor that is read here.
    pub(super) exit: Fingerprint,
    /// Genotypes that lead here, by how the part before is run: a part may be cheaper behind one than behind another.
    pub(super) genotypes: Vec<(u8, Vec<u8>)>,
    pub(super) steps: Vec<Step>,
    /// If the stage may end here, the genes that end it, and the point where the next one begins.
    pub(super) end: Option<(Setting, usize)>,
    /// Where a stage has just ended: what the head taps it with.
    pub(super) tap: Option<Tap>,
    /// Where the last one has: the heads that may follow.
    pub(super) heads: Vec<Head>,
}

/// A head behind the last stage.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) setting: Setting,
    /// What it reads of an earlier stage beside the last one.
    pub(super) far: Option<Fingerprint>,
    /// Its parts but for those that read one earlier stage alone.
    pub(super) parts: Vec<usize>,
    pub(super) totals: Totals,
    /// What flows to the exits of the stages, as one of [`Lattice::flows`].
    pub(super) flows: usize,
}

/// The parts of the head that read an earlier stage alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Tap {
    pub(super) parts: Vec<usize>,
    pub(super) totals: Totals,
}

/// All architectures of one frame.
#[derive(Clone, Debug)]
pub(super) struct Lattice {
    pub(super) input: Shape,
    /// Bytes of an element.
    pub(super) bytes: u64,
    pub(super) stages: usize,
    pub(super) parts: Vec<Part>,
    /// The parts by what tells them apart.
    pub(super) keys: HashMap<Fingerprint, usize, AsIs>,
    /// The first is the one before the stem.
    pub(super) points: Vec<Point>,
    /// The points from the last to the first: none comes before one that it leads to.
    pub(super) backwards: Vec<usize>,
    /// All that the tightest cut of an architecture can be, in ascending order.
    pub(super) bottlenecks: Vec<f64>,
    /// What flows from heads to the exits of the stages.
    pub(super) flows: Vec<Vec<Flow>>,
    /// Networks that were priced.
    pub(super) networks: u64,
}

impl Point {
    /// A genotype that leads here.
    pub(super) fn genotype(&self) -> &[u8] {
        self.genotypes.first().map_or(&[], |(_, genotype)| genotype)
    }
}

impl Lattice {
    /// The parts of a network of the frame, and what each adds to its latency, in microseconds.
    pub(super) fn costs(&self, placed: &[Placed]) -> impl Iterator<Item = (usize, f64)> {
        told_apart(placed).filter_map(|(key, us)| Some((*self.keys.get(&key)?, us)))
    }

    /// Puts the points in order, and finds what they all can be.
    pub(super) fn finish(&mut self) {
        let place = |point: &Point| std::cmp::Reverse((point.stage, point.position));
        self.backwards = (0..self.points.len()).collect();
        self.backwards.sort_by_key(|point| place(&self.points[*point]));
        let mut shares: Vec<Vec<f64>> = vec![Vec::new(); self.points.len()];
        let mut cuts = Vec::new();
        for index in &self.backwards {
            let point = &self.points[*index];
            let mut found: Vec<f64> = Vec::new();
            for head in &point.heads {
                found.extend(self.flows[head.flows].last().map(Flow::share));
                cuts.push(head.totals.bottleneck());
            }
            for way in point.steps.iter().filter_map(|step| step.way.as_ref()) {
                for share in &shares[way.to] {
                    found.push(way.passage.entry(*share, 1.0).0);
                    cuts.push(way.passage.bottleneck() * share);
                }
            }
            if let Some((_, next)) = &point.end {
                found.extend(&shares[*next]);
            }
            if let Some(stage) = self.stage_ended(point) {
                cuts.extend(point.tap.iter().map(|tap| tap.totals.bottleneck()));
                let joined = |share: f64| self.flows.iter().map(move |flows| share + flows[stage].share());
                found = found.into_iter().flat_map(joined).collect();
            }
            shares[*index] = distinct(found);
        }
        self.bottlenecks = distinct(cuts);
    }

    /// The stage, but the last, that has ended at a point.
    pub(super) fn stage_ended(&self, point: &Point) -> Option<usize> {
        let ended = point.stage.checked_sub(2).filter(|_| point.position == 0)?;
        (ended + 1 < self.stages).then_some(ended)
    }
}

fn distinct(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
