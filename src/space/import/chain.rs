//! A network as what a space can say: a stem, a chain of blocks, a classifier.

use crate::{
    error::{Error, Result},
    network::{Activation, Block, BlockKind, FoundBlock, Network, Op, Source, Window, ops::Conv2d},
    space::{Classifier, Stem, architecture::POOL_KERNEL},
};

/// The parts of a network that is a chain.
pub(super) struct Chain {
    pub(super) stem: Stem,
    pub(super) blocks: Vec<Block>,
    pub(super) head: Classifier,
}

impl Chain {
    /// Takes `network` apart.
    ///
    /// # Errors
    /// It is not such a chain; the first layer that does not fit is named.
    pub(super) fn of(network: &Network) -> Result<Self> {
        Walk { network, readers: network.consumers(), blocks: network.blocks(), at: Source::Input }.chain()
    }
}

/// Where the chain has been followed to.
struct Walk<'n> {
    network: &'n Network,
    readers: Vec<Vec<usize>>,
    blocks: Vec<FoundBlock>,
    at: Source,
}

impl Walk<'_> {
    fn chain(mut self) -> Result<Chain> {
        let stem = self.stem()?;
        let mut blocks = Vec::new();
        while let Some(block) = self.block() {
            blocks.push(block);
        }
        let features = self.features();
        let head = self.classifier(features)?;
        Ok(Chain { stem, blocks, head })
    }

    /// The layers that read what the chain has come to.
    fn next(&self) -> Vec<usize> {
        match self.at {
            Source::Layer(index) => self.readers[index].clone(),
            Source::Input => {
                let reads = |index: &usize| self.network.layers()[*index].inputs.contains(&Source::Input);
                (0..self.network.layers().len()).filter(reads).collect()
            }
        }
    }

    fn only_next(&self) -> Option<usize> {
        match self.next()[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    fn op(&self, index: usize) -> Op {
        self.network.layers()[index].op
    }

    fn activation(&self, index: usize) -> Activation {
        self.network.layers()[index].activation
    }

    fn go(&mut self, index: usize) {
        self.at = Source::Layer(index);
    }

    /// A layer that a space has no place for.
    fn stuck(&self, expected: &str) -> Error {
        let next = self.next();
        let found = match next.first() {
            Some(index) => {
                let layer = &self.network.layers()[*index];
                let readers = if next.len() > 1 {
                    format!(", and {} more read the same", next.len() - 1)
                } else {
                    String::new()
                };
                format!("layer `{}` ({}{readers})", layer.name, layer.op.name())
            }
            None => "the network's end".into(),
        };
        Error::unusable(format!(
            "{}: found {found}, expected {expected}; a space is a chain of a stem, conv, depthwise-separable, \
             inverted-bottleneck, basic and bottleneck blocks, and a classifier. `nas estimate` prices the network as it is",
            self.network.name()
        ))
    }

    fn stem(&mut self) -> Result<Stem> {
        let stem = self.only_next().and_then(|index| {
            let (kernel, stride) = plain(&self.op(index))?;
            Some((index, kernel, stride))
        });
        let (index, kernel, stride) =
            stem.ok_or_else(|| self.stuck("a convolution of the picture as stem"))?;
        let layer = &self.network.layers()[index];
        let (cout, activation) = (layer.output.c, layer.activation);
        self.go(index);
        Ok(Stem { kernel, stride, cout, activation, pool: self.pool() })
    }

    /// The stride of the 3x3 max pool after the stem; 1 if there is none.
    fn pool(&mut self) -> u32 {
        let found = self.only_next().and_then(|index| match self.op(index) {
            Op::MaxPool(pool) => Some((index, square(&pool.window)?)),
            _ => None,
        });
        match found {
            Some((index, (POOL_KERNEL, stride))) if (2..=8).contains(&stride) => {
                self.go(index);
                stride
            }
            _ => 1,
        }
    }

    /// The next block, unless the head begins here.
    fn block(&mut self) -> Option<Block> {
        if let Some(position) = self.blocks.iter().position(|found| found.input == self.at) {
            let found = self.blocks.get(position)?.clone();
            self.go(*found.layers.last()?);
            return Some(as_space(&found, self.network));
        }
        let next = self.next();
        let (conv, sum) = match next[..] {
            [conv] => (conv, None),
            [conv, sum] if matches!(self.op(sum), Op::Add(_)) && self.readers[conv] == [sum] => {
                (conv, Some(sum))
            }
            _ => return None,
        };
        let (kernel, stride) = plain(&self.op(conv))?;
        let cout = self.network.layers()[conv].output.c;
        let block = Block {
            kind: BlockKind::Conv,
            fused: false,
            kernel,
            stride,
            hidden: 0,
            cout,
            activation: self.activation(conv),
            groups: 1,
            se: None,
        };
        if let Some(sum) = sum {
            self.go(sum);
            // A convolution with a residual is a fused inverted bottleneck that does not expand.
            return Some(Block { kind: BlockKind::Ibn, fused: true, hidden: cout, ..block });
        }
        // What is averaged next is the head's.
        if self.is_pool(&self.readers[conv]) && kernel == 1 {
            return None;
        }
        self.go(conv);
        Some(block)
    }

    fn is_pool(&self, readers: &[usize]) -> bool {
        matches!(readers, [only] if matches!(self.op(*only), Op::GlobalAvgPool(_)))
    }

    /// The 1x1 convolution before the average: channels and nonlinearity.
    fn features(&mut self) -> Option<(u32, Activation)> {
        let index = self.only_next()?;
        let (1, 1) = plain(&self.op(index))? else { return None };
        let found = (self.network.layers()[index].output.c, self.activation(index));
        self.go(index);
        Some(found)
    }

    fn classifier(&mut self, features: Option<(u32, Activation)>) -> Result<Classifier> {
        let next = self.next();
        if !self.is_pool(&next) {
            return Err(self.stuck("a block, or the average of the whole picture before the answers"));
        }
        next.first().into_iter().for_each(|pool| self.at = Source::Layer(*pool));
        let mut dense = Vec::new();
        while let Some(index) = self.only_next().filter(|index| self.is_dense(*index)) {
            dense.push((self.network.layers()[index].output.c, self.activation(index)));
            self.go(index);
        }
        let hidden = match dense[..] {
            [_] if self.next().is_empty() => None,
            [hidden, _] if self.next().is_empty() => Some(hidden),
            _ => return Err(self.stuck("one or two dense layers after the average, and then the end")),
        };
        let classes = dense.last().map_or(1, |(classes, _)| *classes);
        let activation = features.or(hidden).map_or(Activation::None, |(_, activation)| activation);
        Ok(Classifier {
            features: features.map(|(channels, _)| channels),
            hidden: hidden.map(|(channels, _)| channels),
            classes,
            activation,
        })
    }

    /// A dense layer, or a 1x1 convolution of one pixel.
    fn is_dense(&self, index: usize) -> bool {
        matches!(self.op(index), Op::Dense(_)) || plain(&self.op(index)) == Some((1, 1))
    }
}

/// Kernel and stride of a convolution of one group with a square, undilated window.
fn plain(op: &Op) -> Option<(u32, u32)> {
    let Op::Conv2d(Conv2d { window, groups: 1, .. }) = op else { return None };
    square(window)
}

/// Kernel and stride of a square, undilated window.
fn square(window: &Window) -> Option<(u32, u32)> {
    let ([h, w], [down, across]) = (window.kernel, window.stride);
    (h == w && down == across && window.dilation == [1; 2]).then_some((h, down))
}

/// A block as a space says it: a depthwise-separable block with a linear end is an inverted bottleneck that
/// does not expand.
fn as_space(found: &FoundBlock, network: &Network) -> Block {
    let linear = found.last == Activation::None && found.block.activation != Activation::None;
    if found.block.kind == BlockKind::DepthwiseSeparable && (linear || found.residual) {
        return Block { kind: BlockKind::Ibn, hidden: network.shape(found.input).c, ..found.block };
    }
    found.block
}
