//! What a search ends with.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    evaluation::{Evaluation, MAX_LIMITS, Objectives},
    pareto::non_dominated_ranks,
};
use crate::space::Genotype;

/// One scored genotype.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The canonical genotype.
    pub genotype: Genotype,
    /// What was minimised.
    pub objectives: Objectives,
    /// 0 where all constraints are met.
    pub violation: f64,
    /// As [`Evaluation::excess`]; zeros where nobody noted it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub excess: [f64; MAX_LIMITS],
}

fn is_nothing(excess: &[f64; MAX_LIMITS]) -> bool {
    *excess == [0.0; MAX_LIMITS]
}

impl Candidate {
    /// A genotype with its score.
    #[must_use]
    pub fn new(genotype: Genotype, evaluation: Evaluation) -> Self {
        let Evaluation { objectives, violation, excess } = evaluation;
        Self { genotype, objectives, violation, excess }
    }

    /// The score.
    #[must_use]
    pub fn evaluation(&self) -> Evaluation {
        Evaluation { objectives: self.objectives, violation: self.violation, excess: self.excess }
    }
}

/// How good the archive was after so many evaluations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convergence {
    /// Distinct genotypes scored so far.
    pub evaluations: u64,
    /// The volume that the archive dominates, up to the reference point.
    pub hypervolume: f64,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Termination {
    /// The budget of evaluations is spent.
    Evaluations,
    /// The budget of time is spent.
    Time,
    /// Somebody asked it to stop.
    Cancelled,
    /// Every point of the space was scored; the front is exact.
    Exhausted,
    /// The algorithm finds nothing new any more, though the space is not exhausted.
    Converged,
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Evaluations => "evaluation budget spent",
            Self::Time => "time budget spent",
            Self::Cancelled => "cancelled",
            Self::Exhausted => "space exhausted",
            Self::Converged => "converged",
        })
    }
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The feasible candidates that nothing scored dominates, by ascending first objective. Empty
    /// where nothing feasible was found.
    pub front: Vec<Candidate>,
    /// Where nothing feasible was found, the candidate that came nearest.
    pub nearest: Option<Candidate>,
    /// Distinct genotypes scored, those before a resume included.
    pub evaluations: u64,
    /// Rounds of the algorithm.
    pub generations: u64,
    /// Why it ended.
    pub termination: Termination,
    /// The history of the hypervolume; empty where nothing feasible was found.
    pub convergence: Vec<Convergence>,
    /// The reference point of the hypervolume.
    pub reference: Option<Objectives>,
    /// Time used, that before a resume included.
    pub elapsed: Duration,
}

impl Outcome {
    /// Whether anything met all constraints.
    #[must_use]
    pub fn found_feasible(&self) -> bool {
        !self.front.is_empty()
    }

    /// Takes in feasible candidates that came up elsewhere: they join the front unless they are dominated.
    pub fn take_in(&mut self, found: Vec<Candidate>) {
        let mut all = std::mem::take(&mut self.front);
        all.extend(found);
        let scores: Vec<Evaluation> = all.iter().map(Candidate::evaluation).collect();
        let ranked = all.into_iter().zip(non_dominated_ranks(&scores));
        self.front = ranked.filter(|(_, rank)| *rank == 0).map(|(candidate, _)| candidate).collect();
        self.front.sort_by(|a, b| a.objectives.lexicographic(&b.objectives));
        self.front.dedup_by(|later, first| later.objectives == first.objectives);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_better_joins_the_front_in_its_place_and_drives_out_what_it_dominates() {
        let candidate = |objectives: [f64; 2]| {
            Candidate::new(Genotype::first(1), Evaluation::feasible(Objectives::from(objectives)))
        };
        let mut outcome = Outcome {
            front: [[1.0, 5.0], [2.0, 4.0], [4.0, 1.0]].map(candidate).to_vec(),
            nearest: None,
            evaluations: 3,
            generations: 1,
            termination: Termination::Evaluations,
            convergence: Vec::new(),
            reference: None,
            elapsed: Duration::ZERO,
        };
        outcome.take_in([[3.0, 2.0], [2.0, 3.0], [4.0, 1.0], [5.0, 5.0]].map(candidate).to_vec());
        let points: Vec<[f64; 2]> =
            outcome.front.iter().map(|one| [one.objectives[0], one.objectives[1]]).collect();
        assert_eq!(points, [[1.0, 5.0], [2.0, 3.0], [3.0, 2.0], [4.0, 1.0]]);
    }
}
