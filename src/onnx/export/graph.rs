//! An ONNX graph as it grows: nodes, constants, and names that stay unique.

use std::collections::HashSet;

use crate::{
    network::{Network, Shape},
    onnx::proto::{
        Attribute, Dimension, Graph, Node, Tensor, TensorShape, TensorType, Type, ValueInfo, attribute_kind,
        data_type,
    },
};

/// The name of the graph's input.
pub(super) const INPUT: &str = "input";

/// A graph to which nodes and constants are added.
pub(super) struct GraphWriter {
    graph: Graph,
    opset: u32,
    nodes: HashSet<String>,
    values: HashSet<String>,
}

impl GraphWriter {
    /// A graph with the input of `network`, in which the names of its layers are reserved.
    pub(super) fn new(network: &Network, opset: u32) -> Self {
        let layers: HashSet<String> = network.layers().iter().map(|layer| layer.name.clone()).collect();
        let values = layers.iter().cloned().chain([INPUT.to_owned()]).collect();
        let graph = Graph {
            name: network.name().to_owned(),
            input: vec![value_info(INPUT, &picture(network.input()))],
            ..Graph::default()
        };
        Self { graph, opset, nodes: layers, values }
    }

    pub(super) fn opset(&self) -> u32 {
        self.opset
    }

    /// Adds a node.
    pub(super) fn node(
        &mut self,
        name: String,
        op_type: &str,
        input: Vec<String>,
        output: String,
        attribute: Vec<Attribute>,
    ) {
        let (op_type, output) = (op_type.to_owned(), vec![output]);
        self.graph.node.push(Node { name, op_type, input, output, attribute, ..Node::default() });
    }

    /// Adds a constant of numbers and gives its name.
    pub(super) fn floats(&mut self, name: &str, dims: &[u64], values: &[f32]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, dims, data_type::FLOAT, raw)
    }

    /// Adds a constant list of integers and gives its name.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, &[values.len() as u64], data_type::INT64, raw)
    }

    fn constant(&mut self, name: &str, dims: &[u64], data_type: i32, raw_data: Vec<u8>) -> String {
        let name = self.fresh_value(name);
        let dims = dims.iter().map(|dim| *dim as i64).collect();
        let tensor = Tensor { name: name.clone(), dims, data_type, raw_data, ..Tensor::default() };
        self.graph.initializer.push(tensor);
        name
    }

    /// A constant that many nodes share.
    pub(super) fn shared(&mut self, name: &str, value: f32) -> String {
        let there = self.graph.initializer.iter().any(|tensor| tensor.name == name);
        if there { name.to_owned() } else { self.floats(name, &[], &[value]) }
    }

    /// `wanted`, or something like it that no value is called yet.
    pub(super) fn fresh_value(&mut self, wanted: &str) -> String {
        fresh(&mut self.values, wanted)
    }

    /// `wanted`, or something like it that no node is called yet.
    pub(super) fn fresh_node(&mut self, wanted: &str) -> String {
        fresh(&mut self.nodes, wanted)
    }

    /// Says the shape of a value that a layer writes; `output` makes it an output of the graph.
    pub(super) fn describe(&mut self, name: &str, dims: &[u64], output: bool) {
        let info = value_info(name, dims);
        if output {
            self.graph.output.push(info);
        } else {
            self.graph.value_info.push(info);
        }
    }

    pub(super) fn finish(self) -> Graph {
        self.graph
    }
}

fn fresh(taken: &mut HashSet<String>, wanted: &str) -> String {
    let numbered = |number: u32| if number == 0 { wanted.to_owned() } else { format!("{wanted}_{number}") };
    let free = (u32::from(wanted.is_empty())..).map(numbered).find(|name| !taken.contains(name));
    let name = free.unwrap_or_default();
    taken.insert(name.clone());
    name
}

/// The sides of a batch of one picture, as ONNX orders them.
pub(super) fn picture(shape: Shape) -> [u64; 4] {
    [1, shape.c.into(), shape.h.into(), shape.w.into()]
}

fn value_info(name: &str, dims: &[u64]) -> ValueInfo {
    let side = |dim: &u64| Dimension { dim_value: Some(*dim as i64), ..Dimension::default() };
    let shape = TensorShape { dim: dims.iter().map(side).collect() };
    let tensor_type = TensorType { elem_type: data_type::FLOAT, shape: Some(shape) };
    let value_type = Type { tensor_type: Some(tensor_type), ..Type::default() };
    ValueInfo { name: name.to_owned(), value_type: Some(value_type), ..ValueInfo::default() }
}

/// An attribute that is one integer.
pub(super) fn int(name: &str, value: u32) -> Attribute {
    Attribute { i: Some(value.into()), ..attribute(name, attribute_kind::INT) }
}

/// An attribute that is a list of integers.
pub(super) fn ints(name: &str, values: &[u32]) -> Attribute {
    let ints = values.iter().copied().map(i64::from).collect();
    Attribute { ints, ..attribute(name, attribute_kind::INTS) }
}

/// An attribute that is one number.
pub(super) fn float(name: &str, value: f32) -> Attribute {
    Attribute { f: Some(value), ..attribute(name, attribute_kind::FLOAT) }
}

/// An attribute that is a text.
pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute { s: Some(value.as_bytes().to_vec()), ..attribute(name, attribute_kind::STRING) }
}

fn attribute(name: &str, kind: i32) -> Attribute {
    Attribute { name: name.to_owned(), kind, ..Attribute::default() }
}
