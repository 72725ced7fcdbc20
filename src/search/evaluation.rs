//! What scoring a genotype yields, and which of two scores is better.

use std::{cmp::Ordering, ops::Deref};

use serde::{Deserialize, Serialize};

/// The most objectives a problem may have.
pub const MAX_OBJECTIVES: usize = 4;

/// So many limits are told apart; of what there is beyond, the one that is missed most counts.
pub const MAX_LIMITS: usize = 4;

/// One to four values, all minimised, stored in place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Objectives {
    values: [f64; MAX_OBJECTIVES],
    len: u8,
}

impl Objectives {
    /// The same value for each of `len` objectives.
    ///
    /// # Panics
    /// If `len` is above [`MAX_OBJECTIVES`].
    #[must_use]
    pub fn splat(value: f64, len: usize) -> Self {
        Self::from(&[value; MAX_OBJECTIVES][..len])
    }

    /// Whether this is nowhere worse than `other` (equal counts).
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.iter().zip(other.iter()).all(|(mine, theirs)| mine <= theirs)
    }

    /// Pareto dominance: nowhere worse and somewhere better.
    #[must_use]
    pub fn dominates(&self, other: &Self) -> bool {
        self.covers(other) && self != other
    }

    /// Order by the first objective, then the second, and so on.
    #[must_use]
    pub fn lexicographic(&self, other: &Self) -> Ordering {
        let mut orders = self.iter().zip(other.iter()).map(|(mine, theirs)| mine.total_cmp(theirs));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The value of each objective changed by `change`.
    #[must_use]
    pub fn map(mut self, mut change: impl FnMut(usize, f64) -> f64) -> Self {
        for (index, value) in self.values[..usize::from(self.len)].iter_mut().enumerate() {
            *value = change(index, *value);
        }
        self
    }
}

impl Deref for Objectives {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.values[..usize::from(self.len)]
    }
}

impl From<&[f64]> for Objectives {
    /// # Panics
    /// If there are more than [`MAX_OBJECTIVES`] values.
    fn from(slice: &[f64]) -> Self {
        let mut values = [0.0; MAX_OBJECTIVES];
        values[..slice.len()].copy_from_slice(slice);
        Self { values, len: slice.len() as u8 }
    }
}

impl<const N: usize> From<[f64; N]> for Objectives {
    fn from(values: [f64; N]) -> Self {
        const { assert!(N <= MAX_OBJECTIVES, "at most four objectives") };
        Self::from(&values[..])
    }
}

impl TryFrom<Vec<f64>> for Objectives {
    type Error = String;

    fn try_from(values: Vec<f64>) -> Result<Self, String> {
        if values.len() > MAX_OBJECTIVES {
            return Err(format!("{} objectives, at most {MAX_OBJECTIVES} are supported", values.len()));
        }
        Ok(Self::from(&values[..]))
    }
}

impl From<Objectives> for Vec<f64> {
    fn from(objectives: Objectives) -> Self {
        objectives.to_vec()
    }
}

/// The score of one genotype.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// What is minimised.
    pub objectives: Objectives,
    /// How far the constraints are exceeded, summed; 0 is feasible.
    pub violation: f64,
    /// How far each limit is exceeded, negative where there is room; 0 where there is no limit.
    #[serde(default)]
    pub excess: [f64; MAX_LIMITS],
}

impl Evaluation {
    /// A score that meets all constraints.
    pub fn feasible(objectives: impl Into<Objectives>) -> Self {
        Self { objectives: objectives.into(), violation: 0.0, excess: [0.0; MAX_LIMITS] }
    }

    /// The same objectives with a constraint exceeded by `violation` (0 or less is feasible).
    #[must_use]
    pub fn with_violation(self, violation: f64) -> Self {
        self.with_limits([violation])
    }

    /// The same objectives with limits that are exceeded by so much each, negative where there is room. Room tells
    /// the search what it can make use of.
    #[must_use]
    pub fn with_limits(self, excesses: impl IntoIterator<Item = f64>) -> Self {
        let (mut violation, mut excess) = (0.0, [0.0; MAX_LIMITS]);
        for (index, one) in excesses.into_iter().enumerate() {
            // What is not a number keeps to no limit.
            violation += if one <= 0.0 { 0.0 } else { one };
            match excess.get_mut(index) {
                Some(place) => *place = one,
                None => excess[MAX_LIMITS - 1] = one.max(excess[MAX_LIMITS - 1]),
            }
        }
        Self { violation, excess, ..self }
    }

