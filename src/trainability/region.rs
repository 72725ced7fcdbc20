//! What a region of a network brings to the score, whatever follows it.
//!
//! A region is a run of layers of which the rest of the network reads only the last, such as a residual block
//! (single-exit regions, after Johnson, Pearson & Pingali, "The program structure tree", PLDI 1994). What passes
//! through its layers is in proportion to what passes through its exit, and so is all that they bring to the
//! score: so a region can be kept and put together to other networks.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::{
    flow::{Flow, Gated},
    local::{Local, locals},
    signal::{HEAD, Signal},
    sums::Amounts,
};
use crate::network::{Network, Readers, Source, Wiring};

/// A run of layers of which only the last is read by others.
#[derive(Clone, Debug)]
pub struct Region {
    /// What flows on to the tensors that it reads.
    inlets: SmallVec<[Inlet; 2]>,
    /// What its layers weigh together, for each octave.
    pub(super) deposits: SmallVec<[(Octave, Amounts); 2]>,
    /// Σ share · ln(side / stride) over its average pools.
    pub(super) blur: f64,
    /// Σ share / cin over its layers that mix channels, and the largest of them.
    pub(super) fluctuation: f64,
    pub(super) bottleneck: f64,
    /// If the network writes what it writes, the logarithm of its side.
    pub(super) output_side: Option<f64>,
}

/// Where a layer is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Octave {
    At(u8),
    /// Half where the exit's gated tensor is, half at the octave that it reads, if that is not the head's; behind
    /// pooling if the exit feeds no gate.
    OfGate {
        read: Option<u8>,
    },
}

/// What flows on to one tensor.
#[derive(Clone, Copy, Debug)]
struct Inlet {
    from: From,
    share: f64,
    fade: f64,
    gated: Option<Gated>,
}

/// A tensor that a region reads.
#[derive(Clone, Copy, Debug)]
enum From {
    /// The exit of the region so many places before.
    Back(usize),
    /// The exit with this number.
    Exit(usize),
}

/// The regions of a part of `network` ([`Network::parts`]) whose tensors are in these states
/// ([`signals`](super::signals)). What it reads from further back than the layer before it must be one of `exits`.
#[must_use]
pub fn regions(
    network: &Network,
    wiring: &Wiring,
    signals: &[Signal],
    part: Range<usize>,
    exits: &[usize],
) -> Vec<Region> {
    let locals = locals(network, wiring, signals, part.clone());
    let of = Part { wiring, part, locals, exits };
    let ends = of.ends();
    let starts = std::iter::once(of.part.start).chain(ends.iter().copied());
    starts
        .zip(&ends)
        .enumerate()
        .map(|(index, (start, end))| of.region(start..*end, &ends[..index]))
        .collect()
}

/// The layers of one part.
struct Part<'a> {
    wiring: &'a Wiring,
    part: Range<usize>,
    locals: Vec<Local>,
    exits: &'a [usize],
}

impl Part<'_> {
    fn is_output(&self, layer: usize) -> bool {
        self.wiring.readers(Source::Layer(layer)) == Readers::default()
    }

    /// The ends of its regions: those of paths that meet again; of each layer where an output is amid them.
    fn ends(&self) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut start = self.part.start;
        for layer in self.part.clone() {
            let closed = (start..layer).all(|inner| self.wiring.readers(Source::Layer(inner)).last <= layer);
            if closed && (self.is_output(layer) || !self.is_parted(start..layer + 1)) {
                start = layer + 1;
                ends.push(start);
            }
        }
        let inner_output = |layer: usize| self.is_output(layer) && !ends.contains(&(layer + 1));
        if start < self.part.end || self.part.clone().any(inner_output) {
            return (self.part.start + 1..=self.part.end).collect();
        }
        ends
    }

    /// Whether these layers read something from before that later layers of the part read as well.
    fn is_parted(&self, layers: Range<usize>) -> bool {
        let later = layers.end..self.part.end;
        let sources = layers.clone().flat_map(|layer| self.wiring.inputs(layer));
        let mut before =
            sources.filter(|source| matches!(source, Source::Layer(read) if *read < layers.start));
        before.any(|source| later.clone().any(|layer| self.wiring.inputs(layer).contains(source)))
    }

    /// Follows the flow from the exit of a region to what it reads; `before` are the ends of the part's regions
    /// before it.
    fn region(&self, layers: Range<usize>, before: &[usize]) -> Region {
        let mut flows = vec![Flow::default(); layers.len()];
        if let Some(exit) = flows.last_mut() {
            *exit = Flow::whole(1.0, Some(Gated::AsExit));
        }
        let mut region = Region {
            inlets: SmallVec::new(),
            deposits: smallvec![],
            blur: 0.0,
            fluctuation: 0.0,
            bottleneck: 0.0,
            output_side: self.locals[layers.end - 1 - self.part.start].output_side,
        };
        let mut inlets: SmallVec<[(usize, Flow); 2]> = SmallVec::new();
        for layer in layers.clone().rev() {
            let (local, flow) = (&self.locals[layer - self.part.start], flows[layer - layers.start]);
            let fade = flow.fade() * local.fading;
            region.add(local, &flow, fade);
            for (position, source) in self.wiring.inputs(layer).iter().enumerate().rev() {
                let Source::Layer(read) = *source else { continue };
                let target = match read.checked_sub(layers.start) {
                    Some(inner) => &mut flows[inner],
                    None => inlet(&mut inlets, read),
                };
                target.join(flow.share * local.shares[position], fade);
                target.gated = gated(local, position, &flow, target.gated);
            }
        }
        let reached = |(read, flow): (usize, Flow)| Inlet {
            from: self.from(read, before),
            share: flow.share,
            fade: flow.fade(),
            gated: flow.gated,
        };
        region.inlets = inlets.into_iter().map(reached).collect();
        region
    }

    fn from(&self, read: usize, before: &[usize]) -> From {
        if let Some(region) = before.iter().position(|end| *end == read + 1) {
            return From::Back(before.len() - region);
        }
        match self.exits.iter().position(|exit| *exit == read) {
            Some(exit) if read + 1 < self.part.start => From::Exit(exit),
            _ => From::Back(before.len() + 1),
        }
    }
}

