//! What real exporters write: torchvision's and timm's networks, as tests/models/make.py made them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use nas::{
    network::{Activation, DType, Layer, Network, NetworkBuilder, Shape, Source, ops::*},
    onnx::{ExportOptions, Imported, ReadOptions, export, read_onnx, read_onnx_bytes},
    space::{Parallelism, Space, SpaceOptions, read_space, space_around},
    units::{Bytes, Macs, Params},
};

const MOBILENET_V2: [&str; 9] = [
    "mobilenet_v2-script17",
    "mobilenet_v2-script9-batchnorm-ir3",
    "mobilenet_v2-script11-batchnorm",
    "mobilenet_v2-script13-open-sides",
    "mobilenet_v2-script17-fp16",
    "mobilenet_v2-qdq-int8",
    "mobilenet_v2-dynamo",
    "mobilenet_v2-dynamo-open-batch",
    "mobilenet_v2-dynamo-unoptimised",
];
const MOBILENET_V3: [&str; 4] = [
    "mobilenet_v3_small-script17",
    "mobilenet_v3_small-script9-batchnorm",
    "mobilenet_v3_small-script13",
    "mobilenet_v3_small-dynamo",
];

fn path(name: &str) -> PathBuf {
    Path::new("tests/models").join(format!("{name}.onnx"))
}

fn imported(name: &str) -> Imported {
    let open = name.contains("open-sides");
    let options = ReadOptions { input_shape: open.then(|| vec![1, 3, 224, 224]), ..ReadOptions::default() };
    read_onnx(&path(name), &options).unwrap()
}

fn network(name: &str) -> Network {
    imported(name).network
}

fn lines(network: &Network) -> Vec<String> {
    network.blocks().iter().map(ToString::to_string).collect()
}

#[test]
fn mobilenet_v2_costs_what_is_known_of_it() {
    let network = network("mobilenet_v2-script17");
    assert_eq!(network.macs(), Macs(300_774_272));
    assert_eq!(network.params(), Params(3_487_816), "batch-norm folded");
    let peak = network.peak_activation();
    assert_eq!((peak.in_place, peak.no_alias), (Bytes(6_021_120), Bytes(9_633_792)));
    assert_eq!(network.dtype(), DType::Fp32);
    assert_eq!(network.block_counts(), "16 ibn, 1 ds");
}

#[test]
fn mobilenet_v2_is_the_same_from_every_exporter_opset_and_folding() {
    let first = network(MOBILENET_V2[0]);
    for name in MOBILENET_V2 {
        let network = network(name);
        assert_eq!(network.macs(), first.macs(), "{name}");
        assert_eq!(network.params(), first.params(), "{name}");
        assert_eq!(lines(&network), lines(&first), "{name}");
        let shapes =
            |network: &Network| network.layers().iter().map(|layer| layer.output).collect::<Vec<_>>();
        assert_eq!(shapes(&network), shapes(&first), "{name}");
    }
}

#[test]
fn mobilenet_v3_is_the_same_however_hard_swish_is_spelled() {
    for name in MOBILENET_V3 {
        let network = network(name);
        assert_eq!(network.macs(), Macs(56_510_400), "{name}");
        assert_eq!(network.params(), Params(2_536_800), "{name}");
        assert_eq!(lines(&network), lines(&self::network(MOBILENET_V3[0])), "{name}");
        let swishes = network.layers().iter().filter(|layer| layer.activation == Activation::HardSwish);
        assert_eq!(swishes.count(), 19, "{name}");
    }
}

#[test]
fn weights_types_are_told_apart() {
    assert_eq!(network("mobilenet_v2-qdq-int8").dtype(), DType::Int8);
    assert_eq!(network("mobilenet_v2-script17-fp16").dtype(), DType::Fp16);
    let quarter = network("mobilenet_v2-qdq-int8").peak_activation();
    assert_eq!(quarter.in_place, Bytes(6_021_120 / 4));
}

