//! Blocks: the compositions that mobile networks are made of.

use std::fmt::{self, Display, Formatter};

use super::{
    Activation, LayerError, NetworkBuilder, Source,
    ops::{Add, Conv2d, DepthwiseConv2d, GlobalAvgPool, Mul},
};

/// The family of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockKind {
    /// One KxK convolution.
    Conv,
    /// KxK depthwise, 1x1 convolution (Howard et al. 2017, MobileNet); fused: one KxK convolution.
    DepthwiseSeparable,
    /// Inverted bottleneck: 1x1 expand, KxK depthwise, 1x1 project, residual (Sandler et al. 2018,
    /// MobileNetV2); fused: KxK convolution that expands, 1x1 project (Gupta & Akin 2020).
    Ibn,
    /// Two KxK convolutions and a shortcut, which is a 1x1 convolution where the shape changes (He et al. 2016,
    /// ResNet-18).
    Basic,
    /// 1x1 convolution that narrows, KxK, 1x1 that widens, and the same shortcut (He et al. 2016, ResNet-50; the
    /// stride is the KxK convolution's).
    Bottleneck,
}

impl BlockKind {
    /// Whether blocks of this family have hidden channels of their own.
    #[must_use]
    pub fn has_hidden(self) -> bool {
        matches!(self, Self::Ibn | Self::Basic | Self::Bottleneck)
    }

    /// Whether blocks of this family have a depthwise convolution, which may be fused into a standard one.
    #[must_use]
    pub fn can_fuse(self) -> bool {
        matches!(self, Self::DepthwiseSeparable | Self::Ibn)
    }

    /// Whether blocks of this family end in a sum with their input, whatever its shape.
    #[must_use]
    pub fn is_residual(self) -> bool {
        matches!(self, Self::Basic | Self::Bottleneck)
    }
}

/// Squeeze-and-excite (Hu et al. 2018): channels gated by a small network on their averages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SqueezeExcite {
    /// Channels of the bottleneck between the two 1x1 convolutions.
    pub reduced: u32,
    /// The nonlinearity between the two.
    pub squeezed: Activation,
    /// The gate's nonlinearity.
    pub gate: Activation,
}

/// One block with all choices made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// The family.
    pub kind: BlockKind,
    /// Whether the depthwise convolution is fused into a standard one.
    pub fused: bool,
    /// Kernel size of the spatial convolution.
    pub kernel: u32,
    /// Stride of the spatial convolution.
    pub stride: u32,
    /// Channels between the first and the last convolution; zero in families without hidden channels.
    pub hidden: u32,
    /// Output channels.
    pub cout: u32,
    /// The nonlinearity inside the block, and after it but for inverted bottlenecks.
    pub activation: Activation,
    /// Groups of a bottleneck's spatial convolution (Xie et al. 2017, ResNeXt); 1 in other families.
    pub groups: u32,
    /// Squeeze-and-excite after the spatial convolution.
    pub se: Option<SqueezeExcite>,
}

impl Display for SqueezeExcite {
    /// `se24:hard_sigmoid`, or `se24:sigmoid:swish` where it is not relu between the convolutions.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "se{}:{}", self.reduced, self.gate)?;
        if self.squeezed == Activation::Relu { Ok(()) } else { write!(f, ":{}", self.squeezed) }
    }
}

impl Block {
    /// Adds the block's layers, named `prefix.expand` and so on, after `input`.
    ///
    /// # Errors
    /// A layer's name is taken.
    pub fn build(
        &self,
        b: &mut NetworkBuilder,
        prefix: impl Display,
        input: Source,
    ) -> Result<Source, LayerError> {
        let prefix: &dyn Display = &prefix;
        match self.kind {
            BlockKind::Conv => self.conv(b, &format_args!("{prefix}.conv"), input),
            BlockKind::DepthwiseSeparable if self.fused => {
                self.conv(b, &format_args!("{prefix}.fused"), input)
            }
            BlockKind::DepthwiseSeparable => self.depthwise_separable(b, prefix, input),
            BlockKind::Ibn => self.ibn(b, prefix, input),
            BlockKind::Basic => {
                let first =
                    self.hidden_conv(b, &format_args!("{prefix}.first"), input, self.kernel, self.stride)?;
                self.close(b, prefix, input, first, self.kernel)
            }
            BlockKind::Bottleneck => {
                let narrow = self.hidden_conv(b, &format_args!("{prefix}.reduce"), input, 1, 1)?;
                let conv = Conv2d::square(self.hidden, self.kernel, self.stride);
                let conv = Conv2d { groups: self.groups, ..conv };
                let spatial = b.add(format_args!("{prefix}.spatial"), conv, &[narrow], self.activation)?;
                let excited = self.squeeze_excite(b, prefix, spatial)?;
                self.close(b, prefix, input, excited, 1)
            }
        }
    }

