//! Where tensors lie while a network runs, and which layers run together in stripes.
//!
//! A compiler keeps a tensor on the chip while it is needed, if everything alive
//! fits. Where a tensor cannot fit, consecutive layers are fused: rows of the last
//! one's output are computed stripe by stripe, so that only a few rows of each
//! tensor between them are ever kept (Alwani et al., "Fused-layer CNN
//! accelerators", MICRO 2016). The stripes are as tall as fits. This is a guess at
//! what a compiler does, not a compiler: the fit prices what follows from it.

use serde::{Deserialize, Serialize};

use super::graph::{Graph, Placed};
use crate::measurement::{Kind, Operation};

/// Memory holds channels in bricks of this many; exact for Arm's NHCWB16 layout and near for others.
const BRICK: u32 = 16;

/// Bytes that an output channel's bias and scale take beside its weights.
const SCALE_BYTES: u64 = 10;

/// Where a tensor lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// On the chip.
    OnChip,
    /// Between layers, but spilled since too much is alive with it.
    OffChip,
    /// It is an input or an output of the network.
    Outside,
}

/// How layers that do not fit on the chip run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stripes {
    /// They do not.
    None,
    /// In stripes, sums among them.
    Free,
    /// In stripes, but a sum is merged into the layer before, and the two run as a whole.
    BeforeSums,
}

/// What a layer is to the layers that run in stripes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// It runs on its own, as a whole.
    Alone,
    /// It reads a whole tensor and writes rows for the next layer.
    First,
    /// It reads and writes rows.
    Inside,
    /// It reads rows and writes a whole tensor.
    Last,
}

/// How one layer is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Step {
    pub(super) role: Role,
    /// Rows of the output that are computed at once; all of them for a layer that runs alone.
    pub(super) rows: u32,
    /// Where the output lies.
    pub(super) output: Place,
    /// Layers that run in stripes together; 1 for a layer alone.
    pub(super) fused: u32,
    /// Bytes of rows that are kept between the layers that run together.
    pub(super) kept_bytes: u64,
    /// Bytes on the chip that no tensor needs meanwhile.
    pub(super) free_bytes: u64,
}

/// How the layers of `graph` are run with `on_chip_bytes` for tensors.
pub(super) fn schedule(graph: &Graph, on_chip_bytes: u64, stripes: Stripes) -> Vec<Step> {
    let mut steps: Vec<Step> = (0..graph.len()).map(|index| alone(graph, index)).collect();
    if stripes != Stripes::None {
        fuse(graph, on_chip_bytes, stripes == Stripes::BeforeSums, &mut steps);
    }
    let merged = |index: usize| stripes == Stripes::BeforeSums && merges(graph, index);
    spill(graph, on_chip_bytes, &merged, &mut steps);
    steps
}

fn alone(graph: &Graph, index: usize) -> Step {
    let output = if graph.layer(index).consumer().is_some() { Place::OnChip } else { Place::Outside };
    let rows = graph.layer(index).operation().output.h;
    Step { role: Role::Alone, rows, output, fused: 1, kept_bytes: 0, free_bytes: u64::MAX }
}

/// Fuses chains of layers that do not fit one by one, from the front, and gives them the tallest stripes.
fn fuse(graph: &Graph, on_chip_bytes: u64, before_sums: bool, steps: &mut [Step]) {
    let least: Vec<u32> = (0..graph.len()).map(|index| least_rows(graph, index)).collect();
    let rows = Rows { graph, on_chip_bytes, first: 0, rows: least, weights: false, before_sums };
    for chain in rows.chains(0, graph.len().saturating_sub(1)) {
        if chain.end > chain.start {
            run_in_stripes(&rows, &chain, steps);
        }
    }
}

/// Layers that run in stripes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chain {
    start: usize,
    end: usize,
    /// Bytes of the rows between them, with the weights if these are kept too.
    kept_bytes: u64,
}

