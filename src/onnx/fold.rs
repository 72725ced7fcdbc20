//! Constant folding: the operators that exporters compute shapes with.

use super::{
    broadcast::{broadcast_dims, broadcast_index},
    node::Attributes,
    proto::data_type,
    tensor::{Constant, Data, MOST_ELEMENTS, elements},
};

type Inputs<'c> = [Option<&'c Constant>];

/// The constants that the operator makes of constants; none if this is not an operator that is folded.
///
/// # Errors
/// The operator cannot be computed on these inputs; says why.
pub(super) fn fold(
    op: &str,
    attributes: &Attributes<'_>,
    inputs: &Inputs<'_>,
) -> Option<Result<Vec<Constant>, String>> {
    let input =
        |index: usize| inputs.get(index).copied().flatten().ok_or_else(|| format!("no input {}", index + 1));
    let one = |constant: Result<Constant, String>| constant.map(|constant| vec![constant]);
    let unary = |f: fn(f64) -> f64| input(0).map(|x| map_floats(x, f));
    let integer = |f: fn(i64) -> i64| input(0).map(|x| map(x, f, |x| x));
    let binary = |ints: fn(i64, i64) -> Option<i64>, floats: fn(f64, f64) -> f64| {
        zip(input(0)?, input(1)?, ints, floats)
    };
    let compare = |f: fn(f64, f64) -> bool| compare(input(0)?, input(1)?, f);
    Some(match op {
        "Identity" | "Dropout" => one(input(0).cloned()),
        "Cast" => one(input(0).map(|x| cast(x, attributes.int("to").unwrap_or(1)))),
        "CastLike" => one(input(0).and_then(|x| Ok(cast(x, i64::from(input(1)?.stored))))),
        "QuantizeLinear" => one(input(0).map(|x| quantized(x, inputs.get(2).copied().flatten()))),
        "DequantizeLinear" => one(input(0).map(dequantized)),
        "Add" => one(binary(i64::checked_add, |a, b| a + b)),
        "Sub" => one(binary(i64::checked_sub, |a, b| a - b)),
        "Mul" => one(binary(i64::checked_mul, |a, b| a * b)),
        "Div" => one(binary(i64::checked_div, |a, b| a / b)),
        "Mod" => one(binary(i64::checked_rem_euclid, |a, b| a % b)),
        "Pow" => one(binary(|a, b| a.checked_pow(u32::try_from(b).ok()?), f64::powf)),
        "Min" | "Max" => one(extreme(op == "Max", inputs)),
        "Equal" => one(compare(|a, b| a == b)),
        "Less" => one(compare(|a, b| a < b)),
        "LessOrEqual" => one(compare(|a, b| a <= b)),
        "Greater" => one(compare(|a, b| a > b)),
        "GreaterOrEqual" => one(compare(|a, b| a >= b)),
        "And" => one(compare(|a, b| a != 0.0 && b != 0.0)),
        "Or" => one(compare(|a, b| a != 0.0 || b != 0.0)),
        "Not" => one(integer(|x| i64::from(x == 0))),
        "Neg" => one(input(0).map(|x| map(x, i64::wrapping_neg, |x| -x))),
        "Abs" => one(input(0).map(|x| map(x, i64::wrapping_abs, f64::abs))),
        "Floor" => one(unary(f64::floor)),
        "Ceil" => one(unary(f64::ceil)),
        "Round" => one(unary(f64::round)),
        "Sqrt" => one(unary(f64::sqrt)),
        "Exp" => one(unary(f64::exp)),
        "Log" => one(unary(f64::ln)),
        "Reciprocal" => one(unary(f64::recip)),
        "Sigmoid" => one(unary(super::curve::sigmoid)),
        "Where" => one(input(0).and_then(|c| choose(c, input(1)?, input(2)?))),
        "Shape" => one(input(0).map(|x| shape(&x.dims, attributes))),
        "Size" => one(input(0).map(|x| Constant::ints(Vec::new(), vec![x.elements() as i64]))),
        "Range" => one(range(inputs)),
        "ConstantOfShape" => one(input(0).and_then(|x| filled(x, attributes))),
        "Gather" => one(input(0).and_then(|x| gather(x, input(1)?, attributes.int("axis").unwrap_or(0)))),
        "Concat" => one(concat(inputs, attributes.int("axis").unwrap_or(0))),
        "Slice" => one(super::slice::slice_constant(attributes, inputs)),
        "Transpose" => one(input(0).and_then(|x| transpose(x, attributes.ints("perm")))),
        "Expand" => one(input(0).and_then(|x| expand(x, &ints(input(1)?)?))),
        "Tile" => one(input(0).and_then(|x| tile(x, &ints(input(1)?)?))),
        "ReduceProd" | "ReduceSum" | "ReduceMax" | "ReduceMin" => one(input(0).and_then(|x| reduce(op, x))),
        _ => return None,
    })
}

