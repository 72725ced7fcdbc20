//! ONNX's operators as the network's: one file for each family.

mod convolution;
mod dense;
mod elementwise;
mod normalization;
mod pool;
mod quantized;
mod resize;
mod views;

pub(super) use quantized::dropped;

use std::rc::Rc;

use super::{
    fold::map_floats,
    picture::{Picture, Refusal, Value},
    proto::Node,
    reader::{Reader, title},
    tensor::Constant,
};

/// What a node reads.
pub(super) struct Inputs<'v>(&'v [Option<Value>]);

impl Inputs<'_> {
    /// The input at `index`, if it is there.
    fn get(&self, index: usize) -> Option<&Value> {
        self.0.get(index).and_then(Option::as_ref)
    }

    fn has(&self, index: usize) -> bool {
        self.get(index).is_some()
    }

    /// A picture.
    fn picture(&self, index: usize) -> Result<&Picture, Refusal> {
        match self.get(index) {
            Some(Value::Picture(picture)) => Ok(picture),
            Some(_) => Err(Refusal::new(
                format!("a constant as input {}", index + 1),
                "a tensor that depends on the network's input",
            )),
            None => Err(Refusal::new(format!("no input {}", index + 1), "that input")),
        }
    }

    /// A constant.
    fn constant(&self, index: usize) -> Result<&Rc<Constant>, Refusal> {
        match self.get(index) {
            Some(Value::Constant(constant)) => Ok(constant),
            Some(_) => Err(Refusal::new(
                format!("input {}, which depends on the network's input", index + 1),
                "a constant",
            )),
            None => Err(Refusal::new(format!("no input {}", index + 1), "a constant")),
        }
    }

    fn optional_constant(&self, index: usize) -> Result<Option<&Rc<Constant>>, Refusal> {
        if self.has(index) { self.constant(index).map(Some) } else { Ok(None) }
    }

    fn constants(&self) -> Vec<Option<&Constant>> {
        self.0
            .iter()
            .map(|input| match input {
                Some(Value::Constant(constant)) => Some(constant.as_ref()),
                _ => None,
            })
            .collect()
    }
}

type Lowered = Result<Vec<Value>, Refusal>;

/// What `node` makes of `inputs`, at least one of which depends on the network's input.
///
/// # Errors
/// The operator is not known, or the network has none for what it does here.
pub(super) fn lower(reader: &mut Reader<'_>, node: &Node, inputs: &[Option<Value>]) -> Lowered {
    let inputs = &Inputs(inputs);
    let one = |value: Result<Value, Refusal>| value.map(|value| vec![value]);
    if !matches!(node.domain.as_str(), "" | "ai.onnx") {
        return Err(unknown(node, inputs, &format!("an operator of the domain {}", node.domain)));
    }
    if !inputs.0.iter().any(|input| matches!(input, Some(Value::Picture(_)))) {
        return constant(node, inputs).map(|constant| vec![constant.into()]);
    }
    match node.op_type.as_str() {
        "Conv" => one(convolution::conv(reader, node, inputs)),
        "Gemm" => one(dense::gemm(reader, node, inputs)),
        "MatMul" => one(dense::matmul(reader, node, inputs)),
        "QLinearConv" => one(quantized::conv(reader, node, inputs)),
        "BatchNormalization" => one(normalization::batch_norm(reader, node, inputs)),
        "MaxPool" | "AveragePool" => one(pool::pool(reader, node, inputs)),
        "GlobalAveragePool" | "ReduceMean" => one(pool::average(reader, node, inputs)),
        "Resize" | "Upsample" => one(resize::resize(reader, node, inputs)),
        "Concat" => one(views::concat(reader, node, inputs)),
        "QuantizeLinear" => one(quantized::quantize(reader, node, inputs)),
        "DequantizeLinear" => inputs.picture(0).map(|picture| vec![picture.clone().into()]),
        "CastLike" if matches!(inputs.get(0), Some(Value::Constant(_))) => {
            inputs.constant(0).map(|constant| vec![Value::Constant(constant.clone())])
        }
        "Identity" | "Dropout" | "Cast" | "CastLike" => {
            inputs.picture(0).map(|picture| vec![picture.clone().into()])
        }
        "Shape" | "Size" => one(views::shape(node, inputs)),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Expand" | "Slice" | "Gather"
        | "Pad" => one(views::view(reader, node, inputs)),
        "Split" => views::split(reader, node, inputs),
        "Softmax" | "LogSoftmax" => one(answers(reader, node, inputs)),
        "Add" | "Mul" | "Sub" | "Div" | "Sum" | "Min" | "Max" | "Pow" => {
            one(elementwise::binary(reader, node, inputs))
        }
        _ => match elementwise::unary(node, inputs)? {
            Some(picture) => Ok(vec![picture.into()]),
            None => Err(unknown(node, inputs, "an operator that networks here have no counterpart of")),
        },
    }
}

/// What the operator makes of constants, where that is not arithmetic on shapes.
fn constant(node: &Node, inputs: &Inputs<'_>) -> Result<Constant, Refusal> {
    if let Some(f) = elementwise::function_of_one(node, inputs)? {
        return Ok(map_floats(inputs.constant(0)?, f));
    }
    match views::reshaped_constant(node, inputs) {
        Some(reshaped) => reshaped,
        None => Err(Refusal::new("an operator on constants that is not computed here", "shape arithmetic")),
    }
}

/// A softmax over the answers, which has no multiply-adds.
fn answers(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let picture = inputs.picture(0)?;
    if reader.drafts.shape(picture.base).pixels() != 1 {
        return Err(unknown(node, inputs, "a softmax over a picture"));
    }
    reader.note(&format!(
        "{}: the softmax over the answers is not priced; it has no multiply-adds",
        title(node)
    ));
    Ok(picture.clone().into())
}

/// Operators without a counterpart that leave all sides as they are.
const KEEP_SIDES: [&str; 9] = [
    "Softmax",
    "LogSoftmax",
    "LRN",
    "LayerNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LpNormalization",
    "PRelu",
    "Erf",
];

/// A refusal of an operator that is not known.
fn unknown(node: &Node, inputs: &Inputs<'_>, found: &str) -> Refusal {
    let refusal = Refusal::new(
        found,
        "convolutions, dense layers, pools, sums, products, concatenation, slices, resizing, and shapes",
    );
    match inputs.picture(0) {
        Ok(picture) if KEEP_SIDES.contains(&node.op_type.as_str()) => refusal.or(picture.clone()),
        _ => refusal,
    }
}