/// A proposal of how many rows each of some layers makes at once.
struct Rows<'g> {
    graph: &'g Graph,
    on_chip_bytes: u64,
    /// The layer that `rows` begins with.
    first: usize,
    rows: Vec<u32>,
    /// Whether weights are kept on the chip beside the rows.
    weights: bool,
    /// Whether a sum is merged into the layer before, which then runs as a whole.
    before_sums: bool,
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
    fn chain(&self, start: usize, last: usize) -> Chain {
        let mut chain = Chain { start, end: start, kept_bytes: self.weights(start) };
        if !self.is_striped(start) {
            return chain;
        }
        while chain.end < last {
            let next = chain.end + 1;
            if !self.graph.is_main_link(chain.end, next)
                || !self.is_striped(next)
                || whole_bytes(self.graph, next) < self.on_chip_bytes
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
        let summed = |next: Placed<'_>| next.operation().kind == Kind::Add;
        let merged =
            summed(self.graph.layer(index)) || self.graph.layer(index).consumer().is_some_and(summed);
        !(self.before_sums && merged)
            && can_be_striped(self.graph, index)
            && self.rows(index) < self.graph.layer(index).operation().output.h
    }

    fn weights(&self, index: usize) -> u64 {
        let operation = self.graph.layer(index).operation();
        let scales = if operation.kind.has_macs() { SCALE_BYTES * u64::from(operation.output.c) } else { 0 };
        if self.weights { operation.weight_bytes().saturating_add(scales) } else { 0 }
    }
}

/// Whether the next layer is a sum that only waits for this one.
fn merges(graph: &Graph, index: usize) -> bool {
    let next = index + 1;
    next < graph.len() && graph.is_main_link(index, next) && graph.layer(next).operation().kind == Kind::Add
}

/// The fewest rows that a layer can make at once: what one row of the next layer steps over.
fn least_rows(graph: &Graph, index: usize) -> u32 {
    let next = index + 1;
    if next < graph.len() { graph.layer(next).operation().stride[0].max(1) } else { 1 }
}

fn can_be_striped(graph: &Graph, index: usize) -> bool {
    let kind = graph.layer(index).operation().kind;
    let local = [Kind::DepthwiseConv2d, Kind::AvgPool, Kind::MaxPool, Kind::Add, Kind::Mul];
    kind.is_standard_conv() || local.contains(&kind)
}

/// Bytes of everything that a layer reads and writes.
fn whole_bytes(graph: &Graph, index: usize) -> u64 {
    let operation = graph.layer(index).operation();
    // A sum overwrites what it reads.
    if operation.kind == Kind::Add {
        return output_bytes(operation);
    }
    brick_bytes(operation.input.c, operation.input.pixels(), operation) + output_bytes(operation)
}

/// Bytes of the output, in whole bricks of channels.
pub(super) fn output_bytes(operation: &Operation) -> u64 {
    brick_bytes(operation.output.c, operation.output.pixels(), operation)
}

fn brick_bytes(channels: u32, pixels: u64, operation: &Operation) -> u64 {
    pixels.saturating_mul(u64::from(channels.next_multiple_of(BRICK))).saturating_mul(operation.bytes)
}

/// Bytes of the rows kept between a layer that makes `made` rows at once and the next, which makes `rows`.
fn row_buffer(graph: &Graph, index: usize, made: u32, rows: u32) -> u64 {
    let operation = graph.layer(index).operation();
    let next = graph.layer(index + 1).operation();
    let read = ((rows - 1).saturating_mul(next.stride[0]) + next.kernel[0]).min(operation.output.h).max(1);
    let height = (made.saturating_add(read)).next_multiple_of(read);
    let pixels = u64::from(height) * u64::from(operation.output.w);
    brick_bytes(operation.output.c, pixels, operation)
}