/// The elements as integers.
pub(super) fn ints(constant: &Constant) -> Result<Vec<i64>, String> {
    constant.known().map(Data::ints)
}

/// The sides of a tensor as `Shape` gives them, from `start` to `end`.
pub(super) fn shape(dims: &[u64], attributes: &Attributes<'_>) -> Constant {
    let rank = dims.len() as i64;
    let at = |position: i64| {
        (if position < 0 { position.saturating_add(rank) } else { position }).clamp(0, rank) as usize
    };
    let (start, end) = (at(attributes.int("start").unwrap_or(0)), at(attributes.int("end").unwrap_or(rank)));
    let sides: Vec<i64> = dims.iter().take(end).skip(start).map(|side| *side as i64).collect();
    Constant::ints(vec![sides.len() as u64], sides)
}

fn map(x: &Constant, ints: impl Fn(i64) -> i64, floats: impl Fn(f64) -> f64) -> Constant {
    let data = x.known().map(|data| match data {
        Data::Ints(values) => Data::Ints(values.iter().map(|value| ints(*value)).collect()),
        Data::Floats(values) => Data::Floats(values.iter().map(|value| floats(*value)).collect()),
    });
    Constant { dims: x.dims.clone(), stored: x.stored, data }
}

/// The constant after `f`.
pub(super) fn map_floats(x: &Constant, f: impl Fn(f64) -> f64) -> Constant {
    let data = x.known().map(|data| Data::Floats(data.floats().into_iter().map(f).collect()));
    Constant { dims: x.dims.clone(), stored: x.stored, data }
}

fn cast(x: &Constant, to: i64) -> Constant {
    let to = i32::try_from(to).unwrap_or(0);
    let float = matches!(to, data_type::FLOAT | data_type::FLOAT16 | data_type::BFLOAT16 | data_type::DOUBLE);
    let data = x.known().map(|data| match data {
        data if float => Data::Floats(data.floats()),
        data if to == data_type::BOOL => {
            Data::Ints(data.floats().iter().map(|x| i64::from(*x != 0.0)).collect())
        }
        data => Data::Ints(data.ints()),
    });
    // Weights that are stored in few bits and cast for computing stay what they are stored as.
    let quantised = matches!(x.stored, data_type::INT8 | data_type::UINT8) && float;
    Constant { dims: x.dims.clone(), stored: if quantised { x.stored } else { to }, data }
}

/// Weights that are quantised when the model runs; their sides are all that matters.
fn quantized(x: &Constant, zero_point: Option<&Constant>) -> Constant {
    let stored = zero_point.map_or(data_type::UINT8, |zero| zero.stored);
    Constant { dims: x.dims.clone(), stored, data: Err("quantised elements".into()) }
}

fn dequantized(x: &Constant) -> Constant {
    Constant { dims: x.dims.clone(), stored: x.stored, data: Err("dequantised elements".into()) }
}

/// Known elements by `make` if there are few enough.
fn build(dims: Vec<u64>, stored: i32, make: impl FnOnce(u64) -> Result<Data, String>) -> Constant {
    let count = elements(&dims);
    let data = if count <= MOST_ELEMENTS {
        make(count)
    } else {
        Err(format!("{count} elements, more than are looked into"))
    };
    Constant { dims, stored, data }
}

