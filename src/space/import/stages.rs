//! Blocks in stages, with curated choices around what the network has.

use crate::{
    network::{Activation, Block, BlockKind},
    space::{SeRatio, SeWhole, channels::expand},
};

/// What one block of a stage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) kernel: u32,
    /// Hundredths of the channels that the family's expansion counts; 100 in families without hidden channels.
    pub(super) expansion: u32,
    pub(super) fused: bool,
    pub(super) se: Option<SeRatio>,
}

/// Blocks of one family and width; only the first may have a stride.
pub(super) struct Stage {
    pub(super) kind: BlockKind,
    pub(super) cout: u32,
    pub(super) stride: u32,
    pub(super) activation: Activation,
    /// Channels of a group; none where all are one.
    pub(super) group_width: Option<u32>,
    pub(super) blocks: Vec<Chosen>,
}

/// The blocks grouped, after a stem of `cin` channels, for this parallelism factor.
pub(super) fn stages(blocks: &[Block], mut cin: u32, factor: u32) -> Vec<Stage> {
    let whole = whole(blocks, cin);
    let mut stages: Vec<Stage> = Vec::new();
    for block in blocks {
        let group_width = Some(block.groups).filter(|groups| *groups > 1).map(|groups| block.hidden / groups);
        let chosen = chosen(block, cin, factor, whole);
        let goes_on = |stage: &&mut Stage| {
            block.stride == 1
                && (stage.kind, stage.cout, stage.activation) == (block.kind, block.cout, block.activation)
                && stage.group_width == group_width
                && stage.blocks.len() < 64
        };
        match stages.last_mut().filter(goes_on) {
            Some(stage) => stage.blocks.push(chosen),
            None => stages.push(Stage {
                kind: block.kind,
                cout: block.cout,
                stride: block.stride,
                activation: block.activation,
                group_width,
                blocks: vec![chosen],
            }),
        }
        cin = block.cout;
    }
    stages
}

fn chosen(block: &Block, cin: u32, factor: u32, whole: SeWhole) -> Chosen {
    let expands = block.kind.has_hidden();
    let of = if block.kind.is_residual() { block.cout } else { cin };
    let expansion = if expands { expansion(of, block.hidden, factor) } else { 100 };
    let se = excite(block, cin, whole);
    Chosen { kernel: block.kernel, expansion, fused: block.fused, se }
}

/// The channels of which more of the squeezes are a ratio: the hidden ones unless those of the input say more.
fn whole(blocks: &[Block], mut cin: u32) -> SeWhole {
    let mut right = [0, 0];
    for block in blocks {
        for (right, whole) in right.iter_mut().zip([SeWhole::Hidden, SeWhole::Input]) {
            let exact = excite(block, cin, whole).zip(block.se);
            let exact = exact.is_some_and(|(ratio, se)| ratio.of(cin, squeezed(block, cin)) == se.reduced);
            *right += usize::from(exact);
        }
        cin = block.cout;
    }
    if right[1] > right[0] { SeWhole::Input } else { SeWhole::Hidden }
}

/// The channels that a block squeezes.
fn squeezed(block: &Block, cin: u32) -> u32 {
    if block.kind.has_hidden() { block.hidden } else { cin }
}

/// The ratio that gives the block's squeeze, or comes nearest: a quarter wherever that does.
fn excite(block: &Block, cin: u32, whole: SeWhole) -> Option<SeRatio> {
    let se = block.se?;
    let ratio = |percent: u32| SeRatio { percent, whole, squeezed: se.squeezed, gate: se.gate };
    let hidden = squeezed(block, cin);
    let of = |percent: u32| ratio(percent).of(cin, hidden);
    if of(25) == se.reduced {
        return Some(ratio(25));
    }
    let total = if whole == SeWhole::Hidden { hidden } else { cin };
    Some(ratio(nearest(1..=100, total, se.reduced, of)))
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
    use crate::network::SqueezeExcite;

    #[test]
    fn expansions_give_back_published_widths() {
        for (cin, hidden) in [(24, 88), (24, 144), (16, 72), (40, 240), (80, 184), (80, 200), (16, 16)] {
            assert_eq!(expand(cin, expansion(cin, hidden, 8), 8), hidden, "{cin} to {hidden}");
        }
        assert_eq!(expansion(32, 192, 8), 600, "the plain ratio where it is exact");
    }

    #[test]
    fn squeezes_give_back_published_widths() {
        let block = |hidden: u32, reduced: u32| Block {
            kind: BlockKind::Ibn,
            fused: false,
            kernel: 3,
            stride: 1,
            hidden,
            cout: 24,
            activation: Activation::Relu,
            groups: 1,
            se: Some(SqueezeExcite { reduced, squeezed: Activation::Swish, gate: Activation::Sigmoid }),
        };
        let of_hidden =
            [(16, 8, 25), (64, 32, 50), (96, 24, 25), (240, 64, 25), (120, 32, 25), (144, 40, 25)];
        for (hidden, reduced, percent) in of_hidden {
            let ratio = excite(&block(hidden, reduced), 16, SeWhole::Hidden).unwrap();
            assert_eq!((ratio.of(16, hidden), ratio.percent), (reduced, percent), "{reduced} of {hidden}");
            assert_eq!((ratio.squeezed, ratio.gate), (Activation::Swish, Activation::Sigmoid));
        }
        for (cin, reduced, percent) in [(16, 4, 25), (24, 6, 25), (40, 10, 25), (112, 28, 25), (48, 2, 4)] {
            let ratio = excite(&block(6 * cin, reduced), cin, SeWhole::Input).unwrap();
            assert_eq!((ratio.of(cin, 6 * cin), ratio.percent), (reduced, percent), "{reduced} of {cin}");
        }
        assert_eq!(whole(&[block(96, 4), block(144, 6)], 16), SeWhole::Input, "EfficientNet-B0's");
        assert_eq!(whole(&[block(96, 24), block(144, 40)], 16), SeWhole::Hidden, "MobileNetV3's");
    }
}
