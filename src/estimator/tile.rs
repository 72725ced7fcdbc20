//! The tile of a layer's output that an accelerator computes at once.
//!
//! Partial sums and the inputs that they need are kept beside the multipliers;
//! the tile is the one that fits there and makes the least traffic: larger tiles
//! fetch fewer inputs twice, and each tile fetches its weights again (Zhang et
//! al., "Optimizing FPGA-based Accelerator Design", FPGA 2015; Parashar et al.,
//! "Timeloop", ISPASS 2019).

use std::{cell::RefCell, collections::HashMap};

use serde::{Deserialize, Serialize};

use crate::measurement::{Kind, Operation};

/// Input channels that are read together in one go at the least.
const LEAST_DEPTH: u32 = 8;
/// Windows are read in parts no longer than this.
const MOST_WINDOW: u32 = 8;
/// Output channels of a tile are multiples of this, unless there are fewer.
const CHANNELS: u32 = 16;
/// Rows and columns of a tile that counts as small.
const SMALL: u32 = 4;
/// Taps that a filter of one channel, or a pool, takes at once.
const TAPS: u64 = 4;
/// Reading more channels together than this counts as deep.
const DEEP: u32 = 32;
/// Sizes beyond this are taken for this; no accelerator has such tiles.
const MOST_SIZE: u32 = 1 << 20;
/// Bytes of one partial sum.
const SUM_BYTES: u32 = 4;

/// Rows, columns and channels of the output that are computed in one step, in up to three ways.
pub(super) type Steps = [[u32; 3]; 3];

/// What limits a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Rows, columns and channels of the output that are computed in one step: the way that wastes least.
    pub(super) steps: Steps,
    /// Most rows, columns and channels of a tile.
    pub(super) most: [u32; 3],
    /// Input channels that are read together.
    pub(super) depth: u32,
    /// Taps of a window that are multiplied together where that wastes less than reading channels together.
    pub(super) taps: u32,
    /// Bytes for the inputs and for the partial sums of one tile: either the one division or the other.
    pub(super) buffers: [(u32, u32); 2],
}

impl Limits {
    /// Whether every size is one that an accelerator could have.
    pub(super) fn are_sane(&self) -> bool {
        let sizes = self.steps.iter().flatten().chain(&self.most).chain([&self.depth, &self.taps]);
        let bytes = self.buffers.iter().flat_map(|(inputs, sums)| [inputs, sums]);
        sizes.into_iter().all(|size| (1..=4096).contains(size)) && bytes.into_iter().all(|b| *b <= 1 << 30)
    }
}

/// How a layer is cut into tiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tiling {
    /// Rows, columns and channels of a tile.
    pub(super) tile: [u32; 3],
    /// Tiles side by side, counting neither channels nor what is fused.
    pub(super) areas: f64,
    /// Tiles on top of each other.
    pub(super) layers: f64,
    /// Rows and columns of the input that a tile reads.
    pub(super) patch: [u32; 2],
    /// Input channels that are read together.
    pub(super) depth: u32,
    /// Multiply-adds an output takes, in whole steps.
    pub(super) steps: f64,
    /// Pixels of the output, with those that a step makes in vain.
    pub(super) busy: f64,
    /// Rows and columns of the input.
    pub(super) input: [u32; 2],
}

impl Tiling {
    /// How `operation` is cut if it makes `rows` rows at once.
    ///
    /// A search asks for the same few thousand layers again and again, so each thread remembers what it found.
    pub(super) fn of(operation: &Operation, rows: u32, limits: &Limits) -> Self {
        let shapes = Shapes::of(operation, rows);
        REMEMBERED.with_borrow_mut(|remembered| {
            if remembered.limits != Some(*limits) || remembered.tilings.len() >= MOST_REMEMBERED {
                *remembered = Remembered { limits: Some(*limits), tilings: HashMap::new() };
            }
            *remembered.tilings.entry(shapes).or_insert_with(|| Self::search(operation, rows, limits))
        })
    }

    fn search(operation: &Operation, rows: u32, limits: &Limits) -> Self {
        let shape = Shape::of(operation, rows, limits);
        let [h, w, c] = shape.best(limits);
        let [_, width, channels] = shape.output;
        let height = operation.output.h.clamp(1, MOST_SIZE);
        let used = |size: u32, tile: u32, step: u32| {
            // A tile that is cut off at the edge takes as long as a part of it; a single one is padded to whole steps.
            f64::from(if size > tile { size } else { size.next_multiple_of(step) })
        };
        Self {
            tile: [h, w, c],
            areas: f64::from(height.div_ceil(h)) * f64::from(width.div_ceil(w)),
            layers: if shape.equal_depth { 1.0 } else { f64::from(channels.div_ceil(c)) },
            patch: [shape.patch(0, h), shape.patch(1, w)],
            input: [operation.input.h, operation.input.w],
            depth: shape.depth(c),
            steps: shape.reading.steps,
            busy: used(height, h, shape.step[0]) * used(width, w, shape.step[1]),
        }
    }