fn zip(
    a: &Constant,
    b: &Constant,
    on_ints: impl Fn(i64, i64) -> Option<i64>,
    on_floats: impl Fn(f64, f64) -> f64,
) -> Result<Constant, String> {
    let dims = broadcast_dims(&a.dims, &b.dims)?;
    Ok(build(dims.clone(), a.stored, |count| {
        let (left, right) = (a.known()?, b.known()?);
        let pair = |index| (broadcast_index(index, &dims, &a.dims), broadcast_index(index, &dims, &b.dims));
        if let (Data::Ints(x), Data::Ints(y)) = (left, right) {
            let at = |index| {
                let (i, j) = pair(index);
                on_ints(*x.get(i)?, *y.get(j)?)
            };
            let values: Option<Vec<i64>> = (0..count).map(at).collect();
            return values.map(Data::Ints).ok_or_else(|| "an overflow or a division by zero".into());
        }
        let (x, y) = (left.floats(), right.floats());
        let at = |index| {
            let (i, j) = pair(index);
            Some(on_floats(*x.get(i)?, *y.get(j)?))
        };
        (0..count).map(at).collect::<Option<_>>().map(Data::Floats).ok_or_else(|| "too few elements".into())
    }))
}

fn compare(a: &Constant, b: &Constant, f: fn(f64, f64) -> bool) -> Result<Constant, String> {
    let compared = zip(a, b, |_, _| None, |_, _| 0.0)?;
    let floats = |x: &Constant| map_floats(x, |x| x);
    let result = zip(&floats(a), &floats(b), |_, _| None, move |a, b| f64::from(u8::from(f(a, b))))?;
    let data = result.data.map(|data| Data::Ints(data.ints()));
    Ok(Constant { dims: compared.dims, stored: data_type::BOOL, data })
}

fn extreme(most: bool, inputs: &Inputs<'_>) -> Result<Constant, String> {
    let mut given = inputs.iter().copied().flatten();
    let first = given.next().ok_or("no inputs")?.clone();
    given.try_fold(first, |so_far, next| {
        if most {
            zip(&so_far, next, |a, b| Some(a.max(b)), f64::max)
        } else {
            zip(&so_far, next, |a, b| Some(a.min(b)), f64::min)
        }
    })
}

fn choose(condition: &Constant, yes: &Constant, no: &Constant) -> Result<Constant, String> {
    let dims = broadcast_dims(&broadcast_dims(&condition.dims, &yes.dims)?, &no.dims)?;
    Ok(build(dims.clone(), yes.stored, |count| {
        let (asked, yes_data, no_data) = (condition.known()?.ints(), yes.known()?, no.known()?);
        let integers = matches!((yes_data, no_data), (Data::Ints(_), Data::Ints(_)));
        let pick = |index| {
            let asked = *asked.get(broadcast_index(index, &dims, &condition.dims))? != 0;
            Some(if asked {
                (true, broadcast_index(index, &dims, &yes.dims))
            } else {
                (false, broadcast_index(index, &dims, &no.dims))
            })
        };
        let few = || "too few elements".to_owned();
        if integers {
            let (yes, no) = (yes_data.ints(), no_data.ints());
            let at = |index| {
                pick(index).and_then(|(first, at)| if first { yes.get(at) } else { no.get(at) }.copied())
            };
            return (0..count).map(at).collect::<Option<_>>().map(Data::Ints).ok_or_else(few);
        }
        let (yes, no) = (yes_data.floats(), no_data.floats());
        let at =
            |index| pick(index).and_then(|(first, at)| if first { yes.get(at) } else { no.get(at) }.copied());
        (0..count).map(at).collect::<Option<_>>().map(Data::Floats).ok_or_else(few)
    }))
}

