//! The accelerators that a search is for, and one number for the latencies on all of them.
//!
//! Latencies on different chips do not add up: milliseconds on a small one would drown
//! those on a large one. So each counts relative to the baseline's on the same chip, and
//! the search minimises the largest of these ratios, or their mean by weight
//! ([`crate::space::Across`]).

use crate::{
    error::{Error, Result},
    estimator::Estimator,
    space::{Across, Constraint, MOST_TARGETS, Metric, Space},
};

/// One accelerator that a search is for.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// What it is called in reports and limits.
    pub name: String,
    /// What tells the latencies on it.
    pub estimator: &'a Estimator,
    /// How much it counts in a weighted mean, above zero; only its ratio to the others' matters.
    pub weight: f64,
    /// Limits on the latency on it alone.
    pub limits: Vec<Constraint>,
}

/// The accelerators that a search is for: one, or several of which no two are alike.
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    across: Across,
    list: Vec<Target<'a>>,
}

impl<'a> Target<'a> {
    /// An accelerator under its estimator's name, up to characters that no condition or file name has; of weight 1
    /// and without a limit.
    #[must_use]
    pub fn of(estimator: &'a Estimator) -> Self {
        let letter = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        Self {
            name: estimator.name().chars().map(letter).collect(),
            estimator,
            weight: 1.0,
            limits: Vec::new(),
        }
    }
}

impl<'a> Targets<'a> {
    /// One accelerator, whose latency itself is minimised.
    #[must_use]
    pub fn one(estimator: &'a Estimator) -> Self {
        Self { across: Across::default(), list: vec![Target::of(estimator)] }
    }

    /// The same with limits on its latency.
    #[must_use]
    pub fn one_within(estimator: &'a Estimator, limits: Vec<Constraint>) -> Self {
        Self { across: Across::default(), list: vec![Target { limits, ..Target::of(estimator) }] }
    }

    /// Several accelerators.
    ///
    /// # Errors
    /// There are fewer than two or more than [`MOST_TARGETS`], two are one or are called alike, or a weight is no
    /// number above zero.
    pub fn several(across: Across, list: Vec<Target<'a>>) -> Result<Self> {
        if !(2..=MOST_TARGETS).contains(&list.len()) {
            return Err(Error::unusable(format!(
                "{} estimators for one search, expected 2 to {MOST_TARGETS} of them",
                list.len()
            )));
        }
        for (index, own) in list.iter().enumerate() {
            check(own, list.get(..index).unwrap_or_default())?;
        }
        Ok(Self { across, list })
    }

    /// The accelerators that `space` names, with the names, weights and limits that stand there; `estimators` are
    /// those of its files, in their order.
    ///
    /// # Errors
    /// As [`Self::several`]; or the space does not name as many.
    pub fn of_space(space: &Space, estimators: &'a [Estimator]) -> Result<Self> {
        let Some(named) = space.targets().filter(|named| named.list.len() == estimators.len()) else {
            return Err(Error::unusable(format!(
                "space `{}` does not name {} estimators in target.estimators",
                space.name(),
                estimators.len()
            )));
        };
        let target = |(named, estimator): (&crate::space::SpaceTarget, &'a Estimator)| {
            let own = Target::of(estimator);
            let name = named.name.clone().unwrap_or(own.name);
            Target { name, estimator, weight: named.weight, limits: named.limits.clone() }
        };
        Self::several(named.across, named.list.iter().zip(estimators).map(target).collect())
    }

    /// How their latencies become one number; of no consequence for one accelerator.
    #[must_use]
    pub fn across(&self) -> Across {
        self.across
    }

    /// The accelerators, one at least.
    #[must_use]
    pub fn list(&self) -> &[Target<'a>] {
        &self.list
    }