#[test]
fn blocks_are_recognised_by_structure() {
    for (name, macs, blocks) in [
        ("mobilenetv1_100", 568_740_352, "13 ds"),
        ("mobilenet_edgetpu_100", 990_669_184, "13 ibn, 9 fused-ibn"),
        ("efficientnet_es", 1_788_731_008, "11 ibn, 7 fused-ibn"),
        ("efficientnet_b0", 385_814_752, "15 ibn, 1 ds"),
        ("resnet18", 1_814_073_344, "8 basic"),
        ("resnext50_32x4d", 4_230_479_872, "16 bottleneck"),
        ("regnet_y_400mf", 401_842_848, "16 bottleneck"),
        ("resnet50-dynamo", 4_089_184_256, "16 bottleneck"),
        ("mobilenet_v3_small-script17", 56_510_400, "10 ibn, 1 ds"),
    ] {
        let network = network(name);
        assert_eq!(network.macs(), Macs(macs), "{name}, as hooks on torch's own layers count");
        assert_eq!(network.block_counts(), blocks, "{name}");
    }
}

#[test]
fn squeeze_and_excite_and_residuals_are_found() {
    let small = network("mobilenet_v3_small-script17").blocks();
    let excited: Vec<u32> = small.iter().filter_map(|found| found.block.se.map(|se| se.reduced)).collect();
    assert_eq!(excited, [8, 24, 64, 64, 32, 40, 72, 144, 144], "Howard et al. 2019, table 2");
    assert_eq!(small.iter().filter(|found| found.residual).count(), 6);
    let swish = network("efficientnet_b0").blocks();
    assert!(
        swish.iter().all(|found| found.block.activation == Activation::Swish && found.block.se.is_some())
    );
}

#[test]
fn tensorflows_same_padding_written_as_arithmetic_is_read() {
    let network = network("tf_efficientnet_lite0-same-padding-open-sides");
    assert_eq!(network.macs(), Macs(385_187_552));
    assert_eq!(network.block_counts(), "15 ibn, 1 ds");
    assert!(!serde_json::to_string(&network).unwrap().contains("\"pad\""), "every window is \"same\"");
}

#[test]
fn open_sides_follow_the_input_shape_that_is_asked_for() {
    let name = "tf_efficientnet_lite0-same-padding-open-sides";
    let at = |side: u64| {
        let options = ReadOptions { input_shape: Some(vec![1, 3, side, side]), ..ReadOptions::default() };
        read_onnx(&path(name), &options).unwrap().network
    };
    assert_eq!(at(192).layers()[0].output.h, 96);
    assert_eq!(at(193).layers()[0].output.h, 97, "\"same\" rounds up");
    assert_eq!(at(193).params(), at(224).params());
    let error = read_onnx(&path(name), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("input `picture`") && error.contains("--input-shape 1x3x224x224"), "{error}");
    assert!(error.contains("height"), "{error}");
}

#[test]
fn a_channel_shuffle_costs_nothing_and_is_said() {
    let read = imported("shufflenet_v2_x0_5");
    assert_eq!(read.network.macs(), Macs(40_476_448));
    assert!(read.notes.iter().any(|note| note.contains("channel shuffle")), "{:?}", read.notes);
}

#[test]
fn a_space_around_a_model_has_the_model_as_its_baseline() {
    for name in [
        "mobilenet_v2-script17",
        "mobilenet_v3_small-dynamo",
        "mobilenetv1_100",
        "efficientnet_es",
        "efficientnet_b0",
        "resnet18",
        "resnet50-dynamo",
        "resnext50_32x4d",
    ] {
        let network = network(name);
        let options =
            SpaceOptions { name: None, parallelism: Parallelism::Number(8), estimator: None, dtype: None };
        let around = space_around(&network, &options).unwrap();
        assert_eq!(around.differences, Vec::<String>::new(), "{name}");
        let space = read_space("space.json", &around.text).unwrap();
        let baseline = space.network(&space.baseline().0).unwrap();
        assert_eq!((baseline.macs(), baseline.params()), (network.macs(), network.params()), "{name}");
        assert_eq!(baseline.peak_activation(), network.peak_activation(), "{name}");
        assert_eq!(lines(&baseline), lines(&network), "{name}");
        assert!(around.text.lines().all(|line| line.len() <= 140), "{name} can be read");
    }
}

