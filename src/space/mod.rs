//! Search spaces: which architectures may be considered at all.
//!
//! A space is read from `nas.space/1` JSON and is valid by construction: every
//! genotype whose genes are in range decodes to a network.

mod across;
mod alternatives;
mod architecture;
mod channels;
mod constraint;
mod decode;
mod gene;
mod genotype;
mod import;
mod read;
mod target;

pub use across::{Across, SpaceTarget, SpaceTargets};
pub use alternatives::{Setting, set};
pub use architecture::{Architecture, Classifier, Detector, Head, Segmenter, Stem};
pub use constraint::{Constraint, Limit, Metric, Side};
pub use gene::{Gene, GeneKind};
pub use genotype::Genotype;
pub use import::{Parallelism, SpaceAround, SpaceOptions, space_around};
pub use read::{read_space, read_space_for};
pub use target::Target;

use std::path::{Path, PathBuf};

use channels::{share, squeeze};
use gene::Choice;

use crate::{
    error::Result,
    io,
    network::{Activation, BlockKind, DType},
    stable_hash::short_id,
};

/// At most so many accelerators are searched for at once.
pub const MOST_TARGETS: usize = 8;

/// A search space.
#[derive(Clone, Debug)]
pub struct Space {
    name: String,
    hash: String,
    estimator: Option<PathBuf>,
    targets: Option<SpaceTargets>,
    dtype: Choice<DType>,
    parallelism: u32,
    input_channels: u32,
    input: Choice<[u32; 2]>,
    multiplier: Choice<f64>,
    stem: StemChoices,
    stages: Vec<StageChoices>,
    head: HeadChoices,
    constraints: Vec<Constraint>,
    genes: Vec<Gene>,
    baseline: Genotype,
}

#[derive(Clone, Debug)]
struct StemChoices {
    kernel: Choice<u32>,
    stride: Choice<u32>,
    channels: Choice<u32>,
    activation: Choice<Activation>,
    pool: Choice<u32>,
}

#[derive(Clone, Debug)]
struct StageChoices {
    block: Choice<BlockKind>,
    channels: Choice<u32>,
    repeats: Choice<u32>,
    stride: Choice<u32>,
    activation: Choice<Activation>,
    /// Channels of a group of the bottlenecks' spatial convolutions; all of them if absent.
    group_width: Option<u32>,
    blocks: Vec<BlockChoices>,
}

#[derive(Clone, Debug)]
struct BlockChoices {
    kernel: Choice<u32>,
    expansion_percent: Choice<u32>,
    fused: Choice<bool>,
    se: Choice<Option<SeRatio>>,
}

/// Squeeze-and-excite before the hidden width is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SeRatio {
    percent: u32,
    whole: SeWhole,
    squeezed: Activation,
    gate: Activation,
}

/// The channels of which squeeze-and-excite keeps a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeWhole {
    /// Those that are squeezed, in multiples of 8 (Howard et al. 2019, MobileNetV3).
    Hidden,
    /// Those that the block reads, as they come (Tan & Le 2019, EfficientNet).
    Input,
}

impl SeRatio {
    /// The width of the bottleneck in a block that reads `input` channels and squeezes `hidden`.
    fn of(&self, input: u32, hidden: u32) -> u32 {
        match self.whole {
            SeWhole::Hidden => squeeze(hidden, self.percent),
            SeWhole::Input => share(input, self.percent),
        }
    }
}

#[derive(Clone, Debug)]
enum HeadChoices {
    Classifier(ClassifierChoices),
    Detector(DetectorChoices),
    Segmenter(SegmenterChoices),
}

#[derive(Clone, Debug)]
struct ClassifierChoices {
    features: Option<Choice<u32>>,
    hidden: Option<Choice<u32>>,
    classes: u32,
    activation: Activation,
}

#[derive(Clone, Debug)]
struct DetectorChoices {
    taps: Vec<u32>,
    features: Option<Choice<u32>>,
    extras: Vec<Choice<u32>>,
    anchors: Vec<u32>,
    classes: u32,
    activation: Activation,
}

#[derive(Clone, Debug)]
struct SegmenterChoices {
    tap: u32,
    features: Option<Choice<u32>>,
    inner: Choice<u32>,
    classes: u32,
    output_stride: Choice<u32>,
    activation: Activation,
}

impl Space {
    /// Reads a space file.
    ///
    /// # Errors
    /// The file cannot be read or is not a valid space; all its problems are returned together.
    pub fn load(path: &Path) -> Result<Self> {
        Self::load_for(path, None)
    }

