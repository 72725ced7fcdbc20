//! How lonely a point is on its front.

use crate::search::evaluation::Evaluation;

/// The crowding distance of each member of one front: the sum over the objectives of the gap between
/// its two neighbours, relative to the front's extent; infinite at the ends (Deb et al., NSGA-II, 2002).
/// Of equal points all but one have distance 0 in the objectives where they coincide.
#[must_use]
pub fn crowding_distances(evaluations: &[Evaluation], front: &[u32]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    let count = front.first().map_or(0, |&first| evaluations[first as usize].objectives.len());
    let mut order: Vec<(f64, u32)> = Vec::with_capacity(front.len());
    for objective in 0..count {
        let value = |member: u32| evaluations[front[member as usize] as usize].objectives[objective];
        order.clear();
        order.extend((0..front.len() as u32).map(|member| (value(member), member)));
        sort_by_value(&mut order);
        add_gaps(&order, &mut distances);
    }
    distances
}

/// Sorts stably. A front by ascending first objective descends in its second, where it is turned round, but for what
/// is equal; the sort of the library takes equal values for the end of a descent.
fn sort_by_value(order: &mut [(f64, u32)]) {
    if !order.is_sorted_by(|a, b| a.0.total_cmp(&b.0).is_ge()) {
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        return;
    }
    order.reverse();
    for equal in order.chunk_by_mut(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        equal.reverse();
    }
}

fn add_gaps(order: &[(f64, u32)], distances: &mut [f64]) {
    let (Some(first), Some(last)) = (order.first(), order.last()) else { return };
    let extent = last.0 - first.0;
    distances[first.1 as usize] = f64::INFINITY;
    distances[last.1 as usize] = f64::INFINITY;
    if extent > 0.0 {
        for neighbours in order.windows(3) {
            distances[neighbours[1].1 as usize] += (neighbours[2].0 - neighbours[0].0) / extent;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_descends_is_sorted_stably_too(
            mut values in prop::collection::vec(0..5_u8, 0..20), descending: bool,
        ) {
            if descending {
                values.sort_by_key(|value| std::cmp::Reverse(*value));
            }
            let mut order: Vec<(f64, u32)> = values.into_iter().map(f64::from).zip(0..).collect();
            let mut expected = order.clone();
            expected.sort_by(|a, b| a.0.total_cmp(&b.0));
            sort_by_value(&mut order);
            prop_assert_eq!(order, expected);
        }
    }

    fn points(values: &[[f64; 2]]) -> Vec<Evaluation> {
        values.iter().map(|&value| Evaluation::feasible(value)).collect()
    }

    #[test]
    fn the_ends_are_infinitely_lonely_and_the_middle_has_its_gaps() {
        let front = points(&[[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]]);
        assert_eq!(crowding_distances(&front, &[0, 1, 2]), [f64::INFINITY, 2.0, f64::INFINITY]);
    }

    #[test]
    fn a_front_without_extent_has_no_gaps() {
        let front = points(&[[1.0, 1.0]; 3]);
        assert!(crowding_distances(&front, &[0, 1, 2]).contains(&0.0));
        assert!(crowding_distances(&front, &[]).is_empty());
    }
}
