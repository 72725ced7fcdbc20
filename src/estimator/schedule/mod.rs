//! Where tensors lie while a network runs, and which layers run together in stripes.
//!
//! A compiler keeps a tensor on the chip while it is needed, if everything alive
//! fits. Where a tensor cannot fit, consecutive layers are fused: rows of the last
//! one's output are computed stripe by stripe, so that only a few rows of each
//! tensor between them are ever kept (Alwani et al., "Fused-layer CNN
//! accelerators", MICRO 2016). The stripes are as tall as fits. This is a guess at
//! what a compiler does, not a compiler: the fit prices what follows from it.

mod spill;
mod stripes;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::graph::Graph;
use crate::{
    measurement::{Kind, Operation},
    stable_hash::{AsIs, Fingerprint},
};
use spill::Spill;
use stripes::Runs;

/// Memory holds channels in bricks of this many; exact for Arm's NHCWB16 layout and near for others.
const BRICK: u32 = 16;

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

impl Step {
    /// A number for each pair of role and place.
    pub(super) fn outline(&self) -> u8 {
        (self.role as u8) << 2 | self.output as u8
    }
}

/// Schedules graphs for one accelerator; it keeps its memory from one graph to the next.
#[derive(Clone, Debug)]
pub(super) struct Scheduler {
    on_chip_bytes: u64,
    stripes: Stripes,
    /// The stripes of chains that were met before, by the fingerprints of their layers.
    known: HashMap<Fingerprint, Runs, AsIs>,
    spill: Spill,
}

impl Scheduler {
    /// An accelerator with so much memory for tensors.
    pub(super) fn new(on_chip_bytes: u64, stripes: Stripes) -> Self {
        Self { on_chip_bytes, stripes, known: HashMap::default(), spill: Spill::default() }
    }

    /// The accelerator's memory for tensors.
    pub(super) fn on_chip_bytes(&self) -> u64 {
        self.on_chip_bytes
    }

    /// Finds out how the layers of `graph` are run.
    pub(super) fn schedule(&mut self, graph: &Graph, steps: &mut Vec<Step>) {
        steps.clear();
        steps.extend((0..graph.len()).map(|index| alone(graph, index)));
        let before_sums = self.stripes == Stripes::BeforeSums;
        if self.stripes != Stripes::None {
            stripes::fuse(graph, self.on_chip_bytes, before_sums, &mut self.known, steps);
        }
        let merged = |index: usize| before_sums && merges(graph, index);
        self.spill.run(graph, self.on_chip_bytes, merged, steps);
    }
}

fn alone(graph: &Graph, index: usize) -> Step {
    let output = if graph.is_read(index) { Place::OnChip } else { Place::Outside };
    let rows = graph.operation(index).output.h;
    Step { role: Role::Alone, rows, output, fused: 1, kept_bytes: 0, free_bytes: u64::MAX }
}

/// Whether the next layer is a sum that only waits for this one.
fn merges(graph: &Graph, index: usize) -> bool {
    let next = index + 1;
    next < graph.len() && graph.operation(next).kind == Kind::Add && graph.is_main_link(index, next)
}

/// Bytes of everything that a layer reads and writes.
pub(super) fn whole_bytes(operation: &Operation) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::{
        stripes::{Rows, rows_of_chain},
        *,
    };
    use crate::{
        estimator::manner::Manner,
        network::{Activation, DType, NetworkBuilder, Shape, Source, ops::*},
    };

    const KIB: u64 = 1 << 10;

    fn schedule(graph: &Graph, on_chip_bytes: u64, stripes: Stripes) -> Vec<Step> {
        let mut steps = Vec::new();
        Scheduler::new(on_chip_bytes, stripes).schedule(graph, &mut steps);
        steps
    }

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

    /// The output of the stem fits here, but for what is not there.
    #[test]
    fn what_is_given_lies_where_it_is_said_to_whatever_fits() {
        let places = |given: Option<Place>, on_chip_bytes: u64| {
            let mut graph = block(16);
            let scheduled = graph.clone().scheduled(on_chip_bytes, Stripes::None);
            if let Some(output) = given {
                graph.give(0, Manner { output, ..scheduled.layer(0).manner() });
            }
            let graph = graph.scheduled(on_chip_bytes, Stripes::None);
            let read = graph.layer(4).producers().map(|read| read.manner().output).collect::<Vec<Place>>();
            (outputs(&graph.layers().map(|layer| layer.step()).collect::<Vec<Step>>()), read)
        };
        use Place::{OffChip, OnChip};
        let (outputs, read) = places(Some(OffChip), 384 * KIB);
        assert_eq!((outputs[0], outputs[1]), (OffChip, OnChip));
        assert_eq!(read, [OnChip, OffChip], "the sum reads it from there");
        // The two inner tensors of 24 KiB fit side by side, but not beside the stem's of 4 KiB.
        let tight = 50 * KIB;
        assert_eq!(places(None, tight).0[..3], [OffChip, OnChip, OnChip]);
        assert_eq!(places(Some(OnChip), tight).0[..3], [OnChip, OnChip, OffChip]);
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
