//! What is known of a candidate.

use super::{Latencies, Targets};
use crate::{
    energy::EnergyModel,
    error::Result,
    estimator::Estimator,
    network::Network,
    space::{Constraint, Metric},
    trainability::trainability,
    units::{Bytes, Macs, Params},
};

/// Everything that a constraint can ask of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Estimated latency in microseconds; on the first accelerator where there are several.
    pub latency_us: f64,
    /// Estimated latency on each accelerator, that one first.
    pub latencies: Latencies,
    /// The zero-shot trainability score.
    pub trainability: f64,
    /// Multiply-adds.
    pub macs: Macs,
    /// Trained numbers.
    pub params: Params,
    /// Bytes of the trained numbers.
    pub model_bytes: Bytes,
    /// Peak activation bytes, activations in place.
    pub peak_activation: Bytes,
    /// Energy of an inference in microjoules; none without an energy model.
    pub energy_uj: Option<f64>,
}

impl Metrics {
    /// The metrics of `network` on the estimator's accelerator.
    #[must_use]
    pub fn of(network: &Network, estimator: &Estimator) -> Self {
        Self::on(network, &Targets::one(estimator))
    }

    /// The same with the energy, where there is a model of it.
    ///
    /// # Errors
    /// As [`EnergyModel::check`].
    pub fn with_energy(
        network: &Network,
        estimator: &Estimator,
        energy: Option<&EnergyModel>,
    ) -> Result<Self> {
        let energy_uj = energy.map(|model| model.energy_uj(network, estimator)).transpose()?;
        Ok(Self { energy_uj, ..Self::of(network, estimator) })
    }

    /// The same on all accelerators of a search.
    #[must_use]
    pub fn on(network: &Network, targets: &Targets<'_>) -> Self {
        let latencies =
            Latencies::of(targets.list().iter().map(|target| target.estimator.latency_us(network)));
        Self {
            latency_us: latencies.as_slice().first().copied().unwrap_or(f64::NAN),
            latencies,
            trainability: trainability(network).score,
            macs: network.macs(),
            params: network.params(),
            model_bytes: network.model_bytes(),
            peak_activation: network.peak_activation().in_place,
            energy_uj: None,
        }
    }

    /// What `constraint` bounds, in the unit of its name: the latency on its accelerator, or one of them all.
    #[must_use]
    pub fn bounded(&self, constraint: &Constraint) -> f64 {
        match (constraint.metric, constraint.target) {
            (Metric::LatencyMs, Some(target)) => {
                self.latencies.as_slice().get(target).map_or(f64::NAN, |us| us / 1e3)
            }
            (metric, _) => self.get(metric),
        }
    }

    /// One of them, in the unit of its name; not a number where it is not known.
    #[must_use]
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::LatencyMs => self.latency_us / 1e3,
            Metric::Macs => self.macs.0 as f64,
            Metric::Params => self.params.0 as f64,
            Metric::ModelBytes => self.model_bytes.0 as f64,
            Metric::PeakActivationBytes => self.peak_activation.0 as f64,
            Metric::Trainability => self.trainability,
            Metric::EnergyUj => self.energy_uj.unwrap_or(f64::NAN),
        }
    }
}
