//! Numbers that stand for operations: equal ones have equal numbers, and different ones almost never do.

use crate::{
    measurement::Operation,
    network::Shape,
    stable_hash::{Fingerprint, fingerprint},
};

/// The fingerprint of an operation.
pub(super) fn of_operation(operation: &Operation) -> Fingerprint {
    let Operation { kind, input, input_elements, output, kernel, stride, groups, activation, bytes } =
        operation;
    let pair = |upper: u32, lower: u32| u64::from(upper) << 32 | u64::from(lower);
    let [(input_sides, input_depth), (output_sides, output_depth)] =
        [input, output].map(|Shape { h, w, c }| (pair(*h, *w), *c));
    fingerprint(&[
        pair(*kind as u32, *activation as u32),
        input_sides,
        output_sides,
        pair(input_depth, output_depth),
        *input_elements,
        pair(kernel[0], kernel[1]),
        pair(stride[0], stride[1]),
        u64::from(*groups),
        *bytes,
    ])
}
