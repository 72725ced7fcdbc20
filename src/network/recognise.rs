//! Blocks found in a network by their structure, whatever its layers are called.
//!
//! * inverted bottleneck (Sandler et al. 2018): 1x1 convolution that expands, depthwise, 1x1 projection that
//!   is linear after a nonlinear expansion, or leaves fewer channels than were expanded to;
//! * fused inverted bottleneck (Gupta & Akin 2020): KxK convolution that expands, 1x1 projection back, as
//!   MobileNet-EdgeTPU's first convolution and the one after it are too;
//! * depthwise-separable (Howard et al. 2017): depthwise, 1x1 convolution;
//! * squeeze-and-excite (Hu et al. 2018) before the last convolution of each; a residual around it;
//! * basic and bottleneck blocks (He et al. 2016): two KxK convolutions, or 1x1, KxK, 1x1, the last of them linear,
//!   and a sum with the block's input or a 1x1 convolution of it.
//!
//! Layers are claimed in execution order, each by one block. So MobileNetV1, where every 1x1 convolution
//! follows a depthwise one, has no inverted bottleneck.

mod summed;

use std::{collections::BTreeMap, fmt};

use super::{
    Activation, Block, BlockKind, Layer, Network, Op, Source, SqueezeExcite,
    ops::{Conv2d, DepthwiseConv2d},
};

/// A block of a network and the layers that it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBlock {
    /// The block with its choices.
    pub block: Block,
    /// Whether its input is added to its output.
    pub residual: bool,
    /// The nonlinearity after its last convolution.
    pub last: Activation,
    /// What it reads.
    pub input: Source,
    /// Its layers, in execution order; the last one writes its output.
    pub layers: Vec<usize>,
}

impl fmt::Display for FoundBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Block { kind, fused, kernel, stride, hidden, cout, activation, groups, se } = self.block;
        write!(f, "{} k{kernel} s{stride}", family(kind, fused))?;
        if kind.has_hidden() {
            write!(f, " x{hidden}")?;
        }
        write!(f, " c{cout} {activation}")?;
        if groups > 1 {
            write!(f, " g{groups}")?;
        }
        if let Some(se) = se {
            write!(f, " {se}")?;
        }
        f.write_str(if self.residual && !kind.is_residual() { " residual" } else { "" })
    }
}

/// A family in a block's line.
fn family(kind: BlockKind, fused: bool) -> &'static str {
    match kind {
        BlockKind::Conv => "conv",
        BlockKind::DepthwiseSeparable => "ds",
        BlockKind::Ibn if fused => "fused-ibn",
        BlockKind::Ibn => "ibn",
        BlockKind::Basic => "basic",
        BlockKind::Bottleneck => "bottleneck",
    }
}

impl Network {
    /// The inverted bottlenecks, fused or not, depthwise-separable, basic and bottleneck blocks, in execution order.
    #[must_use]
    pub fn blocks(&self) -> Vec<FoundBlock> {
        let mut finder = Finder {
            network: self,
            readers: self.consumers(),
            claimed: vec![false; self.layers().len()],
            blocks: Vec::new(),
        };
        for index in 0..self.layers().len() {
            finder.look_at(index);
        }
        finder.blocks
    }

    /// How many blocks there are of each family, as text: `16 ibn, 1 ds`.
    #[must_use]
    pub fn block_counts(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for found in self.blocks() {
            *counts.entry(family(found.block.kind, found.block.fused)).or_default() += 1;
        }
        let texts: Vec<String> =
            counts.iter().rev().map(|(family, count)| format!("{count} {family}")).collect();
        if texts.is_empty() { "no known blocks".into() } else { texts.join(", ") }
    }
}

/// Squeeze-and-excite as layers.
struct Excite {
    se: SqueezeExcite,
    /// Pool, reduce, expand, mul.
    layers: [usize; 4],
}

struct Finder<'n> {
    network: &'n Network,
    readers: Vec<Vec<usize>>,
    claimed: Vec<bool>,
    blocks: Vec<FoundBlock>,
}

