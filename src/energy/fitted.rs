//! Energies as an estimator predicts them that was fitted on measured ones.

use super::EnergyEstimate;
use crate::{
    error::{Problem, Result},
    estimator::Estimator,
    network::Network,
};

/// Units of energy, in microjoules.
const UNITS: [(&str, f64); 5] = [("pJ", 1e-6), ("nJ", 1e-3), ("uJ", 1.0), ("mJ", 1e3), ("J", 1e6)];

/// An estimator of energies.
#[derive(Clone, Debug)]
pub struct FittedEnergy {
    estimator: Estimator,
    /// Microjoules in a unit of what it predicts.
    scale: f64,
}

impl FittedEnergy {
    /// # Errors
    /// The estimator, which came from `file`, predicts something else.
    pub(super) fn of(file: &str, estimator: Estimator) -> Result<Self> {
        let wrong = |path: &str, found: String| Problem {
            file: file.to_owned(),
            position: None,
            path: path.to_owned(),
            found,
            expected:
                "an estimator of an energy in pJ, nJ, uJ, mJ or J, as `nas fit --target energy_uj` makes it, \
                       or a nas.energy/1 table"
                    .to_owned(),
        };
        let Some(target) = estimator.target() else {
            return Err(wrong("target", "an estimator of latency".into()).into());
        };
        let Some((_, scale)) = UNITS.iter().find(|(unit, _)| *unit == target.unit) else {
            return Err(wrong("unit", format!("`{}` in \"{}\"", target.name, target.unit)).into());
        };
        Ok(Self { estimator, scale: *scale })
    }

    /// The estimator, whose latencies are energies.
    #[must_use]
    pub fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    /// Microjoules in a unit of what it predicts.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The energy of one inference in microjoules.
    pub(super) fn energy_uj(&self, network: &Network) -> f64 {
        self.scale * self.estimator.latency_us(network)
    }

    pub(super) fn estimate(&self, network: &Network) -> EnergyEstimate {
        let found = self.estimator.estimate(network);
        EnergyEstimate {
            uj: self.scale * found.latency_us,
            parts: None,
            interval_uj: Some((self.scale * found.low_us, self.scale * found.high_us)),
            outside: found.out_of_range.iter().map(ToString::to_string).collect(),
        }
    }
}
