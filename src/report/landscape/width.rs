//! The one number of a block that a landscape varies.

use serde::Serialize;

use crate::{
    network::{Block, BlockKind},
    space::{Architecture, GeneKind},
};

/// Which channels of a block are varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// Those between expansion and projection; nothing outside the block changes.
    Hidden,
    /// The output channels of all blocks of its stage, which residuals keep alike.
    Output,
}

/// A block by its stage and its place there, both from zero.
pub(super) type Place = (usize, usize);

impl Width {
    /// In a report's words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden channels",
            Self::Output => "output channels",
        }
    }

    /// What the space calls the choice of this width.
    pub(super) fn gene(self) -> GeneKind {
        match self {
            Self::Hidden => GeneKind::Expansion,
            Self::Output => GeneKind::Channels,
        }
    }

    /// The hidden channels where a block expands its input, else the output channels.
    pub(super) fn of(architecture: &Architecture, place: Place) -> Option<Self> {
        let block = block(architecture, place)?;
        Some(if expands(block, inputs(architecture, place)) { Self::Hidden } else { Self::Output })
    }

    /// How many channels a block has.
    pub(super) fn count(self, architecture: &Architecture, place: Place) -> Option<u32> {
        let block = block(architecture, place)?;
        match self {
            Self::Hidden => expands(block, inputs(architecture, place)).then_some(block.hidden),
            Self::Output => Some(block.cout),
        }
    }

    /// The same architecture with `channels` in the block at `place`.
    pub(super) fn set(self, architecture: &Architecture, place: Place, channels: u32) -> Architecture {
        let mut changed = architecture.clone();
        let Some(stage) = changed.stages.get_mut(place.0) else { return changed };
        match self {
            Self::Hidden => stage.iter_mut().skip(place.1).take(1).for_each(|block| block.hidden = channels),
            Self::Output => {
                for (position, block) in stage.iter_mut().enumerate() {
                    // A block that did not expand its input still does not.
                    let cin = inputs(architecture, (place.0, position));
                    if position > 0 && block.kind == BlockKind::Ibn && block.hidden == cin {
                        block.hidden = channels;
                    }
                    block.cout = channels;
                }
            }
        }
        changed
    }
}

fn block(architecture: &Architecture, place: Place) -> Option<&Block> {
    architecture.stages.get(place.0)?.get(place.1)
}

fn expands(block: &Block, cin: u32) -> bool {
    block.kind == BlockKind::Ibn && block.hidden != cin
}

/// The input channels of a block: the outputs of what is before it.
fn inputs(architecture: &Architecture, (stage, position): Place) -> u32 {
    let stages = architecture.stages.iter().take(stage).flatten();
    let before = architecture.stages.get(stage).into_iter().flat_map(|blocks| blocks.iter().take(position));
    stages.chain(before).last().map_or(architecture.stem.cout, |block| block.cout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn architecture() -> Architecture {
        Architecture::parse(&[
            "input 64x64x3 int8",
            "stem conv k3 s2 c16 relu6",
            "s1.b1 ibn k3 s1 x16 c24 relu6",
            "s1.b2 ibn k3 s1 x24 c24 relu6",
            "s2.b1 ibn k3 s2 x96 c32 relu6",
            "s3.b1 ds k3 s2 c64 relu6",
            "head classifier features=64 classes=10 activation=relu6",
        ])
        .unwrap()
    }

    #[test]
    fn the_hidden_width_is_varied_where_there_is_one() {
        let architecture = architecture();
        let of = |place| Width::of(&architecture, place);
        assert_eq!(of((1, 0)), Some(Width::Hidden));
        assert_eq!([of((0, 0)), of((0, 1)), of((2, 0))], [Some(Width::Output); 3]);
        assert_eq!([of((0, 2)), of((3, 0))], [None; 2]);
    }

    #[test]
    fn nothing_else_changes_with_a_hidden_width() {
        let changed = Width::Hidden.set(&architecture(), (1, 0), 40);
        assert_eq!(Width::Hidden.count(&changed, (1, 0)), Some(40));
        assert_eq!(Width::Hidden.set(&changed, (1, 0), 96), architecture());
    }

    #[test]
    fn all_blocks_of_a_stage_get_the_output_width() {
        let changed = Width::Output.set(&architecture(), (0, 0), 40).lines();
        assert_eq!(
            changed[2..5],
            [
                "s1.b1 ibn k3 s1 x16 c40 relu6",
                "s1.b2 ibn k3 s1 x40 c40 relu6",
                "s2.b1 ibn k3 s2 x96 c32 relu6"
            ]
        );
    }
}