    /// Reads a space file whose channels snap to the estimator's `parallelism` where the file leaves that to
    /// the estimator. A file that names a number is read as by [`Space::load`].
    ///
    /// # Errors
    /// As [`Space::load`]; or the file leaves the factor to the estimator, and there is none.
    pub fn load_for(path: &Path, parallelism: Option<u32>) -> Result<Self> {
        let text = io::read_text(path)?;
        let mut space = read_space_for(&path.display().to_string(), &text, parallelism)?;
        let beside = |estimator: PathBuf| path.parent().unwrap_or(Path::new("")).join(estimator);
        space.estimator = space.estimator.map(&beside);
        for target in space.targets.iter_mut().flat_map(|targets| &mut targets.list) {
            target.estimator = beside(std::mem::take(&mut target.estimator));
        }
        Ok(space)
    }

    /// The name that the file gives.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A hash of the file's content, layout apart.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The estimator file that the space names, relative to the space file.
    #[must_use]
    pub fn estimator(&self) -> Option<&Path> {
        self.estimator.as_deref()
    }

    /// The accelerators that the space names, where it is for several; relative to the space file.
    #[must_use]
    pub fn targets(&self) -> Option<&SpaceTargets> {
        self.targets.as_ref()
    }

    /// The accelerator's parallelism factor, to which channels snap.
    #[must_use]
    pub fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// The types of activations and weights that there are to choose from, one at least.
    #[must_use]
    pub fn dtypes(&self) -> &[DType] {
        &self.dtype.alternatives
    }

    /// What candidates must keep to.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// The genes, in the order of a genotype.
    #[must_use]
    pub fn genes(&self) -> &[Gene] {
        &self.genes
    }

    /// The published design that candidates are compared with, canonical.
    #[must_use]
    pub fn baseline(&self) -> &Genotype {
        &self.baseline
    }

    /// The name of the architecture that `canonical` stands for: a hash of the genotype and the space.
    #[must_use]
    pub fn architecture_id(&self, canonical: &[u8]) -> String {
        short_id(&[self.hash.as_bytes(), canonical].concat())
    }

    /// Whether `genotype` has this space's genes, each within its alternatives.
    #[must_use]
    pub fn contains(&self, genotype: &[u8]) -> bool {
        genotype.len() == self.genes.len()
            && genotype.iter().zip(&self.genes).all(|(index, gene)| usize::from(*index) < gene.labels.len())
    }

    /// log10 of the number of architectures: with the genes as they are, and before curation.
    ///
    /// A stage of fewer blocks has fewer genes. Different genes that happen to
    /// round to the same channels are counted as different.
    #[must_use]
    pub fn log10_size(&self) -> (f64, f64) {
        let curated = self.log10_size_by(|gene| gene.labels.len() as f64);
        (curated, self.log10_size_by(|gene| f64::from(gene.uncurated)))
    }

    /// No layer of any architecture has more channels than this.
    fn widest(&self) -> f64 {
        let most = |choice: &Choice<u32>| choice.alternatives.iter().copied().max().map_or(0.0, f64::from);
        let expansions = self.stages.iter().flat_map(|stage| &stage.blocks);
        let expansion = expansions.map(|block| most(&block.expansion_percent) / 100.0).fold(1.0, f64::max);
        let trunk =
            self.stages.iter().map(|stage| most(&stage.channels)).fold(most(&self.stem.channels), f64::max);
        let multiplier = self.multiplier.alternatives.iter().copied().fold(1.0, f64::max);
        let groups = self.stages.iter().filter_map(|stage| stage.group_width).max().unwrap_or(0);
        (trunk * expansion + f64::from(self.parallelism)) * multiplier + f64::from(groups)
    }

    fn log10_size_by(&self, alternatives: impl Fn(&Gene) -> f64) -> f64 {
        let log = |gene: Option<usize>| gene.map_or(0.0, |gene| alternatives(&self.genes[gene]).log10());
        let staged: f64 = self.stages.iter().map(|stage| stage.log10_blocks(log)).sum();
        let in_blocks = |gene: &usize| self.stages.iter().any(|stage| stage.owns_in_blocks(*gene));
        let others = (0..self.genes.len()).filter(|gene| !in_blocks(gene));
        staged + others.map(|gene| log(Some(gene))).sum::<f64>()
    }
}

impl StageChoices {
    /// log10 of the ways to choose the repeats and the blocks' own genes.
    fn log10_blocks(&self, log: impl Fn(Option<usize>) -> f64) -> f64 {
        let upto = |count: u32| -> f64 {
            let live = self.blocks.iter().take(count as usize);
            live.flat_map(BlockChoices::genes).map(&log).sum()
        };
        let ways: f64 = self.repeats.alternatives.iter().map(|count| 10f64.powf(upto(*count))).sum();
        ways.log10()
    }

    /// Whether `gene` is counted by [`Self::log10_blocks`].
    fn owns_in_blocks(&self, gene: usize) -> bool {
        self.repeats.gene == Some(gene) || self.blocks.iter().any(|block| block.genes().contains(&Some(gene)))
    }
}

impl BlockChoices {
    fn genes(&self) -> [Option<usize>; 4] {
        [self.kernel.gene, self.expansion_percent.gene, self.fused.gene, self.se.gene]
    }
}

#[cfg(test)]
mod tests;
