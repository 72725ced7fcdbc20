//! Facts of the reader, on graphs written by hand.

use super::{
    proto::{
        Attribute, Dimension, Function, Graph, Model, Node, OperatorSetId, StringStringEntry, Tensor,
        TensorShape, TensorType, Type, ValueInfo, data_type, encode,
    },
    *,
};
use crate::{
    network::{Activation, DType, Op, Pad, Source},
    units::{Macs, Params},
};

fn node(op: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        op_type: op.into(),
        name: format!("the_{output}"),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: vec![output.into()],
        ..Node::default()
    }
}

impl Node {
    fn ints(mut self, name: &str, ints: &[i64]) -> Self {
        self.attribute.push(Attribute { name: name.into(), ints: ints.to_vec(), ..Attribute::default() });
        self
    }

    fn int(mut self, name: &str, int: i64) -> Self {
        self.attribute.push(Attribute { name: name.into(), i: Some(int), ..Attribute::default() });
        self
    }

    fn float(mut self, name: &str, float: f32) -> Self {
        self.attribute.push(Attribute { name: name.into(), f: Some(float), ..Attribute::default() });
        self
    }

    fn text(mut self, name: &str, text: &str) -> Self {
        self.attribute.push(Attribute { name: name.into(), s: Some(text.into()), ..Attribute::default() });
        self
    }

    fn tensor(mut self, name: &str, tensor: Tensor) -> Self {
        self.attribute.push(Attribute { name: name.into(), t: Some(tensor), ..Attribute::default() });
        self
    }
}

fn tensor(name: &str, dims: &[i64], kind: i32) -> Tensor {
    Tensor { name: name.into(), dims: dims.to_vec(), data_type: kind, ..Tensor::default() }
}

/// A weight whose numbers are in a file that is not there.
fn weight(name: &str, dims: &[i64]) -> Tensor {
    let location = StringStringEntry { key: "location".into(), value: "gone.bin".into() };
    Tensor { data_location: 1, external_data: vec![location], ..tensor(name, dims, data_type::FLOAT) }
}

fn ints(name: &str, values: &[i64]) -> Tensor {
    Tensor { int64_data: values.to_vec(), ..tensor(name, &[values.len() as i64], data_type::INT64) }
}

fn number(name: &str, value: f32) -> Tensor {
    Tensor { float_data: vec![value], ..tensor(name, &[], data_type::FLOAT) }
}

fn picture(dims: &[i64]) -> ValueInfo {
    let dim = |side: &i64| Dimension { dim_value: Some(*side), ..Dimension::default() };
    let shape = TensorShape { dim: dims.iter().map(dim).collect() };
    let tensor_type = TensorType { elem_type: data_type::FLOAT, shape: Some(shape) };
    let value_type = Type { tensor_type: Some(tensor_type), denotation: String::new() };
    ValueInfo { name: "x".into(), value_type: Some(value_type), ..ValueInfo::default() }
}

/// A model from `x`, a picture of 3x8x8, to the last node's output.
fn model(nodes: Vec<Node>, constants: Vec<Tensor>) -> Model {
    let name = nodes.last().map(|node| node.output[0].clone()).unwrap_or_default();
    let output = ValueInfo { name, ..ValueInfo::default() };
    let graph = Graph {
        node: nodes,
        initializer: constants,
        input: vec![picture(&[1, 3, 8, 8])],
        output: vec![output],
        ..Graph::default()
    };
    let opset = OperatorSetId { domain: String::new(), version: 17 };
    Model { ir_version: 8, graph: Some(graph), opset_import: vec![opset], ..Model::default() }
}

fn read_with(model: &Model, options: &ReadOptions) -> Result<Imported> {
    read_onnx_bytes("m.onnx", &encode(model), options)
}

fn read(nodes: Vec<Node>, constants: Vec<Tensor>) -> Network {
    read_with(&model(nodes, constants), &ReadOptions::default()).unwrap().network
}

