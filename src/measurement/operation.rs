//! One operator application as an estimator sees it: shapes, work and bytes, without names.

use serde::{Deserialize, Serialize};

use crate::network::{Activation, Layer, Network, Op, Shape, Source};

/// The kinds of operator that are priced with coefficients of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A convolution with a kernel larger than 1x1.
    Conv2d,
    /// A 1x1 convolution.
    PointwiseConv2d,
    /// One filter for each channel.
    DepthwiseConv2d,
    /// Fully connected.
    Dense,
    /// Element-wise sum.
    Add,
    /// Element-wise product.
    Mul,
    /// Concatenation of channels.
    Concat,
    /// Average over windows.
    AvgPool,
    /// Maximum over windows.
    MaxPool,
    /// Average over the whole picture.
    GlobalAvgPool,
    /// Change of resolution.
    Resize,
    /// A convolution that reads the network's input, which has few channels and another layout.
    InputConv2d,
}

impl Kind {
    /// Every kind with its name in files, in order.
    pub const NAMES: [(&'static str, Self); 12] = [
        ("conv2d", Self::Conv2d),
        ("pointwise_conv2d", Self::PointwiseConv2d),
        ("depthwise_conv2d", Self::DepthwiseConv2d),
        ("dense", Self::Dense),
        ("add", Self::Add),
        ("mul", Self::Mul),
        ("concat", Self::Concat),
        ("avg_pool", Self::AvgPool),
        ("max_pool", Self::MaxPool),
        ("global_avg_pool", Self::GlobalAvgPool),
        ("resize", Self::Resize),
        ("input_conv2d", Self::InputConv2d),
    ];

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// Whether it is a convolution in which every output channel reads every input channel of its group.
    #[must_use]
    pub fn is_standard_conv(self) -> bool {
        matches!(self, Self::Conv2d | Self::PointwiseConv2d | Self::InputConv2d)
    }

    /// Whether multiply-adds are what it does.
    #[must_use]
    pub fn has_macs(self) -> bool {
        self.is_standard_conv() || matches!(self, Self::DepthwiseConv2d | Self::Dense)
    }
}

/// The shapes and the work of one operator application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// What is computed.
    pub kind: Kind,
    /// The first (largest) input.
    pub input: Shape,
    /// Elements of all inputs together.
    pub input_elements: u64,
    /// What is written.
    pub output: Shape,
    /// Kernel height and width; 1 where there is none.
    pub kernel: [u32; 2],
    /// Stride in height and width; 1 where there is none.
    pub stride: [u32; 2],
    /// Independent groups of channels; the channels themselves for depthwise.
    pub groups: u32,
    /// The nonlinearity after the operator.
    pub activation: Activation,
    /// Bytes of one activation or weight.
    pub bytes: u64,
}

impl Operation {
    /// The operation that `layer` of `network` carries out.
    #[must_use]
    pub fn of(network: &Network, layer: &Layer) -> Self {
        let shape = |source: &Source| network.shape(*source);
        let first = layer.inputs.first().map_or(layer.output, shape);
        let largest = layer.inputs.iter().map(shape).fold(first, larger);
        let (kernel, stride, groups) = window(&layer.op, first);
        Self {
            kind: kind(&layer.op, kernel),
            input: largest,
            input_elements: layer.inputs.iter().map(|source| shape(source).elements()).sum(),
            output: layer.output,
            kernel,
            stride,
            groups,
            activation: layer.activation,
            bytes: network.dtype().bytes(),
        }
    }

    /// The same operation measured on its own, where a network's input is like any other tensor.
    #[must_use]
    pub fn isolated(self) -> Self {
        match self.kind {
            Kind::InputConv2d if self.taps() == 1 => Self { kind: Kind::PointwiseConv2d, ..self },
            Kind::InputConv2d => Self { kind: Kind::Conv2d, ..self },
            _ => self,
        }
    }

    /// Kernel height times width.
    #[must_use]
    pub fn taps(&self) -> u64 {
        u64::from(self.kernel[0]) * u64::from(self.kernel[1])
    }

