//! The space file of a chain: laid out to be read and edited by people.

use super::{
    Parallelism, SpaceOptions,
    chain::Chain,
    stages::{Chosen, Stage},
};
use crate::{
    network::{Activation, BlockKind, Network, Shape},
    space::{Classifier, SeRatio, SeWhole},
};

const WIDTH: usize = 118;
const DEPTH_MULTIPLIERS: [f64; 4] = [0.5, 0.75, 1.0, 1.25];
/// Expansions worth trying beside the network's own (Sandler et al. 2018; Gupta & Akin 2020).
const EXPANSIONS: [u32; 3] = [300, 400, 600];
/// The same for basic and bottleneck blocks (He et al. 2016; Zagoruyko & Komodakis 2016).
const WIDTHS: [u32; 2] = [50, 100];
const BOTTLENECKS: [u32; 2] = [25, 50];
const KERNELS: [u32; 2] = [3, 5];

pub(super) fn document(network: &Network, chain: &Chain, stages: &[Stage], options: &SpaceOptions) -> String {
    let name = options.name.as_deref().unwrap_or(network.name());
    let input = network.input();
    let size = [input.h, input.w];
    let description =
        format!("Around {}: {} MACs, {}.", network.name(), network.macs().0, network.block_counts());
    let dtype = options.dtype.unwrap_or(network.dtype());
    let mut text = String::from("{\n  \"schema\": \"nas.space/1\",\n");
    let mut line = |key: &str, value: String| text += &format!("  {}: {value},\n", quoted(key));
    line("name", quoted(name));
    line("description", quoted(&description));
    line("target", target(options));
    line("dtype", quoted(dtype.name()));
    let channels = if input.c == 3 { None } else { Some(("channels", input.c.to_string())) };
    line("input", object([("size", list(&sizes(size), |size| side(*size)))].into_iter().chain(channels)));
    line("depth_multipliers", list(&DEPTH_MULTIPLIERS, |ratio| format!("{ratio:?}")));
    let mut stem = vec![
        ("kernel", chain.stem.kernel.to_string()),
        ("stride", chain.stem.stride.to_string()),
        ("channels", widths(chain.stem.cout, 3)),
        ("activation", quoted(chain.stem.activation.name())),
    ];
    if chain.stem.pool > 1 {
        stem.push(("pool", chain.stem.pool.to_string()));
    }
    line("stem", wrapped(&stem, "  'stem': ".len(), 4));
    line("stages", lines(&stages.iter().map(stage).collect::<Vec<_>>(), 4));
    line(
        "head",
        format!(
            "{{ \"classifier\": {} }}",
            wrapped(&head(&chain.head), "  'head': { 'classifier': ".len(), 4)
        ),
    );
    text += &format!("  \"baseline\": {}\n}}\n", baseline(size, chain, stages));
    text
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list<T>(values: &[T], text: impl Fn(&T) -> String) -> String {
    format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn object<'k>(pairs: impl IntoIterator<Item = (&'k str, String)>) -> String {
    let pairs: Vec<String> =
        pairs.into_iter().map(|(key, value)| format!("{}: {value}", quoted(key))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A list with one object a line, indented by `indent`.
fn lines(objects: &[Vec<(&'static str, String)>], indent: usize) -> String {
    let margin = " ".repeat(indent);
    let row = |pairs: &Vec<(&str, String)>| format!("{margin}{}", wrapped(pairs, indent, indent + 2));
    let rows: Vec<String> = objects.iter().map(row).collect();
    format!("[\n{}\n{}]", rows.join(",\n"), " ".repeat(indent - 2))
}

/// An object that starts in `column`; long ones go on, between fields or alternatives, `indent` further on.
fn wrapped(pairs: &[(&str, String)], column: usize, indent: usize) -> String {
    let mut text = String::from("{ ");
    let mut column = column + text.len();
    for (index, (key, value)) in pairs.iter().enumerate() {
        let comma = if index + 1 < pairs.len() { "," } else { "" };
        let pair = format!("{}: {value}{comma}", quoted(key));
        let long = indent + pair.len() + 3 > WIDTH;
        let pieces: Vec<String> = if long {
            pair.split_inclusive(" },").map(|piece| piece.trim().to_owned()).collect()
        } else {
            vec![pair]
        };
        for piece in pieces {
            if column + piece.len() + 3 > WIDTH && column > indent {
                text = format!("{}\n{}", text.trim_end(), " ".repeat(indent));
                column = indent;
            }
            column += piece.len() + 1;
            text += &piece;
            text.push(' ');
        }
    }
    text + "}"
}

fn target(options: &SpaceOptions) -> String {
    let parallelism = match options.parallelism {
        Parallelism::Number(number) => number.to_string(),
        Parallelism::OfEstimator(_) => quoted(crate::space::target::FROM_ESTIMATOR),
    };
    let estimator = options.estimator.as_deref().map(|path| ("estimator", quoted(path)));
    object([("parallelism", parallelism)].into_iter().chain(estimator))
}

fn side([h, w]: [u32; 2]) -> String {
    if h == w { h.to_string() } else { format!("[{h}, {w}]") }
}

/// The network's size, a few smaller ones and one larger, in steps of 32 pixels (16 where its own sides are
/// no multiples of that), so that every stage halves them evenly.
fn sizes(own: [u32; 2]) -> Vec<[u32; 2]> {
    let step = if own.iter().all(|side| side.is_multiple_of(32)) { 32 } else { 16 };
    let scaled = |eighths: u32| own.map(|side| (side * eighths / 8).next_multiple_of(step));
    let mut sizes: Vec<[u32; 2]> =
        [5, 6, 7].into_iter().map(scaled).filter(|size| size[0] < own[0]).collect();
    sizes.push(own);
    sizes.extend([scaled(9)].into_iter().filter(|size| size[0] > own[0] && size[0] <= Shape::MAX_DIM));
    sizes.dedup();
    sizes
}

fn widths(around: u32, choices: usize) -> String {
    object([("around", around.to_string()), ("range", "[0.5, 1.5]".into()), ("choices", choices.to_string())])
}

/// The values of all blocks and `more`, each once, in order.
fn choices(blocks: &[Chosen], of: impl Fn(&Chosen) -> u32, more: &[u32]) -> Vec<u32> {
    let mut values: Vec<u32> = blocks.iter().map(of).chain(more.iter().copied()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn excites(blocks: &[Chosen]) -> Vec<Option<SeRatio>> {
    let mut values = Vec::new();
    for block in blocks {
        if !values.contains(&block.se) {
            values.push(block.se);
        }
    }
    values
}

fn se(value: &Option<SeRatio>) -> String {
    let Some(SeRatio { percent, whole, squeezed, gate }) = value else { return "false".into() };
    let of = (*whole == SeWhole::Input).then(|| ("of", quoted("input")));
    let squeezed = (*squeezed != Activation::Relu).then(|| ("activation", quoted(squeezed.name())));
    let ratio = ("ratio", ratio(*percent));
    object([ratio].into_iter().chain(of).chain(squeezed).chain([("gate", quoted(gate.name()))]))
}

fn ratio(percent: u32) -> String {
    (f64::from(percent) / 100.0).to_string()
}

fn kind(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::Conv => "conv",
        BlockKind::DepthwiseSeparable => "depthwise_separable",
        BlockKind::Ibn => "ibn",
        BlockKind::Basic => "basic",
        BlockKind::Bottleneck => "bottleneck",
    }
}

fn stage(stage: &Stage) -> Vec<(&'static str, String)> {
    let repeats = stage.blocks.len() as u32;
    let some: Vec<u32> = (repeats.saturating_sub(1).max(1)..=(repeats + 1).min(64)).collect();
    let one_by_one = stage.kind == BlockKind::Conv && stage.blocks.iter().all(|block| block.kernel == 1);
    let kernels: &[u32] = if one_by_one { &[] } else { &KERNELS };
    let mut fields = vec![
        ("block", quoted(kind(stage.kind))),
        ("channels", widths(stage.cout, 5)),
        ("repeats", list(&some, u32::to_string)),
        ("stride", stage.stride.to_string()),
        ("activation", quoted(stage.activation.name())),
        ("kernel", list(&choices(&stage.blocks, |block| block.kernel, kernels), u32::to_string)),
    ];
    if stage.kind.has_hidden() {
        let more: &[u32] = match stage.kind {
            BlockKind::Basic => &WIDTHS,
            BlockKind::Bottleneck => &BOTTLENECKS,
            _ => &EXPANSIONS,
        };
        let expansions = choices(&stage.blocks, |block| block.expansion, more);
        fields.push(("expansion", list(&expansions, |percent| ratio(*percent))));
    }
    fields.extend(stage.group_width.map(|width| ("group_width", width.to_string())));
    if stage.kind.can_fuse() {
        fields.push(("fused", "[false, true]".into()));
    }
    if stage.blocks.iter().any(|block| block.se.is_some()) {
        fields.push(("se", list(&excites(&stage.blocks), se)));
    }
    fields
}

fn head(head: &Classifier) -> Vec<(&'static str, String)> {
    let features = head.features.map(|channels| ("features", widths(channels, 3)));
    let hidden = head.hidden.map(|channels| ("hidden", widths(channels, 3)));
    let rest = [("classes", head.classes.to_string()), ("activation", quoted(head.activation.name()))];
    features.into_iter().chain(hidden).chain(rest).collect()
}

fn baseline(size: [u32; 2], chain: &Chain, stages: &[Stage]) -> String {
    let mut fields = Vec::new();
    if sizes(size).len() > 1 {
        fields.push(format!("\"input\": {}", side(size)));
    }
    fields.push("\"depth_multiplier\": 1.0".into());
    fields.push(format!("\"stem\": {}", object([("channels", chain.stem.cout.to_string())])));
    let stages: Vec<Vec<(&str, String)>> = stages.iter().map(baseline_stage).collect();
    fields.push(format!("\"stages\": {}", lines(&stages, 6)));
    let features = chain.head.features.map(|channels| ("features", channels.to_string()));
    let hidden = chain.head.hidden.map(|channels| ("hidden", channels.to_string()));
    if features.is_some() || hidden.is_some() {
        fields.push(format!("\"head\": {}", object(features.into_iter().chain(hidden))));
    }
    format!("{{\n    {}\n  }}", fields.join(",\n    "))
}

/// One value where all blocks agree, and a list where not.
fn each<T: PartialEq>(values: &[T], text: impl Fn(&T) -> String) -> String {
    match values {
        [first, rest @ ..] if rest.iter().all(|value| value == first) => text(first),
        _ => list(values, text),
    }
}

fn baseline_stage(stage: &Stage) -> Vec<(&'static str, String)> {
    let of = |value: fn(&Chosen) -> u32| stage.blocks.iter().map(value).collect::<Vec<u32>>();
    let mut fields = vec![
        ("channels", stage.cout.to_string()),
        ("repeats", stage.blocks.len().to_string()),
        ("kernel", each(&of(|block| block.kernel), u32::to_string)),
    ];
    if stage.kind.has_hidden() {
        fields.push(("expansion", each(&of(|block| block.expansion), |percent| ratio(*percent))));
    }
    if stage.kind.can_fuse() {
        let fused: Vec<bool> = stage.blocks.iter().map(|block| block.fused).collect();
        fields.push(("fused", each(&fused, bool::to_string)));
    }
    if stage.blocks.iter().any(|block| block.se.is_some()) {
        let excites: Vec<Option<SeRatio>> = stage.blocks.iter().map(|block| block.se).collect();
        fields.push(("se", each(&excites, se)));
    }
    fields
}
