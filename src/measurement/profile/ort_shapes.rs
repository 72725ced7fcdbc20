//! Operators from the shapes in a trace of ONNX Runtime. Pictures are batch, channels, height, width.

use super::{Named, ort::Kernel};
use crate::{
    io::json::Node,
    measurement::operation::{Kind, Operation},
    network::{Activation, Shape},
};

/// A tensor of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    /// Bytes of an element; none for types of no concern.
    pub(super) bytes: Option<u64>,
    pub(super) dims: Vec<u32>,
}

/// The tensors of a list such as `[{"float":[1,32,112,112]}]`.
pub(super) fn tensors(list: &Node<'_>) -> Vec<Tensor> {
    let elements = if list.is_list() { list.list().unwrap_or_default() } else { Vec::new() };
    elements.iter().filter_map(tensor).collect()
}

fn tensor(node: &Node<'_>) -> Option<Tensor> {
    let (kind, dims) = node.properties().into_iter().next()?;
    let bytes = match kind {
        "float" => Some(4),
        "float16" | "bfloat16" => Some(2),
        "int8" | "uint8" => Some(1),
        _ => None,
    };
    let largest = f64::from(Shape::MAX_DIM);
    let dim = |node: &Node<'_>| {
        let size = node.as_f64().filter(|size| size.fract() == 0.0 && (0.0..=largest).contains(size));
        // A dimension that no layer may have makes the tensor one that fits no operator.
        size.map_or(0, |size| size as u32)
    };
    let dims = if dims.is_list() { dims.list().unwrap_or_default() } else { Vec::new() };
    Some(Tensor { bytes, dims: dims.iter().map(dim).collect() })
}

impl Tensor {
    /// The picture, or a vector as a picture of one pixel.
    fn shape(&self) -> Option<Shape> {
        let shape = match self.dims[..] {
            [1, c, h, w] => Shape::new(h, w, c),
            [1, c, l] => Shape::new(l, 1, c),
            [1, c] => Shape::new(1, 1, c),
            _ => return None,
        };
        (shape.elements() > 0).then_some(shape)
    }
}

/// A layer with its operation and time in microseconds, or the name and operator of a kernel that is none.
type Layer<'k> = Result<(&'k Named, Operation, f64), (&'k Named, &'k str)>;

/// The layers of one run. The time of an activation belongs to the operator whose result it reads: the one that
/// was run before it, if the shapes are the same.
pub(super) fn layers<'k>(kernels: &[&'k Kernel<'k>]) -> Vec<Layer<'k>> {
    let mut layers: Vec<Layer<'k>> = Vec::new();
    for kernel in kernels {
        let name = &kernel.timed.name;
        if let (Some(activation), Some(Ok((_, operation, time)))) = (activation(kernel.op), layers.last_mut())
            && kernel.outputs.first().and_then(Tensor::shape) == Some(operation.output)
        {
            operation.activation = activation;
            *time += kernel.timed.latency_us;
            continue;
        }
        let layer = operation(kernel).map(|operation| (name, operation, kernel.timed.latency_us));
        layers.push(layer.ok_or((name, kernel.op)));
    }
    layers
}

fn activation(op: &str) -> Option<Activation> {
    Some(match op {
        "Relu" => Activation::Relu,
        "Clip" => Activation::Relu6,
        "HardSwish" => Activation::HardSwish,
        "HardSigmoid" => Activation::HardSigmoid,
        "Sigmoid" | "QLinearSigmoid" => Activation::Sigmoid,
        _ => return None,
    })
}

/// The operation that a kernel computes, if it is one of those that are priced.
fn operation(kernel: &Kernel<'_>) -> Option<Operation> {
    let pictures: Vec<Shape> = kernel.inputs.iter().filter_map(Tensor::shape).collect();
    let output = kernel.outputs.first()?;
    let (first, result) = (kernel.inputs.first()?.shape()?, output.shape()?);
    let plain = Operation {
        kind: Kind::Add,
        input: first,
        input_elements: first.elements(),
        output: result,
        kernel: [1; 2],
        stride: stride(first, result),
        groups: 1,
        activation: Activation::None,
        bytes: output.bytes?,
    };
    Some(match kernel.op {
        "Conv" | "FusedConv" | "QLinearConv" | "ConvInteger" => conv(kernel, plain)?,
        "Gemm" | "FusedGemm" | "MatMul" | "FusedMatMul" | "QGemm" | "QLinearMatMul" | "MatMulInteger" => {
            Operation { kind: Kind::Dense, stride: [1; 2], ..plain }
        }
        "GlobalAveragePool" | "QLinearGlobalAveragePool" => global(plain),
        "ReduceMean" if result.pixels() == 1 => global(plain),
        "Add" | "QLinearAdd" | "Sum" => many(Kind::Add, plain, &pictures),
        "Mul" | "QLinearMul" => many(Kind::Mul, plain, &pictures),
        "Concat" | "QLinearConcat" => many(Kind::Concat, plain, &pictures),
        "Resize" | "Upsample" => Operation { kind: Kind::Resize, stride: [1; 2], ..plain },
        // The window stands in an attribute, which the trace does not have: no wider than the stride is likely.
        "AveragePool" | "QLinearAveragePool" => {
            Operation { kind: Kind::AvgPool, kernel: plain.stride, ..plain }
        }
        "MaxPool" => Operation { kind: Kind::MaxPool, kernel: plain.stride, ..plain },
        _ => return None,
    })
}

fn stride(input: Shape, output: Shape) -> [u32; 2] {
    let ratio = |input: u32, output: u32| (f64::from(input) / f64::from(output)).round().max(1.0) as u32;
    [ratio(input.h, output.h), ratio(input.w, output.w)]
}

/// The weights are the first other input with four dimensions: outputs, inputs of a group, height, width.
fn conv(kernel: &Kernel<'_>, plain: Operation) -> Option<Operation> {
    let weights = kernel.inputs.iter().skip(1).find(|tensor| tensor.dims.len() == 4)?;
    let [cout, depth, h, w] = weights.dims[..] else { return None };
    let cin = plain.input.c;
    if cout == 0 || depth == 0 || h == 0 || w == 0 || !cin.is_multiple_of(depth) {
        return None;
    }
    let groups = cin / depth;
    let kind = match (groups > 1 && depth == 1 && cout == cin, [h, w]) {
        (true, _) => Kind::DepthwiseConv2d,
        (false, [1, 1]) => Kind::PointwiseConv2d,
        (false, _) => Kind::Conv2d,
    };
    Some(Operation { kind, kernel: [h, w], groups, ..plain })
}

fn global(plain: Operation) -> Operation {
    let Shape { h, w, .. } = plain.input;
    Operation { kind: Kind::GlobalAvgPool, kernel: [h, w], stride: [1; 2], ..plain }
}

/// An operator of several pictures; the largest counts as its input.
fn many(kind: Kind, plain: Operation, pictures: &[Shape]) -> Operation {
    let larger = |a: Shape, b: &Shape| if b.elements() > a.elements() { *b } else { a };
    let input = pictures.iter().fold(plain.input, larger);
    let input_elements = pictures.iter().map(|picture| picture.elements()).sum();
    Operation { kind, input, input_elements, stride: [1; 2], ..plain }
}