fn refused(nodes: Vec<Node>, constants: Vec<Tensor>) -> String {
    read_with(&model(nodes, constants), &ReadOptions::default()).unwrap_err().to_string()
}

fn conv(weights: &str, input: &str, output: &str) -> Node {
    node("Conv", &[input, weights], output).ints("pads", &[1, 1, 1, 1])
}

const CONV_MACS: Macs = Macs(8 * 8 * 27 * 16);

#[test]
fn an_empty_file_is_no_model() {
    for (bytes, said) in [(&b""[..], "an empty file"), (b"\x08\x07", "no graph"), (b"PK\x03\x04", "m.onnx")] {
        let error = read_onnx_bytes("m.onnx", bytes, &ReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("an ONNX model"), "{error}");
    }
}

#[test]
fn weights_count_wherever_they_are() {
    let direct = || weight("w", &[16, 3, 3, 3]);
    let behind_identity = vec![node("Identity", &["v"], "w"), conv("w", "x", "y")];
    let in_a_node = vec![node("Constant", &[], "w").tensor("value", direct()), conv("w", "x", "y")];
    let zeros = vec![node("ConstantOfShape", &["sides"], "w"), conv("w", "x", "y")];
    let halves = vec![node("Cast", &["v"], "w").int("to", 1), conv("w", "x", "y")];
    let cases = [
        (vec![conv("w", "x", "y")], vec![direct()]),
        (behind_identity, vec![weight("v", &[16, 3, 3, 3])]),
        (in_a_node, vec![]),
        (zeros, vec![ints("sides", &[16, 3, 3, 3])]),
        (halves, vec![weight("v", &[16, 3, 3, 3])]),
    ];
    for (nodes, constants) in cases {
        let network = read(nodes, constants);
        assert_eq!((network.macs(), network.params()), (CONV_MACS, Params(27 * 16)));
    }
}

#[test]
fn batch_norm_becomes_the_bias_of_the_convolution_before_it() {
    let norm = |input: &str, output: &str| node("BatchNormalization", &[input, "s", "s", "s", "s"], output);
    let constants = || vec![weight("w", &[16, 3, 3, 3]), weight("s", &[16])];
    let folded = read(vec![conv("w", "x", "c"), norm("c", "y")], constants());
    assert_eq!((folded.layers().len(), folded.params()), (1, Params(27 * 16 + 16)));
    let shared = vec![conv("w", "x", "c"), norm("c", "n"), node("Add", &["c", "n"], "y")];
    let kept = read_with(&model(shared, constants()), &ReadOptions::default()).unwrap();
    assert_eq!(kept.network.layers().len(), 3, "the sum reads the convolution without the batch-norm");
    assert_eq!(kept.network.params(), Params(27 * 16 + 2 * 16));
    assert!(kept.notes[0].contains("1x1 depthwise"), "{:?}", kept.notes);
}

#[test]
fn a_nonlinearity_that_not_all_read_is_a_layer_of_its_own() {
    let nodes = vec![
        conv("w", "x", "c"),
        node("Relu", &["c"], "r"),
        conv("v", "r", "d"),
        node("Add", &["c", "d"], "y"),
    ];
    let network = read(nodes, vec![weight("w", &[16, 3, 3, 3]), weight("v", &[16, 16, 3, 3])]);
    let layers = network.layers();
    assert_eq!(layers[0].activation, Activation::None);
    assert_eq!((layers[1].op.name(), layers[1].activation), ("max_pool", Activation::Relu));
    assert_eq!(layers[2].inputs[..], [Source::Layer(1)]);
    assert_eq!(layers[3].inputs[..], [Source::Layer(0), Source::Layer(2)]);
}

