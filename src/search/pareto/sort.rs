//! Non-dominated sorting: which points nothing dominates, which only those dominate, and so on.
//!
//! Points are taken by ascending first objective, so that only earlier ones can dominate, and the front of
//! each is found by binary search (ENS-BS: Zhang et al., "An efficient approach to nondominated sorting for
//! evolutionary multiobjective optimization", IEEE TEC 19(2), 2015). What a front must tell is whether it
//! dominates a later point. With two objectives its last member knows, which makes `n log n` (Jensen,
//! "Reducing the run-time complexity of multiobjective EAs", IEEE TEC 7(5), 2003). With three it is a search
//! in the staircase of its second and third objectives (Kung, Luccio and Preparata, "On finding the maxima of
//! a set of vectors", JACM 22(4), 1975). With more, all members are asked.

use super::lexicographic_order;
use crate::search::evaluation::{Evaluation, Objectives};

/// The rank of each evaluation under constrained domination: 0 is dominated by none, 1 only by
/// those of rank 0, and so on. Equal points share a rank. Infeasible ones rank behind all feasible
/// ones, with their violation as one objective more.
#[must_use]
pub fn non_dominated_ranks(evaluations: &[Evaluation]) -> Vec<u32> {
    ranks_along(evaluations, lexicographic_order(evaluations), 0.0)
}

/// The ranks of evaluations that stand in lexicographic order of their objectives, where whatever misses the
/// constraints by no more than `tolerance` counts as feasible.
pub(in crate::search) fn ranks_in_order(evaluations: &[Evaluation], tolerance: f64) -> Vec<u32> {
    ranks_along(evaluations, 0..evaluations.len() as u32, tolerance)
}

fn ranks_along(
    evaluations: &[Evaluation],
    order: impl IntoIterator<Item = u32> + Clone,
    tolerance: f64,
) -> Vec<u32> {
    let feasible = |index: &u32| evaluations[*index as usize].violation <= tolerance;
    let mut ranks = vec![0; evaluations.len()];
    let fronts = rank_feasible(evaluations, order.clone().into_iter().filter(feasible), &mut ranks);
    let mut infeasible: Vec<u32> = order.into_iter().filter(|index| !feasible(index)).collect();
    rank_infeasible(evaluations, &mut infeasible, fronts, &mut ranks);
    ranks
}

/// Returns the number of fronts.
fn rank_feasible(evaluations: &[Evaluation], order: impl Iterator<Item = u32>, ranks: &mut [u32]) -> u32 {
    match evaluations.first().map_or(0, |first| first.objectives.len()) {
        1 | 2 => rank_in_order::<Tail>(evaluations, order, ranks),
        3 => rank_in_order::<Staircase>(evaluations, order, ranks),
        _ => rank_in_order::<Members>(evaluations, order, ranks),
    }
}

fn rank_in_order<F: Front>(
    evaluations: &[Evaluation],
    order: impl Iterator<Item = u32>,
    ranks: &mut [u32],
) -> u32 {
    let mut fronts: Vec<F> = Vec::new();
    let mut before: Option<(&Objectives, usize)> = None;
    for index in order {
        let point = &evaluations[index as usize].objectives;
        let rank = match before {
            Some((equal, rank)) if equal == point => rank,
            _ => {
                let rank = fronts.partition_point(|front| front.dominates(point));
                if rank == fronts.len() {
                    fronts.push(F::default());
                }
                fronts[rank].add(point);
                rank
            }
        };
        before = Some((point, rank));
        ranks[index as usize] = rank as u32;
    }
    fronts.len() as u32
}

/// What a front keeps of its members to tell whether one dominates a point that comes after all of them in
/// lexicographic order and equals none.
trait Front: Default {
    fn dominates(&self, point: &Objectives) -> bool;
    fn add(&mut self, point: &Objectives);
}

/// The least last objective of up to two, which is the last member's.
struct Tail(f64);

impl Default for Tail {
    fn default() -> Self {
        Self(f64::INFINITY)
    }
}

impl Front for Tail {
    fn dominates(&self, point: &Objectives) -> bool {
        self.0 <= point[point.len() - 1]
    }

    fn add(&mut self, point: &Objectives) {
        self.0 = point[point.len() - 1];
    }
}

/// Second and third objective of the members that are non-dominated in these two, the second ascending.
#[derive(Default)]
struct Staircase(Vec<(f64, f64)>);

impl Front for Staircase {
    fn dominates(&self, point: &Objectives) -> bool {
        let after = self.0.partition_point(|step| step.0 <= point[1]);
        after > 0 && self.0[after - 1].1 <= point[2]
    }

    fn add(&mut self, point: &Objectives) {
        let start = self.0.partition_point(|step| step.0 < point[1]);
        let end = start + self.0[start..].partition_point(|step| step.1 >= point[2]);
        self.0.splice(start..end, [(point[1], point[2])]);
    }
}

/// All members; the latest are the likeliest to dominate.
#[derive(Default)]
struct Members(Vec<Objectives>);

impl Front for Members {
    fn dominates(&self, point: &Objectives) -> bool {
        self.0.iter().rev().any(|member| member.covers(point))
    }

    fn add(&mut self, point: &Objectives) {
        self.0.push(*point);
    }
}

fn rank_infeasible(evaluations: &[Evaluation], order: &mut [u32], first_rank: u32, ranks: &mut [u32]) {
    let one = |index: u32| &evaluations[index as usize];
    order.sort_by(|&a, &b| {
        let violation = one(a).violation.total_cmp(&one(b).violation);
        violation.then_with(|| one(a).objectives.lexicographic(&one(b).objectives))
    });
    let mut fronts: Vec<Vec<u32>> = Vec::new();
    for &index in &*order {
        let dominates = |front: &Vec<u32>| front.iter().any(|&member| one(member).dominates(one(index)));
        let rank = fronts.partition_point(dominates);
        if rank == fronts.len() {
            fronts.push(Vec::new());
        }
        fronts[rank].push(index);
        ranks[index as usize] = first_rank + rank as u32;
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
