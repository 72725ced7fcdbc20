//! What a search is refused for before it begins.

use super::{
    checkpoint::Identity, evaluation::MAX_OBJECTIVES, executor::Executor, layout::Layout, problem::Problem,
};
use crate::{
    error::{Error, Result},
    space::Genotype,
    stable_hash::short_id,
};

/// An exact search takes spaces up to this size; genotypes without effect on the architecture cost next to nothing.
const COUNTABLE: u64 = 1 << 26;

/// Whether an exact search takes the problem: it has so few genotypes.
///
/// # Errors
/// A gene of it has no alternative or too many.
pub fn is_countable<P: Problem + ?Sized>(problem: &P) -> Result<bool> {
    Ok(Layout::new(problem.genes())?.size().is_some_and(|size| size <= COUNTABLE))
}

/// An exact search looks at every genotype, and scores each architecture among them.
pub(super) fn check_countable(layout: &Layout) -> Result<()> {
    let size = layout.size();
    if size.is_some_and(|size| size <= COUNTABLE) {
        return Ok(());
    }
    let count = size.map_or("more than 10^19".to_owned(), |size| size.to_string());
    Err(Error::unusable(format!(
        "an exact search looks at every genotype, at most {COUNTABLE}; here are {count}: leave fewer genes free, or \
         search with nsga2"
    )))
}

/// The problem's seeds, if they fit its genes.
pub(super) fn checked_seeds<P: Problem + ?Sized>(problem: &P, layout: &Layout) -> Result<Vec<Genotype>> {
    let seeds = problem.seeds();
    match seeds.iter().position(|seed| !layout.admits(&seed.0)) {
        Some(index) => Err(Error::unusable(format!("seed genotype {index} does not fit the genes"))),
        None => Ok(seeds),
    }
}

/// What a checkpoint of this search is known by.
pub(super) fn identity<P: Problem + ?Sized>(settings: &Executor<'_, P>) -> Result<Identity> {
    let objectives = settings.problem.objectives();
    if !(1..=MAX_OBJECTIVES).contains(&objectives.len()) {
        let found = objectives.len();
        return Err(Error::unusable(format!("{found} objectives; there may be 1 to {MAX_OBJECTIVES}")));
    }
    let problem = (settings.problem.genes(), objectives, settings.problem.identity());
    Ok(Identity {
        problem: short_id(format!("{problem:?}").as_bytes()),
        algorithm: settings.algorithm.to_string(),
        seed: settings.seed,
        population: settings.population,
    })
}
