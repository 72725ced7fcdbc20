//! One architecture of a report.

use serde::{Deserialize, Serialize};

use super::{EntryEnergy, Measured, TargetLatency, Trained};
use crate::{
    estimator::NetworkEstimate,
    network::Network,
    trainability::Trainability,
    units::{Bytes, Macs, Params},
};

/// What is known of one architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The architecture id, or the network's name where there is no space.
    pub id: String,
    /// The chosen alternative of each gene of the space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub genotype: Vec<u8>,
    /// The architecture, one line a block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// Estimated latency; on the first accelerator where there are several.
    pub latency_ms: f64,
    /// Lower end of the 90 % interval.
    pub latency_ms_low: f64,
    /// Upper end of the 90 % interval.
    pub latency_ms_high: f64,
    /// Whether every layer is inside the range that was measured.
    pub in_range: bool,
    /// How much less latency than the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_reduction_pct: Option<f64>,
    /// The latency relative to the baseline's on several accelerators, their worst or their weighted mean: a ratio
    /// without a unit, 1 for the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_latency: Option<f64>,
    /// What it takes on each of several accelerators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies: Vec<TargetLatency>,
    /// What a device said, if the architecture was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// What training made of it, if it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<Trained>,
    /// The zero-shot trainability score.
    pub trainability: f64,
    /// Multiply-adds.
    pub macs: Macs,
    /// Trained numbers.
    pub params: Params,
    /// Bytes of the trained numbers.
    pub model_bytes: Bytes,
    /// Peak activation bytes, activations in place.
    pub peak_activation_bytes: Bytes,
    /// Peak activation bytes when an activation cannot overwrite its input.
    pub peak_activation_bytes_no_alias: Bytes,
    /// Energy of an inference in microjoules, where there is a model of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_uj: Option<f64>,
    /// What is known of that energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<EntryEnergy>,
    /// The network itself.
    pub network: Network,
    /// The estimate, layer by layer.
    pub layers: Vec<LayerRow>,
}

/// One layer of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerRow {
    /// The layer's name.
    pub name: String,
    /// Its operator.
    pub op: String,
    /// Its share of the latency.
    pub latency_ms: f64,
    /// Its multiply-adds.
    pub macs: Macs,
    /// Why it takes that long.
    pub reason: String,
}

impl Entry {
    /// The entry of a network without a space.
    #[must_use]
    pub fn of(network: Network, estimate: &NetworkEstimate, trainability: &Trainability) -> Self {
        let layers = network.layers().iter().zip(&estimate.layers).map(|(layer, estimate)| LayerRow {
            name: layer.name.clone(),
            op: layer.op.name().to_owned(),
            latency_ms: rounded(estimate.latency_us / 1e3),
            macs: layer.macs,
            reason: estimate.reason.clone(),
        });
        let peak = network.peak_activation();
        Self {
            id: network.name().to_owned(),
            genotype: Vec::new(),
            blocks: Vec::new(),
            latency_ms: rounded(estimate.latency_us / 1e3),
            latency_ms_low: rounded(estimate.low_us / 1e3),
            latency_ms_high: rounded(estimate.high_us / 1e3),
            in_range: estimate.in_range(),
            latency_reduction_pct: None,
            relative_latency: None,
            latencies: Vec::new(),
            measured: None,
            trained: None,
            trainability: rounded(trainability.score),
            macs: network.macs(),
            params: network.params(),
            model_bytes: network.model_bytes(),
            peak_activation_bytes: peak.in_place,
            peak_activation_bytes_no_alias: peak.no_alias,
            energy_uj: None,
            energy: None,
            layers: layers.collect(),
            network,
        }
    }

    /// The entry as one `nas.estimate/1` object on a line of its own.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        #[derive(Serialize)]
        struct Estimate<'e> {
            schema: &'static str,
            #[serde(flatten)]
            entry: &'e Entry,
        }
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string(&Estimate { schema: "nas.estimate/1", entry: self }).unwrap_or_default() + "\n"
    }

    /// The same entry compared with the latency of a baseline.
    #[must_use]
    pub fn against(mut self, baseline_ms: f64) -> Self {
        self.latency_reduction_pct = Some(rounded(100.0 * (1.0 - self.latency_ms / baseline_ms)));
        self
    }

    /// The same entry compared with a baseline, on every accelerator.
    #[must_use]
    pub fn against_all(mut self, baseline: &Self) -> Self {
        for (own, base) in self.latencies.iter_mut().zip(&baseline.latencies) {
            own.latency_reduction_pct = Some(rounded(100.0 * (1.0 - own.latency_ms / base.latency_ms)));
        }
        self.against(baseline.latency_ms)
    }
}

/// Six decimals: nanoseconds of a latency in milliseconds, and short files.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