    /// All tiles.
    pub(super) fn count(&self, channels: u32) -> f64 {
        self.areas * (f64::from(channels) / f64::from(self.tile[2])).ceil()
    }

    /// Elements of the input that are fetched for all tiles.
    pub(super) fn fetched(&self, channels: u32) -> f64 {
        let [height, width] = [0, 1].map(|axis| f64::from(self.patch[axis].min(self.input[axis])));
        height * width * f64::from(channels) * self.areas * self.layers
    }
}

/// Tilings that a thread keeps at the most.
const MOST_REMEMBERED: usize = 1 << 16;

thread_local! {
    static REMEMBERED: RefCell<Remembered> = RefCell::default();
}

/// Tilings found for these limits.
#[derive(Default)]
struct Remembered {
    limits: Option<Limits>,
    tilings: HashMap<Shapes, Tiling>,
}

/// All that a tiling depends on beside the limits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Shapes {
    kind: Kind,
    input: [u32; 3],
    output: [u32; 3],
    window: [[u32; 2]; 2],
    groups: u32,
    rows: u32,
}

impl Shapes {
    fn of(operation: &Operation, rows: u32) -> Self {
        let sizes = |shape: crate::network::Shape| [shape.h, shape.w, shape.c];
        let Operation { kind, input, output, kernel, stride, groups, .. } = *operation;
        Self { kind, input: sizes(input), output: sizes(output), window: [kernel, stride], groups, rows }
    }
}

/// How the input channels and the taps of a window are read.
struct Reading {
    /// Multiply-adds an output takes, in whole steps.
    steps: f64,
    /// Input channels that are read together.
    depth: u32,
}

impl Reading {
    /// The way that wastes least: many channels of one tap, or several taps of few channels.
    fn of(operation: &Operation, channels: u32, limits: &Limits) -> Self {
        let taps = operation.taps();
        let depth = operation.depth().max(1);
        let by_channels = taps.saturating_mul(depth.next_multiple_of(u64::from(limits.depth.max(1))));
        let narrow = if limits.taps > 1 { LEAST_DEPTH } else { CHANNELS };
        let grouped = taps.next_multiple_of(u64::from(limits.taps.max(1))).max(2);
        let by_taps = grouped.saturating_mul(depth.next_multiple_of(u64::from(narrow)));
        let tie = limits.taps == 1 && by_taps == by_channels;
        let few = by_taps < by_channels || tie || channels <= LEAST_DEPTH;
        let most = if few { limits.depth.min(CHANNELS) } else { limits.depth };
        // Deep reads come in whole powers of two.
        let whole = if limits.depth > DEEP { channels.max(CHANNELS).next_power_of_two() } else { channels };
        let steps = match operation.kind {
            Kind::DepthwiseConv2d => taps.next_multiple_of(TAPS),
            Kind::Dense => by_channels,
            kind if kind.is_standard_conv() => by_channels.min(by_taps),
            _ => taps.max(TAPS),
        };
        Self { steps: steps as f64, depth: whole.next_multiple_of(LEAST_DEPTH).min(most) }
    }
}

/// What the search for a tile looks at.
struct Shape {
    /// Rows, columns and channels; of the rows only those that are made at once.
    output: [u32; 3],
    /// Rows and columns of the input that the output needs.
    input: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    channels: u32,
    /// Every output channel reads one input channel.
    equal_depth: bool,
    multiplies: bool,
    /// Rows, columns and channels of one step.
    step: [u32; 3],
    reading: Reading,
}

impl Shape {
    fn of(operation: &Operation, rows: u32, limits: &Limits) -> Self {
        let dense = operation.kind == Kind::Dense;
        let sane = |size: u32| size.clamp(1, MOST_SIZE);
        let output = operation.output;
        let output =
            if dense { [1, 1, sane(output.c)] } else { [rows.min(output.h), output.w, output.c].map(sane) };
        let channels = if dense { operation.depth().min(1 << 20) as u32 } else { sane(operation.input.c) };
        let kernel = operation.kernel.map(sane);
        let stride = operation.stride.map(sane);
        let size = [operation.input.h, operation.input.w];
        let needed =
            |axis: usize| (output[axis] - 1).saturating_mul(stride[axis]).saturating_add(kernel[axis]);
        Self {
            output,
            input: [0, 1].map(|axis| if dense { 1 } else { needed(axis).min(size[axis]) }),
            kernel,
            stride,
            channels,
            equal_depth: !operation.kind.is_standard_conv() && !dense,
            multiplies: operation.kind.has_macs(),
            step: least_waste(limits.steps, output),
            reading: Reading::of(operation, channels, limits),
        }
    }