/// What flows on to the tensor of a layer before the region.
fn inlet(inlets: &mut SmallVec<[(usize, Flow); 2]>, read: usize) -> &mut Flow {
    let known = inlets.iter().position(|(inlet, _)| *inlet == read);
    let index = known.unwrap_or_else(|| {
        inlets.push((read, Flow::default()));
        inlets.len() - 1
    });
    &mut inlets[index].1
}

/// The octave of the tensor that an input of a layer gates, itself or by way of the layer.
fn gated(local: &Local, position: usize, flow: &Flow, known: Option<Gated>) -> Option<Gated> {
    if local.gates && position > 0 {
        Some(Gated::At(local.octave))
    } else if usize::from(local.octave) == HEAD {
        known.or(flow.gated)
    } else {
        known
    }
}

impl Region {
    /// Adds a layer through which so much passes, of which so much is left of the gradient.
    fn add(&mut self, local: &Local, flow: &Flow, fade: f64) {
        self.blur += flow.share * local.blur;
        let narrowness = flow.share * local.narrowness;
        self.fluctuation += narrowness;
        self.bottleneck = self.bottleneck.max(narrowness);
        // The amplitude of the layer's contribution (the square root of the variance's share) times the fading of
        // its gradient. N equal residual blocks weigh 1/√2 + 1/√3 + … ≈ 2√N together.
        let amounts = local.amounts().times(flow.share.sqrt() * fade);
        if amounts.are_nothing() {
            return;
        }
        let at = match (usize::from(local.octave) == HEAD, flow.gated) {
            (true, None) => return self.deposit(Octave::At(local.octave), amounts),
            (true, Some(Gated::AsExit)) => return self.deposit(Octave::OfGate { read: local.read }, amounts),
            (true, Some(Gated::At(octave))) => octave,
            (false, _) => local.octave,
        };
        // A strided layer stands between two resolutions; half of it counts at each.
        match local.read {
            Some(read) if read != at && usize::from(at) != HEAD => {
                self.deposit(Octave::At(read), amounts.times(0.5));
                self.deposit(Octave::At(at), amounts.times(0.5));
            }
            _ => self.deposit(Octave::At(at), amounts),
        }
    }

    /// Whether it reads what others than the part before it have written.
    pub(super) fn reads_exits(&self) -> bool {
        self.inlets.iter().any(|inlet| matches!(inlet.from, From::Exit(_)))
    }

    fn deposit(&mut self, octave: Octave, amounts: Amounts) {
        match self.deposits.iter_mut().find(|(known, _)| *known == octave) {
            Some((_, sum)) => *sum = sum.plus(amounts),
            None => self.deposits.push((octave, amounts)),
        }
    }

    /// Divides what passes through the exit among what the region reads; `flows` are those of the regions before
    /// it, and `exits` the regions that stand here for those of its own network.
    pub(super) fn pass_on(&self, flow: &Flow, flows: &mut [Flow], exits: &[usize]) {
        let (fade, here) = (flow.fade(), flows.len());
        for inlet in &self.inlets {
            let index = match inlet.from {
                From::Back(distance) => here - distance,
                From::Exit(exit) => exits[exit],
            };
            let target = &mut flows[index];
            target.join(flow.share * inlet.share, fade * inlet.fade);
            target.gated = match inlet.gated {
                Some(Gated::AsExit) => target.gated.or(flow.gated),
                Some(at) => Some(at),
                None => target.gated,
            };
        }
    }
}
