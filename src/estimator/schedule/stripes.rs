//! Layers that do not fit on the chip one by one and run together in stripes.

use std::collections::HashMap;

use super::{Place, Role, Step, brick_bytes};
use crate::{
    estimator::graph::Graph,
    measurement::Kind,
    stable_hash::{AsIs, Fingerprint, fingerprint},
};

/// Bytes that an output channel's bias and scale take beside its weights.
const SCALE_BYTES: u64 = 10;

/// Chains whose stripes are remembered at the most.
const KNOWN: usize = 1 << 12;

/// Fuses chains of layers that do not fit one by one, from the front, and gives them the tallest stripes.
pub(super) fn fuse(
    graph: &Graph,
    on_chip_bytes: u64,
    before_sums: bool,
    known: &mut HashMap<Fingerprint, Runs, AsIs>,
    steps: &mut [Step],
) {
    let too_large = |index: usize| graph.whole_bytes(index) >= on_chip_bytes;
    if !(1..graph.len()).any(too_large) {
        return;
    }
    let least: Vec<u32> = (0..graph.len()).map(|index| least_rows(graph, index)).collect();
    let rows = Rows { graph, on_chip_bytes, first: 0, rows: least, weights: false, before_sums };
    let mut next = 0;
    while next < graph.len() {
        let chain = rows.chain(next, graph.len() - 1);
        if chain.end > chain.start {
            if known.len() >= KNOWN {
                known.clear();
            }
            let runs = known.entry(key(graph, &chain)).or_insert_with(|| Runs::of(&rows, &chain));
            runs.apply(chain.start, steps);
        }
        next = chain.end + 1;
    }
}

/// All that the stripes of a chain depend on: its layers, and the rows that the next one steps over.
fn key(graph: &Graph, chain: &Chain) -> Fingerprint {
    let layers = (chain.start..=chain.end).map(|index| graph.fingerprint(index));
    let words: Vec<u64> = layers.chain([u64::from(least_rows(graph, chain.end))]).collect();
    fingerprint(&words)
}

/// Layers that run in stripes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Bytes of the rows between them, with the weights if these are kept too.
    kept_bytes: u64,
}

/// A proposal of how many rows each of some layers makes at once.
pub(super) struct Rows<'g> {
    pub(super) graph: &'g Graph,
    pub(super) on_chip_bytes: u64,
    /// The layer that `rows` begins with.
    pub(super) first: usize,
    pub(super) rows: Vec<u32>,
    /// Whether weights are kept on the chip beside the rows.
    pub(super) weights: bool,
    /// Whether a sum is merged into the layer before, which then runs as a whole.
    pub(super) before_sums: bool,
}

impl Rows<'_> {
    fn rows(&self, index: usize) -> u32 {
        self.rows[index - self.first]
    }

    /// The layers from `start` to `end` as chains, of one layer where nothing is to be fused.
    fn chains(&self, start: usize, end: usize) -> Vec<Chain> {
        let mut chains = Vec::new();
        let mut next = start;
        while next <= end && next < self.graph.len() {
            let chain = self.chain(next, end);
            next = chain.end + 1;
            chains.push(chain);
        }
        chains
    }

    /// The chain that begins with `start`: it goes on until a layer fits as a whole, or the rows between fit no more.
    pub(super) fn chain(&self, start: usize, last: usize) -> Chain {
        let mut chain = Chain { start, end: start, kept_bytes: self.weights(start) };
        let next_is_large = start < last && self.graph.whole_bytes(start + 1) >= self.on_chip_bytes;
        if !next_is_large || !self.is_striped(start) {
            return chain;
        }
        while chain.end < last {
            let next = chain.end + 1;
            if !self.graph.is_main_link(chain.end, next)
                || !self.is_striped(next)
                || self.graph.whole_bytes(next) < self.on_chip_bytes
            {
                break;
            }
            let between = row_buffer(self.graph, chain.end, self.rows(chain.end), self.rows(next));
            let kept_bytes = chain.kept_bytes + between + self.weights(next);
            if kept_bytes > self.on_chip_bytes {
                break;
            }
            chain = Chain { end: next, kept_bytes, ..chain };
        }
        chain
    }

    fn is_striped(&self, index: usize) -> bool {
        can_be_striped(self.graph, index)
            && self.rows(index) < self.graph.operation(index).output.h
            && !(self.before_sums && self.is_merged(index))
    }

    /// Whether a layer is a sum or feeds one.
    fn is_merged(&self, index: usize) -> bool {
        let summed = |index: usize| self.graph.operation(index).kind == Kind::Add;
        summed(index) || self.graph.consumer(index).is_some_and(summed)
    }

    fn weights(&self, index: usize) -> u64 {
        let operation = self.graph.operation(index);
        let scales = if operation.kind.has_macs() { SCALE_BYTES * u64::from(operation.output.c) } else { 0 };
        if self.weights { operation.weight_bytes().saturating_add(scales) } else { 0 }
    }
}

