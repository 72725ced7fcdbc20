//! Reading the baseline: one value for each property that has alternatives.

use super::{
    head::{CLASSIFIER_GENES, DETECTOR_GENES, SEGMENTER_GENES},
    property::{
        ACTIVATION, BLOCK, CHANNELS, DEPTH_MULTIPLIER, DTYPE, EXPANSION, FUSED, INPUT_SIZE, KERNEL,
        OUTPUT_STRIDE, POOL, Property, REPEATS, SE, STRIDE,
    },
    stage::{STAGE_FIELDS, STEM_FIELDS},
};
use crate::{
    io::json::{Fields, Node},
    space::{BlockChoices, Genotype, HeadChoices, Space, StageChoices, gene::Choice},
};

/// The genotype that the baseline object spells out.
pub(super) struct Baseline {
    genotype: Genotype,
    sound: bool,
}

impl Baseline {
    pub(super) fn read(node: &Node<'_>, space: &Space) -> Option<Genotype> {
        let fields = node.fields(&["dtype", "input", "depth_multiplier", "stem", "stages", "head"])?;
        let mut baseline = Self { genotype: Genotype::first(space.genes().len()), sound: true };
        baseline.set(&fields, &DTYPE, &space.dtype);
        baseline.set(&fields, &INPUT_SIZE.named("input"), &space.input);
        baseline.set(&fields, &DEPTH_MULTIPLIER, &space.multiplier);
        baseline.stem(&fields, space);
        baseline.stages(&fields, space);
        baseline.head(&fields, space);
        baseline.sound.then_some(baseline.genotype)
    }

    fn fail(&mut self) {
        self.sound = false;
    }

    /// Sets one gene from one field; a property without alternatives need not be given.
    fn set<T: Copy + PartialEq>(&mut self, fields: &Fields<'_>, property: &Property<T>, choice: &Choice<T>) {
        let Some(node) = fields.optional(property.field) else {
            if choice.gene.is_some() {
                // Notes the absence.
                let _ = fields.required(property.field);
                self.fail();
            }
            return;
        };
        self.set_from(node, property, choice);
    }

    fn set_from<T: Copy + PartialEq>(&mut self, node: &Node<'_>, property: &Property<T>, choice: &Choice<T>) {
        let Some(value) = (property.read)(node) else { return self.fail() };
        let Some(index) = choice.alternatives.iter().position(|alternative| *alternative == value) else {
            let known: Vec<String> =
                choice.alternatives.iter().map(|value| (property.label)(*value)).collect();
            node.expected(format_args!("one of the space's alternatives: {}", known.join(", ")));
            return self.fail();
        };
        if let Some(gene) = choice.gene {
            self.genotype.0[gene] = index as u8;
        }
    }

    /// Sets the same property of every block, from one value or from a list with one for each live block.
    fn set_blocks<T: Copy + PartialEq>(
        &mut self,
        fields: &Fields<'_>,
        property: &Property<T>,
        live: usize,
        choices: &[&Choice<T>],
    ) {
        let list = fields.optional(property.field).filter(|node| node.is_list());
        let Some(node) = list else {
            choices.iter().for_each(|choice| self.set(fields, property, choice));
            return;
        };
        let values = node.list().unwrap_or_default();
        if values.len() != live {
            node.problem(
                format_args!("{} values", values.len()),
                format_args!("one for each of {live} blocks"),
            );
            return self.fail();
        }
        // A block that the baseline does not have rests at what its last block has.
        for (position, choice) in choices.iter().enumerate() {
            self.set_from(&values[position.min(live - 1)], property, choice);
        }
    }

