//! From genotype to architecture, and the canonical genotype of an architecture.

use super::{
    Architecture, BlockChoices, Classifier, ClassifierChoices, Detector, DetectorChoices, Head, HeadChoices,
    SeRatio, Segmenter, SegmenterChoices, Space, StageChoices, Stem,
    channels::{expand, scale},
    gene::Choice,
};
use crate::{
    error::Result,
    network::{Block, BlockKind, DType, Network, Shape, SqueezeExcite},
};

/// What the whole-model genes fix for every width.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    multiplier: f64,
    parallelism: u32,
}

impl Widths {
    fn scaled(self, channels: u32) -> u32 {
        scale(channels, self.multiplier, self.parallelism)
    }

    pub(super) fn pick(self, channels: &Choice<u32>, genotype: &[u8]) -> u32 {
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
    pub(super) fn widths(&self, genotype: &[u8]) -> Widths {
        Widths { multiplier: self.multiplier.pick(genotype), parallelism: self.parallelism }
    }

    /// The architecture that `genotype` stands for.
    ///
    /// # Panics
    /// `genotype` is not of this space ([`Space::contains`]).
    #[must_use]
    pub fn architecture(&self, genotype: &[u8]) -> Architecture {
        let input = self.input_shape(genotype);
        let mut stages: Vec<Vec<Block>> = self.stages.iter().map(|_| Vec::new()).collect();
        self.for_each_block(genotype, |stage, block| stages[stage].push(block));
        let head = self.head.pick(genotype, self.widths(genotype), [input.h, input.w]);
        Architecture { input, dtype: self.dtype(genotype), stem: self.stem(genotype), stages, head }
    }

    /// The type of activations and weights.
    ///
    /// # Panics
    /// As [`Self::architecture`].
    #[must_use]
    pub fn dtype(&self, genotype: &[u8]) -> DType {
        self.dtype.pick(genotype)
    }

    /// The shape of the input picture.
    ///
    /// # Panics
    /// As [`Self::architecture`].
    #[must_use]
    pub fn input_shape(&self, genotype: &[u8]) -> Shape {
        let [h, w] = self.input.pick(genotype);
        Shape::new(h, w, self.input_channels)
    }

    /// The first convolution.
    ///
    /// # Panics
    /// As [`Self::architecture`].
    #[must_use]
    pub fn stem(&self, genotype: &[u8]) -> Stem {
        Stem {
            kernel: self.stem.kernel.pick(genotype),
            stride: self.stem.stride.pick(genotype),
            cout: self.widths(genotype).pick(&self.stem.channels, genotype),
            activation: self.stem.activation.pick(genotype),
            pool: self.stem.pool.pick(genotype),
        }
    }

    /// Visits the blocks in order, each with the index of its stage.
    ///
    /// # Panics
    /// As [`Self::architecture`].
    pub fn for_each_block(&self, genotype: &[u8], mut visit: impl FnMut(usize, Block)) {
        let widths = self.widths(genotype);
        let mut cin = widths.pick(&self.stem.channels, genotype);
        for (index, stage) in self.stages.iter().enumerate() {
            cin = stage.for_each_block(genotype, widths, cin, |block| visit(index, block));
        }
    }

    /// Visits the parts of the head in order, each with the numbers that tell it from the same part of other heads of
    /// this space.
    ///
    /// # Panics
    /// As [`Self::architecture`].
    pub fn for_each_head_part(&self, genotype: &[u8], mut visit: impl FnMut(&[u32])) {
        let widths = self.widths(genotype);
        let width = |channels: &Choice<u32>| widths.pick(channels, genotype);
        let (HeadChoices::Classifier(ClassifierChoices { features, .. })
        | HeadChoices::Detector(DetectorChoices { features, .. })
        | HeadChoices::Segmenter(SegmenterChoices { features, .. })) = &self.head;
        features.iter().for_each(|features| visit(&[width(features)]));
        match &self.head {
            HeadChoices::Classifier(head) => visit(&[head.hidden.as_ref().map_or(0, width)]),
            HeadChoices::Detector(head) => {
                head.extras.iter().for_each(|extra| visit(&[width(extra)]));
                (0..head.levels(self.stages.len())).for_each(|_| visit(&[]));
            }
            HeadChoices::Segmenter(head) => {
                visit(&[width(&head.inner), head.output_stride.pick(genotype)]);
            }
        }
    }

    /// The network that `genotype` stands for, named after its architecture id.
    ///
    /// # Errors
    /// None for a genotype of this space; the builder's checks are passed on all the same.
    pub fn network(&self, genotype: &[u8]) -> Result<Network> {
        self.architecture(genotype).network(&self.architecture_id(genotype))
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
    /// Visits the stage's blocks; returns the channels that the next stage reads.
    fn for_each_block(
        &self,
        genotype: &[u8],
        widths: Widths,
        mut cin: u32,
        mut visit: impl FnMut(Block),
    ) -> u32 {
        let repeats = self.repeats.pick(genotype) as usize;
        for position in 0..repeats {
            let block = self.block(genotype, widths, cin, position);
            cin = block.cout;
            visit(block);
        }
        cin
    }

    /// The block at this position, which reads `cin` channels.
    pub(super) fn block(&self, genotype: &[u8], widths: Widths, cin: u32, position: usize) -> Block {
        let choices = &self.blocks[position];
        let (kind, cout) = (self.block.pick(genotype), widths.pick(&self.channels, genotype));
        let hidden = self.hidden(widths, [cin, cout], kind, choices.expansion_percent.pick(genotype));
        Block {
            kind,
            fused: kind.can_fuse() && choices.fused.pick(genotype),
            kernel: choices.kernel.pick(genotype),
            stride: if position == 0 { self.stride.pick(genotype) } else { 1 },
            hidden,
            cout,
            activation: self.activation.pick(genotype),
            groups: self.groups(kind, hidden),
            se: choices.squeeze_excite(genotype, kind, [cin, if hidden > 0 { hidden } else { cin }]),
        }
    }

    /// Hidden channels of a block that reads and writes so many: of those it reads where it expands them, of those it
    /// writes where it narrows, in whole groups.
    fn hidden(&self, widths: Widths, [cin, cout]: [u32; 2], kind: BlockKind, percent: u32) -> u32 {
        let of = |channels: u32| expand(channels, percent, widths.parallelism);
        match kind {
            BlockKind::Ibn => of(cin),
            BlockKind::Basic => of(cout),
            BlockKind::Bottleneck => of(cout).next_multiple_of(self.group_width.unwrap_or(1)),
            BlockKind::Conv | BlockKind::DepthwiseSeparable => 0,
        }
    }

    fn groups(&self, kind: BlockKind, hidden: u32) -> u32 {
        let width = self.group_width.filter(|_| kind == BlockKind::Bottleneck);
        width.and_then(|width| hidden.checked_div(width)).unwrap_or(1)
    }

    fn canonicalise(&self, genotype: &mut [u8], resting: &[u8], widths: Widths, mut cin: u32) {
        let repeats = self.repeats.pick(genotype) as usize;
        let (kind, cout) = (self.block.pick(genotype), widths.pick(&self.channels, genotype));
        for (position, choices) in self.blocks.iter().enumerate() {
            if position >= repeats {
                choices.kernel.clear(genotype, resting);
            }
            if position >= repeats || !kind.has_hidden() {
                choices.expansion_percent.clear(genotype, resting);
            } else {
                choices
                    .expansion_percent
                    .merge(genotype, |percent| self.hidden(widths, [cin, cout], kind, percent));
            }
            if position >= repeats || !kind.can_fuse() {
                choices.fused.clear(genotype, resting);
            }
            if position >= repeats || !choices.has_excite(genotype, kind) {
                choices.se.clear(genotype, resting);
            }
            cin = cout;
        }
    }
}

impl BlockChoices {
    /// Whether the family has a place for squeeze-and-excite.
    fn has_excite(&self, genotype: &[u8], kind: BlockKind) -> bool {
        match kind {
            BlockKind::Conv | BlockKind::Basic => false,
            BlockKind::DepthwiseSeparable => !self.fused.pick(genotype),
            BlockKind::Ibn | BlockKind::Bottleneck => true,
        }
    }

    /// Squeeze-and-excite in a block that reads `input` channels and squeezes `hidden`.
    fn squeeze_excite(
        &self,
        genotype: &[u8],
        kind: BlockKind,
        [input, hidden]: [u32; 2],
    ) -> Option<SqueezeExcite> {
        let ratio = self.se.pick(genotype)?;
        let SeRatio { squeezed, gate, .. } = ratio;
        let reduced = || ratio.of(input, hidden);
        self.has_excite(genotype, kind).then(|| SqueezeExcite { reduced: reduced(), squeezed, gate })
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

    pub(super) fn for_each_width(&self, mut visit: impl FnMut(&Choice<u32>)) {
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
    /// How many feature maps get predictors after so many stages: the taps, the features and the extras.
    fn levels(&self, stages: usize) -> usize {
        let last_is_tapped = self.features.is_none() && self.taps.contains(&(stages as u32));
        self.taps.len() + usize::from(!last_is_tapped) + self.extras.len()
    }

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
