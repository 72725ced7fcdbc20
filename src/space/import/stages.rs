//! Blocks in stages, with curated choices around what the network has.

use crate::{
    network::{Activation, Block, BlockKind},
    space::channels::{expand, squeeze},
};

/// What one block of a stage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) kernel: u32,
    /// Hundredths of the channels that the family's expansion counts; 100 in families without hidden channels.
    pub(super) expansion: u32,
    pub(super) fused: bool,
    /// Hundredths of the hidden channels, and the gate.
    pub(super) se: Option<(u32, Activation)>,
}

/// Blocks of one family and width; only the first may have a stride.
pub(super) struct Stage {
    pub(super) kind: BlockKind,
    pub(super) cout: u32,
    pub(super) stride: u32,
    pub(super) activation: Activation,
    pub(super) blocks: Vec<Chosen>,
}

/// The blocks grouped, after a stem of `cin` channels, for this parallelism factor.
pub(super) fn stages(blocks: &[Block], mut cin: u32, factor: u32) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for block in blocks {
        let chosen = chosen(block, cin, factor);
        let goes_on = |stage: &&mut Stage| {
            block.stride == 1
                && (stage.kind, stage.cout, stage.activation) == (block.kind, block.cout, block.activation)
                && stage.blocks.len() < 64
        };
        match stages.last_mut().filter(goes_on) {
            Some(stage) => stage.blocks.push(chosen),
            None => stages.push(Stage {
                kind: block.kind,
                cout: block.cout,
                stride: block.stride,
                activation: block.activation,
                blocks: vec![chosen],
            }),
        }
        cin = block.cout;
    }
    stages
}

fn chosen(block: &Block, cin: u32, factor: u32) -> Chosen {
    let expands = block.kind.has_hidden();
    let of = if block.kind.is_residual() { block.cout } else { cin };
    let expansion = if expands { expansion(of, block.hidden, factor) } else { 100 };
    let spatial = if expands { block.hidden } else { cin };
    let se = block.se.map(|se| (ratio(spatial, se.reduced), se.gate));
    Chosen { kernel: block.kernel, expansion, fused: block.fused, se }
}

/// The ratio of squeeze-and-excite that gives `reduced` of `spatial` channels: a quarter wherever that does.
fn ratio(spatial: u32, reduced: u32) -> u32 {
    let quarter = squeeze(spatial, 25) == reduced;
    if quarter { 25 } else { nearest(1..=100, spatial, reduced, |percent| squeeze(spatial, percent)) }
}

/// The expansion that gives `hidden` of `of` channels; the nearest one where none does.
fn expansion(of: u32, hidden: u32, factor: u32) -> u32 {
    nearest(5..=3200, of, hidden, |percent| expand(of, percent, factor))
}

/// The percentage of `whole` for which `of` comes nearest to `part`; of several, the nearest to the ratio.
fn nearest(range: std::ops::RangeInclusive<u32>, whole: u32, part: u32, of: impl Fn(u32) -> u32) -> u32 {
    let ratio = f64::from(part) * 100.0 / f64::from(whole.max(1));
    let miss = |percent: &u32| {
        let rounding = (f64::from(*percent) - ratio).abs();
        (of(*percent).abs_diff(part), (rounding * 1000.0) as u64)
    };
    range.min_by_key(miss).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_and_squeezes_give_back_published_widths() {
        for (cin, hidden) in [(24, 88), (24, 144), (16, 72), (40, 240), (80, 184), (80, 200), (16, 16)] {
            assert_eq!(expand(cin, expansion(cin, hidden, 8), 8), hidden, "{cin} to {hidden}");
        }
        for (hidden, reduced, percent) in
            [(16, 8, 25), (64, 32, 50), (96, 24, 25), (240, 64, 25), (120, 32, 25), (144, 40, 25)]
        {
            assert_eq!(squeeze(hidden, ratio(hidden, reduced)), reduced);
            assert_eq!(ratio(hidden, reduced), percent, "{reduced} of {hidden}");
        }
        assert_eq!(expansion(32, 192, 8), 600, "the plain ratio where it is exact");
    }
}
