//! The messages of an ONNX file, as `onnx.proto` of ONNX 1.19 numbers their fields.
//!
//! Only what networks need is here; fields that are not are skipped on
//! reading. `onnx.proto` calls each message `…Proto`.

use prost::Message;

/// The file's bytes as a model. Any text of well-formed fields decodes, even an empty one.
///
/// # Errors
/// The bytes are not a protocol-buffer message of this form; says where and why.
pub(super) fn decode(bytes: &[u8]) -> Result<Model, String> {
    Model::decode(bytes).map_err(|error| error.to_string())
}

/// The model as the bytes of a file.
pub(super) fn encode(model: &Model) -> Vec<u8> {
    model.encode_to_vec()
}

/// `TensorProto.DataType`: what a tensor's elements are.
pub(super) mod data_type {
    /// 32-bit float.
    pub(in crate::onnx) const FLOAT: i32 = 1;
    /// 8-bit unsigned integer.
    pub(in crate::onnx) const UINT8: i32 = 2;
    /// 8-bit integer.
    pub(in crate::onnx) const INT8: i32 = 3;
    /// 16-bit unsigned integer.
    pub(in crate::onnx) const UINT16: i32 = 4;
    /// 16-bit integer.
    pub(in crate::onnx) const INT16: i32 = 5;
    /// 32-bit integer.
    pub(in crate::onnx) const INT32: i32 = 6;
    /// 64-bit integer.
    pub(in crate::onnx) const INT64: i32 = 7;
    /// One byte, zero or one.
    pub(in crate::onnx) const BOOL: i32 = 9;
    /// 16-bit IEEE float.
    pub(in crate::onnx) const FLOAT16: i32 = 10;
    /// 64-bit float.
    pub(in crate::onnx) const DOUBLE: i32 = 11;
    /// 32-bit unsigned integer.
    pub(in crate::onnx) const UINT32: i32 = 12;
    /// 64-bit unsigned integer.
    pub(in crate::onnx) const UINT64: i32 = 13;
    /// The upper half of a 32-bit float.
    pub(in crate::onnx) const BFLOAT16: i32 = 16;
}

/// `AttributeProto.AttributeType`: which field of an attribute holds its value.
pub(super) mod attribute_kind {
    /// `f`.
    pub(in crate::onnx) const FLOAT: i32 = 1;
    /// `i`.
    pub(in crate::onnx) const INT: i32 = 2;
    /// `s`.
    pub(in crate::onnx) const STRING: i32 = 3;
    /// `ints`.
    pub(in crate::onnx) const INTS: i32 = 7;
}

/// A file: a graph with what it needs to be understood.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    /// The version of the file format.
    #[prost(int64, tag = "1")]
    pub(super) ir_version: i64,
    /// The tool that wrote the file.
    #[prost(string, tag = "2")]
    pub(super) producer_name: String,
    /// The tool's version.
    #[prost(string, tag = "3")]
    pub(super) producer_version: String,
    /// A reverse-DNS name space for the model.
    #[prost(string, tag = "4")]
    pub(super) domain: String,
    /// The model's own version.
    #[prost(int64, tag = "5")]
    pub(super) model_version: i64,
    /// Anything, for people.
    #[prost(string, tag = "6")]
    pub(super) doc_string: String,
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<Graph>,
    /// The operator sets that the nodes are written in.
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSetId>,
    /// Named notes.
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringStringEntry>,
    /// Operators that the file itself defines.
    #[prost(message, repeated, tag = "25")]
    pub(super) functions: Vec<Function>,
}

/// An operator set and its version; the empty domain is ONNX's own.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSetId {
    /// Whose operators.
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    /// Which version of them.
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// A named note.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StringStringEntry {
    /// Its name.
    #[prost(string, tag = "1")]
    pub(super) key: String,
    /// What it says.
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// Nodes in topological order, with the constants that they read.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    /// Operator applications.
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<Node>,
    /// The graph's name.
    #[prost(string, tag = "2")]
    pub(super) name: String,
    /// Named constants, such as weights.
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<Tensor>,
    /// Constants as `SparseTensorProto`, not decoded further.
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub(super) sparse_initializer: Vec<Vec<u8>>,
    /// Anything, for people.
    #[prost(string, tag = "10")]
    pub(super) doc_string: String,
    /// What the graph is given; before IR version 4 the initializers too.
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfo>,
    /// What the graph gives.
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfo>,
    /// What is known of the values in between.
    #[prost(message, repeated, tag = "13")]
    pub(super) value_info: Vec<ValueInfo>,
    /// Named notes.
    #[prost(message, repeated, tag = "16")]
    pub(super) metadata_props: Vec<StringStringEntry>,
}

