//! What a search minimises.

use std::str::FromStr;

use super::Metrics;
use crate::{
    error::{Error, one_of},
    search::Objectives,
};

/// What a search minimises, while trainability goes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// Latency.
    #[default]
    Latency,
    /// Latency and energy, each for its own sake: the front holds what is good in either.
    LatencyAndEnergy,
}

impl Goal {
    /// Names as they stand on the command line.
    pub const NAMES: [(&'static str, Self); 2] =
        [("latency", Self::Latency), ("latency,energy", Self::LatencyAndEnergy)];

    /// The name as it stands on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// What is minimised, by name and in order: latency always comes first, and trainability next. Where `several`
    /// accelerators are searched for, the latency is relative to the baseline's: a ratio.
    #[must_use]
    pub fn objectives(self, several: bool) -> Vec<String> {
        let latency = if several { "relative_latency" } else { "latency_us" };
        let names = [latency, "-trainability", "energy_uj"];
        names.iter().take(self.count()).map(|name| (*name).to_owned()).collect()
    }

    /// How many objectives there are.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Latency => 2,
            Self::LatencyAndEnergy => 3,
        }
    }

    /// The objectives of a candidate with this `latency`, as it is minimised; an energy that is not known is not a
    /// number.
    pub(super) fn of(self, latency: f64, metrics: &Metrics) -> Objectives {
        let Metrics { trainability, energy_uj, .. } = *metrics;
        match self {
            Self::Latency => Objectives::from([latency, -trainability]),
            Self::LatencyAndEnergy => {
                Objectives::from([latency, -trainability, energy_uj.unwrap_or(f64::NAN)])
            }
        }
    }
}

impl FromStr for Goal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, goal)| *goal);
        found.ok_or_else(|| {
            let hint = match text {
                "energy" => {
                    "; of a search for latency,energy take the entry with the least energy".to_owned()
                }
                _ => String::new(),
            };
            let names = Self::NAMES.map(|(name, _)| name);
            Error::unusable(format!("expected what to minimise, {}{hint}", one_of(text, &names)))
        })
    }
}
