//! From genotype to architecture, and the canonical genotype of an architecture.

use super::{
    Architecture, BlockChoices, Classifier, ClassifierChoices, Detector, DetectorChoices, Head, HeadChoices,
    SeRatio, Segmenter, SegmenterChoices, Space, StageChoices, Stem,
    channels::{expand, scale, squeeze},
    gene::Choice,
};
use crate::{
    error::Result,
    network::{Block, BlockKind, Network, Shape, SqueezeExcite},
};

/// What the whole-model genes fix for every width.
#[derive(Clone, Copy)]
struct Widths {
    multiplier: f64,
    parallelism: u32,
}

impl Widths {
    fn scaled(self, channels: u32) -> u32 {
        scale(channels, self.multiplier, self.parallelism)
    }

    fn pick(self, channels: &Choice<u32>, genotype: &[u8]) -> u32 {
        self.scaled(channels.pick(genotype))
    }

    fn optional(self, channels: Option<&Choice<u32>>, genotype: &[u8]) -> Option<u32> {
        channels.map(|channels| self.pick(channels, genotype))
    }

    fn merge(self, channels: &Choice<u32>, genotype: &mut [u8]) {
        channels.merge(genotype, |channels| self.scaled(channels));
    }
}

impl Space {
    fn widths(&self, genotype: &[u8]) -> Widths {
        Widths { multiplier: self.multiplier.pick(genotype), parallelism: self.parallelism }
    }

    /// The architecture that `genotype` stands for.
    ///
    /// # Panics
    /// `genotype` is not of this space ([`Space::contains`]).
    #[must_use]
    pub fn architecture(&self, genotype: &[u8]) -> Architecture {
        let widths = self.widths(genotype);
        let [h, w] = self.input.pick(genotype);
        let stem = Stem {
            kernel: self.stem.kernel.pick(genotype),
            stride: self.stem.stride.pick(genotype),
            cout: widths.pick(&self.stem.channels, genotype),
            activation: self.stem.activation.pick(genotype),
        };
        let mut cin = stem.cout;
        let mut stages = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let blocks = stage.blocks(genotype, widths, cin);
            cin = blocks.last().map_or(cin, |block| block.cout);
            stages.push(blocks);
        }
        let head = self.head.pick(genotype, widths, [h, w]);
        Architecture { input: Shape::new(h, w, self.input_channels), dtype: self.dtype, stem, stages, head }
    }

    /// The network that `genotype` stands for, named after its architecture id.
    ///
    /// # Errors
    /// None for a genotype of this space; the builder's checks are passed on all the same.
    pub fn network(&self, genotype: &[u8]) -> Result<Network> {
        self.architecture(genotype).network(&self.architecture_id(genotype))
    }

    /// The network that `genotype` stands for, without names: to be scored and thrown away.
    ///
    /// # Errors
    /// As [`Self::network`].
    pub fn nameless_network(&self, genotype: &[u8]) -> Result<Network> {
        self.architecture(genotype).nameless_network()
    }

    /// Makes genotypes of one architecture equal.
    ///
    /// Genes without effect go back to the baseline's choice; alternatives that
    /// snap to the same width become the first of them.
    pub fn canonicalise(&self, genotype: &mut [u8]) {
        self.canonicalise_against(genotype, &self.baseline.0);
    }

    pub(super) fn canonicalise_against(&self, genotype: &mut [u8], resting: &[u8]) {
        let widths = self.widths(genotype);
        widths.merge(&self.stem.channels, genotype);
        let mut cin = widths.pick(&self.stem.channels, genotype);
        for stage in &self.stages {
            widths.merge(&stage.channels, genotype);
            stage.canonicalise(genotype, resting, widths, cin);
            cin = widths.pick(&stage.channels, genotype);
        }
        self.head.for_each_width(|channels| widths.merge(channels, genotype));
    }
}