/// The fewest rows that a layer can make at once: what one row of the next layer steps over.
fn least_rows(graph: &Graph, index: usize) -> u32 {
    let next = index + 1;
    if next < graph.len() { graph.operation(next).stride[0].max(1) } else { 1 }
}

fn can_be_striped(graph: &Graph, index: usize) -> bool {
    let kind = graph.operation(index).kind;
    let local = [Kind::DepthwiseConv2d, Kind::AvgPool, Kind::MaxPool, Kind::Add, Kind::Mul];
    kind.is_standard_conv() || local.contains(&kind)
}

/// Bytes of the rows kept between a layer that makes `made` rows at once and the next, which makes `rows`.
fn row_buffer(graph: &Graph, index: usize, made: u32, rows: u32) -> u64 {
    let operation = graph.operation(index);
    let next = graph.operation(index + 1);
    let read = ((rows - 1).saturating_mul(next.stride[0]) + next.kernel[0]).min(operation.output.h).max(1);
    let height = (made.saturating_add(read)).next_multiple_of(read);
    let pixels = u64::from(height) * u64::from(operation.output.w);
    brick_bytes(operation.output.c, pixels, operation)
}

/// Rows that each layer of a chain makes at once if the last one makes `rows`.
pub(super) fn rows_of_chain(graph: &Graph, start: usize, end: usize, rows: u32) -> Vec<u32> {
    let mut made = vec![rows; end - start + 1];
    for index in (start..end).rev() {
        let operation = graph.operation(index);
        let stride = graph.operation(index + 1).stride[0];
        made[index - start] = made[index + 1 - start].saturating_mul(stride).min(operation.output.h);
    }
    made
}

/// How a chain is run: its parts that run in stripes, by their places in the chain, and the rows of every layer.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    parts: Vec<Chain>,
    rows: Vec<u32>,
}

impl Runs {
    /// The tallest stripes that fit beside the weights, in no more parts than the least do.
    fn of(least: &Rows<'_>, chain: &Chain) -> Self {
        let Chain { start, end, .. } = *chain;
        let (parts, rows) = tallest(least, chain).unwrap_or_else(|| {
            let rows = (start..=end).map(|index| least_rows(least.graph, index)).collect();
            (vec![*chain], rows)
        });
        let striped = parts.into_iter().filter(|part| part.end > part.start);
        let moved = |part: Chain| Chain { start: part.start - start, end: part.end - start, ..part };
        Self { parts: striped.map(moved).collect(), rows }
    }

    /// Runs the chain that begins with `start` like this.
    fn apply(&self, start: usize, steps: &mut [Step]) {
        for part in &self.parts {
            for index in part.start..=part.end {
                let step = &mut steps[start + index];
                *step = striped(step, part, index, self.rows[index]);
            }
        }
    }
}

fn tallest(least: &Rows<'_>, chain: &Chain) -> Option<(Vec<Chain>, Vec<u32>)> {
    let Rows { graph, on_chip_bytes, .. } = *least;
    let Chain { start, end, .. } = *chain;
    let height = graph.operation(end).output.h;
    let mut best = None;
    let mut most = 0;
    for rows in least_rows(graph, end) + 1..=height.div_ceil(2) {
        let rows = rows_of_chain(graph, start, end, rows);
        let rows = Rows { first: start, rows, weights: true, ..*least };
        let parts = rows.chains(start, end);
        let fits = |part: &Chain| part.end > part.start || graph.whole_bytes(part.start) <= on_chip_bytes;
        let count = parts.iter().filter(|part| part.end > part.start).count();
        if most == 0 {
            most = count;
        }
        if count > most || !parts.iter().all(fits) {
            break;
        }
        best = Some((parts, rows.rows));
        if count == 0 {
            break;
        }
    }
    best
}

fn striped(step: &Step, chain: &Chain, index: usize, rows: u32) -> Step {
    let role = match index {
        _ if index == chain.start => Role::First,
        _ if index == chain.end => Role::Last,
        _ => Role::Inside,
    };
    let output = match step.output {
        Place::Outside => Place::Outside,
        _ if role == Role::Last => Place::OffChip,
        _ => Place::OnChip,
    };
    let fused = (chain.end - chain.start + 1) as u32;
    Step { role, rows, output, fused, kept_bytes: chain.kept_bytes, free_bytes: 0 }
}