impl Finder<'_> {
    fn layer(&self, index: usize) -> &Layer {
        &self.network.layers()[index]
    }

    /// The block whose spatial convolution is the layer at `index`, if there is one.
    fn look_at(&mut self, index: usize) {
        let found = match self.layer(index).op {
            Op::DepthwiseConv2d(conv) => self.depthwise(index, &conv),
            Op::Conv2d(conv) if conv.groups == 1 && conv.window.taps() > 1 => self.fused(index, &conv),
            Op::Add(_) => self.summed(index),
            _ => None,
        };
        if let Some(found) = found {
            found.layers.iter().for_each(|layer| self.claimed[*layer] = true);
            self.blocks.push(found);
        }
    }

    fn depthwise(&self, index: usize, conv: &DepthwiseConv2d) -> Option<FoundBlock> {
        let (kernel, stride) = square(conv.window.kernel, conv.window.stride)?;
        let spatial = self.layer(index);
        let excite = self.excite(index);
        let project = self.projection(index, excite.as_ref())?;
        let expand = match *spatial.inputs.first()? {
            Source::Layer(before) => Some(before).filter(|before| self.expands(*before, project)),
            Source::Input => None,
        };
        let kind = if expand.is_some() { BlockKind::Ibn } else { BlockKind::DepthwiseSeparable };
        let block = Block {
            kind,
            fused: false,
            kernel,
            stride,
            hidden: if expand.is_some() { spatial.output.c } else { 0 },
            cout: self.layer(project).output.c,
            activation: spatial.activation,
            groups: 1,
            se: excite.as_ref().map(|excite| excite.se),
        };
        self.projected(block, expand.into_iter().chain([index]), excite.as_ref(), project)
    }

    /// The 1x1 convolution after the layer at `index` and its squeeze-and-excite.
    fn projection(&self, index: usize, excite: Option<&Excite>) -> Option<usize> {
        let excited = excite.map_or(index, |excite| excite.layers[3]);
        self.only_reader(excited).filter(|next| self.pointwise(*next).is_some())
    }

    /// A block that begins with the layers `first` and ends in `project`, or in a sum with its input after that.
    fn projected(
        &self,
        block: Block,
        first: impl Iterator<Item = usize>,
        excite: Option<&Excite>,
        project: usize,
    ) -> Option<FoundBlock> {
        let mut layers: Vec<usize> = first.collect();
        layers.extend(excite.into_iter().flat_map(|excite| excite.layers));
        layers.push(project);
        let input = *self.layer(*layers.first()?).inputs.first()?;
        let residual = self.residual(project, input);
        layers.extend(residual);
        Some(FoundBlock {
            block,
            residual: residual.is_some(),
            last: self.layer(project).activation,
            input,
            layers,
        })
    }

    /// Whether the layer is a 1x1 convolution that opens the block which `project` closes.
    fn expands(&self, index: usize, project: usize) -> bool {
        let Some(conv) = self.pointwise(index) else { return false };
        if self.claimed[index] || conv.window.stride != [1; 2] || self.readers[index].len() != 1 {
            return false;
        }
        let (expand, project) = (self.layer(index), self.layer(project));
        let narrow = self.network.input_shapes(expand).first().map_or(0, |shape| shape.c);
        let linear = project.activation == Activation::None && expand.activation != Activation::None;
        let there_and_back = narrow < expand.output.c && project.output.c < expand.output.c;
        (linear && narrow <= expand.output.c) || there_and_back
    }

    fn fused(&self, index: usize, conv: &Conv2d) -> Option<FoundBlock> {
        let (kernel, stride) = square(conv.window.kernel, conv.window.stride)?;
        let wide = self.layer(index);
        let excite = self.excite(index);
        let project = self.projection(index, excite.as_ref())?;
        let (narrow, cout) = (self.network.shape(*wide.inputs.first()?).c, self.layer(project).output.c);
        if narrow >= wide.output.c || cout >= wide.output.c {
            return None;
        }
        let block = Block {
            kind: BlockKind::Ibn,
            fused: true,
            kernel,
            stride,
            hidden: wide.output.c,
            cout,
            activation: wide.activation,
            groups: 1,
            se: excite.as_ref().map(|excite| excite.se),
        };
        self.projected(block, [index].into_iter(), excite.as_ref(), project)
    }

    /// The sum of the block's input and of what only it reads of the block's last convolution.
    fn residual(&self, project: usize, input: Source) -> Option<usize> {
        let next = self.only_reader(project)?;
        let layer = self.layer(next);
        let sum = matches!(layer.op, Op::Add(_)) && layer.inputs.len() == 2 && layer.inputs.contains(&input);
        sum.then_some(next)
    }

    /// Squeeze-and-excite on the output of the layer at `index`, which nothing else reads.
    fn excite(&self, index: usize) -> Option<Excite> {
        let (pool, mul) = match self.readers[index][..] {
            [a, b] if matches!(self.layer(a).op, Op::GlobalAvgPool(_)) => (a, b),
            [a, b] if matches!(self.layer(b).op, Op::GlobalAvgPool(_)) => (b, a),
            _ => return None,
        };
        let reduce = self.only_reader(pool).filter(|next| self.is_dense(*next))?;
        let expand = self.only_reader(reduce).filter(|next| self.is_dense(*next))?;
        let gated = self.only_reader(expand) == Some(mul) && matches!(self.layer(mul).op, Op::Mul(_));
        gated.then(|| Excite {
            se: SqueezeExcite {
                reduced: self.layer(reduce).output.c,
                squeezed: self.layer(reduce).activation,
                gate: self.layer(expand).activation,
            },
            layers: [pool, reduce, expand, mul],
        })
    }

    fn only_reader(&self, index: usize) -> Option<usize> {
        match self.readers[index][..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// A 1x1 convolution of one group.
    fn pointwise(&self, index: usize) -> Option<Conv2d> {
        match self.layer(index).op {
            Op::Conv2d(conv) if conv.groups == 1 && conv.window.taps() == 1 => Some(conv),
            _ => None,
        }
    }

    /// A dense layer, or a 1x1 convolution, which is the same on one pixel.
    fn is_dense(&self, index: usize) -> bool {
        self.pointwise(index).is_some() || matches!(self.layer(index).op, Op::Dense(_))
    }
}

/// Kernel and stride where both axes have the same.
fn square(kernel: [u32; 2], stride: [u32; 2]) -> Option<(u32, u32)> {
    (kernel[0] == kernel[1] && stride[0] == stride[1]).then_some((kernel[0], stride[0]))
}

#[cfg(test)]
mod tests;