/// One application of an operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    /// The values that it reads, by name; an empty name is an input left out.
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    /// The values that it writes, by name.
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    /// The node's name, if it has one.
    #[prost(string, tag = "3")]
    pub(super) name: String,
    /// The operator.
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    /// The operator's fixed parameters.
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<Attribute>,
    /// Anything, for people.
    #[prost(string, tag = "6")]
    pub(super) doc_string: String,
    /// Whose operator; empty for ONNX's own.
    #[prost(string, tag = "7")]
    pub(super) domain: String,
    /// Which of several functions of one name.
    #[prost(string, tag = "8")]
    pub(super) overload: String,
    /// Named notes.
    #[prost(message, repeated, tag = "9")]
    pub(super) metadata_props: Vec<StringStringEntry>,
}

/// A named parameter; `kind` says which field holds it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    /// The parameter's name.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// A number.
    #[prost(float, optional, tag = "2")]
    pub(super) f: Option<f32>,
    /// An integer.
    #[prost(int64, optional, tag = "3")]
    pub(super) i: Option<i64>,
    /// A text.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) s: Option<Vec<u8>>,
    /// A tensor.
    #[prost(message, optional, tag = "5")]
    pub(super) t: Option<Tensor>,
    /// A graph, such as a branch.
    #[prost(message, optional, boxed, tag = "6")]
    pub(super) g: Option<Box<Graph>>,
    /// Numbers.
    #[prost(float, repeated, packed = "false", tag = "7")]
    pub(super) floats: Vec<f32>,
    /// Integers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub(super) ints: Vec<i64>,
    /// Texts.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(super) strings: Vec<Vec<u8>>,
    /// Tensors.
    #[prost(message, repeated, tag = "10")]
    pub(super) tensors: Vec<Tensor>,
    /// Graphs.
    #[prost(message, repeated, tag = "11")]
    pub(super) graphs: Vec<Graph>,
    /// Anything, for people.
    #[prost(string, tag = "13")]
    pub(super) doc_string: String,
    /// `AttributeType`: one of [`attribute_kind`]'s.
    #[prost(int32, tag = "20")]
    pub(super) kind: i32,
    /// In a function: the function's parameter that this one takes its value from.
    #[prost(string, tag = "21")]
    pub(super) ref_attr_name: String,
}

/// A constant.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    /// Its sides; none for a scalar.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(super) dims: Vec<i64>,
    /// `DataType`: one of [`data_type`]'s.
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    /// Elements of float and complex types.
    #[prost(float, repeated, tag = "4")]
    pub(super) float_data: Vec<f32>,
    /// Elements of integers up to 32 bits, booleans, and bits of 16-bit floats.
    #[prost(int32, repeated, tag = "5")]
    pub(super) int32_data: Vec<i32>,
    /// Elements that are texts.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub(super) string_data: Vec<Vec<u8>>,
    /// Elements of 64-bit integers.
    #[prost(int64, repeated, tag = "7")]
    pub(super) int64_data: Vec<i64>,
    /// The value's name.
    #[prost(string, tag = "8")]
    pub(super) name: String,
    /// Elements of any fixed-size type, little-endian.
    #[prost(bytes = "vec", tag = "9")]
    pub(super) raw_data: Vec<u8>,
    /// Elements of double type.
    #[prost(double, repeated, tag = "10")]
    pub(super) double_data: Vec<f64>,
    /// Elements of unsigned 32- and 64-bit integers.
    #[prost(uint64, repeated, tag = "11")]
    pub(super) uint64_data: Vec<u64>,
    /// Anything, for people.
    #[prost(string, tag = "12")]
    pub(super) doc_string: String,
    /// Where the elements lie in another file: `location`, `offset`, `length`.
    #[prost(message, repeated, tag = "13")]
    pub(super) external_data: Vec<StringStringEntry>,
    /// 0: the elements are here; 1: in another file.
    #[prost(int32, tag = "14")]
    pub(super) data_location: i32,
    /// Named notes.
    #[prost(message, repeated, tag = "16")]
    pub(super) metadata_props: Vec<StringStringEntry>,
}

