//! Reading the head: `{"classifier": {…}}`, `{"detector": {…}}` or `{"segmenter": {…}}`.

use super::{
    optional_widths,
    property::{CHANNELS, OUTPUT_STRIDE, Registry},
};
use crate::{
    io::json::{Fields, Node},
    network::{Activation, Shape},
    space::{ClassifierChoices, DetectorChoices, HeadChoices, SegmenterChoices, gene::Choice},
};

pub(super) const CLASSIFIER_GENES: [&str; 2] = ["features", "hidden"];
pub(super) const DETECTOR_GENES: [&str; 2] = ["features", "extras"];
pub(super) const SEGMENTER_GENES: [&str; 3] = ["features", "inner", "output_stride"];
const NAMES: [&str; 3] = ["classifier", "detector", "segmenter"];

pub(super) fn head(node: &Node<'_>, genes: &mut Registry, stages: Option<usize>) -> Option<HeadChoices> {
    let fields = node.fields(&NAMES)?;
    let given: Vec<(&str, &Node<'_>)> =
        NAMES.iter().filter_map(|name| fields.optional(name).map(|node| (*name, node))).collect();
    let [(name, inner)] = given[..] else {
        node.problem(format_args!("{} heads", given.len()), "one of classifier, detector, segmenter");
        return None;
    };
    genes.next_group();
    match name {
        "classifier" => classifier(inner, genes).map(HeadChoices::Classifier),
        "detector" => detector(inner, genes, stages).map(HeadChoices::Detector),
        _ => segmenter(inner, genes, stages).map(HeadChoices::Segmenter),
    }
}

fn classes(fields: &Fields<'_>) -> Option<u32> {
    fields.required("classes")?.u32_in(1..=Shape::MAX_DIM)
}

fn activation(fields: &Fields<'_>) -> Option<Activation> {
    fields.or("activation", Activation::Relu6, |node| node.named(&Activation::NAMES))
}

fn classifier(node: &Node<'_>, genes: &mut Registry) -> Option<ClassifierChoices> {
    let fields = node.fields(&[&CLASSIFIER_GENES[..], &["classes", "activation"]].concat())?;
    let features = optional_widths(&fields, "features", "head", genes);
    let hidden = optional_widths(&fields, "hidden", "head", genes);
    let (classes, activation) = (classes(&fields), activation(&fields));
    Some(ClassifierChoices {
        features: features?,
        hidden: hidden?,
        classes: classes?,
        activation: activation?,
    })
}

fn detector(node: &Node<'_>, genes: &mut Registry, stages: Option<usize>) -> Option<DetectorChoices> {
    let fields =
        node.fields(&[&DETECTOR_GENES[..], &["taps", "anchors", "classes", "activation"]].concat())?;
    let taps = fields.required("taps").and_then(|node| numbers(node, |node| tap(node, stages)));
    let features = optional_widths(&fields, "features", "head", genes);
    let extras = fields.or("extras", Vec::new(), |node| extras(node, genes));
    let anchors = fields.required("anchors").and_then(|node| numbers(node, |node| node.u32_in(1..=64)));
    let (classes, activation) = (classes(&fields), activation(&fields));
    Some(DetectorChoices {
        taps: taps?,
        features: features?,
        extras: extras?,
        anchors: anchors?,
        classes: classes?,
        activation: activation?,
    })
}

fn segmenter(node: &Node<'_>, genes: &mut Registry, stages: Option<usize>) -> Option<SegmenterChoices> {
    let fields = node.fields(&[&SEGMENTER_GENES[..], &["tap", "classes", "activation"]].concat())?;
    let tap = fields.required("tap").and_then(|node| tap(node, stages));
    let features = optional_widths(&fields, "features", "head", genes);
    let inner = fields.required("inner").and_then(|node| genes.widths(node));
    let inner = inner.map(|widths| genes.choice(&CHANNELS.named("inner"), "head", widths));
    let output = OUTPUT_STRIDE.alternatives(&fields);
    let output_stride = output.map(|strides| genes.choice(&OUTPUT_STRIDE, "head", strides));
    let (classes, activation) = (classes(&fields), activation(&fields));
    Some(SegmenterChoices {
        tap: tap?,
        features: features?,
        inner: inner?,
        classes: classes?,
        output_stride: output_stride?,
        activation: activation?,
    })
}

/// A stage number; stages count from one.
fn tap(node: &Node<'_>, stages: Option<usize>) -> Option<u32> {
    node.u32_in(1..=stages.map_or(u32::MAX, |stages| stages as u32))
}

/// One number, or a list of at least one.
fn numbers(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<u32>) -> Option<Vec<u32>> {
    if !node.is_list() {
        return read(node).map(|one| vec![one]);
    }
    let list = node.list()?;
    if list.is_empty() {
        node.problem("an empty list", "at least one number");
        return None;
    }
    list.iter().map(read).collect()
}

/// The widths of the extra levels, each with its own alternatives.
fn extras(node: &Node<'_>, genes: &mut Registry) -> Option<Vec<Choice<u32>>> {
    let mut extras = Vec::new();
    for (index, node) in node.list()?.iter().enumerate() {
        let widths = genes.widths(node);
        let prefix = format!("head.extra{}", index + 1);
        extras.push(widths.map(|widths| genes.choice(&CHANNELS, &prefix, widths)));
    }
    extras.into_iter().collect()
}