fn range(inputs: &Inputs<'_>) -> Result<Constant, String> {
    let scalar = |index: usize| {
        let given = inputs.get(index).copied().flatten().and_then(Constant::scalar);
        given.ok_or_else(|| format!("a bound of the range, input {}, that is not known", index + 1))
    };
    let (start, limit, step) = (scalar(0)?, scalar(1)?, scalar(2)?);
    let count = ((limit - start) / step).ceil().max(0.0);
    if !count.is_finite() || count > MOST_ELEMENTS as f64 {
        return Err(format!("a range of {count} numbers"));
    }
    let values: Vec<f64> = (0..count as u64).map(|index| start + step * index as f64).collect();
    let dims = vec![values.len() as u64];
    let integers =
        inputs.first().copied().flatten().is_some_and(|first| matches!(first.data, Ok(Data::Ints(_))));
    Ok(if integers {
        Constant::ints(dims, Data::Floats(values).ints())
    } else {
        Constant::floats(dims, values)
    })
}

fn filled(sides: &Constant, attributes: &Attributes<'_>) -> Result<Constant, String> {
    let dims = sides_of(&ints(sides)?)?;
    let value = attributes.tensor("value").transpose()?;
    let (stored, value) = match &value {
        Some(value) => (value.stored, value.known().cloned()),
        None => (data_type::FLOAT, Ok(Data::Floats(vec![0.0]))),
    };
    Ok(build(dims, stored, |count| match value? {
        Data::Ints(values) => Ok(Data::Ints(vec![values.first().copied().unwrap_or(0); count as usize])),
        Data::Floats(values) => {
            Ok(Data::Floats(vec![values.first().copied().unwrap_or(0.0); count as usize]))
        }
    }))
}

/// Integers as sides.
///
/// # Errors
/// One is negative.
pub(super) fn sides_of(values: &[i64]) -> Result<Vec<u64>, String> {
    let sides: Option<Vec<u64>> = values.iter().map(|side| u64::try_from(*side).ok()).collect();
    sides.ok_or_else(|| format!("sides {values:?}"))
}

/// `axis` counted from the front.
///
/// # Errors
/// There is no such axis.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize, String> {
    let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    usize::try_from(from_front)
        .ok()
        .filter(|axis| *axis < rank)
        .ok_or_else(|| format!("axis {axis} of {rank}"))
}

/// The elements of `x` at `indices`, which are row-major positions.
pub(super) fn picked(x: &Constant, dims: Vec<u64>, index: impl Fn(u64) -> Option<usize>) -> Constant {
    build(dims, x.stored, |count| {
        let few = || "elements outside the tensor".to_owned();
        match x.known()? {
            Data::Ints(values) => {
                let at = |position| index(position).and_then(|index| values.get(index).copied());
                (0..count).map(at).collect::<Option<_>>().map(Data::Ints).ok_or_else(few)
            }
            Data::Floats(values) => {
                let at = |position| index(position).and_then(|index| values.get(index).copied());
                (0..count).map(at).collect::<Option<_>>().map(Data::Floats).ok_or_else(few)
            }
        }
    })
}

fn gather(x: &Constant, indices: &Constant, axis: i64) -> Result<Constant, String> {
    let axis = axis_of(axis, x.dims.len())?;
    let length = x.dims.get(axis).copied().unwrap_or(1);
    let wanted: Result<Vec<u64>, String> = ints(indices)?
        .into_iter()
        .map(|index| {
            let from_front = if index < 0 { index.saturating_add(length as i64) } else { index };
            let inside = u64::try_from(from_front).ok().filter(|index| *index < length);
            inside.ok_or_else(|| format!("index {index} of {length}"))
        })
        .collect();
    let wanted = wanted?;
    let (outer, inner) = x.dims.split_at(axis);
    let inner = inner.get(1..).unwrap_or_default();
    let dims = [outer, &indices.dims, inner].concat();
    let (many, width) = (wanted.len() as u64, elements(inner));
    Ok(picked(x, dims, |position| {
        let (block, column) = (position.checked_div(width)?, position.checked_rem(width)?);
        let index = wanted.get(block.checked_rem(many)? as usize)?;
        Some(((block / many * length + index) * width + column) as usize)
    }))
}

