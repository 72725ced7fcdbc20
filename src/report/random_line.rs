//! What random search reaches with the same seed: the line that a search has to beat.

use super::{ConvergenceRow, Run, entry::rounded};
use crate::{
    error::{Error, Result},
    estimator::Estimator,
    objective::{ArchitectureSearch, Goal, SearchOptions},
    search::{Algorithm, Budget, Executor},
    space::Space,
};

/// More evaluations than this say nothing more about chance.
const MOST: u64 = 5_000;

/// The hypervolume of a random search.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomLine {
    /// Distinct architectures scored.
    pub evaluations: u64,
    /// How the hypervolume grew, against the report's reference point; empty where nothing feasible was found.
    pub rows: Vec<ConvergenceRow>,
}

impl RandomLine {
    /// Searches at random with the run's seed, for as many evaluations as the run had, but at most 5,000.
    ///
    /// # Errors
    /// The run folder lacks the space or the estimator of the report, or both measure the hypervolume from
    /// another reference point than the report.
    pub fn of(run: &Run) -> Result<Self> {
        let report = &run.report;
        let missing = |what: &str, origin: &str| {
            Error::unusable(format!(
                "no random line: the run folder has no {what}.json of `{origin}` as the report used it; copy that \
                 file there, or search anew"
            ))
        };
        let names: Vec<&str> = report.estimators.iter().map(|origin| origin.name.as_str()).collect();
        let estimator = run.estimator.as_ref().ok_or_else(|| missing("estimator", &names.join(", ")))?;
        let space = run.space.as_ref().ok_or_else(|| missing("space", &report.space.name))?;
        if let Some(origin) = report.energy.as_ref().filter(|_| run.energy.is_none()) {
            return Err(missing("energy", &origin.name));
        }
        let goal = report.goal.as_deref().map_or(Ok(Goal::default()), str::parse)?;
        let options = SearchOptions { energy: run.energy.as_ref(), goal, free: None };
        let problem = problem(run, space, estimator, &options)?;
        let outcome = Executor::new(&problem)
            .algorithm(Algorithm::Random)
            .seed(report.seed)
            .budget(Budget::evaluations(report.evaluations.clamp(1, MOST)))
            .run()?;
        let reference = outcome.reference.map_or(Vec::new(), |point| point.to_vec());
        if reference != report.hypervolume_reference {
            return Err(Error::unusable(format!(
                "no random line: its hypervolume counts from {reference:?}, that of the report from {:?}; search anew",
                report.hypervolume_reference
            )));
        }
        let row = |point: &crate::search::Convergence| ConvergenceRow {
            evaluations: point.evaluations,
            hypervolume: rounded(point.hypervolume),
        };
        Ok(Self { evaluations: outcome.evaluations, rows: outcome.convergence.iter().map(row).collect() })
    }
}

/// What was searched, for one accelerator or for several.
fn problem<'a>(
    run: &'a Run,
    space: &'a Space,
    estimator: &'a Estimator,
    options: &SearchOptions<'a>,
) -> Result<ArchitectureSearch<'a>> {
    let Some(across) = &run.report.across else {
        return ArchitectureSearch::with(space, estimator, options.clone());
    };
    let estimators: Vec<&Estimator> = std::iter::once(estimator).chain(&run.others).collect();
    if estimators.len() != across.targets.len() {
        return Err(Error::unusable(
            "no random line: the run folder lacks estimators of other targets (estimator-2.json and so on) as the report \
             used them; copy these files there, or search anew",
        ));
    }
    let search = |limits| {
        let targets = across.restored(space, &estimators, limits)?;
        ArchitectureSearch::across(space, targets, options.clone())
    };
    // Estimators on the command line replace those of the space, and their limits with them.
    let own = search(true)?;
    if own.requirement() == run.report.requirement { Ok(own) } else { search(false) }
}
