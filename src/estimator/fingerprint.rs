//! Numbers that stand for records: equal records have equal ones, and different records almost never do.

use crate::{measurement::Operation, network::Shape};

/// Sixty-four well mixed bits.
pub(super) type Fingerprint = u64;

const START: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344];
const MULTIPLIERS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

/// The fingerprint of some words; two chains, so that the processor can follow both at once.
pub(super) fn fingerprint(words: &[u64]) -> Fingerprint {
    let [mut even, mut odd] = START;
    for pair in words.chunks(2) {
        even = fold(even ^ pair[0], MULTIPLIERS[0]);
        odd = fold(odd ^ pair.get(1).copied().unwrap_or(0), MULTIPLIERS[1]);
    }
    fold(even ^ odd.rotate_left(32), MULTIPLIERS[0])
}

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

/// Both halves of a product, one laid over the other, after Wang Yi's wyhash.
fn fold(word: u64, multiplier: u64) -> u64 {
    let product = u128::from(word) * u128::from(multiplier);
    (product as u64) ^ (product >> 64) as u64
}