    fn part<'d>(&mut self, fields: &Fields<'d>, name: &str, known: &[&str]) -> Option<Fields<'d>> {
        let part = fields.required(name).and_then(|node| node.fields(known));
        if part.is_none() {
            self.fail();
        }
        part
    }

    fn stem(&mut self, fields: &Fields<'_>, space: &Space) {
        let stem = &space.stem;
        let genes =
            [stem.kernel.gene, stem.stride.gene, stem.channels.gene, stem.activation.gene, stem.pool.gene];
        if fields.optional("stem").is_none() && genes.iter().all(Option::is_none) {
            return;
        }
        let Some(fields) = self.part(fields, "stem", &STEM_FIELDS) else { return };
        self.set(&fields, &KERNEL, &stem.kernel);
        self.set(&fields, &STRIDE, &stem.stride);
        self.set(&fields, &CHANNELS, &stem.channels);
        self.set(&fields, &ACTIVATION, &stem.activation);
        self.set(&fields, &POOL, &stem.pool);
    }

    fn stages(&mut self, fields: &Fields<'_>, space: &Space) {
        let Some(node) = fields.required("stages") else { return self.fail() };
        let Some(nodes) = node.list() else { return self.fail() };
        if nodes.len() != space.stages.len() {
            let expected = format!("{}, one for each stage", space.stages.len());
            node.problem(format_args!("{} stages", nodes.len()), expected);
            return self.fail();
        }
        for (node, stage) in nodes.iter().zip(&space.stages) {
            match node.fields(&STAGE_FIELDS) {
                Some(fields) => self.stage(&fields, stage),
                None => self.fail(),
            }
        }
    }

    fn stage(&mut self, fields: &Fields<'_>, stage: &StageChoices) {
        self.set(fields, &BLOCK, &stage.block);
        self.set(fields, &CHANNELS, &stage.channels);
        self.set(fields, &REPEATS, &stage.repeats);
        self.set(fields, &STRIDE, &stage.stride);
        self.set(fields, &ACTIVATION, &stage.activation);
        let live = stage.repeats.pick(&self.genotype.0) as usize;
        self.set_blocks(fields, &KERNEL, live, &each(stage, |block| &block.kernel));
        self.set_blocks(fields, &EXPANSION, live, &each(stage, |block| &block.expansion_percent));
        self.set_blocks(fields, &FUSED, live, &each(stage, |block| &block.fused));
        self.set_blocks(fields, &SE, live, &each(stage, |block| &block.se));
    }

    fn head(&mut self, fields: &Fields<'_>, space: &Space) {
        let known: &[&str] = match &space.head {
            HeadChoices::Classifier(_) => &CLASSIFIER_GENES,
            HeadChoices::Detector(_) => &DETECTOR_GENES,
            HeadChoices::Segmenter(_) => &SEGMENTER_GENES,
        };
        if fields.optional("head").is_none()
            && !space.genes().iter().any(|gene| gene.name.starts_with("head"))
        {
            return;
        }
        let Some(fields) = self.part(fields, "head", known) else { return };
        match &space.head {
            HeadChoices::Classifier(head) => {
                self.set_optional(&fields, "features", head.features.as_ref());
                self.set_optional(&fields, "hidden", head.hidden.as_ref());
            }
            HeadChoices::Detector(head) => {
                self.set_optional(&fields, "features", head.features.as_ref());
                let extras: Vec<&Choice<u32>> = head.extras.iter().collect();
                self.set_blocks(&fields, &CHANNELS.named("extras"), extras.len(), &extras);
            }
            HeadChoices::Segmenter(head) => {
                self.set_optional(&fields, "features", head.features.as_ref());
                self.set(&fields, &CHANNELS.named("inner"), &head.inner);
                self.set(&fields, &OUTPUT_STRIDE, &head.output_stride);
            }
        }
    }

    fn set_optional(&mut self, fields: &Fields<'_>, field: &'static str, choice: Option<&Choice<u32>>) {
        match (choice, fields.optional(field)) {
            (Some(choice), _) => self.set(fields, &CHANNELS.named(field), choice),
            (None, Some(node)) => {
                node.expected("nothing, since the head has no such part");
                self.fail();
            }
            (None, None) => {}
        }
    }
}

fn each<T>(stage: &StageChoices, of: impl Fn(&BlockChoices) -> &Choice<T>) -> Vec<&Choice<T>> {
    stage.blocks.iter().map(of).collect()
}
