//! What is written, read again by a reader that does not know the writer.

mod read;
mod reader;
mod rules;

use proptest::prelude::*;

use self::{
    read::{BYTE, FLOAT, File},
    rules::check,
};
use super::{TfliteOptions, tflite_model};
use crate::{
    network::{
        Activation, Block, BlockKind, DType, Network, NetworkBuilder, Pad, Shape, Source, SqueezeExcite,
        Window, ops::*,
    },
    stable_hash::short_id,
};

fn bytes(network: &Network) -> Vec<u8> {
    tflite_model(network, &TfliteOptions::default()).unwrap()
}

fn builder(size: u32, channels: u32) -> NetworkBuilder {
    NetworkBuilder::new("n", Shape::new(size, size, channels), DType::Int8)
}

fn one(op: impl Into<Op>, activation: Activation) -> Network {
    let mut b = builder(8, 4);
    b.add("a", op, &[Source::Input], activation).unwrap();
    b.finish()
}

/// Everything that can be in a network: blocks, gates, branches, pools, borders, several outputs.
fn everything() -> Network {
    let mut b = NetworkBuilder::new("everything", Shape::new(33, 20, 3), DType::Int8);
    let torch = Window { pad: Pad::Explicit([1; 4]), ..Window::square(3, 2) };
    let stem = Conv2d { window: torch, ..Conv2d::square(8, 3, 2) };
    let mut x = b.add("stem", stem, &[Source::Input], Activation::HardSwish).unwrap();
    for (index, fused) in [false, true, false].into_iter().enumerate() {
        let se = (!fused).then_some(SqueezeExcite {
            reduced: 4,
            squeezed: Activation::Relu,
            gate: Activation::HardSigmoid,
        });
        let (stride, activation) = (if index == 1 { 2 } else { 1 }, Activation::Relu6);
        let block = Block {
            kind: BlockKind::Ibn,
            fused,
            kernel: 5,
            stride,
            hidden: 24,
            cout: 8,
            activation,
            groups: 1,
            se,
        };
        x = block.build(&mut b, format!("s1.b{index}"), x).unwrap();
    }
    let grouped = Conv2d { groups: 4, ..Conv2d::square(16, 3, 1) };
    let left = b.add("left", grouped, &[x], Activation::Relu).unwrap();
    let window = Window { dilation: [2, 1], pad: Pad::Valid, ..Window::square(2, 1) };
    let wide = DepthwiseConv2d { window, cout: Some(16), bias: false };
    let right = b.add("right", wide, &[x], Activation::Sigmoid).unwrap();
    let size = Resize { size: [9, 5], mode: ResizeMode::Bilinear };
    let right = b.add("up", size, &[right], Activation::None).unwrap();
    let near = Resize { size: [9, 5], mode: ResizeMode::Nearest };
    let near = b.add("near", near, &[left], Activation::Relu6).unwrap();
    let sum = b.add("sum", Add, &[left, right, near], Activation::Relu).unwrap();
    let all = b.add("all", Concat, &[sum, right, x], Activation::None).unwrap();
    b.add("class", Conv2d::square(3, 1, 1), &[all], Activation::None).unwrap();
    let window = Window { pad: Pad::Explicit([2, 1, 0, 1]), ..torch };
    let x = b.add("max", MaxPool { window }, &[all], Activation::None).unwrap();
    let x = b.add("average", AvgPool { window: Window::square(3, 2) }, &[x], Activation::Relu).unwrap();
    let x = b.add("half", Slice { start: 8, cout: 20 }, &[x], Activation::None).unwrap();
    let x = b.add("mixed", Conv2d::square(40, 1, 1), &[x], Activation::Swish).unwrap();
    let gate = b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    let gate = b.add("gate", Dense { cout: 40, bias: true }, &[gate], Activation::Sigmoid).unwrap();
    let x = b.add("gated", Mul, &[x, gate], Activation::None).unwrap();
    let x = b.add("hidden", Dense { cout: 12, bias: false }, &[x], Activation::HardSwish).unwrap();
    b.add("answer", Dense { cout: 5, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

#[test]
fn every_operator_is_written_in_int8_and_in_single_precision() {
    for dtype in [DType::Int8, DType::Fp32] {
        let network = everything().relabelled("everything", dtype);
        let bytes = bytes(&network);
        let file = File::read(&bytes);
        check(&file, &network);
        let outputs: Vec<&str> =
            file.outputs.iter().map(|tensor| file.tensors[*tensor].name.as_str()).collect();
        assert_eq!(outputs, ["class", "answer"], "what no layer reads");
        let kind = if dtype == DType::Int8 { BYTE } else { FLOAT };
        assert!(network.layers().iter().all(|layer| file.tensor(&layer.name).kind == kind));
        let floats = file.tensors.iter().filter(|tensor| tensor.kind == FLOAT).count();
        assert_eq!(floats > 0, dtype == DType::Fp32, "nothing in between");
    }
}

#[test]
fn operators_have_the_schemas_numbers_and_the_versions_that_runtimes_know() {
    let network = everything();
    let bytes = bytes(&network);
    let file = File::read(&bytes);
    let code =
        |name: &str| (file.writer(name).code, file.writer(name).version, file.writer(name).options_kind);
    for (name, expected) in [
        ("stem_input", (34, 2, 22)),
        ("stem_raw", (3, 3, 1)),
        ("stem", (117, 1, 91)),
        ("s1.b0.depthwise", (4, 3, 2)),
        ("left", (3, 6, 1)),
        ("right", (14, 2, 0)),
        ("up", (23, 2, 15)),
        ("near_raw", (97, 2, 74)),
        ("near", (21, 2, 0)),
        ("sum_intermediate", (0, 2, 11)),
        ("sum", (0, 2, 11)),
        ("all_quantize", (114, 1, 89)),
        ("all", (2, 2, 10)),
        ("max_input", (60, 2, 43)),
        ("max", (17, 2, 5)),
        ("average", (1, 2, 5)),
        ("half", (65, 2, 48)),
        ("mixed", (18, 2, 21)),
        ("pool", (40, 2, 27)),
        ("hidden_input", (22, 1, 17)),
        ("answer", (9, 5, 8)),
    ] {
        assert_eq!(code(name), expected, "{name}");
    }
}

#[test]
fn a_border_that_tflite_adds_itself_needs_no_operator() {
    let codes = |pad| {
        let window = Window { pad, ..Window::square(3, 1) };
        let bytes = bytes(&one(Conv2d { window, ..Conv2d::square(8, 3, 1) }, Activation::Relu));
        File::read(&bytes).operators.iter().map(|operator| operator.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(Pad::Same), [3]);
    assert_eq!(codes(Pad::Valid), [3]);
    assert_eq!(codes(Pad::Explicit([1; 4])), [3], "the same as \"same\"");
    assert_eq!(codes(Pad::Explicit([0, 1, 2, 1])), [34, 3]);
}

#[test]
fn what_a_max_pool_adds_at_the_border_never_wins() {
    let pool = MaxPool { window: Window { pad: Pad::Explicit([1; 4]), ..Window::square(3, 2) } };
    let signed = bytes(&one(pool, Activation::None));
    let file = File::read(&signed);
    let operator = file.writer("a_input");
    assert_eq!((operator.code, file.input(operator, 2).data[0] as i8), (60, i8::MIN));
    let mut b = builder(8, 4);
    let x = b.add("a", Conv2d::square(4, 1, 1), &[Source::Input], Activation::Relu6).unwrap();
    b.add("b", pool, &[x], Activation::None).unwrap();
    let positive = bytes(&b.finish());
    let file = File::read(&positive);
    assert_eq!(file.writer("b_input").code, 34, "zero is the least that relu6 writes");
    assert_eq!(file.tensor("b_input").zeros, [-128]);
}

#[test]
fn ranges_follow_nonlinearities() {
    for (activation, low, high) in [
        (Activation::None, -6.0, 6.0),
        (Activation::Relu, 0.0, 6.0),
        (Activation::Relu6, 0.0, 6.0),
        (Activation::HardSwish, -0.375, 6.0),
        (Activation::Swish, -0.278_46, 6.0),
        (Activation::HardSigmoid, 0.0, 1.0),
        (Activation::Sigmoid, 0.0, 1.0),
    ] {
        let bytes = bytes(&one(Conv2d::square(4, 1, 1), activation));
        let file = File::read(&bytes);
        let tensor = file.tensor("a");
        let real = |number: i64| (number - tensor.zeros[0]) as f32 * tensor.scales[0];
        let (least, largest) = (real(-128), real(127));
        assert!(least <= low + 1e-6 && least > low - 0.05, "{activation}: {least}");
        assert!((largest - high).abs() < 0.03, "{activation}: {largest}");
    }
}

#[test]
fn the_seed_alone_decides_the_bytes() {
    let seeded = |seed| tflite_model(&everything(), &TfliteOptions { seed, ..TfliteOptions::default() });
    assert_eq!(seeded(3).unwrap(), seeded(3).unwrap());
    assert_ne!(seeded(3).unwrap(), seeded(4).unwrap());
}

#[test]
fn the_bytes_of_a_small_network_are_known() {
    let network = one(Conv2d::square(8, 3, 2), Activation::HardSwish);
    let options = TfliteOptions::default();
    let mut bytes = tflite_model(&network, &options).unwrap();
    // The version of nas stands in the file.
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    for place in 0..bytes.len() - version.len() {
        if &bytes[place..place + version.len()] == version {
            bytes[place..place + version.len()].fill(b'x');
        }
    }
    assert_eq!((bytes.len(), short_id(&bytes).as_str()), (1776, "79553a5a94fb6e7d"));
}

#[test]
fn the_model_says_where_it_comes_from() {
    let metadata = vec![("nas_space".to_owned(), "detector".to_owned())];
    let bytes = tflite_model(&everything(), &TfliteOptions { seed: 5, metadata }).unwrap();
    let file = File::read(&bytes);
    let find = |key: &str| file.metadata.iter().find(|(name, _)| name == key).unwrap().1.clone();
    assert_eq!(find("nas_space"), "detector");
    assert_eq!((find("nas_weights_seed"), find("nas_dtype")), ("5".into(), "int8".into()));
    assert_eq!(find("nas_macs"), everything().macs().to_string());
}

#[test]
fn names_that_clash_with_the_exporters_own_stay_apart() {
    let mut b = builder(8, 3);
    let mut x = Source::Input;
    for name in ["a", "a_raw", "a.weight", "", "a.bias", "layer"] {
        x = b.add(name, Conv2d::square(4, 3, 1), &[x], Activation::HardSwish).unwrap();
    }
    let network = b.finish();
    let bytes = bytes(&network);
    let file = File::read(&bytes);
    for layer in network.layers().iter().filter(|layer| !layer.name.is_empty()) {
        assert_eq!(file.tensor(&layer.name).shape, [1, 8, 8, 4], "{}", layer.name);
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    let said = |network: &Network| tflite_model(network, &TfliteOptions::default()).unwrap_err().to_string();
    let dilated = MaxPool { window: Window { dilation: [2; 2], ..Window::square(2, 1) } };
    assert!(said(&one(dilated, Activation::None)).contains("layer `a`: found a pool over a dilated window"));
    let border = AvgPool { window: Window { pad: Pad::Explicit([1; 4]), ..Window::square(3, 2) } };
    assert!(said(&one(border, Activation::None)).contains("--format onnx"));
    let half = one(Conv2d::square(4, 1, 1), Activation::None).relabelled("half", DType::Fp16);
    assert!(said(&half).contains("--dtype int8"));
    assert!(said(&builder(8, 3).finish()).contains("no layers"));
    let mut b = builder(800, 3);
    b.add("a", Dense { cout: 65_536, bias: true }, &[Source::Input], Activation::None).unwrap();
    assert!(said(&b.finish()).contains("params"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_block_keeps_its_macs_and_shapes(
        (h, w) in (5u32..40, 5u32..40), kernel in 1u32..8, stride in 1u32..4, cin in 1u32..9, hidden in 1u32..20,
        cout in 1u32..9, fused: bool, se: bool, kind in 0usize..5, gate in 0usize..7, float: bool,
    ) {
        let kind = [
            BlockKind::Conv,
            BlockKind::DepthwiseSeparable,
            BlockKind::Ibn,
            BlockKind::Basic,
            BlockKind::Bottleneck,
        ][kind];
        let activation = Activation::NAMES[gate].1;
        let se = se.then_some(SqueezeExcite { reduced: 3, squeezed: Activation::Relu, gate: Activation::Sigmoid });
        // Grouped where that divides.
        let groups = if kind == BlockKind::Bottleneck && hidden % 2 == 0 { 2 } else { 1 };
        let block = Block { kind, fused, kernel, stride, hidden, cout, activation, groups, se };
        let dtype = if float { DType::Fp32 } else { DType::Int8 };
        let mut b = NetworkBuilder::new("n", Shape::new(h, w, cin), dtype);
        block.build(&mut b, "b", Source::Input).unwrap();
        let network = b.finish();
        let bytes = bytes(&network);
        check(&File::read(&bytes), &network);
    }
}