fn concat(inputs: &Inputs<'_>, axis: i64) -> Result<Constant, String> {
    let parts: Vec<&Constant> = inputs.iter().copied().flatten().collect();
    let first = parts.first().ok_or("no inputs")?;
    let axis = axis_of(axis, first.dims.len())?;
    let along = |part: &Constant| part.dims.get(axis).copied().unwrap_or(1);
    let mut dims = first.dims.clone();
    if let Some(side) = dims.get_mut(axis) {
        *side = parts.iter().map(|part| along(part)).fold(0, u64::saturating_add);
    }
    let same = |part: &&&Constant| {
        part.dims.len() == dims.len()
            && part.dims.iter().zip(&dims).enumerate().all(|(index, (a, b))| index == axis || a == b)
    };
    if parts.iter().filter(same).count() != parts.len() {
        return Err("tensors of different sides".into());
    }
    let outer = elements(dims.get(..axis).unwrap_or_default());
    let width = |part: &Constant| elements(part.dims.get(axis..).unwrap_or_default()) as usize;
    let integers = parts.iter().all(|part| matches!(part.data, Ok(Data::Ints(_))));
    Ok(build(dims, first.stored, |_| {
        let mut values = Vec::new();
        let mut exact = Vec::new();
        for row in 0..outer as usize {
            for part in &parts {
                let range = row * width(part)..(row + 1) * width(part);
                let data = part.known()?;
                if integers {
                    exact.extend_from_slice(data.ints().get(range).ok_or("too few elements")?);
                } else {
                    values.extend_from_slice(data.floats().get(range).ok_or("too few elements")?);
                }
            }
        }
        Ok(if integers { Data::Ints(exact) } else { Data::Floats(values) })
    }))
}

fn transpose(x: &Constant, order: Option<&[i64]>) -> Result<Constant, String> {
    let rank = x.dims.len();
    let order: Vec<usize> = match order {
        Some(order) => order.iter().map(|axis| axis_of(*axis, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(format!("the order {order:?} of {rank} axes"));
    }
    let dims: Vec<u64> = order.iter().filter_map(|axis| x.dims.get(*axis).copied()).collect();
    let stride = |axis: usize| elements(x.dims.get(axis + 1..).unwrap_or_default());
    let strides: Vec<u64> = order.iter().map(|axis| stride(*axis)).collect();
    Ok(picked(x, dims.clone(), |position| {
        let mut left = position;
        let mut index = 0;
        for (side, stride) in dims.iter().zip(&strides).rev() {
            index += left.checked_rem(*side)? * stride;
            left /= side;
        }
        Some(index as usize)
    }))
}

fn expand(x: &Constant, to: &[i64]) -> Result<Constant, String> {
    let dims = broadcast_dims(&x.dims, &sides_of(to)?)?;
    Ok(picked(x, dims.clone(), |position| Some(broadcast_index(position, &dims, &x.dims))))
}

fn tile(x: &Constant, times: &[i64]) -> Result<Constant, String> {
    let times = sides_of(times)?;
    if times.len() != x.dims.len() {
        return Err(format!("{} repeats of {} axes", times.len(), x.dims.len()));
    }
    let dims: Vec<u64> = x.dims.iter().zip(&times).map(|(side, times)| side.saturating_mul(*times)).collect();
    Ok(picked(x, dims.clone(), |position| {
        let (mut left, mut index, mut stride) = (position, 0, 1);
        for (side, own) in dims.iter().zip(&x.dims).rev() {
            index += left.checked_rem(*side)?.checked_rem(*own)? * stride;
            left /= side;
            stride *= own;
        }
        Some(index as usize)
    }))
}

/// The sum, product, least or most of all elements of a list.
fn reduce(op: &str, x: &Constant) -> Result<Constant, String> {
    if x.dims.len() > 1 {
        return Err(format!("{} axes, of which a constant is reduced only if it has one", x.dims.len()));
    }
    let values = ints(x)?;
    let result = match op {
        "ReduceProd" => values.iter().try_fold(1i64, |product, value| product.checked_mul(*value)),
        "ReduceSum" => values.iter().try_fold(0i64, |sum, value| sum.checked_add(*value)),
        "ReduceMax" => values.iter().copied().max(),
        _ => values.iter().copied().min(),
    };
    let result = result.ok_or("an overflow, or no elements")?;
    Ok(Constant::ints(Vec::new(), vec![result]))
}