/// What is known of a value.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    /// The value's name.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Its type and shape.
    #[prost(message, optional, tag = "2")]
    pub(super) value_type: Option<Type>,
    /// Anything, for people.
    #[prost(string, tag = "3")]
    pub(super) doc_string: String,
    /// Named notes.
    #[prost(message, repeated, tag = "4")]
    pub(super) metadata_props: Vec<StringStringEntry>,
}

/// A value's type; only tensors are decoded.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Type {
    /// The type of a tensor.
    #[prost(message, optional, tag = "1")]
    pub(super) tensor_type: Option<TensorType>,
    /// What the value stands for.
    #[prost(string, tag = "6")]
    pub(super) denotation: String,
}

/// A tensor's element type and shape.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorType {
    /// `DataType`: one of [`data_type`]'s.
    #[prost(int32, tag = "1")]
    pub(super) elem_type: i32,
    /// Its sides, if even their number is known.
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<TensorShape>,
}

/// A tensor's sides.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorShape {
    /// Each side.
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<Dimension>,
}

/// One side of a tensor; neither field is set where it is unknown.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    /// Its length.
    #[prost(int64, optional, tag = "1")]
    pub(super) dim_value: Option<i64>,
    /// The name of a length that is known when the network runs.
    #[prost(string, optional, tag = "2")]
    pub(super) dim_param: Option<String>,
    /// What the side stands for.
    #[prost(string, tag = "3")]
    pub(super) denotation: String,
}

/// An operator that the file itself defines by a graph.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Function {
    /// The operator.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Names of the values that it is given.
    #[prost(string, repeated, tag = "4")]
    pub(super) input: Vec<String>,
    /// Names of the values that it gives.
    #[prost(string, repeated, tag = "5")]
    pub(super) output: Vec<String>,
    /// Names of its parameters.
    #[prost(string, repeated, tag = "6")]
    pub(super) attribute: Vec<String>,
    /// Its parameters that have a default.
    #[prost(message, repeated, tag = "11")]
    pub(super) attribute_proto: Vec<Attribute>,
    /// What it is made of.
    #[prost(message, repeated, tag = "7")]
    pub(super) node: Vec<Node>,
    /// Anything, for people.
    #[prost(string, tag = "8")]
    pub(super) doc_string: String,
    /// The operator sets of its nodes.
    #[prost(message, repeated, tag = "9")]
    pub(super) opset_import: Vec<OperatorSetId>,
    /// Whose operator.
    #[prost(string, tag = "10")]
    pub(super) domain: String,
    /// Which of several functions of one name.
    #[prost(string, tag = "13")]
    pub(super) overload: String,
    /// Named notes.
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringStringEntry>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_reads_back_as_it_was_written() {
        let dim = Dimension { dim_param: Some("batch".into()), ..Dimension::default() };
        let shape = TensorShape { dim: vec![dim] };
        let tensor_type = TensorType { elem_type: data_type::FLOAT, shape: Some(shape) };
        let value_type = Type { tensor_type: Some(tensor_type), denotation: String::new() };
        let input = ValueInfo { name: "x".into(), value_type: Some(value_type), ..ValueInfo::default() };
        let group =
            Attribute { name: "group".into(), i: Some(0), kind: attribute_kind::INT, ..Attribute::default() };
        let node = Node {
            input: vec!["x".into(), String::new()],
            op_type: "Conv".into(),
            attribute: vec![group],
            ..Node::default()
        };
        let graph = Graph { node: vec![node], input: vec![input], ..Graph::default() };
        let model = Model { ir_version: 8, graph: Some(graph), ..Model::default() };
        assert_eq!(decode(&encode(&model)), Ok(model));
    }

    #[test]
    fn numbers_are_read_packed_or_not() {
        let unpacked = [0x40, 3, 0x40, 5];
        let packed = [0x42, 2, 3, 5];
        for bytes in [unpacked.as_slice(), &packed] {
            assert_eq!(Attribute::decode(bytes).map(|read| read.ints), Ok(vec![3, 5]));
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        assert!(decode(b"PK\x03\x04 not a model").is_err());
    }
}
