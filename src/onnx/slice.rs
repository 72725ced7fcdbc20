//! `Slice` in its two forms: bounds in attributes (up to opset 9) or in inputs.

use super::{
    fold::{axis_of, ints, picked},
    node::Attributes,
    tensor::{Constant, elements},
};

/// The part of one axis that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) axis: usize,
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) count: u64,
}

/// What a slice keeps of a tensor with these sides.
///
/// # Errors
/// The bounds are not known or do not fit the tensor.
pub(super) fn cuts(
    dims: &[u64],
    attributes: &Attributes<'_>,
    inputs: &[Option<&Constant>],
) -> Result<Vec<Cut>, String> {
    let given = |index: usize, name: &str| match inputs.get(index).copied().flatten() {
        Some(constant) => ints(constant).map(Some),
        None => Ok(attributes.ints(name).map(<[i64]>::to_vec)),
    };
    let starts = given(1, "starts")?.ok_or("no starts")?;
    let ends = given(2, "ends")?.ok_or("no ends")?;
    let axes = given(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = given(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(format!(
            "{} starts, {} ends, {} axes, {} steps",
            starts.len(),
            ends.len(),
            axes.len(),
            steps.len()
        ));
    }
    let bounds = starts.into_iter().zip(ends).zip(axes).zip(steps);
    bounds.map(|(((start, end), axis), step)| cut(dims, axis, start, end, step)).collect()
}

fn cut(dims: &[u64], axis: i64, start: i64, end: i64, step: i64) -> Result<Cut, String> {
    let axis = axis_of(axis, dims.len())?;
    let length = dims.get(axis).copied().unwrap_or(0);
    let length = i64::try_from(length).map_err(|_| format!("a side of {length}"))?;
    if step == 0 || step == i64::MIN {
        return Err(format!("a step of {step}"));
    }
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let at = |bound: i64| (if bound < 0 { bound.saturating_add(length) } else { bound }).clamp(low, high);
    let (start, end) = (at(start), at(end));
    let distance = if step > 0 { end - start } else { start - end };
    let count = distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    Ok(Cut { axis, start, step, count })
}

/// A slice of a constant.
///
/// # Errors
/// As [`cuts`].
pub(super) fn slice_constant(
    attributes: &Attributes<'_>,
    inputs: &[Option<&Constant>],
) -> Result<Constant, String> {
    let x = inputs.first().copied().flatten().ok_or("no input")?;
    let cuts = cuts(&x.dims, attributes, inputs)?;
    let mut dims = x.dims.clone();
    for cut in &cuts {
        if let Some(side) = dims.get_mut(cut.axis) {
            *side = cut.count;
        }
    }
    let stride = |axis: usize| elements(x.dims.get(axis + 1..).unwrap_or_default());
    let strides: Vec<u64> = (0..dims.len()).map(stride).collect();
    Ok(picked(x, dims.clone(), |position| {
        let mut left = position;
        let mut index = 0;
        for (axis, (side, stride)) in dims.iter().zip(&strides).enumerate().rev() {
            let at = left.checked_rem(*side)?;
            left /= side;
            let cut = cuts.iter().find(|cut| cut.axis == axis);
            let from =
                cut.map_or(Some(at), |cut| u64::try_from(cut.start + cut.step.checked_mul(at as i64)?).ok())?;
            index += from * stride;
        }
        Some(index as usize)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{proto::Node, tensor::Data};

    fn sliced(starts: i64, ends: i64, steps: i64) -> Option<Vec<i64>> {
        let x = Constant::ints(vec![5], vec![0, 1, 2, 3, 4]);
        let [start, end, axis, step] =
            [starts, ends, 0, steps].map(|value| Constant::ints(vec![1], vec![value]));
        let inputs = [Some(&x), Some(&start), Some(&end), Some(&axis), Some(&step)];
        let constant = slice_constant(&Attributes::of(&Node::default()), &inputs).ok()?;
        constant.data.ok().map(|data: Data| data.ints())
    }

    #[test]
    fn bounds_count_from_either_end_and_are_cut_to_the_tensor() {
        assert_eq!(sliced(1, 3, 1), Some(vec![1, 2]));
        assert_eq!(sliced(-2, i64::MAX, 1), Some(vec![3, 4]));
        assert_eq!(sliced(0, 5, 2), Some(vec![0, 2, 4]));
        assert_eq!(sliced(-1, i64::MIN, -1), Some(vec![4, 3, 2, 1, 0]));
        assert_eq!(sliced(3, 1, 1), Some(vec![]));
        assert_eq!(sliced(0, 5, 0), None);
    }
}
