//! What every choosable property has: a field, a reader, a label, a kind of gene.

use crate::{
    io::json::{Fields, Node},
    network::{Activation, BlockKind, DType, Shape},
    space::{
        SeRatio, SeWhole,
        channels::curate,
        gene::{Choice, Gene, GeneKind},
    },
};

/// Alternatives of curated widths unless the file says how many.
const FEW: u32 = 5;
/// A genotype stores an alternative in a byte.
const MOST: usize = 256;

/// A property that may have alternatives.
#[derive(Clone, Copy)]
pub(super) struct Property<T: 'static> {
    pub(super) field: &'static str,
    kind: GeneKind,
    default: Option<T>,
    pub(super) read: fn(&Node<'_>) -> Option<T>,
    pub(super) label: fn(T) -> String,
}

/// Alternatives, and how many there would be without curation.
#[derive(Clone)]
pub(super) struct Alternatives<T> {
    pub(super) values: Vec<T>,
    uncurated: u32,
}

pub(super) const DTYPE: Property<DType> = Property {
    field: "dtype",
    kind: GeneKind::Dtype,
    default: Some(DType::Int8),
    read: |node| node.named(&DType::NAMES),
    label: |dtype| dtype.to_string(),
};
pub(super) const INPUT_SIZE: Property<[u32; 2]> = Property {
    field: "size",
    kind: GeneKind::InputSize,
    default: None,
    read: size,
    label: |[h, w]| format!("{h}x{w}"),
};
pub(super) const DEPTH_MULTIPLIER: Property<f64> = Property {
    field: "depth_multiplier",
    kind: GeneKind::DepthMultiplier,
    default: Some(1.0),
    read: |node| node.f64_in(0.05..=8.0),
    label: |multiplier| multiplier.to_string(),
};
pub(super) const CHANNELS: Property<u32> = Property {
    field: "channels",
    kind: GeneKind::Channels,
    default: None,
    read: |node| node.u32_in(1..=Shape::MAX_DIM),
    label: |channels| channels.to_string(),
};
pub(super) const REPEATS: Property<u32> = Property {
    field: "repeats",
    kind: GeneKind::Repeats,
    default: Some(1),
    read: |node| node.u32_in(1..=64),
    label: |repeats| repeats.to_string(),
};
pub(super) const STRIDE: Property<u32> = Property {
    field: "stride",
    kind: GeneKind::Stride,
    default: Some(1),
    read: |node| node.u32_in(1..=8),
    label: |stride| stride.to_string(),
};
/// Stride of the max pool after the stem; 1 for none.
pub(super) const POOL: Property<u32> = STRIDE.named("pool");
pub(super) const ACTIVATION: Property<Activation> = Property {
    field: "activation",
    kind: GeneKind::Activation,
    default: Some(Activation::Relu6),
    read: |node| node.named(&Activation::NAMES),
    label: |activation| activation.to_string(),
};
pub(super) const BLOCK: Property<BlockKind> = Property {
    field: "block",
    kind: GeneKind::Block,
    default: Some(BlockKind::Ibn),
    read: |node| node.named(&BLOCK_NAMES),
    label: |block| BLOCK_NAMES[block as usize].0.to_owned(),
};
const BLOCK_NAMES: [(&str, BlockKind); 5] = [
    ("conv", BlockKind::Conv),
    ("depthwise_separable", BlockKind::DepthwiseSeparable),
    ("ibn", BlockKind::Ibn),
    ("basic", BlockKind::Basic),
    ("bottleneck", BlockKind::Bottleneck),
];
pub(super) const KERNEL: Property<u32> = Property {
    field: "kernel",
    kind: GeneKind::Kernel,
    default: Some(3),
    read: |node| node.u32_in(1..=31),
    label: |kernel| kernel.to_string(),
};
pub(super) const EXPANSION: Property<u32> = Property {
    field: "expansion",
    kind: GeneKind::Expansion,
    default: Some(600),
    read: |node| node.f64_in(0.05..=32.0).map(|ratio| (ratio * 100.0).round() as u32),
    label: |percent| (f64::from(percent) / 100.0).to_string(),
};
pub(super) const FUSED: Property<bool> = Property {
    field: "fused",
    kind: GeneKind::Fused,
    default: Some(false),
    read: |node| node.bool(),
    label: |fused| fused.to_string(),
};
pub(crate) const SE_WHOLES: [(&str, SeWhole); 2] = [("hidden", SeWhole::Hidden), ("input", SeWhole::Input)];
pub(super) const SE: Property<Option<SeRatio>> = Property {
    field: "se",
    kind: GeneKind::SqueezeExcite,
    default: Some(None),
    read: squeeze_excite,
    label: excite_label,
};
pub(super) const OUTPUT_STRIDE: Property<u32> = Property {
    field: "output_stride",
    kind: GeneKind::OutputStride,
    default: Some(1),
    read: |node| node.u32_in(1..=64),
    label: |stride| stride.to_string(),
};

/// A side for both, or a list of height and width.
fn size(node: &Node<'_>) -> Option<[u32; 2]> {
    if !node.is_list() {
        return node.u32_in(1..=Shape::MAX_DIM).map(|side| [side; 2]);
    }
    let sides: Option<Vec<u32>> = node.list()?.iter().map(|side| side.u32_in(1..=Shape::MAX_DIM)).collect();
    let sides = <[u32; 2]>::try_from(sides?).ok();
    if sides.is_none() {
        node.expected("a side, or a list of height and width");
    }
    sides
}

