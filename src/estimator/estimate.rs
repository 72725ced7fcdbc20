//! What an estimator says about a network.

use std::fmt;

/// The latency of a network with what is known about its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkEstimate {
    /// Expected latency in microseconds.
    pub latency_us: f64,
    /// Lower end of the interval, in microseconds.
    pub low_us: f64,
    /// Upper end of the interval, in microseconds.
    pub high_us: f64,
    /// Layers outside what was measured; empty where the interval can be trusted.
    pub out_of_range: Vec<OutOfRange>,
    /// The layers in execution order. They sum to `latency_us` less the cost of a network as such.
    pub layers: Vec<LayerEstimate>,
}

impl NetworkEstimate {
    /// Whether every layer lies in the measured range.
    #[must_use]
    pub fn in_range(&self) -> bool {
        self.out_of_range.is_empty()
    }
}

/// The latency of one layer and what it is spent on.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEstimate {
    /// Expected latency in microseconds.
    pub latency_us: f64,
    /// What limits the layer: `compute-bound; lanes: 17 of 32 output channels used`.
    pub reason: String,
}

/// A property of a layer outside what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfRange {
    /// The layer's name.
    pub layer: String,
    /// The property: `cout`, or `kind` for a kind of operator that was never measured.
    pub feature: &'static str,
    /// Its value in this layer.
    pub value: f64,
    /// The least and the largest value measured for this kind; none if the kind was never measured.
    pub range: Option<(f64, f64)>,
    /// The kind of operator.
    pub kind: &'static str,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, feature, value, range, kind } = self;
        match range {
            Some((low, high)) => write!(
                f,
                "layer `{layer}` ({kind}): {feature} {value} is outside the measured range {low} to {high}"
            ),
            None => write!(f, "layer `{layer}`: no {kind} was measured; the price is a physical guess"),
        }
    }
}
