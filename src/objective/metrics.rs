//! What is known of a candidate.

use crate::{
    energy::EnergyModel,
    error::Result,
    estimator::Estimator,
    network::Network,
    space::Metric,
    trainability::trainability,
    units::{Bytes, Macs, Params},
};

/// Everything that a constraint can ask of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Estimated latency in microseconds.
    pub latency_us: f64,
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
        Self {
            latency_us: estimator.latency_us(network),
            trainability: trainability(network).score,
            macs: network.macs(),
            params: network.params(),
            model_bytes: network.model_bytes(),
            peak_activation: network.peak_activation().in_place,
            energy_uj: None,
        }
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
