//! Genes: the things that may be chosen.

use std::{fmt, str::FromStr};

use crate::error::{Error, Result, one_of};

/// What a gene decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GeneKind {
    /// The number format of weights and activations.
    Dtype,
    /// Height and width of the network's input.
    InputSize,
    /// The ratio that scales all channels of the model.
    DepthMultiplier,
    /// Output channels of the stem, a stage or a part of the head.
    Channels,
    /// Blocks of a stage.
    Repeats,
    /// Stride of a stage's first block.
    Stride,
    /// The nonlinearity of a stage.
    Activation,
    /// The family of a stage's blocks.
    Block,
    /// Kernel size of a block.
    Kernel,
    /// Expansion ratio of an IBN block.
    Expansion,
    /// Whether a block's depthwise convolution is fused into a standard one.
    Fused,
    /// Squeeze-and-excite of a block.
    SqueezeExcite,
    /// Resolution of the network's output.
    OutputStride,
}

impl GeneKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Dtype,
        Self::InputSize,
        Self::DepthMultiplier,
        Self::Channels,
        Self::Repeats,
        Self::Stride,
        Self::Activation,
        Self::Block,
        Self::Kernel,
        Self::Expansion,
        Self::Fused,
        Self::SqueezeExcite,
        Self::OutputStride,
    ];

    /// The kind as it stands in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dtype => "dtype",
            Self::InputSize => "input size",
            Self::DepthMultiplier => "depth multiplier",
            Self::Channels => "channels",
            Self::Repeats => "repeats",
            Self::Stride => "stride",
            Self::Activation => "activation",
            Self::Block => "block",
            Self::Kernel => "kernel",
            Self::Expansion => "expansion",
            Self::Fused => "fused",
            Self::SqueezeExcite => "squeeze-and-excite",
            Self::OutputStride => "output stride",
        }
    }
}

impl FromStr for GeneKind {
    type Err = Error;

    /// Reads a name, in which dashes may stand for spaces.
    fn from_str(name: &str) -> Result<Self> {
        let dashed = |kind: Self| kind.name().replace(' ', "-");
        Self::ALL.into_iter().find(|kind| dashed(*kind) == name.replace(' ', "-")).ok_or_else(|| {
            let names = Self::ALL.map(dashed);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Error::unusable(format!("unknown kind of gene `{name}`, expected {}", one_of(name, &names)))
        })
    }
}

impl fmt::Display for GeneKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One gene with its alternatives.
#[derive(Clone, Debug)]
pub struct Gene {
    /// Where it acts: `s2.b1.kernel`.
    pub name: String,
    /// What it decides.
    pub kind: GeneKind,
    /// The gene's place along the network; genes of one block share it.
    pub group: usize,
    /// The alternatives as text, in the order of their indices.
    pub labels: Vec<String>,
    /// How many alternatives there were before curation.
    pub uncurated: u32,
}

/// The alternatives of one decision; a gene only if there is more than one.
#[derive(Clone, Debug)]
pub(super) struct Choice<T> {
    pub(super) alternatives: Vec<T>,
    pub(super) gene: Option<usize>,
}

impl<T: Copy + PartialEq> Choice<T> {
    pub(super) fn pick(&self, genotype: &[u8]) -> T {
        self.alternatives[self.index(genotype)]
    }

    fn index(&self, genotype: &[u8]) -> usize {
        self.gene.map_or(0, |gene| usize::from(genotype[gene]))
    }

    /// Resets a gene that has no effect.
    pub(super) fn clear(&self, genotype: &mut [u8], resting: &[u8]) {
        if let Some(gene) = self.gene {
            genotype[gene] = resting[gene];
        }
    }

    /// Moves to the first alternative with the same `effect`.
    pub(super) fn merge<E: PartialEq>(&self, genotype: &mut [u8], effect: impl Fn(T) -> E) {
        let Some(gene) = self.gene else { return };
        let now = effect(self.pick(genotype));
        let first = self.alternatives.iter().position(|alternative| effect(*alternative) == now);
        genotype[gene] = first.unwrap_or(0) as u8;
    }
}
