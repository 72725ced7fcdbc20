//! Whether what tells latencies and energies can tell them for a search.

use super::{Goal, Targets};
use crate::{
    energy::EnergyModel,
    error::{Error, Result},
    space::{Metric, Space},
};

/// A search minimises latency alone by its estimators.
///
/// # Errors
/// One predicts something else.
pub(super) fn latency(targets: &Targets<'_>) -> Result<()> {
    let other = targets.list().iter().find_map(|one| Some((one.estimator, one.estimator.target()?)));
    let Some((estimator, target)) = other else { return Ok(()) };
    Err(Error::unusable(format!(
        "estimator `{}` predicts `{}` in {}, and a search minimises latency; give an estimator that was fitted \
         without --target",
        estimator.name(),
        target.name,
        target.unit
    )))
}

/// A limit on what nobody knows could not be kept.
///
/// # Errors
/// Energies are limited or minimised, and nothing tells them; or what tells them cannot for this space or these accelerators.
pub(super) fn energy(
    space: &Space,
    energy: Option<&EnergyModel>,
    goal: Goal,
    targets: &Targets<'_>,
) -> Result<()> {
    if let Some(model) = energy.filter(|_| targets.are_several()) {
        return Err(Error::unusable(format!(
            "energies by `{}` are those of one accelerator, and the search is for {}; leave the energy out, or search \
             for each by itself with --across each",
            model.name(),
            targets.list().len()
        )));
    }
    let limit = space.constraints().iter().find(|constraint| constraint.metric == Metric::EnergyUj);
    match (limit, energy) {
        (_, None) if goal == Goal::LatencyAndEnergy => Err(Error::unusable(
            "energy is to be minimised, and there is no energy model; give one with --energy FILE, such as \
             energy/horowitz-2014-45nm.json",
        )),
        (Some(limit), None) => Err(Error::unusable(format!(
            "space `{}` requires {limit}, and there is no energy model; give one with --energy FILE, such as \
             energy/horowitz-2014-45nm.json, or name it in target.energy",
            space.name()
        ))),
        (_, Some(model)) => space.dtypes().iter().try_for_each(|dtype| model.check(*dtype)),
        (None, None) => Ok(()),
    }
}