/// Rows that each layer of a chain makes at once if the last one makes `rows`.
fn rows_of_chain(graph: &Graph, start: usize, end: usize, rows: u32) -> Vec<u32> {
    let mut made = vec![rows; end - start + 1];
    for index in (start..end).rev() {
        let operation = graph.layer(index).operation();
        let stride = graph.layer(index + 1).operation().stride[0];
        made[index - start] = made[index + 1 - start].saturating_mul(stride).min(operation.output.h);
    }
    made
}

/// Gives the layers of a chain the tallest stripes that fit beside their weights, in no more parts than the least do.
fn run_in_stripes(least: &Rows<'_>, chain: &Chain, steps: &mut [Step]) {
    let Rows { graph, on_chip_bytes, .. } = *least;
    let Chain { start, end, .. } = *chain;
    let height = graph.layer(end).operation().output.h;
    let mut best = None;
    let mut most = 0;
    for rows in least_rows(graph, end) + 1..=height.div_ceil(2) {
        let rows = rows_of_chain(graph, start, end, rows);
        let rows = Rows { first: start, rows, weights: true, ..*least };
        let parts = rows.chains(start, end);
        let fits = |part: &Chain| part.end > part.start || whole_bytes(graph, part.start) <= on_chip_bytes;
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
    let (parts, rows) = best.unwrap_or_else(|| {
        let rows = (start..=end).map(|index| least_rows(graph, index)).collect();
        (vec![*chain], rows)
    });
    for part in parts.iter().filter(|part| part.end > part.start) {
        for index in part.start..=part.end {
            steps[index] = striped(&steps[index], part, index, rows[index - start]);
        }
    }
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

/// Decides which tensors stay on the chip: the ones that save most traffic, as far as they fit.
fn spill(graph: &Graph, on_chip_bytes: u64, merged: &dyn Fn(usize) -> bool, steps: &mut [Step]) {
    let mut used: Vec<u64> = steps.iter().map(|step| step.kept_bytes).collect();
    let whole = |step: &Step| matches!(step.role, Role::Alone) && step.output == Place::OnChip;
    let tensors = (0..graph.len()).filter(|index| whole(&steps[*index]) && !merged(*index));
    let mut tensors: Vec<usize> = tensors.collect();
    let traffic = |index: usize| {
        let layer = graph.layer(index);
        output_bytes(layer.operation()).saturating_mul(u64::from(1 + layer.readers()))
    };
    let mut peak = used.clone();
    for index in &tensors {
        let bytes = output_bytes(graph.layer(*index).operation());
        peak[graph.lifetime(*index)].iter_mut().for_each(|peak| *peak += bytes);
    }
    // What has room beside everything else needs no choice.
    let (free, mut contended): (Vec<usize>, Vec<usize>) = tensors
        .drain(..)
        .partition(|index| peak[graph.lifetime(*index)].iter().all(|peak| *peak <= on_chip_bytes));
    contended.sort_by_key(|index| (std::cmp::Reverse(traffic(*index)), *index));
    for index in free.into_iter().chain(contended) {
        let bytes = output_bytes(graph.layer(index).operation());
        let slots = &mut used[graph.lifetime(index)];
        if slots.iter().all(|used| used.saturating_add(bytes) <= on_chip_bytes) {
            slots.iter_mut().for_each(|used| *used += bytes);
        } else {
            steps[index].output = Place::OffChip;
        }
    }
    // A layer that adds up what it makes writes the sum in place of its own output.
    for index in (0..graph.len().saturating_sub(1)).filter(|index| merged(*index)) {
        steps[index].output = steps[index + 1].output;
    }
    for (step, used) in steps.iter_mut().zip(&used) {
        step.free_bytes = on_chip_bytes.saturating_sub(*used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, DType, NetworkBuilder, Shape, Source, ops::*};

    const KIB: u64 = 1 << 10;

    /// Stem, expand, depthwise, project and the sum of a residual block, then a head.
    fn block(side: u32) -> Graph {
        let mut b = NetworkBuilder::new("n", Shape::new(2 * side, 2 * side, 3), DType::Int8);
        let none = Activation::None;
        let stem = b.add("stem", Conv2d::square(16, 3, 2), &[Source::Input], none).unwrap();
        let expand = b.add("expand", Conv2d::square(96, 1, 1), &[stem], none).unwrap();
        let depthwise = b.add("depthwise", DepthwiseConv2d::square(3, 1), &[expand], none).unwrap();
        let project = b.add("project", Conv2d::square(16, 1, 1), &[depthwise], none).unwrap();
        let sum = b.add("sum", Add, &[project, stem], none).unwrap();
        b.add("head", Conv2d::square(32, 3, 2), &[sum], none).unwrap();
        Graph::of(&b.finish())
    }

    fn outputs(steps: &[Step]) -> Vec<Place> {
        steps.iter().map(|step| step.output).collect()
    }

    #[test]
    fn what_fits_stays_on_the_chip_and_runs_alone() {
        let steps = schedule(&block(16), 384 * KIB, Stripes::Free);
        assert!(steps.iter().all(|step| step.role == Role::Alone));
        use Place::{OnChip, Outside};
        assert_eq!(outputs(&steps), [OnChip, OnChip, OnChip, OnChip, OnChip, Outside]);
    }

    #[test]
    fn without_stripes_what_does_not_fit_is_spilled() {
        let steps = schedule(&block(80), 384 * KIB, Stripes::None);
        assert_eq!(steps[1].output, Place::OffChip, "600 KiB do not fit");
        assert_eq!(steps[3].output, Place::OnChip, "100 KiB do, beside the skipped tensor");
    }

    /// The stem is read twice, so nothing is fused with it; the layers of the block are, as far as one does not fit.
    #[test]
    fn layers_that_do_not_fit_run_in_the_tallest_stripes_that_do() {
        let graph = block(80);
        let steps = schedule(&graph, 384 * KIB, Stripes::Free);
        let roles: Vec<Role> = steps.iter().map(|step| step.role).collect();
        use Role::{Alone, First, Inside, Last};
        assert_eq!(roles, [Alone, First, Inside, Last, Alone, Alone]);
        assert_eq!(steps[2].output, Place::OnChip, "only rows of it are kept");
        assert_eq!(steps[3].output, Place::OffChip, "the last of a chain writes a whole tensor");
        let rows = steps[1].rows;
        assert!(steps[1].kept_bytes <= 384 * KIB && rows < 80);
        let taller = rows_of_chain(&graph, 1, 3, rows + 1);
        let chain = Rows {
            graph: &graph,
            on_chip_bytes: 384 * KIB,
            first: 1,
            rows: taller,
            weights: true,
            before_sums: false,
        };
        assert!(chain.chain(1, 3).end < 3, "one row more does not fit");
    }

    #[test]
    fn a_sum_that_is_merged_keeps_the_layer_before_it_whole() {
        let steps = schedule(&block(80), 384 * KIB, Stripes::BeforeSums);
        assert_eq!((steps[1].role, steps[2].role), (Role::First, Role::Last));
        assert_eq!((steps[3].role, steps[4].role), (Role::Alone, Role::Alone));
        assert_eq!(steps[3].output, steps[4].output, "it writes the sum in place of its own output");
    }

    #[test]
    fn more_memory_never_spills_more() {
        let graph = block(80);
        let spilled = |kib: u64| {
            let steps = schedule(&graph, kib * KIB, Stripes::None);
            steps.iter().filter(|step| step.output == Place::OffChip).count()
        };
        let counts: Vec<usize> = [64, 128, 256, 512, 1024, 4096].map(spilled).to_vec();
        assert!(counts.windows(2).all(|pair| pair[1] <= pair[0]), "{counts:?}");
        assert_eq!(counts.last(), Some(&0));
    }
}
