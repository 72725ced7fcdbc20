//! What is written, as text; `tests/models/check_export.py` runs it in PyTorch.

use super::{TorchOptions, torch_module};
use crate::network::{
    Activation, Block, BlockKind, DType, Network, NetworkBuilder, Pad, Shape, Source, SqueezeExcite, Window,
    ops::*,
};

fn network() -> Network {
    let mut b = NetworkBuilder::new("a \"name\"\\", Shape::new(32, 32, 3), DType::Int8);
    let mut x = b.add("stem", Conv2d::square(8, 3, 2), &[Source::Input], Activation::HardSwish).unwrap();
    let se = Some(SqueezeExcite { reduced: 4, squeezed: Activation::Relu, gate: Activation::HardSigmoid });
    let activation = Activation::Relu6;
    let block = Block {
        kind: BlockKind::Ibn,
        fused: false,
        kernel: 3,
        stride: 1,
        hidden: 24,
        cout: 8,
        activation,
        groups: 1,
        se,
    };
    x = block.build(&mut b, "s1.b1", x).unwrap();
    x = b.add("train", MaxPool { window: Window::square(3, 2) }, &[x], Activation::Relu).unwrap();
    b.add("head.box", Conv2d::square(4, 1, 1), &[x], Activation::None).unwrap();
    x = b.add("head.pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    b.add("head.class", Dense { cout: 5, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

#[test]
fn blocks_are_attributes_and_forward_is_a_line_a_layer() {
    insta::assert_snapshot!(torch_module(&network(), &TorchOptions::default()).unwrap());
}

#[test]
fn folded_batch_norm_leaves_a_bias() {
    let text =
        torch_module(&network(), &TorchOptions { batch_norm: false, ..TorchOptions::default() }).unwrap();
    assert!(
        text.contains("self.stem = conv(3, 8, 3, stride=2, pads=(0, 1, 0, 1), bias=True, norm=False"),
        "{text}"
    );
}

#[test]
fn a_pool_that_pytorch_does_not_know_is_refused() {
    for window in [
        Window { dilation: [2; 2], ..Window::square(2, 1) },
        Window { pad: Pad::Explicit([0, 2, 0, 0]), ..Window::square(2, 1) },
    ] {
        let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 3), DType::Int8);
        b.add("a", AvgPool { window }, &[Source::Input], Activation::None).unwrap();
        let said = torch_module(&b.finish(), &TorchOptions::default()).unwrap_err().to_string();
        assert!(said.contains("layer `a`"), "{said}");
    }
}