#[test]
fn clips_are_relu6_with_bounds_in_inputs_or_attributes() {
    let attributes = node("Clip", &["c"], "y").float("min", 0.0).float("max", 6.0);
    let inputs = node("Clip", &["c", "low", "high"], "y");
    for clip in [attributes, inputs] {
        let constants = vec![weight("w", &[16, 3, 3, 3]), number("low", 0.0), number("high", 6.0)];
        let network = read(vec![conv("w", "x", "c"), clip], constants);
        assert_eq!(network.layers()[0].activation, Activation::Relu6);
    }
    let strange = node("Clip", &["c"], "y").float("min", -1.0).float("max", 1.0);
    let said = refused(vec![conv("w", "x", "c"), strange], vec![weight("w", &[16, 3, 3, 3])]);
    assert!(said.contains("node `the_y`") && said.contains("nonlinearity"), "{said}");
}

#[test]
fn silu_is_a_sigmoid_times_its_input() {
    let nodes = vec![conv("w", "x", "c"), node("Sigmoid", &["c"], "s"), node("Mul", &["s", "c"], "y")];
    let network = read(nodes, vec![weight("w", &[16, 3, 3, 3])]);
    assert_eq!(network.layers().len(), 1);
    assert_eq!(network.layers()[0].activation, Activation::Swish);
}

#[test]
fn borders_that_are_tensorflows_are_called_same_and_others_are_kept() {
    let window = |conv: Node| {
        let network = read(vec![conv], vec![weight("w", &[16, 3, 3, 3])]);
        let Op::Conv2d(conv) = network.layers()[0].op else { panic!("a convolution") };
        (conv.window.pad, network.layers()[0].output.h)
    };
    let plain = || node("Conv", &["x", "w"], "y").ints("strides", &[2, 2]);
    assert_eq!(window(plain().ints("pads", &[0, 0, 1, 1])), (Pad::Same, 4));
    assert_eq!(window(plain().ints("pads", &[1, 1, 1, 1])), (Pad::Explicit([1, 1, 1, 1]), 4));
    assert_eq!(window(plain()), (Pad::Valid, 3));
    assert_eq!(window(plain().text("auto_pad", "SAME_UPPER")), (Pad::Same, 4));
    assert_eq!(window(plain().text("auto_pad", "SAME_LOWER")), (Pad::Explicit([1, 1, 0, 0]), 4));
}

#[test]
fn a_pad_node_is_taken_in_by_the_convolution_after_it() {
    let pads = ints("pads", &[0, 0, 0, 0, 0, 0, 1, 1]);
    let nodes = || {
        let strided = node("Conv", &["p", "w"], "y").ints("strides", &[2, 2]);
        vec![node("Pad", &["x", "pads"], "p"), strided]
    };
    let network = read(nodes(), vec![weight("w", &[16, 3, 3, 3]), pads]);
    assert_eq!((network.layers().len(), network.layers()[0].output.h), (1, 4));
    let channels = ints("pads", &[0, 1, 0, 0, 0, 1, 0, 0]);
    let said = refused(nodes(), vec![weight("w", &[16, 3, 3, 3]), channels]);
    assert!(said.contains("node `the_p` (Pad)") && said.contains("rows and columns only"), "{said}");
}

#[test]
fn a_head_after_a_reshape_computed_from_the_shape_is_dense() {
    let nodes = vec![
        conv("w", "x", "c"),
        node("GlobalAveragePool", &["c"], "g"),
        node("Shape", &["g"], "sides"),
        node("Gather", &["sides", "zero"], "batch").int("axis", 0),
        node("Unsqueeze", &["batch", "first"], "row"),
        node("Concat", &["row", "rest"], "wanted").int("axis", 0),
        node("Reshape", &["g", "wanted"], "flat"),
        node("MatMul", &["flat", "m"], "product"),
        node("Add", &["product", "b"], "y"),
    ];
    let zero = Tensor { int64_data: vec![0], ..tensor("zero", &[], data_type::INT64) };
    let constants = vec![
        weight("w", &[16, 3, 3, 3]),
        zero,
        ints("first", &[0]),
        ints("rest", &[-1]),
        weight("m", &[16, 10]),
        weight("b", &[10]),
    ];
    let network = read(nodes, constants);
    assert_eq!(network.layers().last().unwrap().op.name(), "dense");
    assert_eq!(network.params(), Params(27 * 16 + 160 + 10));
}