    fn hidden_conv(
        &self,
        b: &mut NetworkBuilder,
        name: &dyn Display,
        input: Source,
        kernel: u32,
        stride: u32,
    ) -> Result<Source, LayerError> {
        b.add(name, Conv2d::square(self.hidden, kernel, stride), &[input], self.activation)
    }

    /// The last convolution, of `hidden`, and the sum with the block's input, both linear before the sum.
    fn close(
        &self,
        b: &mut NetworkBuilder,
        prefix: &dyn Display,
        input: Source,
        hidden: Source,
        kernel: u32,
    ) -> Result<Source, LayerError> {
        let linear = Activation::None;
        let last = Conv2d::square(self.cout, kernel, 1);
        let last = b.add(format_args!("{prefix}.project"), last, &[hidden], linear)?;
        let shortcut = if self.stride == 1 && b.shape(input).c == self.cout {
            input
        } else {
            let conv = Conv2d::square(self.cout, 1, self.stride);
            b.add(format_args!("{prefix}.shortcut"), conv, &[input], linear)?
        };
        b.add(format_args!("{prefix}.add"), Add, &[last, shortcut], self.activation)
    }

    fn conv(&self, b: &mut NetworkBuilder, name: &dyn Display, input: Source) -> Result<Source, LayerError> {
        b.add(name, Conv2d::square(self.cout, self.kernel, self.stride), &[input], self.activation)
    }

    fn depthwise_separable(
        &self,
        b: &mut NetworkBuilder,
        prefix: &dyn Display,
        input: Source,
    ) -> Result<Source, LayerError> {
        let spatial = self.depthwise(b, prefix, input)?;
        let excited = self.squeeze_excite(b, prefix, spatial)?;
        b.add(format_args!("{prefix}.project"), Conv2d::square(self.cout, 1, 1), &[excited], self.activation)
    }

    fn ibn(&self, b: &mut NetworkBuilder, prefix: &dyn Display, input: Source) -> Result<Source, LayerError> {
        let shape = b.shape(input);
        let residual = self.stride == 1 && shape.c == self.cout;
        let projected = if self.fused && self.hidden == shape.c {
            // Nothing to expand: the KxK convolution goes straight to the output, linear before a sum.
            let activation = if residual { Activation::None } else { self.activation };
            let conv = Conv2d::square(self.cout, self.kernel, self.stride);
            let spatial = b.add(format_args!("{prefix}.fused"), conv, &[input], activation)?;
            self.squeeze_excite(b, prefix, spatial)?
        } else {
            let spatial = self.expanded(b, prefix, input)?;
            let excited = self.squeeze_excite(b, prefix, spatial)?;
            let project = Conv2d::square(self.cout, 1, 1);
            b.add(format_args!("{prefix}.project"), project, &[excited], Activation::None)?
        };
        if residual {
            return b.add(format_args!("{prefix}.add"), Add, &[input, projected], Activation::None);
        }
        Ok(projected)
    }

    /// The hidden tensor after the spatial convolution.
    fn expanded(
        &self,
        b: &mut NetworkBuilder,
        prefix: &dyn Display,
        input: Source,
    ) -> Result<Source, LayerError> {
        if self.fused {
            let conv = Conv2d::square(self.hidden, self.kernel, self.stride);
            return b.add(format_args!("{prefix}.fused"), conv, &[input], self.activation);
        }
        if self.hidden == b.shape(input).c {
            return self.depthwise(b, prefix, input);
        }
        let expand = Conv2d::square(self.hidden, 1, 1);
        let wide = b.add(format_args!("{prefix}.expand"), expand, &[input], self.activation)?;
        self.depthwise(b, prefix, wide)
    }

    fn depthwise(
        &self,
        b: &mut NetworkBuilder,
        prefix: &dyn Display,
        input: Source,
    ) -> Result<Source, LayerError> {
        let conv = DepthwiseConv2d::square(self.kernel, self.stride);
        b.add(format_args!("{prefix}.depthwise"), conv, &[input], self.activation)
    }

    fn squeeze_excite(
        &self,
        b: &mut NetworkBuilder,
        prefix: &dyn Display,
        input: Source,
    ) -> Result<Source, LayerError> {
        let Some(se) = self.se else { return Ok(input) };
        let channels = b.shape(input).c;
        let pooled = b.add(format_args!("{prefix}.se.pool"), GlobalAvgPool, &[input], Activation::None)?;
        let reduce = Conv2d::square(se.reduced, 1, 1);
        let squeezed = b.add(format_args!("{prefix}.se.reduce"), reduce, &[pooled], se.squeezed)?;
        let expand = Conv2d::square(channels, 1, 1);
        let gate = b.add(format_args!("{prefix}.se.expand"), expand, &[squeezed], se.gate)?;
        b.add(format_args!("{prefix}.se.mul"), Mul, &[input, gate], Activation::None)
    }
}
