//! The accelerators of a search: those given, or those that the space names.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use nas::{
    estimator::Estimator,
    objective::{self, Targets},
    report::{Report, estimator_file},
    space::{Across, Space, Target},
};

use super::{output, search::Args};

/// What several estimators are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Over {
    /// A search for each chip by itself, and a table of what each reaches at one trainability.
    Each,
    /// One search for an architecture that is good on all: the largest of its latencies relative to the baseline's on
    /// the same chip goes down.
    Worst,
    /// One search for all: the mean of these relative latencies by weight goes down.
    Weighted,
}

impl Over {
    fn across(self) -> Option<Across> {
        match self {
            Self::Each => None,
            Self::Worst => Some(Across::Worst),
            Self::Weighted => Some(Across::Weighted),
        }
    }
}

/// The estimator files of a search: those given, else those that the space names.
pub(super) fn files(given: &[PathBuf], space: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let named = Target::load(space)?.estimators;
    if named.is_empty() {
        // What else is wrong with the file comes first.
        Space::load_for(space, Some(1))?;
        bail!("{} names no estimator; give one with --estimator", space.display());
    }
    Ok(named)
}

/// Whether the search is one for each of several chips.
pub(super) fn compares_chips(args: &Args, files: &[PathBuf]) -> anyhow::Result<bool> {
    let several = files.len() > 1;
    if !several && let Some(over) = args.across {
        let name = over.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        bail!(
            "--across {name} needs several estimators; give --estimator several times, or target.estimators in the space"
        );
    }
    if !args.weight.is_empty() && args.across.is_some_and(|over| over != Over::Weighted) {
        bail!("--weight counts only with --across weighted");
    }
    Ok(several
        && match args.across {
            Some(over) => over == Over::Each,
            // A space that names several is for all of them.
            None => Target::load(&args.space)?.estimators.len() < 2,
        })
}

/// All estimators, in the order of their files.
pub(super) fn load(files: &[PathBuf]) -> anyhow::Result<Vec<Estimator>> {
    Ok(files.iter().map(|path| Estimator::load(path)).collect::<nas::error::Result<_>>()?)
}

/// The accelerators that one search is for.
pub(super) fn of<'a>(args: &Args, space: &Space, estimators: &'a [Estimator]) -> anyhow::Result<Targets<'a>> {
    let named = space.targets().filter(|_| args.estimator.is_empty());
    if named.is_none() && space.targets().is_some() && !args.quiet {
        output::tell("the estimators given replace those of the space, with their names, weights and limits");
    }
    if let [one] = estimators {
        if !args.weight.is_empty() {
            bail!("--weight needs several estimators");
        }
        return Ok(Targets::one(one));
    }
    let own = space.targets().map_or(Across::default(), |targets| targets.across);
    let across = args.across.and_then(Over::across).unwrap_or(own);
    let mut list = match named {
        Some(_) => Targets::of_space(space, estimators)?.list().to_vec(),
        None => estimators.iter().map(objective::Target::of).collect(),
    };
    if !args.weight.is_empty() {
        if across != Across::Weighted {
            bail!("--weight counts only with --across weighted");
        }
        if args.weight.len() != list.len() {
            bail!(
                "--weight has {} numbers for {} estimators; give one for each, in their order",
                args.weight.len(),
                list.len()
            );
        }
        for (target, weight) in list.iter_mut().zip(&args.weight) {
            target.weight = *weight;
        }
    }
    Ok(Targets::several(across, list)?)
}

/// A weight as it is given on the command line.
pub(super) fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse::<f64>().ok().filter(|weight| (1e-6..=1e6).contains(weight));
    weight.ok_or_else(|| "expected a number from 0.000001 to 1000000".into())
}

/// The space, with channels that snap to the lanes of `estimators` where the file wants that: to the least common
/// multiple of several, so that no chip gets widths that leave lanes of it idle.
pub(super) fn space_for(path: &Path, estimators: &[Estimator]) -> anyhow::Result<Space> {
    let factors: Vec<u32> = estimators.iter().map(Estimator::parallelism).collect();
    if !Target::load(path)?.from_estimator {
        return Ok(Space::load_for(path, Some(1))?);
    }
    let factor = common_factor(&factors).with_context(|| {
        let each: Vec<String> = factors.iter().map(u32::to_string).collect();
        format!(
            "channels would snap to the least common multiple of {}, which is beyond 1024; give a number as \
             target.parallelism of {}",
            each.join(", "),
            path.display()
        )
    })?;
    let space = Space::load_for(path, Some(factor))?;
    let names: Vec<&str> = estimators.iter().map(Estimator::name).collect();
    let names = names.join(", ");
    output::tell(match (factor, estimators.len()) {
        (1, 1) => format!("{names} shows no staircase in its channels: channels do not snap"),
        (1, _) => format!("{names} show no staircase in their channels: channels do not snap"),
        (factor, 1) => format!("channels snap to multiples of {factor}, the lanes of {names}"),
        (factor, _) => {
            format!(
                "channels snap to multiples of {factor}, the least common multiple of the lanes of {names}"
            )
        }
    });
    Ok(space)
}

/// The least number that all `factors` divide; none beyond what a space may snap to.
fn common_factor(factors: &[u32]) -> Option<u32> {
    const MOST: u32 = 1024;
    let divisor = |mut a: u32, mut b: u32| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let multiple =
        |a: u32, b: u32| (a / divisor(a, b).max(1)).checked_mul(b).filter(|factor| *factor <= MOST);
    factors.iter().try_fold(1, |common, factor| multiple(common, (*factor).max(1)))
}

/// Which accelerator of a run is meant, by number: the one called `name`, or the only one. Of several, the first where
/// `or_first`, which is said.
pub(super) fn number(report: &Report, name: Option<&str>, or_first: bool) -> anyhow::Result<usize> {
    let Some(across) = &report.across else {
        return match name {
            Some(name) => bail!("--target {name}: the run is for one accelerator, so leave --target out"),
            None => Ok(0),
        };
    };
    let names: Vec<&str> = across.targets.iter().map(|target| target.name.as_str()).collect();
    match name {
        Some(name) => names
            .iter()
            .position(|known| *known == name)
            .with_context(|| format!("--target {name}: expected {}", nas::error::one_of(name, &names))),
        None if or_first => {
            let others: Vec<String> = names.iter().skip(1).map(|name| format!("--target {name}")).collect();
            output::tell(format_args!("note: on {}; the others with {}", across.first(), others.join(", ")));
            Ok(0)
        }
        None => bail!("the run is for several accelerators; say which with --target: {}", names.join(", ")),
    }
}

/// The estimator file of a run's accelerator, if it lies beside the report.
pub(super) fn beside(report: &Path, number: usize) -> Option<PathBuf> {
    let file = estimator_file(report.parent().unwrap_or(Path::new("")), number);
    file.exists().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lanes_divide_the_common_factor() {
        assert_eq!(common_factor(&[16]), Some(16));
        assert_eq!(common_factor(&[16, 8, 1]), Some(16));
        assert_eq!(common_factor(&[16, 24, 32]), Some(96));
        assert_eq!(common_factor(&[1000, 1024]), None);
        assert_eq!(common_factor(&[u32::MAX, u32::MAX - 1]), None);
        assert_eq!(common_factor(&[]), Some(1));
    }

    #[test]
    fn a_weight_is_a_number_above_zero() {
        assert_eq!(weight("2.5"), Ok(2.5));
        assert!(["0", "-1", "NaN", "inf", "x", ""].iter().all(|text| weight(text).is_err()));
    }
}
