//! Orders of values as orders of whole numbers, which sort several times faster than what they stand for.

use crate::search::evaluation::Evaluation;

/// A number that stands to others as `value` does by [`f64::total_cmp`].
pub(in crate::search) fn total_order_key(value: f64) -> u64 {
    let bits = value.to_bits();
    // All bits of a negative number turn round, and of others the sign.
    let turned = if bits >> 63 == 1 { u64::MAX } else { 1 << 63 };
    bits ^ turned
}

/// The indices in lexicographic order of the objectives; what is equal stays in the order of the indices.
pub(in crate::search) fn lexicographic_order(evaluations: &[Evaluation]) -> Vec<u32> {
    let first = |evaluation: &Evaluation| evaluation.objectives.first().copied().unwrap_or(0.0);
    let keys = evaluations.iter().map(|evaluation| u128::from(total_order_key(first(evaluation))));
    let mut keys: Vec<u128> = keys.zip(0_u128..).map(|(key, index)| key << 32 | index).collect();
    keys.sort_unstable();
    let equal = |a: &u128, b: &u128| a >> 32 == b >> 32;
    let objectives = |key: &u128| &evaluations[*key as u32 as usize].objectives;
    for run in keys.chunk_by_mut(equal).filter(|run| run.len() > 1) {
        run.sort_by(|a, b| objectives(a).lexicographic(objectives(b)));
    }
    keys.into_iter().map(|key| key as u32).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALUES: [f64; 8] = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN];

    proptest! {
        #[test]
        fn keys_stand_to_each_other_as_values_do(a: f64, b: f64) {
            prop_assert_eq!(total_order_key(a).cmp(&total_order_key(b)), a.total_cmp(&b));
        }

        #[test]
        fn the_order_is_that_of_a_stable_sort(
            values in prop::collection::vec(prop::array::uniform2(prop::sample::select(&VALUES[..])), 0..40),
        ) {
            let scores: Vec<Evaluation> = values.into_iter().map(Evaluation::feasible).collect();
            let mut expected: Vec<u32> = (0..scores.len() as u32).collect();
            let objectives = |index: u32| &scores[index as usize].objectives;
            expected.sort_by(|&a, &b| objectives(a).lexicographic(objectives(b)));
            prop_assert_eq!(lexicographic_order(&scores), expected);
        }
    }

    #[test]
    fn keys_tell_special_values_apart() {
        assert!(VALUES.map(total_order_key).is_sorted());
    }
}
