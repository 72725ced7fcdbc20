//! Several accelerators at once: one family of architectures for all of them.

use std::{fmt, path::PathBuf, str::FromStr};

use super::Constraint;
use crate::error::{Error, one_of};

/// How the latencies on several accelerators become one number to minimise.
///
/// Every latency counts relative to the baseline's on the same accelerator, so that a slow chip does not outweigh a
/// fast one. The result is a ratio without a unit: 0.8 is 20 % less than the baseline takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// The largest of the relative latencies: no accelerator is given up for another.
    #[default]
    Worst,
    /// Their mean by weight.
    Weighted,
}

impl Across {
    /// Names as they stand in files and on the command line.
    pub const NAMES: [(&'static str, Self); 2] = [("worst", Self::Worst), ("weighted", Self::Weighted)];

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

impl fmt::Display for Across {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Across {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, across)| *across);
        let names = Self::NAMES.map(|(name, _)| name);
        found.ok_or_else(|| Error::unusable(format!("`{text}` found, expected {}", one_of(text, &names))))
    }
}

/// Several accelerators as a space file names them in `target.estimators`.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceTargets {
    /// What is minimised over them.
    pub across: Across,
    /// The accelerators, two or more.
    pub list: Vec<SpaceTarget>,
}

/// One accelerator of a space that is searched for several.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceTarget {
    /// Its estimator file, relative to the space file.
    pub estimator: PathBuf,
    /// What it is called in reports and limits; by its estimator's name where there is none.
    pub name: Option<String>,
    /// How much it counts in a weighted mean, above zero; only its ratio to the others' matters.
    pub weight: f64,
    /// Limits on the latency on this accelerator alone.
    pub limits: Vec<Constraint>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_known_by_its_name() {
        for (name, across) in Across::NAMES {
            assert_eq!((name.parse::<Across>().unwrap(), across.to_string().as_str()), (across, name));
        }
        let said = "worse".parse::<Across>().unwrap_err().to_string();
        assert!(said.contains("did you mean `worst`"), "{said}");
    }
}