    /// Whether all constraints are met.
    #[must_use]
    pub fn is_feasible(&self) -> bool {
        self.violation <= 0.0
    }

    /// Constrained domination: feasible before infeasible, and Pareto dominance among the feasible (Deb et al.,
    /// "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEC 6(2), 2002). Among the
    /// infeasible the violation is one objective more. If it decided alone, as it does there, a search whose
    /// constraints pull against each other would end where their sum is least and nothing is feasible.
    #[must_use]
    pub fn dominates(&self, other: &Self) -> bool {
        match (self.is_feasible(), other.is_feasible()) {
            (true, true) => self.objectives.dominates(&other.objectives),
            (true, false) => true,
            (false, true) => false,
            (false, false) => {
                self.violation <= other.violation
                    && self.objectives.covers(&other.objectives)
                    && (self.violation < other.violation || self.objectives != other.objectives)
            }
        }
    }

    /// A score that can be compared and stored: one with a NaN or an infinity is as infeasible as can be, and there is
    /// one zero.
    pub(crate) fn sound(self) -> Self {
        if self.violation.is_finite() && self.objectives.iter().all(|value| value.is_finite()) {
            let objectives = self.objectives.map(|_, value| value + 0.0);
            let excess = self.excess.map(|excess| if excess.is_finite() { excess } else { 0.0 });
            return Self { objectives, violation: self.violation.max(0.0), excess };
        }
        let objectives = Objectives::splat(f64::MAX, self.objectives.len());
        Self { objectives, violation: f64::MAX, excess: [0.0; MAX_LIMITS] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dominance_needs_one_strictly_better_objective() {
        let point = Objectives::from([1.0, 2.0]);
        assert!(Objectives::from([1.0, 1.0]).dominates(&point));
        assert!(!point.dominates(&point));
        assert!(!Objectives::from([0.0, 3.0]).dominates(&point));
    }

    #[test]
    fn any_feasible_score_beats_any_infeasible_one() {
        let poor = Evaluation::feasible([9.0, 9.0]);
        let rich = Evaluation::feasible([1.0, 1.0]).with_violation(0.1);
        assert!(poor.dominates(&rich) && !rich.dominates(&poor));
    }

    #[test]
    fn among_infeasible_scores_violation_is_one_objective_more() {
        let near = Evaluation::feasible([1.0]).with_violation(0.1);
        let far = Evaluation::feasible([1.0]).with_violation(0.2);
        let far_but_fast = Evaluation::feasible([0.5]).with_violation(0.2);
        assert!(near.dominates(&far) && !far.dominates(&near));
        assert!(!near.dominates(&far_but_fast) && !far_but_fast.dominates(&near));
    }

    #[test]
    fn a_score_that_is_not_a_number_is_infeasible() {
        let score = Evaluation::feasible([f64::NAN, 1.0]).sound();
        assert!(!score.is_feasible() && score.objectives.iter().all(|value| value.is_finite()));
        assert!(!Evaluation::feasible([1.0]).with_violation(f64::NAN).sound().is_feasible());
    }

    #[test]
    fn room_within_one_limit_makes_up_for_no_other() {
        let score = Evaluation::feasible([1.0]).with_limits([-2.0, 0.25, 0.5]);
        assert_eq!((score.violation, score.excess), (0.75, [-2.0, 0.25, 0.5, 0.0]));
        let many = Evaluation::feasible([1.0]).with_limits([-1.0, -1.0, -1.0, -3.0, -2.0, 0.5]);
        assert_eq!((many.violation, many.excess[3]), (0.5, 0.5), "of too many, the one missed most");
    }

    #[test]
    fn there_is_one_zero() {
        let zero = Evaluation::feasible([-0.0]).sound().objectives[0];
        assert!(zero.is_sign_positive(), "orders by bits would tell the two apart");
    }

    #[test]
    fn a_slack_constraint_does_not_count_as_better_than_met() {
        assert_eq!(Evaluation::feasible([1.0]).with_violation(-3.0).sound().violation, 0.0);
    }
}
