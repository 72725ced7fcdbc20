//! Whether the estimators of a search know the number formats of its space.

use std::collections::BTreeSet;

use super::Targets;
use crate::{
    energy::EnergyModel,
    error::{Error, Result},
    estimator::Estimator,
    measurement::Kind,
    network::{DType, Network},
    space::{GeneKind, Space},
};

/// Where a space offers several number formats, each estimator has to know all of them: a search would take what
/// looks fast because nobody measured it. A space of one format is searched all the same, and its estimates say that
/// they are out of range.
///
/// # Errors
/// An estimator, or an energy model that is one, was not fitted on a format of the space, or not on the kinds of operator
/// that the space has; what to do is named.
pub(super) fn check(space: &Space, targets: &Targets<'_>, energy: Option<&EnergyModel>) -> Result<()> {
    if space.dtypes().len() < 2 {
        return Ok(());
    }
    let fitted = match energy {
        Some(EnergyModel::Fitted(fitted)) => Some(fitted.estimator()),
        _ => None,
    };
    let estimators: Vec<&Estimator> =
        targets.list().iter().map(|target| target.estimator).chain(fitted).collect();
    for estimator in &estimators {
        check_formats(space, estimator)?;
    }
    let networks = each_alternative(space)?;
    estimators.iter().try_for_each(|estimator| check_kinds(space, estimator, &networks))
}

fn names(dtypes: &[DType]) -> String {
    dtypes.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(", ")
}

fn check_formats(space: &Space, estimator: &Estimator) -> Result<()> {
    let known = estimator.dtypes();
    let Some(missing) = space.dtypes().iter().find(|dtype| !known.contains(dtype)) else { return Ok(()) };
    let (estimator, space) = (estimator.name(), space.name());
    let (has, keep) = match &known[..] {
        [] => ("has no measurements in any number format, as one of a datasheet".to_owned(), String::new()),
        [one] => {
            (format!("was measured in {one} only"), format!(", or write \"dtype\": \"{one}\" in the space"))
        }
        several => {
            (format!("was measured in {}", names(several)), ", or leave it out of the space".to_owned())
        }
    };
    Err(Error::unusable(format!(
        "space `{space}` leaves the dtype open, {missing} among others, and estimator `{estimator}` {has}; nothing is \
         guessed: measure {missing} and fit both with nas fit A.csv B.csv{keep}"
    )))
}

fn check_kinds(space: &Space, estimator: &Estimator, networks: &[Network]) -> Result<()> {
    for dtype in space.dtypes() {
        let of_dtype =
            |network: &Network| estimator.unmeasured_kinds(&network.relabelled(network.name(), *dtype));
        let lacking: BTreeSet<Kind> = networks.iter().flat_map(of_dtype).collect();
        if lacking.is_empty() {
            continue;
        }
        let kinds: Vec<&str> = lacking.into_iter().map(Kind::name).collect();
        return Err(Error::unusable(format!(
            "space `{}` leaves the dtype open, and estimator `{}` was measured in {dtype}, but not for {}; measure what \
             the space has (nas measure SPACE) in {dtype}, or write one dtype in the space",
            space.name(),
            estimator.name(),
            kinds.join(", ")
        )));
    }
    Ok(())
}

/// The baseline, and the baseline with each alternative of each gene in turn: together they have the kinds of
/// operator that the space has.
fn each_alternative(space: &Space) -> Result<Vec<Network>> {
    let mut networks = vec![space.network(&space.baseline().0)?];
    for (place, gene) in space.genes().iter().enumerate().filter(|(_, gene)| gene.kind != GeneKind::Dtype) {
        for alternative in 0..gene.labels.len() as u8 {
            let mut genotype = space.baseline().clone();
            genotype.0[place] = alternative;
            networks.push(space.network(&genotype.0)?);
        }
    }
    Ok(networks)
}
