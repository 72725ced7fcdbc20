//! Which numbers eight bits stand for, tensor by tensor.
//!
//! An untrained network has no statistics, so ranges follow from the nonlinearity that wrote a tensor, as they
//! would in a trained network with batch-norm. Some TFLite operators only move or pick numbers and demand
//! that what they read and write have one scale; their tensors share the widest of their ranges.

use super::model::Quantization;
use crate::network::{Activation, Network, Op, Source};

/// A range of numbers. Each holds those before it, but for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Range {
    /// 0 to 1; the scale of a sigmoid is prescribed.
    Unit,
    /// 0 to 6, of relu and relu6.
    Positive,
    /// -0.30 to 6, of swish.
    Swish,
    /// -0.375 to 6, of hard-swish.
    HardSwish,
    /// -6 to 6, of sums and of what stands before a nonlinearity.
    Signed,
}

impl Range {
    fn of(activation: Activation) -> Self {
        match activation {
            Activation::None => Self::Signed,
            Activation::Relu | Activation::Relu6 => Self::Positive,
            Activation::HardSwish => Self::HardSwish,
            Activation::Swish => Self::Swish,
            Activation::HardSigmoid | Activation::Sigmoid => Self::Unit,
        }
    }

    /// The least number, as a negative count of steps, and the size of a step.
    fn steps(self) -> (i64, f32) {
        match self {
            Self::Unit => (0, 1.0 / 256.0),
            Self::Positive => (0, 6.0 / 255.0),
            Self::Swish => (12, 6.3 / 255.0),
            Self::HardSwish => (15, 6.375 / 255.0),
            Self::Signed => (128, 12.0 / 255.0),
        }
    }

    /// What int8 numbers stand for.
    pub(super) fn quantization(self) -> Quantization {
        let (below, scale) = self.steps();
        Quantization::Tensor { scale, zero: below - 128 }
    }

    /// Whether the least number is zero.
    pub(super) fn starts_at_zero(self) -> bool {
        self.steps().0 == 0
    }
}

/// The ranges of a network's tensors.
pub(super) struct Ranges {
    input: Range,
    /// What each layer writes.
    outputs: Vec<Range>,
    /// The same before a nonlinearity that is an operator of its own.
    raws: Vec<Range>,
}

impl Ranges {
    pub(super) fn of(network: &Network) -> Self {
        let layers = network.layers().len();
        let mut classes = Classes::new(1 + 2 * layers);
        classes.widen(INPUT, Range::Signed);
        for (index, layer) in network.layers().iter().enumerate() {
            let (output, raw) = (1 + index, 1 + layers + index);
            let separate = !is_fused(&layer.op, layer.activation);
            if !keeps(&layer.op) {
                classes.widen(raw, Range::Signed);
                classes.widen(output, Range::of(layer.activation));
                continue;
            }
            let writes = if separate { raw } else { output };
            if separate {
                classes.widen(output, Range::of(layer.activation));
            }
            classes.keep(writes, layer.inputs.iter().map(|source| place(*source)));
        }
        let all = |first: usize| (first..first + layers).map(|tensor| classes.range(tensor)).collect();
        Self { input: classes.range(INPUT), outputs: all(1), raws: all(1 + layers) }
    }

    /// The range of what `source` writes.
    pub(super) fn source(&self, source: Source) -> Range {
        match source {
            Source::Input => self.input,
            Source::Layer(index) => self.output(index),
        }
    }

    pub(super) fn output(&self, layer: usize) -> Range {
        self.outputs.get(layer).copied().unwrap_or(Range::Signed)
    }

    pub(super) fn raw(&self, layer: usize) -> Range {
        self.raws.get(layer).copied().unwrap_or(Range::Signed)
    }
}

/// Whether the nonlinearity is a part of the operator.
pub(super) fn is_fused(op: &Op, activation: Activation) -> bool {
    match activation {
        Activation::None => true,
        Activation::Relu | Activation::Relu6 => {
            !matches!(op, Op::Concat(_) | Op::GlobalAvgPool(_) | Op::Resize(_) | Op::Slice(_))
        }
        _ => false,
    }
}

/// Whether TFLite demands one scale of what an operator reads and writes. It does not of a mean, but the mean
/// of numbers is in their range.
pub(super) fn keeps(op: &Op) -> bool {
    use Op::{AvgPool, Concat, GlobalAvgPool, MaxPool, Resize, Slice};
    matches!(op, AvgPool(_) | MaxPool(_) | GlobalAvgPool(_) | Concat(_) | Resize(_) | Slice(_))
}

const INPUT: usize = 0;

fn place(source: Source) -> usize {
    match source {
        Source::Input => INPUT,
        Source::Layer(index) => 1 + index,
    }
}

/// Tensors that share a scale (union and find).
struct Classes {
    parents: Vec<usize>,
    /// By the first tensor of a class.
    ranges: Vec<Range>,
}

impl Classes {
    fn new(tensors: usize) -> Self {
        Self { parents: (0..tensors).collect(), ranges: vec![Range::Unit; tensors] }
    }

    fn first(&self, mut tensor: usize) -> usize {
        while let Some(&parent) = self.parents.get(tensor).filter(|parent| **parent != tensor) {
            tensor = parent;
        }
        tensor
    }

    fn range(&self, tensor: usize) -> Range {
        self.ranges.get(self.first(tensor)).copied().unwrap_or(Range::Signed)
    }

    fn widen(&mut self, tensor: usize, range: Range) {
        let first = self.first(tensor);
        if let Some(own) = self.ranges.get_mut(first) {
            *own = range.max(*own);
        }
    }

    /// Gives `written` the scale of what is read. Sigmoids keep theirs, so beside others they stay apart, and are
    /// brought to the common scale where they are read.
    fn keep(&mut self, written: usize, read: impl Iterator<Item = usize>) {
        let others: Vec<usize> = read.filter(|tensor| self.range(*tensor) != Range::Unit).collect();
        for tensor in others {
            let range = self.range(written).max(self.range(tensor));
            let (a, b) = (self.first(written), self.first(tensor));
            if let Some(parent) = self.parents.get_mut(a.max(b)) {
                *parent = a.min(b);
            }
            self.widen(written, range);
        }
    }
}
