//! Blocks that were built are found.

use super::*;
use crate::network::{DType, NetworkBuilder, Shape, ops::*};

const EXCITE: SqueezeExcite =
    SqueezeExcite { reduced: 8, squeezed: Activation::Relu, gate: Activation::Sigmoid };

fn block(kind: BlockKind, fused: bool, hidden: u32, se: bool) -> Block {
    let se =
        se.then_some(SqueezeExcite { reduced: 8, squeezed: Activation::Relu, gate: Activation::HardSigmoid });
    Block {
        kind,
        fused,
        kernel: 3,
        stride: 1,
        hidden,
        cout: 16,
        activation: Activation::Relu6,
        groups: 1,
        se,
    }
}

#[test]
fn residual_blocks_with_and_without_a_projected_shortcut_are_found_again() {
    let block = |kind, stride, hidden, cout| Block {
        kind,
        stride,
        cout,
        activation: Activation::Relu,
        ..block(kind, false, hidden, false)
    };
    let blocks = [
        block(BlockKind::Basic, 1, 16, 16),
        block(BlockKind::Basic, 2, 32, 32),
        block(BlockKind::Basic, 1, 24, 32),
        block(BlockKind::Bottleneck, 1, 16, 64),
        block(BlockKind::Bottleneck, 1, 16, 64),
        block(BlockKind::Bottleneck, 2, 32, 128),
        Block { groups: 4, ..block(BlockKind::Bottleneck, 2, 64, 64) },
        Block { groups: 8, se: Some(EXCITE), ..block(BlockKind::Bottleneck, 1, 64, 64) },
    ];
    let mut b = NetworkBuilder::new("n", Shape::new(32, 32, 3), DType::Int8);
    let mut x = b.add("stem", Conv2d::square(16, 7, 2), &[Source::Input], Activation::Relu).unwrap();
    for (index, block) in blocks.iter().enumerate() {
        x = block.build(&mut b, format!("b{index}"), x).unwrap();
    }
    let network = b.finish();
    let found = network.blocks();
    assert_eq!(found.iter().map(|found| found.block).collect::<Vec<_>>(), blocks);
    assert_eq!(network.block_counts(), "5 bottleneck, 3 basic");
    let own: usize = found.iter().map(|found| found.layers.len()).sum();
    assert_eq!(own + 1, network.layers().len(), "every layer but the stem is of a block");
}

#[test]
fn blocks_that_were_built_are_found_again() {
    let blocks = [
        block(BlockKind::DepthwiseSeparable, false, 0, false),
        block(BlockKind::Ibn, false, 96, true),
        block(BlockKind::Ibn, true, 64, false),
        block(BlockKind::Ibn, false, 24, false),
    ];
    let mut b = NetworkBuilder::new("n", Shape::new(32, 32, 3), DType::Int8);
    let stem = Conv2d::square(16, 3, 2);
    let mut x = b.add("stem", stem, &[Source::Input], Activation::Relu6).unwrap();
    for (index, block) in blocks.iter().enumerate() {
        x = block.build(&mut b, format!("b{index}"), x).unwrap();
    }
    let network = b.finish();
    let found = network.blocks();
    assert_eq!(found.iter().map(|found| found.block).collect::<Vec<_>>(), blocks);
    assert_eq!(found.iter().map(|found| found.residual).collect::<Vec<_>>(), [false, true, true, true]);
    assert_eq!(network.block_counts(), "2 ibn, 1 fused-ibn, 1 ds");
}

#[test]
fn mobilenet_v1_has_no_inverted_bottleneck_even_without_its_nonlinearities() {
    for activation in [Activation::Relu, Activation::None] {
        let mut b = NetworkBuilder::new("n", Shape::new(32, 32, 3), DType::Int8);
        let mut x = b.add("stem", Conv2d::square(32, 3, 2), &[Source::Input], activation).unwrap();
        for (index, cout) in [64, 128, 128, 256].into_iter().enumerate() {
            let conv = DepthwiseConv2d::square(3, 1);
            x = b.add(format!("{index}.dw"), conv, &[x], activation).unwrap();
            x = b.add(format!("{index}.pw"), Conv2d::square(cout, 1, 1), &[x], activation).unwrap();
        }
        assert_eq!(b.finish().block_counts(), "4 ds");
    }
}

#[test]
fn a_resnet_bottleneck_is_not_an_inverted_one() {
    let mut b = NetworkBuilder::new("n", Shape::new(32, 32, 256), DType::Int8);
    let relu = Activation::Relu;
    let x = b.add("a", Conv2d::square(64, 1, 1), &[Source::Input], relu).unwrap();
    let x = b.add("b", Conv2d::square(64, 3, 1), &[x], relu).unwrap();
    let x = b.add("c", Conv2d::square(256, 1, 1), &[x], Activation::None).unwrap();
    b.add("d", Add, &[Source::Input, x], relu).unwrap();
    let found = b.finish().blocks();
    assert_eq!(found[0].to_string(), "bottleneck k3 s1 x64 c256 relu");
    assert_eq!(found.len(), 1);
}
