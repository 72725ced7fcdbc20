//! Sums, products, and functions of one number.

use super::{
    Inputs,
    normalization::{is_per_channel, scaled},
};
use crate::{
    network::{
        Op,
        ops::{Add, Mul},
    },
    onnx::{
        curve::sigmoid,
        node::Attributes,
        picture::{Picture, Refusal, Value},
        proto::Node,
        reader::{Reader, bend, bordered, name},
        tensor::Constant,
    },
};

/// A picture after a function of one number; none if the operator is not one.
pub(super) fn unary(node: &Node, inputs: &Inputs<'_>) -> Result<Option<Picture>, Refusal> {
    let Some(f) = function_of_one(node, inputs)? else { return Ok(None) };
    let picture = inputs.picture(0)?;
    if picture.is_bordered() {
        return Err(bordered());
    }
    Ok(Some(bend(picture, node, f)))
}

type Function = Box<dyn Fn(f64) -> f64>;

/// The operator as a function of one number, if it is one.
pub(super) fn function_of_one(node: &Node, inputs: &Inputs<'_>) -> Result<Option<Function>, Refusal> {
    let attributes = Attributes::of(node);
    let number = |name: &str, default: f64| attributes.float(name).unwrap_or(default);
    let f: Function = match node.op_type.as_str() {
        "Relu" => Box::new(|x| x.max(0.0)),
        "Clip" => {
            let low = bound(inputs, 1, attributes.float("min"), f64::NEG_INFINITY)?;
            let high = bound(inputs, 2, attributes.float("max"), f64::INFINITY)?;
            Box::new(move |x: f64| x.max(low).min(high))
        }
        "Sigmoid" => Box::new(sigmoid),
        "HardSigmoid" => {
            let (alpha, beta) = (number("alpha", 0.2), number("beta", 0.5));
            Box::new(move |x| (alpha * x + beta).clamp(0.0, 1.0))
        }
        "HardSwish" => Box::new(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        "Swish" => {
            let alpha = number("alpha", 1.0);
            Box::new(move |x| x * sigmoid(alpha * x))
        }
        "LeakyRelu" => {
            let alpha = number("alpha", 0.01);
            Box::new(move |x| if x < 0.0 { alpha * x } else { x })
        }
        "Elu" => {
            let alpha = number("alpha", 1.0);
            Box::new(move |x| if x < 0.0 { alpha * x.exp_m1() } else { x })
        }
        "Tanh" => Box::new(f64::tanh),
        "Softplus" => Box::new(|x: f64| x.exp().ln_1p()),
        "Mish" => Box::new(|x: f64| x * x.exp().ln_1p().tanh()),
        "Gelu" => Box::new(|x: f64| x * sigmoid(1.702 * x)),
        "Exp" => Box::new(f64::exp),
        "Neg" => Box::new(|x| -x),
        "Abs" => Box::new(f64::abs),
        "Sqrt" => Box::new(f64::sqrt),
        "Reciprocal" => Box::new(f64::recip),
        _ => return Ok(None),
    };
    Ok(Some(f))
}

/// A bound of `Clip`: an input, an attribute, or none.
fn bound(inputs: &Inputs<'_>, index: usize, attribute: Option<f64>, none: f64) -> Result<f64, Refusal> {
    match inputs.optional_constant(index)? {
        None => Ok(attribute.unwrap_or(none)),
        Some(constant) => scalar(constant),
    }
}

fn scalar(constant: &Constant) -> Result<f64, Refusal> {
    constant.scalar().ok_or_else(|| {
        let why = constant.known().err().unwrap_or_else(|| format!("{} numbers", constant.elements()));
        Refusal::new(why, "one number that is known")
    })
}

/// The operator on two numbers.
fn function(op: &str) -> fn(f64, f64) -> f64 {
    match op {
        "Add" | "Sum" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "Div" => |a, b| a / b,
        "Min" => f64::min,
        "Max" => f64::max,
        _ => f64::powf,
    }
}

pub(super) fn binary(reader: &mut Reader<'_>, node: &Node, inputs: &Inputs<'_>) -> Result<Value, Refusal> {
    let values: Vec<&Value> = inputs.0.iter().flatten().collect();
    match values[..] {
        [Value::Picture(picture)] => Ok(picture.clone().into()),
        [Value::Picture(a), Value::Picture(b)] => of_two(reader, node, a, b),
        [Value::Picture(picture), Value::Constant(constant)] => {
            with_constant(reader, node, picture, constant, false)
        }
        [Value::Constant(constant), Value::Picture(picture)] => {
            with_constant(reader, node, picture, constant, true)
        }
        _ if node.op_type == "Sum" => sum(reader, node, &values),
        _ => Err(Refusal::new(format!("{} inputs", values.len()), "two")),
    }
}

fn sum(reader: &mut Reader<'_>, node: &Node, values: &[&Value]) -> Result<Value, Refusal> {
    let mut pictures = values.iter().map(|value| match value {
        Value::Picture(picture) => Ok(picture),
        _ => {
            Err(Refusal::new("a constant among several inputs", "tensors that depend on the network's input"))
        }
    });
    let first = pictures.next().ok_or_else(|| Refusal::new("no inputs", "two"))??.clone();
    let mut total = Value::Picture(first);
    for picture in pictures {
        let Value::Picture(so_far) = &total else { break };
        total = of_two(reader, node, so_far, picture?)?;
    }
    Ok(total)
}

/// Two tensors: two functions of the same numbers, or a layer of its own.
fn of_two(reader: &mut Reader<'_>, node: &Node, a: &Picture, b: &Picture) -> Result<Value, Refusal> {
    if a.is_bordered() || b.is_bordered() {
        return Err(bordered());
    }
    let f = function(&node.op_type);
    let bends = !(a.curve.is_identity() && b.curve.is_identity());
    if a.base == b.base && a.layout == b.layout && bends {
        return Ok(a.bent(a.curve.with(&b.curve, f), name(node)).into());
    }
    let op: Op = match node.op_type.as_str() {
        "Add" | "Sum" => Add.into(),
        "Mul" => Mul.into(),
        other => {
            return Err(Refusal::new(
                format!("{other} of two tensors that depend on the network's input"),
                "Add or Mul",
            ));
        }
    };
    let layout = a.layout.stretched(&b.layout).ok_or_else(|| {
        Refusal::new(
            format!("tensors of {:?} and {:?} whose axes hold different things", a.dims(), b.dims()),
            "axes that match",
        )
    })?;
    let inputs = vec![reader.read(a)?, reader.read(b)?];
    let base = reader.drafts.add(name(node), op, inputs)?;
    Ok(Picture::new(base, layout).into())
}

fn with_constant(
    reader: &mut Reader<'_>,
    node: &Node,
    picture: &Picture,
    constant: &Constant,
    constant_first: bool,
) -> Result<Value, Refusal> {
    if picture.is_bordered() {
        return Err(bordered());
    }
    let f = function(&node.op_type);
    if constant.elements() == 1 && constant.dims.len() <= picture.layout.rank() {
        let number = scalar(constant)?;
        return Ok(bend(picture, node, |x| if constant_first { f(number, x) } else { f(x, number) }).into());
    }
    let linear = match node.op_type.as_str() {
        "Add" | "Sub" | "Mul" => true,
        "Div" => !constant_first,
        _ => false,
    };
    if linear && is_per_channel(reader, picture, constant) {
        return scaled(reader, node, picture);
    }
    let refusal = Refusal::new(
        format!("{} of a tensor of {:?} and a constant of {:?}", node.op_type, picture.dims(), constant.dims),
        "a constant of one number, or one for each channel",
    );
    Err(refusal.or(picture.clone()))
}
