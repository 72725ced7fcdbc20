//! The alternatives of a space, decision after decision along the chain.

use super::{BlockChoices, HeadChoices, Space, StageChoices, gene::Choice};
use crate::network::Block;

/// Genes with the alternatives that they are set to.
pub type Setting = Vec<(usize, u8)>;

/// Sets genes of a genotype.
pub fn set(genotype: &mut [u8], setting: &[(usize, u8)]) {
    setting.iter().for_each(|(gene, value)| genotype[*gene] = *value);
}

impl Space {
    /// How many stages there are.
    #[must_use]
    pub fn stage_count(&self) -> usize {
        self.stages.len()
    }

    /// The settings of the genes that all parts depend on, as far as genes are `free`.
    #[must_use]
    pub fn frames(&self, free: &dyn Fn(usize) -> bool) -> Vec<Setting> {
        let mut choices = vec![of(&self.dtype), of(&self.input), of(&self.multiplier)];
        if let HeadChoices::Segmenter(head) = &self.head {
            choices.push(of(&head.output_stride));
        }
        product(&choices, free)
    }

    /// The settings of the stem.
    #[must_use]
    pub fn stem_settings(&self, genotype: &[u8], free: &dyn Fn(usize) -> bool) -> Vec<Setting> {
        let stem = &self.stem;
        let choices =
            [of(&stem.kernel), of(&stem.stride), of(&stem.channels), of(&stem.activation), of(&stem.pool)];
        distinct(genotype, product(&choices, free), |genotype| self.stem(genotype))
    }

    /// The settings of what is common to the blocks of a stage.
    #[must_use]
    pub fn stage_settings(
        &self,
        genotype: &[u8],
        stage: usize,
        free: &dyn Fn(usize) -> bool,
    ) -> Vec<Setting> {
        let stage = &self.stages[stage];
        let choices = [of(&stage.block), of(&stage.channels), of(&stage.stride), of(&stage.activation)];
        let widths = self.widths(genotype);
        distinct(genotype, product(&choices, free), |genotype| {
            let kind = stage.block.pick(genotype);
            (
                kind,
                widths.pick(&stage.channels, genotype),
                stage.stride.pick(genotype),
                stage.activation.pick(genotype),
            )
        })
    }

    /// The settings of one block where all genes before it are set, and those common to its stage.
    #[must_use]
    pub fn block_settings(
        &self,
        genotype: &[u8],
        stage: usize,
        position: usize,
        free: &dyn Fn(usize) -> bool,
    ) -> Vec<Setting> {
        let choices = &self.stages[stage].blocks[position];
        let BlockChoices { kernel, expansion_percent, fused, se } = choices;
        let settings = product(&[of(kernel), of(expansion_percent), of(fused), of(se)], free);
        distinct(genotype, settings, |genotype| self.block(genotype, stage, position))
    }

    /// One block of an architecture.
    #[must_use]
    pub fn block(&self, genotype: &[u8], stage: usize, position: usize) -> Block {
        let widths = self.widths(genotype);
        let before = stage.checked_sub(1).map_or(&self.stem.channels, |before| &self.stages[before].channels);
        let stage = &self.stages[stage];
        let cin = widths.pick(if position == 0 { before } else { &stage.channels }, genotype);
        stage.block(genotype, widths, cin, position)
    }

    /// How many blocks a stage may have, with the settings that give it so many.
    #[must_use]
    pub fn lengths(
        &self,
        genotype: &[u8],
        stage: usize,
        free: &dyn Fn(usize) -> bool,
    ) -> Vec<(usize, Setting)> {
        let repeats = &self.stages[stage].repeats;
        let settings = product(&[of(repeats)], free);
        let length = |setting: Setting| {
            let mut genotype = genotype.to_vec();
            set(&mut genotype, &setting);
            (repeats.pick(&genotype) as usize, setting)
        };
        settings.into_iter().map(length).collect()
    }

    /// The genes that the blocks of a stage share, its length left out.
    #[must_use]
    pub fn shared_genes(&self, stage: usize) -> Vec<usize> {
        let StageChoices { block, channels, stride, activation, .. } = &self.stages[stage];
        [block.gene, channels.gene, stride.gene, activation.gene].into_iter().flatten().collect()
    }

    /// The genes of each block of a stage.
    #[must_use]
    pub fn block_genes(&self, stage: usize) -> Vec<Vec<usize>> {
        let blocks = self.stages[stage].blocks.iter();
        blocks.map(|block| block.genes().into_iter().flatten().collect()).collect()
    }

    /// The settings of the head, each with the numbers that tell its parts from those of other heads.
    #[must_use]
    pub fn head_settings(&self, genotype: &[u8], free: &dyn Fn(usize) -> bool) -> Vec<(Setting, Vec<u32>)> {
        let mut choices = Vec::new();
        self.head.for_each_width(|channels| choices.push(of(channels)));
        let settings = distinct(genotype, product(&choices, free), |genotype| self.head_numbers(genotype));
        let mut genotype = genotype.to_vec();
        let with_numbers = |setting: Setting| {
            set(&mut genotype, &setting);
            let numbers = self.head_numbers(&genotype);
            (setting, numbers)
        };
        settings.into_iter().map(with_numbers).collect()
    }

    /// The numbers that tell a head from others of this space.
    #[must_use]
    pub fn head_numbers(&self, genotype: &[u8]) -> Vec<u32> {
        let mut all = Vec::new();
        self.for_each_head_part(genotype, |numbers| all.extend(numbers));
        all
    }
}

/// The gene of a choice, if it is one, and how many alternatives it has.
fn of<T>(choice: &Choice<T>) -> (Option<usize>, usize) {
    (choice.gene, choice.alternatives.len())
}

/// All ways to set these genes as far as they are free.
fn product(choices: &[(Option<usize>, usize)], free: &dyn Fn(usize) -> bool) -> Vec<Setting> {
    let mut settings: Vec<Setting> = vec![Vec::new()];
    for (gene, alternatives) in choices.iter().filter_map(|(gene, count)| Some(((*gene)?, *count))) {
        if !free(gene) {
            continue;
        }
        let with = |setting: Setting| {
            (0..alternatives).map(move |value| [&setting[..], &[(gene, value as u8)]].concat())
        };
        settings = settings.into_iter().flat_map(with).collect();
    }
    settings
}

/// The first setting of each effect.
fn distinct<E: PartialEq>(
    genotype: &[u8],
    settings: Vec<Setting>,
    effect: impl Fn(&[u8]) -> E,
) -> Vec<Setting> {
    let mut genotype = genotype.to_vec();
    let mut known: Vec<E> = Vec::new();
    let mut is_new = |setting: &Setting| {
        set(&mut genotype, setting);
        let found = effect(&genotype);
        let new = !known.contains(&found);
        if new {
            known.push(found);
        }
        new
    };
    settings.into_iter().filter(|setting| is_new(setting)).collect()
}