#[test]
fn a_picture_with_channels_last_is_transposed_for_free() {
    let mut channels_last = model(
        vec![node("Transpose", &["x"], "t").ints("perm", &[0, 3, 1, 2]), conv("w", "t", "y")],
        vec![weight("w", &[16, 3, 3, 3])],
    );
    channels_last.graph.as_mut().unwrap().input = vec![picture(&[1, 8, 8, 3])];
    let network = read_with(&channels_last, &ReadOptions::default()).unwrap().network;
    assert_eq!((network.macs(), network.input().c), (CONV_MACS, 3));
}

#[test]
fn what_cannot_be_expressed_is_named_and_never_nothing() {
    let unknown = vec![
        conv("w", "x", "c"),
        node("ConvTranspose", &["c", "t"], "u"),
        node("Einsum", &["c"], "e"),
        node("Relu", &["u"], "r"),
        node("Add", &["r", "e"], "y"),
    ];
    let constants = vec![weight("w", &[16, 3, 3, 3]), weight("t", &[16, 16, 2, 2])];
    let said = refused(unknown.clone(), constants.clone());
    assert!(said.contains("m.onnx: node `the_u` (ConvTranspose): found"), "{said}");
    assert!(said.contains("node `the_e` (Einsum)"), "all of them: {said}");
    assert!(!said.contains("the_r"), "not those behind them: {said}");
    let options = ReadOptions { partial: true, ..ReadOptions::default() };
    let partial = read_with(&model(unknown, constants), &options).unwrap();
    assert_eq!(partial.network.macs(), CONV_MACS);
    assert_eq!((partial.missing.len(), partial.behind.len()), (2, 2));
    assert!(partial.network.name().contains("partial: 4 nodes missing"), "{}", partial.network.name());
}

#[test]
fn three_dimensional_and_misfitting_convolutions_are_refused() {
    let said = refused(vec![conv("w", "x", "y")], vec![weight("w", &[16, 3, 3])]);
    assert!(said.contains("2-D"), "{said}");
    let said = refused(vec![conv("w", "x", "y")], vec![weight("w", &[16, 4, 3, 3])]);
    assert!(said.contains("1 groups of 4 channels on a picture of 8x8x3"), "{said}");
    let said = refused(vec![conv("gone", "x", "y")], vec![]);
    assert!(said.contains("`gone`, which nothing before it writes"), "{said}");
}

#[test]
fn a_branch_with_a_known_condition_is_followed() {
    let branch = |weights: &str| {
        let output = ValueInfo { name: format!("out_{weights}"), ..ValueInfo::default() };
        let body = vec![conv(weights, "x", &format!("out_{weights}"))];
        Graph { node: body, output: vec![output], ..Graph::default() }
    };
    let attribute = |name: &str, graph: Graph| Attribute {
        name: name.into(),
        g: Some(Box::new(graph)),
        ..Attribute::default()
    };
    let mut choice = node("If", &["condition"], "y");
    choice.attribute = vec![attribute("then_branch", branch("w")), attribute("else_branch", branch("v"))];
    let condition = Tensor { int32_data: vec![1], ..tensor("condition", &[], data_type::BOOL) };
    let network =
        read(vec![choice], vec![condition, weight("w", &[16, 3, 3, 3]), weight("v", &[32, 3, 3, 3])]);
    assert_eq!(network.macs(), CONV_MACS);
}