/// `false`, or the ratio of the bottleneck and the gate.
fn squeeze_excite(node: &Node<'_>) -> Option<Option<SeRatio>> {
    if !node.is_object() {
        if node.is_false() {
            return Some(None);
        }
        node.expected("false, or an object with ratio and gate");
        return None;
    }
    let fields = node.fields(&["ratio", "of", "activation", "gate"])?;
    let ratio = fields.or("ratio", 0.25, |node| node.f64_in(0.01..=1.0));
    let gate = fields.or("gate", Activation::HardSigmoid, |node| node.named(&Activation::NAMES));
    let squeezed = fields.or("activation", Activation::Relu, |node| node.named(&Activation::NAMES));
    let whole = fields.or("of", SeWhole::Hidden, |node| node.named(&SE_WHOLES));
    let percent = (ratio? * 100.0).round() as u32;
    Some(Some(SeRatio { percent, whole: whole?, squeezed: squeezed?, gate: gate? }))
}

/// `25%:sigmoid`, with what is not as in MobileNetV3.
fn excite_label(se: Option<SeRatio>) -> String {
    let Some(SeRatio { percent, whole, squeezed, gate }) = se else { return "none".into() };
    let of = if whole == SeWhole::Input { " of input" } else { "" };
    let squeezed = if squeezed == Activation::Relu { String::new() } else { format!(":{squeezed}") };
    format!("{percent}%{of}:{gate}{squeezed}")
}

impl<T: Copy + PartialEq> Property<T> {
    /// The same property under another field.
    pub(super) const fn named(self, field: &'static str) -> Self {
        Self { field, ..self }
    }

    /// The same property with another default, or none.
    pub(super) fn with_default(self, default: Option<T>) -> Self {
        Self { default, ..self }
    }

    /// The alternatives in `fields`: a list, one value, or the default.
    pub(super) fn alternatives(&self, fields: &Fields<'_>) -> Option<Alternatives<T>> {
        let node = match (fields.optional(self.field), self.default) {
            (Some(node), _) => node,
            (None, Some(default)) => return Some(Alternatives { values: vec![default], uncurated: 1 }),
            (None, None) => fields.required(self.field)?,
        };
        let values = if node.is_list() {
            let values: Vec<Option<T>> = node.list()?.iter().map(|node| (self.read)(node)).collect();
            values.into_iter().collect::<Option<Vec<T>>>()?
        } else {
            vec![(self.read)(node)?]
        };
        check(node, &values)?;
        Some(Alternatives { uncurated: values.len() as u32, values })
    }
}

/// There has to be something to choose from, each alternative once.
fn check<T: PartialEq>(node: &Node<'_>, values: &[T]) -> Option<()> {
    if values.is_empty() {
        node.problem("an empty list", "at least one alternative");
    } else if values.len() > MOST {
        node.problem(format_args!("{} alternatives", values.len()), format_args!("at most {MOST}"));
    } else if values.iter().enumerate().any(|(index, value)| values[..index].contains(value)) {
        node.problem("an alternative twice", "each alternative once");
    } else {
        return Some(());
    }
    None
}

/// The genes found so far.
pub(super) struct Registry {
    pub(super) genes: Vec<Gene>,
    parallelism: u32,
    group: usize,
}

impl Registry {
    pub(super) fn new(parallelism: u32) -> Self {
        Self { genes: Vec::new(), parallelism, group: 0 }
    }

    /// Later genes belong to the next place along the network.
    pub(super) fn next_group(&mut self) {
        self.group += 1;
    }

    /// Registers a gene if there is something to choose.
    pub(super) fn choice<T: Copy + PartialEq>(
        &mut self,
        property: &Property<T>,
        prefix: &str,
        alternatives: Alternatives<T>,
    ) -> Choice<T> {
        let Alternatives { values, uncurated } = alternatives;
        let dot = if prefix.is_empty() { "" } else { "." };
        let gene = (values.len() > 1).then(|| {
            self.genes.push(Gene {
                name: format!("{prefix}{dot}{}", property.field),
                kind: property.kind,
                group: self.group,
                labels: values.iter().map(|value| (property.label)(*value)).collect(),
                uncurated,
            });
            self.genes.len() - 1
        });
        Choice { alternatives: values, gene }
    }

    /// Widths: a number, a list, or `{"around", "range", "choices"}`.
    pub(super) fn widths(&self, node: &Node<'_>) -> Option<Alternatives<u32>> {
        if node.is_object() {
            return self.curated(node);
        }
        let values = if node.is_list() {
            let values: Vec<Option<u32>> = node.list()?.iter().map(|node| (CHANNELS.read)(node)).collect();
            values.into_iter().collect::<Option<Vec<u32>>>()?
        } else {
            vec![(CHANNELS.read)(node)?]
        };
        check(node, &values)?;
        Some(Alternatives { uncurated: values.len() as u32, values })
    }

    fn curated(&self, node: &Node<'_>) -> Option<Alternatives<u32>> {
        let fields = node.fields(&["around", "range", "choices"])?;
        let around = fields.required("around").and_then(CHANNELS.read);
        let range = fields.required("range").and_then(range);
        let count = fields.or("choices", FEW, |node| node.u32_in(1..=64));
        let (around, [low, high]) = (around?, range?);
        let values = curate(around, low, high, count? as usize, self.parallelism);
        let width = f64::from(around);
        let uncurated = ((width * high).floor() - (width * low).ceil()).max(0.0) as u32 + 1;
        Some(Alternatives { values, uncurated })
    }
}

/// Two ratios around one.
fn range(node: &Node<'_>) -> Option<[f64; 2]> {
    let ends: Option<Vec<f64>> = node.list()?.iter().map(|end| end.f64_in(0.01..=16.0)).collect();
    match ends?[..] {
        [low, high] if low <= 1.0 && 1.0 <= high => Some([low, high]),
        _ => {
            node.problem("another list", "two ratios with 1 between them, as in [0.5, 1.5]");
            None
        }
    }
}