#[test]
fn a_baseline_that_is_not_the_model_is_told_block_by_block() {
    let options =
        SpaceOptions { name: None, parallelism: Parallelism::Number(16), estimator: None, dtype: None };
    let around = space_around(&network("mobilenet_v3_small-script17"), &options).unwrap();
    let said = around.differences.join("\n");
    assert!(said.contains("MACs: 56510400 in the model"), "{said}");
    assert!(said.contains("block 2: ibn k3 s2 x72 c24 relu in the model, ibn k3 s2 x80 c24 relu"), "{said}");
    assert!(said.contains("--parallelism 8 there would be 0 differences"), "{said}");
    let shuffled = space_around(&network("shufflenet_v2_x0_5"), &options).unwrap_err().to_string();
    assert!(shuffled.contains("layer `"), "{shuffled}");
}

/// Same bytes every time, good enough to hit every field.
fn scrambled(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn cut_and_flipped_files_never_panic() {
    let options = ReadOptions { input_shape: Some(vec![1, 3, 224, 224]), partial: true, name: None };
    let mut state = 7;
    for name in
        ["mobilenet_v3_small-dynamo", "tf_efficientnet_lite0-same-padding-open-sides", "shufflenet_v2_x0_5"]
    {
        let whole = std::fs::read(path(name)).unwrap();
        for _ in 0..60 {
            let end = scrambled(&mut state) as usize % whole.len();
            let _ = read_onnx_bytes("cut.onnx", &whole[..end], &options);
            let mut flipped = whole.clone();
            for _ in 0..=scrambled(&mut state) % 4 {
                let at = scrambled(&mut state) as usize % whole.len();
                flipped[at] ^= 1 << (scrambled(&mut state) % 8);
            }
            let _ = read_onnx_bytes("flipped.onnx", &flipped, &options);
        }
    }
}

/// Everything but names and the number format: an exported model holds floats.
fn structure(layers: &[Layer]) -> Vec<String> {
    let line = |layer: &Layer| format!("{:?} {:?} {:?}", layer.op, layer.inputs, layer.activation);
    layers.iter().map(line).collect()
}

fn comes_back(network: &Network, options: &ExportOptions) {
    let bytes = export(network, options).unwrap();
    let read = read_onnx_bytes("exported.onnx", &bytes, &ReadOptions::default()).unwrap().network;
    assert_eq!(structure(read.layers()), structure(network.layers()), "{options:?}");
    assert_eq!((read.macs(), read.params()), (network.macs(), network.params()), "{options:?}");
}

#[test]
fn what_a_search_space_holds_comes_back_from_an_export_as_it_was() {
    for name in ["floodlight-classifier", "presence-detector", "robot-segmenter"] {
        let space = Space::load(&Path::new("search-spaces").join(format!("{name}.json"))).unwrap();
        for seed in 0..8 {
            let alternative = |(index, gene): (usize, &nas::space::Gene)| {
                ((seed * (2 * index + 7) + index) % gene.labels.len()) as u8
            };
            let genotype: Vec<u8> = space.genes().iter().enumerate().map(alternative).collect();
            let options = ExportOptions {
                opset: 11 + seed as u32,
                batch_norm: seed % 2 == 0,
                ..ExportOptions::default()
            };
            comes_back(&space.network(&genotype).unwrap(), &options);
        }
    }
}

#[test]
fn swish_and_slices_come_back_from_an_export() {
    let mut b = NetworkBuilder::new("n", Shape::new(16, 16, 3), DType::Fp32);
    let stem = b.add("stem", Conv2d::square(16, 3, 2), &[Source::Input], Activation::Swish).unwrap();
    let left = b.add("left", Slice { start: 0, cout: 8 }, &[stem], Activation::None).unwrap();
    let right = b.add("right", Slice { start: 8, cout: 8 }, &[stem], Activation::None).unwrap();
    let right = b.add("conv", Conv2d::square(8, 1, 1), &[right], Activation::Swish).unwrap();
    b.add("both", Concat, &[left, right], Activation::None).unwrap();
    comes_back(&b.finish(), &ExportOptions::default());
}
