//! Non-dominated sorting: which points nothing dominates, which only those dominate, and so on.
//!
//! Two objectives take `n log n` by a sweep with binary search over the fronts (Jensen, "Reducing
//! the run-time complexity of multiobjective EAs", IEEE TEC 7(5), 2003). More objectives use ENS-BS
//! (Zhang et al., "An efficient approach to nondominated sorting for evolutionary multiobjective
//! optimization", IEEE TEC 19(2), 2015).

use crate::search::evaluation::{Evaluation, Objectives};

/// The rank of each evaluation under constrained domination: 0 is dominated by none, 1 only by
/// those of rank 0, and so on. Equal points share a rank. Infeasible ones rank behind all feasible
/// ones by their violation.
#[must_use]
pub fn non_dominated_ranks(evaluations: &[Evaluation]) -> Vec<u32> {
    let mut ranks = vec![0; evaluations.len()];
    let all = 0..evaluations.len() as u32;
    let (mut feasible, mut infeasible): (Vec<u32>, Vec<u32>) =
        all.partition(|&index| evaluations[index as usize].is_feasible());
    let fronts = rank_feasible(evaluations, &mut feasible, &mut ranks);
    rank_infeasible(evaluations, &mut infeasible, fronts, &mut ranks);
    ranks
}

/// Returns the number of fronts.
fn rank_feasible(evaluations: &[Evaluation], order: &mut [u32], ranks: &mut [u32]) -> u32 {
    let Some(&first) = order.first() else { return 0 };
    match evaluations[first as usize].objectives.len() {
        2 => sweep(evaluations, order, ranks),
        _ => ens_bs(evaluations, order, ranks),
    }
}

fn sweep(evaluations: &[Evaluation], order: &[u32], ranks: &mut [u32]) -> u32 {
    let point = |index: u32| evaluations[index as usize].objectives;
    let mut points: Vec<(f64, f64, u32)> = order.iter().map(|&i| (point(i)[0], point(i)[1], i)).collect();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    // The last point of each front: among those so far it has the least second objective.
    let mut tails: Vec<(f64, f64)> = Vec::new();
    for &(x, y, index) in &points {
        let rank = tails.partition_point(|&(tail_x, tail_y)| tail_y <= y && (tail_x, tail_y) != (x, y));
        match tails.get_mut(rank) {
            Some(tail) => *tail = (x, y),
            None => tails.push((x, y)),
        }
        ranks[index as usize] = rank as u32;
    }
    tails.len() as u32
}

fn ens_bs(evaluations: &[Evaluation], order: &mut [u32], ranks: &mut [u32]) -> u32 {
    let point = |index: u32| &evaluations[index as usize].objectives;
    order.sort_unstable_by(|&a, &b| point(a).lexicographic(point(b)).then(a.cmp(&b)));
    let mut fronts: Vec<Vec<Objectives>> = Vec::new();
    for &index in order.iter() {
        let mine = point(index);
        // Latest first: they are the nearest and the most likely to dominate.
        let dominated = |front: &Vec<Objectives>| front.iter().rev().any(|other| other.dominates(mine));
        let rank = fronts.partition_point(dominated);
        match fronts.get_mut(rank) {
            Some(front) => front.push(*mine),
            None => fronts.push(vec![*mine]),
        }
        ranks[index as usize] = rank as u32;
    }
    fronts.len() as u32
}

fn rank_infeasible(evaluations: &[Evaluation], order: &mut [u32], first_rank: u32, ranks: &mut [u32]) {
    let violation = |index: u32| evaluations[index as usize].violation;
    order.sort_unstable_by(|&a, &b| violation(a).total_cmp(&violation(b)));
    for (step, ties) in order.chunk_by(|&a, &b| violation(a) == violation(b)).enumerate() {
        ties.iter().for_each(|&index| ranks[index as usize] = first_rank + step as u32);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Peels off what nothing left dominates, as the definition says.
    fn peel(evaluations: &[Evaluation]) -> Vec<u32> {
        let mut ranks = vec![u32::MAX; evaluations.len()];
        for rank in 0.. {
            let left: Vec<usize> = (0..ranks.len()).filter(|&index| ranks[index] == u32::MAX).collect();
            if left.is_empty() {
                return ranks;
            }
            for &index in &left {
                if !left.iter().any(|&other| evaluations[other].dominates(&evaluations[index])) {
                    ranks[index] = rank;
                }
            }
        }
        ranks
    }

    fn evaluations(objectives: usize) -> impl Strategy<Value = Vec<Evaluation>> {
        let values = prop::collection::vec(0..6_u8, objectives);
        let one = (values, prop_oneof![3 => Just(0_u8), 1 => 0..3_u8]).prop_map(|(values, violation)| {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            Evaluation::feasible(&values[..]).with_violation(f64::from(violation))
        });
        prop::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn sorting_equals_peeling(points in (1..=4_usize).prop_flat_map(evaluations)) {
            prop_assert_eq!(non_dominated_ranks(&points), peel(&points));
        }
    }

    #[test]
    fn equal_points_share_a_rank() {
        let twice = [Evaluation::feasible([1.0, 1.0]); 2];
        assert_eq!(non_dominated_ranks(&twice), [0, 0]);
    }

    #[test]
    fn nothing_has_no_ranks() {
        assert!(non_dominated_ranks(&[]).is_empty());
    }
}