    fn depth(&self, channels: u32) -> u32 {
        if self.equal_depth { channels } else { self.reading.depth }
    }

    /// Rows (axis 0) or columns (axis 1) of the input that so many of the output need.
    fn patch(&self, axis: usize, size: u32) -> u32 {
        // A window larger than this is read in parts.
        let window = self.kernel[axis].min(MOST_WINDOW);
        ((size - 1).saturating_mul(self.stride[axis]).min(MOST_SIZE) + window)
            .next_multiple_of(self.step[axis])
    }

    /// The tile that fits and makes the least traffic.
    fn best(&self, limits: &Limits) -> [u32; 3] {
        let [step_h, step_w, step_c] = self.step;
        let most = |axis: usize, step: u32| self.output[axis].min(limits.most[axis]).next_multiple_of(step);
        let (most_h, most_w) = (most(0, step_h), most(1, step_w));
        let most_c = self.output[2].next_multiple_of(step_c).min(limits.most[2]);
        let mut best = (f64::INFINITY, [step_h, step_w, most_c.min(CHANNELS)]);
        let mut c = most_c.min(step_c.max(CHANNELS));
        while c <= most_c {
            let mut h = step_h;
            while h <= most_h {
                let w = self.widest(h, c, limits).min(most_w) / step_w * step_w;
                if w == 0 {
                    break;
                }
                // As many tiles side by side as are needed, but no wider than that takes.
                let even = self.output[1].div_ceil(self.output[1].div_ceil(w)).next_multiple_of(step_w);
                for w in [even.min(w), w] {
                    let traffic = self.traffic([h, w, c]);
                    // Where all fits in small tiles, more channels at once are as good.
                    if traffic < best.0 || traffic == best.0 && h <= SMALL && w <= SMALL {
                        best = (traffic, [h, w, c]);
                    }
                }
                h += step_h;
            }
            c = if c < most_c { (c + CHANNELS).min(most_c) } else { c + 1 };
        }
        best.1
    }

    /// The most columns of a tile of `h` rows and `c` channels that fit.
    fn widest(&self, h: u32, c: u32, limits: &Limits) -> u32 {
        let line = self.patch(0, h).saturating_mul(self.depth(c).next_multiple_of(LEAST_DEPTH));
        let sums = h * c * SUM_BYTES;
        let step = self.step[1];
        let widest = |(input_bytes, sum_bytes): (u32, u32)| {
            let columns = input_bytes / line / step * step;
            let by_input = columns
                .checked_sub(self.kernel[1].min(MOST_WINDOW))
                .map_or(0, |rest| rest / self.stride[1] + 1);
            by_input.min(sum_bytes / sums)
        };
        widest(limits.buffers[0]).max(widest(limits.buffers[1]))
    }

    /// Elements fetched for each output.
    fn traffic(&self, [h, w, c]: [u32; 3]) -> f64 {
        let [height, width, channels] = self.output.map(f64::from);
        let patch = f64::from(self.patch(0, h)) * f64::from(self.patch(1, w));
        let (h, w, c) = (f64::from(h), f64::from(w), f64::from(c));
        let taps = f64::from(self.kernel[0]) * f64::from(self.kernel[1]);
        let layers = if self.equal_depth { 1.0 } else { (channels / c).ceil() };
        let depth = f64::from(self.channels);
        let inputs = patch * depth * (height / h) * (width / w) * layers;
        let areas = (height / h).ceil() * (width / w).ceil();
        let weights = match (self.multiplies, self.equal_depth) {
            (false, _) => 0.0,
            (true, true) => taps * depth * areas,
            (true, false) => taps * depth * areas * channels,
        };
        let traffic = inputs + weights;
        // A tile that holds the whole input never fetches it again.
        let whole = f64::from(self.input[0]) * f64::from(self.input[1]) * depth;
        if whole < 2.0 * patch * f64::from(self.depth(c as u32)) { traffic / 2.0 } else { traffic }
    }
}