    /// Input channels that one output channel reads.
    #[must_use]
    pub fn depth(&self) -> u64 {
        match self.kind {
            Kind::Dense => self.input.elements(),
            kind if kind.is_standard_conv() => u64::from(self.input.c / self.groups.max(1)),
            _ => 1,
        }
    }

    /// Multiply-adds; zero where an operator has none.
    #[must_use]
    pub fn macs(&self) -> u64 {
        if !self.kind.has_macs() {
            return 0;
        }
        self.output.elements().saturating_mul(self.taps()).saturating_mul(self.depth())
    }

    /// Bytes of the weights.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        if !self.kind.has_macs() {
            return 0;
        }
        let weights = self.taps().saturating_mul(self.depth()).saturating_mul(u64::from(self.output.c));
        weights.saturating_mul(self.bytes)
    }

    /// Bytes of all inputs.
    #[must_use]
    pub fn input_bytes(&self) -> u64 {
        self.input_elements.saturating_mul(self.bytes)
    }

    /// Bytes of the output.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        self.output.elements().saturating_mul(self.bytes)
    }
}

fn larger(a: Shape, b: Shape) -> Shape {
    if b.elements() > a.elements() { b } else { a }
}

fn window(op: &Op, input: Shape) -> ([u32; 2], [u32; 2], u32) {
    match op {
        Op::Conv2d(conv) => (conv.window.kernel, conv.window.stride, conv.groups),
        Op::DepthwiseConv2d(conv) => (conv.window.kernel, conv.window.stride, input.c),
        Op::AvgPool(pool) => (pool.window.kernel, pool.window.stride, 1),
        Op::MaxPool(pool) => (pool.window.kernel, pool.window.stride, 1),
        Op::GlobalAvgPool(_) => ([input.h, input.w], [1; 2], 1),
        _ => ([1; 2], [1; 2], 1),
    }
}

fn kind(op: &Op, kernel: [u32; 2]) -> Kind {
    match op {
        Op::Conv2d(_) if kernel == [1; 2] => Kind::PointwiseConv2d,
        Op::Conv2d(_) => Kind::Conv2d,
        Op::DepthwiseConv2d(_) => Kind::DepthwiseConv2d,
        Op::Dense(_) => Kind::Dense,
        Op::Add(_) => Kind::Add,
        Op::Mul(_) => Kind::Mul,
        // Both only move channels.
        Op::Concat(_) | Op::Slice(_) => Kind::Concat,
        Op::AvgPool(_) => Kind::AvgPool,
        Op::MaxPool(_) => Kind::MaxPool,
        Op::GlobalAvgPool(_) => Kind::GlobalAvgPool,
        Op::Resize(_) => Kind::Resize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{DType, NetworkBuilder, ops::*};

    #[test]
    fn an_operation_counts_the_same_macs_and_weights_as_the_network() {
        let mut b = NetworkBuilder::new("n", Shape::new(9, 8, 6), DType::Int8);
        let x = b.add("a", Conv2d::square(12, 3, 2), &[Source::Input], Activation::Relu).unwrap();
        let x = b.add("b", DepthwiseConv2d::square(5, 1), &[x], Activation::None).unwrap();
        let x = b.add("c", Conv2d { groups: 3, ..Conv2d::square(6, 1, 1) }, &[x], Activation::None).unwrap();
        b.add("d", Dense { cout: 10, bias: true }, &[x], Activation::None).unwrap();
        let network = b.finish();
        for layer in network.layers() {
            let operation = Operation::of(&network, layer);
            assert_eq!(operation.macs(), layer.macs.0, "{}", layer.name);
            assert_eq!(operation.weight_bytes(), layer.weights, "{}", layer.name);
        }
    }

    #[test]
    fn kinds_keep_the_order_of_their_names() {
        for (index, (name, kind)) in Kind::NAMES.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
            assert_eq!(kind.name(), name);
        }
    }
}
