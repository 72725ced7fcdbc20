//! Reading the stem and the stages.

use super::property::{
    ACTIVATION, BLOCK, CHANNELS, EXPANSION, FUSED, KERNEL, POOL, REPEATS, Registry, SE, STRIDE,
};
use crate::{
    io::json::Node,
    network::{BlockKind, Shape},
    space::{BlockChoices, StageChoices, StemChoices},
};

pub(super) const STEM_FIELDS: [&str; 5] = ["kernel", "stride", "channels", "activation", "pool"];
pub(super) const STAGE_FIELDS: [&str; 9] =
    ["block", "channels", "repeats", "stride", "activation", "kernel", "expansion", "fused", "se"];

pub(super) fn stem(node: &Node<'_>, genes: &mut Registry) -> Option<StemChoices> {
    let fields = node.fields(&STEM_FIELDS)?;
    let (kernel, stride) = (KERNEL.alternatives(&fields), STRIDE.alternatives(&fields));
    let channels = fields.required("channels").and_then(|node| genes.widths(node));
    let activation = ACTIVATION.alternatives(&fields);
    let pool = POOL.alternatives(&fields);
    Some(StemChoices {
        kernel: genes.choice(&KERNEL, "stem", kernel?),
        stride: genes.choice(&STRIDE, "stem", stride?),
        channels: genes.choice(&CHANNELS, "stem", channels?),
        activation: genes.choice(&ACTIVATION, "stem", activation?),
        pool: genes.choice(&POOL, "stem", pool?),
    })
}

pub(super) fn stages(node: &Node<'_>, genes: &mut Registry) -> Option<Vec<StageChoices>> {
    let nodes = node.list()?;
    if nodes.is_empty() {
        node.problem("an empty list", "at least one stage");
    }
    let mut stages = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        stages.push(stage(node, &format!("s{}", index + 1), genes));
    }
    stages.into_iter().collect()
}

/// What He et al. (2016) and Sandler et al. (2018) take; none where families that count it differently meet.
fn usual_expansion(kinds: &[BlockKind]) -> Option<u32> {
    let usual = |kind: &BlockKind| match kind {
        BlockKind::Basic => 100,
        BlockKind::Bottleneck => 25,
        BlockKind::Conv | BlockKind::DepthwiseSeparable | BlockKind::Ibn => 600,
    };
    let first = kinds.first().map_or(600, usual);
    kinds.iter().all(|kind| usual(kind) == first).then_some(first)
}

fn stage(node: &Node<'_>, name: &str, genes: &mut Registry) -> Option<StageChoices> {
    let fields = node.fields(&[&STAGE_FIELDS[..], &["group_width"]].concat())?;
    let width = |node: &Node<'_>| node.u32_in(1..=Shape::MAX_DIM).map(Some);
    let group_width = fields.or("group_width", None, width);
    let block = BLOCK.alternatives(&fields);
    let channels = fields.required("channels").and_then(|node| genes.widths(node));
    let (repeats, stride) = (REPEATS.alternatives(&fields), STRIDE.alternatives(&fields));
    let activation = ACTIVATION.alternatives(&fields);
    let kinds = block.as_ref().map_or(&[][..], |block| &block.values);
    let expansion = EXPANSION.with_default(usual_expansion(kinds)).alternatives(&fields);
    let kernel = KERNEL.alternatives(&fields);
    let (fused, se) = (FUSED.alternatives(&fields), SE.alternatives(&fields));
    let repeats = repeats?;
    let most = repeats.values.iter().copied().max()?;
    genes.next_group();
    let mut stage = StageChoices {
        block: genes.choice(&BLOCK, name, block?),
        channels: genes.choice(&CHANNELS, name, channels?),
        repeats: genes.choice(&REPEATS, name, repeats),
        stride: genes.choice(&STRIDE, name, stride?),
        activation: genes.choice(&ACTIVATION, name, activation?),
        group_width: group_width?,
        blocks: Vec::with_capacity(most as usize),
    };
    let (kernel, expansion, fused, se) = (kernel?, expansion?, fused?, se?);
    for position in 1..=most {
        if position > 1 {
            genes.next_group();
        }
        let prefix = format!("{name}.b{position}");
        stage.blocks.push(BlockChoices {
            kernel: genes.choice(&KERNEL, &prefix, kernel.clone()),
            expansion_percent: genes.choice(&EXPANSION, &prefix, expansion.clone()),
            fused: genes.choice(&FUSED, &prefix, fused.clone()),
            se: genes.choice(&SE, &prefix, se.clone()),
        });
    }
    Some(stage)
}