/// The step that makes the least in vain, the first of equals.
fn least_waste(steps: Steps, output: [u32; 3]) -> [u32; 3] {
    let steps = steps.map(|step| step.map(|size| size.max(1)));
    let made = |step: &[u32; 3]| -> u64 {
        step.iter().zip(output).map(|(step, size)| u64::from(size.next_multiple_of(*step))).product()
    };
    steps.into_iter().min_by_key(made).unwrap_or([1; 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Shape as Picture};

    /// Ethos-U65-512 and Ethos-U85-512: their public figures.
    const U65: Limits = Limits {
        steps: [[2, 2, 8]; 3],
        most: [32, 64, 128],
        depth: 32,
        taps: 4,
        buffers: [(12 << 10, 8 << 10), (4 << 10, 16 << 10)],
    };
    const U85: Limits = Limits {
        steps: [[2, 2, 16], [1, 4, 16], [1, 4, 16]],
        most: [128, 128, 1024],
        depth: 64,
        taps: 1,
        buffers: [(8 << 10, 16 << 10); 2],
    };

    fn layer(kind: Kind, input: [u32; 3], output: [u32; 3], kernel: u32, stride: u32) -> Operation {
        let picture = |[h, w, c]: [u32; 3]| Picture::new(h, w, c);
        Operation {
            kind,
            input: picture(input),
            input_elements: picture(input).elements(),
            output: picture(output),
            kernel: [kernel; 2],
            stride: [stride; 2],
            groups: if kind == Kind::DepthwiseConv2d { input[2] } else { 1 },
            activation: Activation::Relu6,
            bytes: 1,
        }
    }

    /// What Vela 5.2.0 says in its database (`perf_debug_main`) of layers of the measured networks.
    #[test]
    fn layers_are_cut_as_a_compiler_cuts_them() {
        use Kind::*;
        let cut = |limits: &Limits, layer: Operation, rows: u32| Tiling::of(&layer, rows, limits).tile;
        let stem = layer(InputConv2d, [224, 224, 3], [112, 112, 8], 3, 2);
        assert_eq!(cut(&U65, stem, 112), [16, 16, 8]);
        let striped = layer(InputConv2d, [320, 320, 3], [160, 160, 40], 3, 2);
        assert_eq!(cut(&U65, striped, 4), [4, 32, 16]);
        let project = layer(PointwiseConv2d, [28, 28, 48], [28, 28, 16], 1, 1);
        assert_eq!(cut(&U65, project, 28), [4, 28, 16]);
        assert_eq!(cut(&U65, layer(DepthwiseConv2d, [14, 14, 96], [14, 14, 96], 5, 1), 14), [10, 14, 16]);
        assert_eq!(cut(&U65, layer(PointwiseConv2d, [1, 1, 72], [1, 1, 288], 1, 1), 1), [2, 2, 128]);
        assert_eq!(cut(&U85, project, 28), [4, 28, 16]);
        assert_eq!(cut(&U85, layer(PointwiseConv2d, [14, 14, 24], [14, 14, 72], 1, 1), 14), [14, 14, 16]);
        assert_eq!(cut(&U85, layer(Conv2d, [112, 112, 8], [56, 56, 8], 3, 2), 56), [10, 10, 16]);
    }

    #[test]
    fn a_tile_fits_and_covers_whatever_the_layer() {
        let mut seed = 1_u64;
        let mut draw = |most: u32| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1 + (seed >> 33) as u32 % most
        };
        for round in 0..400 {
            let (h, w, stride, kernel) = (draw(300), draw(300), draw(3), draw(9));
            let [cin, cout] = [draw(1500), draw(1500)];
            let kind = Kind::NAMES[round % Kind::NAMES.len()].1;
            let cout = if kind == Kind::DepthwiseConv2d { cin } else { cout };
            let output = [h.div_ceil(stride), w.div_ceil(stride), cout];
            let layer = layer(kind, [h, w, cin], output, kernel, stride);
            for limits in [&U65, &U85] {
                let Tiling { tile, areas, layers, steps, busy, .. } = Tiling::of(&layer, output[0], limits);
                let sums = tile.iter().product::<u32>() * SUM_BYTES;
                assert!(tile.iter().all(|size| *size > 0), "{layer:?}: {tile:?}");
                let smallest = tile[0] <= 4 && tile[1] <= 4;
                assert!(
                    limits.buffers.iter().any(|(_, most)| sums <= *most) || smallest,
                    "{layer:?}: {tile:?}"
                );
                assert!(areas >= 1.0 && layers >= 1.0 && steps >= 1.0 && busy >= 1.0, "{layer:?}");
            }
        }
    }

    #[test]
    fn sizes_that_no_layer_has_are_survived() {
        let huge = layer(Kind::Conv2d, [u32::MAX; 3], [u32::MAX, 1, u32::MAX], u32::MAX, 1);
        let tiling = Tiling::of(&huge, u32::MAX, &U65);
        assert!(tiling.areas.is_finite() && tiling.steps.is_finite());
    }
}