    /// Whether there is more than one.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.list.len() > 1
    }

    /// Their names, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.list.iter().map(|target| target.name.as_str()).collect()
    }

    /// The share of each in a weighted mean; together they are 1.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let sum: f64 = self.list.iter().map(|target| target.weight).sum();
        self.list.iter().map(|target| target.weight / sum).collect()
    }

    /// `constraints` with those on the latency set for each accelerator, and the limits of each by itself.
    pub(super) fn constraints(&self, constraints: &[Constraint]) -> Vec<Constraint> {
        if !self.are_several() {
            let own = self.list.iter().flat_map(|target| &target.limits);
            return constraints.iter().chain(own).copied().collect();
        }
        let numbers = 0..self.list.len();
        let each = |constraint: &Constraint| -> Vec<Constraint> {
            match constraint.metric {
                Metric::LatencyMs => numbers.clone().map(|number| constraint.on(number)).collect(),
                _ => vec![*constraint],
            }
        };
        let own = self.list.iter().enumerate();
        let own = own.flat_map(|(number, target)| target.limits.iter().map(move |limit| limit.on(number)));
        constraints.iter().flat_map(each).chain(own).collect()
    }

    /// Whether one has limits of its own.
    pub(super) fn have_limits(&self) -> bool {
        self.list.iter().any(|target| !target.limits.is_empty())
    }

    /// Stands for all of them in the identity of a search.
    pub(super) fn identity(&self) -> String {
        let hashes: Vec<&str> = self.list.iter().map(|target| target.estimator.hash()).collect();
        if !self.are_several() {
            return hashes.concat();
        }
        let shares: Vec<String> = match self.across {
            Across::Worst => Vec::new(),
            Across::Weighted => {
                self.shares().iter().map(|share| format!("{:016x}", share.to_bits())).collect()
            }
        };
        format!("{} {} {}", hashes.join(" "), self.across, shares.join(" "))
    }
}

/// Whether a target can stand beside those `before` it.
fn check(own: &Target<'_>, before: &[Target<'_>]) -> Result<()> {
    let Target { name, estimator, weight, .. } = own;
    if !(weight.is_finite() && *weight > 0.0) {
        return Err(Error::unusable(format!(
            "the weight of {name} is {weight}, expected a number above zero"
        )));
    }
    if let Some(other) = before.iter().find(|other| other.estimator.hash() == estimator.hash()) {
        return Err(Error::unusable(format!(
            "{} and {name} are one estimator ({}); give each accelerator once, and a weight to one that counts more",
            other.name,
            estimator.hash()
        )));
    }
    if before.iter().any(|other| other.name == *name) {
        return Err(Error::unusable(format!(
            "two estimators are called {name}; give them names in target.estimators of the space, or one another name \
             with nas fit --name"
        )));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::path::Path;

    pub(in crate::objective) fn estimators() -> Vec<Estimator> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let names = ["ethos-u55-128", "ethos-u65-512", "ethos-u85-2048"];
        names.map(|name| Estimator::load(&root.join(format!("estimators/{name}.json"))).unwrap()).into()
    }

    pub(in crate::objective) fn weighed(
        estimators: &[Estimator],
        across: Across,
        weights: [f64; 3],
    ) -> Result<Targets<'_>> {
        let target = |(estimator, weight)| Target { weight, ..Target::of(estimator) };
        Targets::several(across, estimators.iter().zip(weights).map(target).collect())
    }

    #[test]
    fn weights_that_weigh_nothing_are_refused_and_so_is_a_chip_given_twice() {
        let estimators = estimators();
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let said = weighed(&estimators, Across::Weighted, [1.0, weight, 1.0]).unwrap_err().to_string();
            assert!(said.contains("the weight of ethos-u65-512 is"), "{said}");
        }
        let twice =
            vec![Target::of(&estimators[0]), Target { name: "other".into(), ..Target::of(&estimators[0]) }];
        let said = Targets::several(Across::Worst, twice).unwrap_err().to_string();
        assert!(said.contains("ethos-u55-128 and other are one estimator"), "{said}");
        let alike = vec![
            Target::of(&estimators[0]),
            Target { name: "ethos-u55-128".into(), ..Target::of(&estimators[1]) },
        ];
        let said = Targets::several(Across::Worst, alike).unwrap_err().to_string();
        assert!(said.contains("two estimators are called"), "{said}");
        assert!(Targets::several(Across::Worst, vec![Target::of(&estimators[0])]).is_err());
        let nine = (0..9).map(|_| Target::of(&estimators[0])).collect();
        assert!(Targets::several(Across::Worst, nine).unwrap_err().to_string().contains("2 to 8"));
    }

    #[test]
    fn who_is_searched_for_makes_another_search() {
        let estimators = estimators();
        let identity = |across, weights| weighed(&estimators, across, weights).unwrap().identity();
        assert_eq!(identity(Across::Worst, [1.0; 3]), identity(Across::Worst, [2.0, 1.0, 1.0]));
        assert_ne!(identity(Across::Worst, [1.0; 3]), identity(Across::Weighted, [1.0; 3]));
        assert_ne!(identity(Across::Weighted, [1.0; 3]), identity(Across::Weighted, [2.0, 1.0, 1.0]));
        assert_eq!(identity(Across::Weighted, [1.0; 3]), identity(Across::Weighted, [4.0; 3]));
        assert_eq!(Targets::one(&estimators[0]).identity(), estimators[0].hash());
    }
}
