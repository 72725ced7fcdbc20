//! How far a front is from the exact one.

use super::hypervolume;
use crate::search::evaluation::Objectives;

/// How far a front is from the exact one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The share of the exact front's hypervolume that is reached, 0 to 1.
    pub hypervolume_share: f64,
    /// By which factor above 1 the objectives of the nearest member exceed those of an exact point, at worst: the
    /// multiplicative epsilon indicator (Zitzler et al., "Performance assessment of multiobjective optimizers",
    /// IEEE TEC 7(2), 2003) less one. Objectives must be positive; infinite where nothing was found.
    pub largest_distance: f64,
}

/// The gap between what was `found` and the `exact` front, by hypervolume up to `reference`.
#[must_use]
pub fn gap(found: &[Objectives], exact: &[Objectives], reference: &Objectives) -> Gap {
    let excess = |member: &Objectives, point: &Objectives| {
        let ratios = member.iter().zip(point.iter()).map(|(found, exact)| found / exact);
        ratios.fold(f64::NEG_INFINITY, f64::max)
    };
    let nearest =
        |point: &Objectives| found.iter().map(|member| excess(member, point)).fold(f64::INFINITY, f64::min);
    let worst = exact.iter().map(nearest).fold(1.0, f64::max);
    Gap {
        hypervolume_share: hypervolume(found, reference) / hypervolume(exact, reference),
        largest_distance: worst - 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_without_a_gap_has_all_of_the_volume_and_no_distance() {
        let exact = [[1.0, 3.0], [2.0, 1.0]].map(Objectives::from);
        let none = gap(&exact, &exact, &[4.0, 4.0].into());
        assert_eq!(none, Gap { hypervolume_share: 1.0, largest_distance: 0.0 });
    }

    #[test]
    fn the_distance_is_that_of_the_worst_served_point() {
        let exact = [[1.0, 3.0], [2.0, 1.0]].map(Objectives::from);
        let found = [[2.2, 1.0]].map(Objectives::from);
        let gap = gap(&found, &exact, &[4.0, 4.0].into());
        assert!((gap.largest_distance - 1.2).abs() < 1e-12, "2.2 where 1 is possible: {gap:?}");
        assert!(gap.hypervolume_share < 1.0);
    }

    #[test]
    fn nothing_is_infinitely_far() {
        let exact = [Objectives::from([1.0, 1.0])];
        let gap = gap(&[], &exact, &[2.0, 2.0].into());
        assert_eq!((gap.hypervolume_share, gap.largest_distance), (0.0, f64::INFINITY));
    }
}
