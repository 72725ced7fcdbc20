//! How a search went: best values, reference point and hypervolume over time.

use super::{
    evaluation::Objectives,
    outcome::{Candidate, Convergence},
    pareto::hypervolume,
    population::Population,
};

/// The least value of each objective.
pub(super) fn best(points: &[Objectives]) -> Option<Objectives> {
    let least = |best: Objectives, point: &Objectives| best.map(|index, value| value.min(point[index]));
    points.split_first().map(|(first, rest)| rest.iter().fold(*first, least))
}

/// A tenth of the extent beyond the worst feasible values.
pub(super) fn reference(scored: &Population) -> Option<Objectives> {
    let feasible = scored.evaluations().iter().filter(|evaluation| evaluation.is_feasible());
    let points: Vec<Objectives> = feasible.map(|evaluation| evaluation.objectives).collect();
    let least = best(&points)?;
    let worst = points.iter().fold(least, |worst, point| worst.map(|index, value| value.max(point[index])));
    Some(worst.map(|index, value| {
        let extent = value - least[index];
        let margin = if extent > 0.0 { extent } else { value.abs().max(1.0) };
        value + 0.1 * margin
    }))
}

/// Whether the hypervolume is to be noted: a quarter more evaluations than last time.
pub(super) fn is_due(convergence: &[Convergence], evaluations: u64) -> bool {
    convergence.last().is_none_or(|last| evaluations >= last.evaluations + last.evaluations / 4)
}

/// Notes the hypervolume of the archive, unless it is noted for these evaluations or there is nothing.
pub(super) fn note(
    convergence: &mut Vec<Convergence>,
    evaluations: u64,
    points: &[Objectives],
    reference: &Objectives,
) {
    let noted = convergence.last().is_some_and(|last| last.evaluations == evaluations);
    if !noted && !points.is_empty() {
        convergence.push(Convergence { evaluations, hypervolume: hypervolume(points, reference) });
    }
}

/// Keeps the candidate with the least violation; of equals the first.
pub(super) fn keep_nearest(nearest: &mut Option<Candidate>, scored: &Population) {
    for (index, evaluation) in scored.evaluations().iter().enumerate() {
        if nearest.as_ref().is_none_or(|held| evaluation.violation < held.violation) {
            *nearest = Some(scored.candidate(index));
        }
    }
}
