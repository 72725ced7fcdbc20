//! An architecture: every choice made, written one line a block.
//!
//! Between genotype and network stands this readable form. It is what reports
//! print, what an expert edits by hand, and it parses back.

mod head;
mod text;

pub use head::{Classifier, Detector, Head, Segmenter};

use std::fmt;

use crate::{
    error::Result,
    network::{
        Activation, Block, DType, Network, NetworkBuilder, Shape, Source, Window,
        ops::{Conv2d, MaxPool},
    },
};

/// The kernel of a stem's pool.
pub(super) const POOL_KERNEL: u32 = 3;

/// A network as its blocks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Architecture {
    /// The input picture.
    pub input: Shape,
    /// The type of activations and weights.
    pub dtype: DType,
    /// The first convolution.
    pub stem: Stem,
    /// The blocks of each stage.
    pub stages: Vec<Vec<Block>>,
    /// What turns features into answers.
    pub head: Head,
}

/// The first convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stem {
    /// Kernel size.
    pub kernel: u32,
    /// Stride.
    pub stride: u32,
    /// Output channels.
    pub cout: u32,
    /// The nonlinearity after it.
    pub activation: Activation,
    /// Stride of the 3x3 max pool after it; 1 if there is none.
    pub pool: u32,
}

impl Architecture {
    /// The network of this architecture, called `name`.
    ///
    /// # Errors
    /// The head taps a stage that is not there.
    pub fn network(&self, name: &str) -> Result<Network> {
        self.build(NetworkBuilder::new(name, self.input, self.dtype))
    }

    /// The same network without names, to be taken apart into stem, blocks and the parts of the head.
    ///
    /// # Errors
    /// As [`Self::network`].
    pub fn nameless_network(&self) -> Result<Network> {
        self.build(NetworkBuilder::nameless(self.input, self.dtype))
    }

    fn build(&self, mut b: NetworkBuilder) -> Result<Network> {
        let stem = Conv2d::square(self.stem.cout, self.stem.kernel, self.stem.stride);
        let mut x = b.add("stem", stem, &[Source::Input], self.stem.activation)?;
        if self.stem.pool > 1 {
            let pool = MaxPool { window: Window::square(POOL_KERNEL, self.stem.pool) };
            x = b.add("stem.pool", pool, &[x], Activation::None)?;
        }
        b.end_part();
        let mut outputs = Vec::with_capacity(self.stages.len());
        for (stage, blocks) in self.stages.iter().enumerate() {
            for (position, block) in blocks.iter().enumerate() {
                x = block.build(&mut b, BlockName { stage, position }, x)?;
                b.end_part();
            }
            outputs.push(x);
        }
        self.head.build(&mut b, x, &outputs)?;
        Ok(b.finish())
    }

    /// How many blocks are fused.
    #[must_use]
    pub fn fused_blocks(&self) -> usize {
        self.stages.iter().flatten().filter(|block| block.fused && block.kind.can_fuse()).count()
    }
}

/// The name of a block: stage and block count from one, as in papers.
pub(super) struct BlockName {
    stage: usize,
    position: usize,
}

impl fmt::Display for BlockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}.b{}", self.stage + 1, self.position + 1)
    }
}