#[test]
fn functions_of_the_file_are_called_and_may_not_call_themselves_for_ever() {
    let function = |body: Vec<Node>| Function {
        name: "Layer".into(),
        domain: "local".into(),
        input: vec!["a".into(), "b".into()],
        output: vec!["c".into()],
        node: body,
        ..Function::default()
    };
    let call = Node { domain: "local".into(), ..node("Layer", &["x", "w"], "y") };
    let mut calling = model(vec![call], vec![weight("w", &[16, 3, 3, 3])]);
    calling.functions = vec![function(vec![conv("b", "a", "c")])];
    assert_eq!(read_with(&calling, &ReadOptions::default()).unwrap().network.macs(), CONV_MACS);
    let itself = Node { domain: "local".into(), ..node("Layer", &["a", "b"], "c") };
    calling.functions = vec![function(vec![itself.clone(), itself])];
    let error = read_with(&calling, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("within each other"), "{error}");
}

#[test]
fn quantised_weights_make_an_int8_network_and_a_dropped_relu_comes_back() {
    let byte =
        |name: &str, value: i32| Tensor { int32_data: vec![value], ..tensor(name, &[], data_type::INT8) };
    for (scale, activation) in [(0.1, Activation::Relu), (0.02, Activation::Relu6)] {
        let weights = Tensor { data_type: data_type::INT8, ..weight("q", &[16, 3, 3, 3]) };
        let nodes = vec![
            node("DequantizeLinear", &["q", "s", "zero"], "w"),
            conv("w", "x", "c"),
            node("QuantizeLinear", &["c", "s", "least"], "cq"),
            node("DequantizeLinear", &["cq", "s", "least"], "y"),
        ];
        let network = read(nodes, vec![weights, number("s", scale), byte("zero", 0), byte("least", -128)]);
        assert_eq!((network.dtype(), network.macs()), (DType::Int8, CONV_MACS));
        assert_eq!(network.layers()[0].activation, activation, "0 to {}", 255.0 * scale);
    }
}

#[test]
fn sides_that_are_open_are_asked_for_by_name() {
    let mut open = model(vec![conv("w", "x", "y")], vec![weight("w", &[16, 3, 3, 3])]);
    let shape = open.graph.as_mut().unwrap().input[0].value_type.as_mut().unwrap();
    let dims = &mut shape.tensor_type.as_mut().unwrap().shape.as_mut().unwrap().dim;
    for (index, name) in [(0, "N"), (2, "tall"), (3, "wide")] {
        dims[index] = Dimension { dim_param: Some(name.into()), ..Dimension::default() };
    }
    let ask = |sides: Option<&[u64]>| {
        let options = ReadOptions { input_shape: sides.map(<[u64]>::to_vec), ..ReadOptions::default() };
        read_with(&open, &options).map(|read| read.network.macs()).map_err(|error| error.to_string())
    };
    let error = ask(None).unwrap_err();
    assert!(error.contains("Nx3xtallxwide") && error.contains("--input-shape 1x3x224x224"), "{error}");
    assert_eq!(ask(Some(&[1, 3, 8, 8])), Ok(CONV_MACS));
    let error = ask(Some(&[1, 4, 8, 8])).unwrap_err();
    assert!(error.contains("--input-shape 1x4x8x8"), "{error}");
    assert!(ask(Some(&[2, 3, 8, 8])).unwrap_err().contains("batch of 1"));
    assert!(ask(Some(&[1, 3, u64::MAX, 8])).is_err());
}

#[test]
fn an_old_operator_set_is_refused() {
    let mut old = model(vec![conv("w", "x", "y")], vec![weight("w", &[16, 3, 3, 3])]);
    old.opset_import[0].version = 6;
    let error = read_with(&old, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("operator set 6") && error.contains("7 or newer"), "{error}");
}

#[test]
fn outrageous_sides_end_in_an_error_not_in_memory() {
    let huge = ints("sides", &[i64::MAX, i64::MAX, 3, 3]);
    let nodes = vec![node("ConstantOfShape", &["sides"], "w"), conv("w", "x", "y")];
    assert!(refused(nodes, vec![huge]).contains("the_y"));
    let range = vec![node("Range", &["a", "b", "c"], "r"), node("Add", &["x", "r"], "y")];
    let constants = vec![number("a", 0.0), number("b", 1e30), number("c", 1.0)];
    assert!(refused(range, constants).contains("a range of"));
}
