//! What is written, decoded again and checked without the exporter's help.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::{ExportOptions, export};
use crate::{
    network::{
        Activation, Block, BlockKind, DType, Network, NetworkBuilder, Pad, Shape, Source, SqueezeExcite,
        Window, ops::*,
    },
    onnx::proto::{Graph, Model, Node, data_type, decode},
};

fn model(network: &Network, options: &ExportOptions) -> Model {
    decode(&export(network, options).unwrap()).unwrap()
}

fn graph(network: &Network, options: &ExportOptions) -> Graph {
    model(network, options).graph.unwrap()
}

/// Everything that can be in a network: blocks, gates, branches, pools, several outputs.
fn everything() -> Network {
    let mut b = NetworkBuilder::new("everything", Shape::new(33, 20, 3), DType::Int8);
    let mut x = b.add("stem", Conv2d::square(8, 3, 2), &[Source::Input], Activation::HardSwish).unwrap();
    for (index, fused) in [false, true, false].into_iter().enumerate() {
        let se = (!fused).then_some(SqueezeExcite {
            reduced: 4,
            squeezed: Activation::Relu,
            gate: Activation::HardSigmoid,
        });
        let stride = if index == 1 { 2 } else { 1 };
        let activation = Activation::Relu6;
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
    let near = b.add("near", near, &[left], Activation::None).unwrap();
    let sum = b.add("sum", Add, &[left, right, near], Activation::Relu).unwrap();
    let all = b.add("all", Concat, &[sum, left, x], Activation::None).unwrap();
    b.add("class", Conv2d::square(3, 1, 1), &[all], Activation::None).unwrap();
    let x = b.add("max", MaxPool { window: Window::square(3, 2) }, &[all], Activation::None).unwrap();
    let x = b.add("average", AvgPool { window: Window::square(3, 2) }, &[x], Activation::Relu).unwrap();
    let gate = b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    let gate = b.add("gate", Dense { cout: 40, bias: true }, &[gate], Activation::Sigmoid).unwrap();
    let x = b.add("gated", Mul, &[x, gate], Activation::None).unwrap();
    let x = b.add("hidden", Dense { cout: 12, bias: false }, &[x], Activation::HardSwish).unwrap();
    b.add("answer", Dense { cout: 5, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

/// The shapes that a reader of the file can know, by value.
fn shapes(graph: &Graph) -> HashMap<String, Vec<i64>> {
    let infos = graph.input.iter().chain(&graph.output).chain(&graph.value_info);
    infos
        .map(|info| {
            let tensor = info.value_type.clone().unwrap().tensor_type.unwrap();
            assert_eq!(tensor.elem_type, data_type::FLOAT);
            let sides = tensor.shape.unwrap().dim.into_iter().map(|dim| dim.dim_value.unwrap()).collect();
            (info.name.clone(), sides)
        })
        .collect()
}

fn check_names(graph: &Graph) {
    let mut values: HashSet<&str> = graph.input.iter().map(|info| info.name.as_str()).collect();
    for tensor in &graph.initializer {
        assert!(values.insert(&tensor.name), "{} twice", tensor.name);
        let width = if tensor.data_type == data_type::FLOAT { 4 } else { 8 };
        let elements: i64 = tensor.dims.iter().product();
        assert_eq!(tensor.raw_data.len() as i64, width * elements, "{}", tensor.name);
    }
    let mut nodes = HashSet::new();
    for node in &graph.node {
        assert!(!node.name.is_empty() && nodes.insert(&node.name), "node {} twice", node.name);
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            assert!(values.contains(input.as_str()), "{} reads {input} before it is there", node.name);
        }
        for output in &node.output {
            assert!(values.insert(output), "{output} twice");
        }
    }
    assert!(graph.output.iter().all(|info| values.contains(info.name.as_str())));
}

fn weights<'g>(graph: &'g Graph, node: &Node) -> &'g [i64] {
    &graph.initializer.iter().find(|tensor| tensor.name == node.input[1]).unwrap().dims
}

fn written(node: &Node, graph: &Graph) -> Vec<i64> {
    let shapes = shapes(graph);
    let mut name = &node.output[0];
    // A layer's shape stands at the last of its nodes.
    while !shapes.contains_key(name) {
        name = &graph.node.iter().find(|next| next.input.contains(name)).unwrap().output[0];
    }
    shapes[name].clone()
}

/// Multiply-adds as they follow from weights and shapes in the file.
fn macs(graph: &Graph) -> i64 {
    let trained = graph.node.iter().filter(|node| ["Conv", "Gemm"].contains(&node.op_type.as_str()));
    trained
        .map(|node| {
            let pixels: i64 = written(node, graph)[2..].iter().product();
            pixels * weights(graph, node).iter().product::<i64>()
        })
        .sum()
}

fn check(network: &Network, options: &ExportOptions) {
    let graph = graph(network, options);
    check_names(&graph);
    assert_eq!(macs(&graph), network.macs().0 as i64);
    let known = shapes(&graph);
    for layer in network.layers() {
        let Shape { h, w, c } = layer.output;
        let sides = &known[&layer.name];
        let picture = [1, i64::from(c), h.into(), w.into()];
        assert!(*sides == picture || (*sides == picture[..2] && (h, w) == (1, 1)), "{}", layer.name);
    }
    if !options.batch_norm {
        let trained =
            graph.initializer.iter().filter(|t| t.name.ends_with(".weight") || t.name.ends_with(".bias"));
        let params: i64 = trained.map(|tensor| tensor.dims.iter().product::<i64>()).sum();
        assert_eq!(params as u64, network.params().0);
    }
}

#[test]
fn every_operator_is_written_in_every_operator_set() {
    for opset in ExportOptions::OPSETS {
        for batch_norm in [false, true] {
            check(&everything(), &ExportOptions { opset, batch_norm, ..ExportOptions::default() });
        }
    }
    let old = graph(&everything(), &ExportOptions { opset: 13, ..ExportOptions::default() });
    assert!(old.node.iter().all(|node| node.op_type != "HardSwish"));
    let outputs: Vec<String> = old.output.into_iter().map(|info| info.name).collect();
    assert_eq!(outputs, ["class", "answer"], "what no layer reads");
}

#[test]
fn batch_norm_takes_the_place_of_the_bias() {
    let network = everything();
    let graph = graph(&network, &ExportOptions { batch_norm: true, ..ExportOptions::default() });
    let norms: Vec<&str> =
        graph.node.iter().filter(|n| n.op_type == "BatchNormalization").map(|n| n.name.as_str()).collect();
    assert!(norms.contains(&"s1.b0.expand_bn") && norms.contains(&"s1.b2.project_bn"), "{norms:?}");
    assert!(!norms.contains(&"class_bn") && !norms.contains(&"right_bn"), "{norms:?}");
    let conv = graph.node.iter().find(|node| node.name == "s1.b0.expand").unwrap();
    assert_eq!(conv.input.len(), 2, "no bias before batch-norm");
}

#[test]
fn the_seed_alone_decides_the_bytes() {
    let options = |seed| ExportOptions { seed, ..ExportOptions::default() };
    let bytes = |seed| export(&everything(), &options(seed)).unwrap();
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn the_model_says_where_it_comes_from() {
    let metadata = vec![("nas_space".to_owned(), "detector".to_owned())];
    let model = model(&everything(), &ExportOptions { seed: 5, metadata, ..ExportOptions::default() });
    let find = |key: &str| model.metadata_props.iter().find(|entry| entry.key == key).unwrap().value.clone();
    assert_eq!(find("nas_space"), "detector");
    assert_eq!(find("nas_weights_seed"), "5");
    assert_eq!(find("nas_macs"), everything().macs().to_string());
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
}

#[test]
fn names_that_clash_with_the_exporters_own_stay_apart() {
    let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 3), DType::Int8);
    let x = b.add("a", Conv2d::square(4, 3, 1), &[Source::Input], Activation::Relu6).unwrap();
    let x = b.add("a_raw", Conv2d::square(4, 3, 1), &[x], Activation::Relu6).unwrap();
    let x = b.add("a.weight", Conv2d::square(4, 3, 1), &[x], Activation::Relu6).unwrap();
    let x = b.add("a_relu6", Conv2d::square(4, 3, 1), &[x], Activation::Relu6).unwrap();
    let x = b.add("", Conv2d::square(4, 3, 1), &[x], Activation::Relu6).unwrap();
    b.add("relu6.min", Conv2d::square(4, 3, 1), &[x], Activation::Relu6).unwrap();
    let network = b.finish();
    for batch_norm in [false, true] {
        let options = ExportOptions { batch_norm, ..ExportOptions::default() };
        let graph = graph(&network, &options);
        let named = graph.node.iter().filter(|node| node.name.is_empty()).count();
        assert_eq!(named, 0);
        check_names(&graph);
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    let said = |op: Op, opset| {
        let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 3), DType::Int8);
        b.add("a", op, &[Source::Input], Activation::None).unwrap();
        export(&b.finish(), &ExportOptions { opset, ..ExportOptions::default() }).unwrap_err().to_string()
    };
    let dilated = AvgPool { window: Window { dilation: [2; 2], ..Window::square(2, 1) } };
    assert!(said(dilated.into(), 17).contains("--opset 19"));
    let border = MaxPool { window: Window { pad: Pad::Explicit([0, 2, 0, 0]), ..Window::square(2, 1) } };
    assert!(said(border.into(), 17).contains("layer `a`"));
    assert!(said(Op::GlobalAvgPool(GlobalAvgPool), 10).contains("opset 10, expected 11 to 23"));
    let large = Dense { cout: 65_536, bias: true };
    let mut b = NetworkBuilder::new("n", Shape::new(800, 800, 3), DType::Int8);
    b.add("a", large, &[Source::Input], Activation::None).unwrap();
    let said = export(&b.finish(), &ExportOptions::default()).unwrap_err().to_string();
    assert!(said.contains("params"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_block_keeps_its_macs_and_shapes(
        (h, w) in (5u32..40, 5u32..40), kernel in 1u32..8, stride in 1u32..4, cin in 1u32..9, hidden in 1u32..20,
        cout in 1u32..9, fused: bool, se: bool, kind in 0usize..5, batch_norm: bool, opset in 11u32..24,
    ) {
        let kind = [
            BlockKind::Conv,
            BlockKind::DepthwiseSeparable,
            BlockKind::Ibn,
            BlockKind::Basic,
            BlockKind::Bottleneck,
        ][kind];
        let se = se.then_some(SqueezeExcite { reduced: 3, squeezed: Activation::Relu, gate: Activation::Sigmoid });
        let activation = Activation::HardSwish;
        // Grouped where that divides.
        let groups = if kind == BlockKind::Bottleneck && hidden % 2 == 0 { 2 } else { 1 };
        let block = Block { kind, fused, kernel, stride, hidden, cout, activation, groups, se };
        let mut b = NetworkBuilder::new("n", Shape::new(h, w, cin), DType::Int8);
        block.build(&mut b, "b", Source::Input).unwrap();
        check(&b.finish(), &ExportOptions { opset, batch_norm, ..ExportOptions::default() });
    }
}