impl StageChoices {
    fn blocks(&self, genotype: &[u8], widths: Widths, mut cin: u32) -> Vec<Block> {
        let repeats = self.repeats.pick(genotype) as usize;
        let cout = widths.pick(&self.channels, genotype);
        let mut blocks = Vec::with_capacity(repeats);
        for (position, choices) in self.blocks.iter().take(repeats).enumerate() {
            let kind = self.block.pick(genotype);
            let percent = choices.expansion_percent.pick(genotype);
            let (hidden, spatial) = match kind {
                BlockKind::Ibn => {
                    let hidden = expand(cin, percent, widths.parallelism);
                    (hidden, hidden)
                }
                _ => (0, cin),
            };
            blocks.push(Block {
                kind,
                fused: kind != BlockKind::Conv && choices.fused.pick(genotype),
                kernel: choices.kernel.pick(genotype),
                stride: if position == 0 { self.stride.pick(genotype) } else { 1 },
                hidden,
                cout,
                activation: self.activation.pick(genotype),
                se: choices.squeeze_excite(genotype, kind, spatial),
            });
            cin = cout;
        }
        blocks
    }

    fn canonicalise(&self, genotype: &mut [u8], resting: &[u8], widths: Widths, mut cin: u32) {
        let repeats = self.repeats.pick(genotype) as usize;
        let kind = self.block.pick(genotype);
        for (position, choices) in self.blocks.iter().enumerate() {
            if position >= repeats {
                choices.kernel.clear(genotype, resting);
            }
            if position >= repeats || kind != BlockKind::Ibn {
                choices.expansion_percent.clear(genotype, resting);
            } else {
                choices.expansion_percent.merge(genotype, |percent| expand(cin, percent, widths.parallelism));
            }
            if position >= repeats || kind == BlockKind::Conv {
                choices.fused.clear(genotype, resting);
            }
            if position >= repeats || !choices.has_excite(genotype, kind) {
                choices.se.clear(genotype, resting);
            }
            cin = widths.pick(&self.channels, genotype);
        }
    }
}

impl BlockChoices {
    /// Whether the family has a place for squeeze-and-excite.
    fn has_excite(&self, genotype: &[u8], kind: BlockKind) -> bool {
        match kind {
            BlockKind::Conv => false,
            BlockKind::DepthwiseSeparable => !self.fused.pick(genotype),
            BlockKind::Ibn => true,
        }
    }

    fn squeeze_excite(&self, genotype: &[u8], kind: BlockKind, channels: u32) -> Option<SqueezeExcite> {
        let SeRatio { percent, gate } = self.se.pick(genotype)?;
        self.has_excite(genotype, kind).then(|| SqueezeExcite { reduced: squeeze(channels, percent), gate })
    }
}

impl HeadChoices {
    fn pick(&self, genotype: &[u8], widths: Widths, input: [u32; 2]) -> Head {
        match self {
            Self::Classifier(head) => Head::Classifier(head.pick(genotype, widths)),
            Self::Detector(head) => Head::Detector(head.pick(genotype, widths)),
            Self::Segmenter(head) => Head::Segmenter(head.pick(genotype, widths, input)),
        }
    }

    fn for_each_width(&self, mut visit: impl FnMut(&Choice<u32>)) {
        match self {
            Self::Classifier(head) => head.features.iter().chain(&head.hidden).for_each(visit),
            Self::Detector(head) => head.features.iter().chain(&head.extras).for_each(visit),
            Self::Segmenter(head) => {
                head.features.iter().for_each(&mut visit);
                visit(&head.inner);
            }
        }
    }
}

impl ClassifierChoices {
    fn pick(&self, genotype: &[u8], widths: Widths) -> Classifier {
        Classifier {
            features: widths.optional(self.features.as_ref(), genotype),
            hidden: widths.optional(self.hidden.as_ref(), genotype),
            classes: self.classes,
            activation: self.activation,
        }
    }
}

impl DetectorChoices {
    fn pick(&self, genotype: &[u8], widths: Widths) -> Detector {
        Detector {
            taps: self.taps.clone(),
            features: widths.optional(self.features.as_ref(), genotype),
            extras: self.extras.iter().map(|channels| widths.pick(channels, genotype)).collect(),
            anchors: self.anchors.clone(),
            classes: self.classes,
            activation: self.activation,
        }
    }
}

impl SegmenterChoices {
    fn pick(&self, genotype: &[u8], widths: Widths, input: [u32; 2]) -> Segmenter {
        let stride = self.output_stride.pick(genotype);
        Segmenter {
            tap: self.tap,
            features: widths.optional(self.features.as_ref(), genotype),
            inner: widths.pick(&self.inner, genotype),
            classes: self.classes,
            output: input.map(|side| side.div_ceil(stride)),
            activation: self.activation,
        }
    }
}
