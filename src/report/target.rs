//! Estimates of another quantity than latency.

use serde::Serialize;

use super::Table;
use crate::{
    estimator::NetworkEstimate,
    measurement::Target,
    network::Network,
    units::{Macs, si},
};

/// What a network takes of a quantity other than latency, layer by layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetEntry {
    schema: &'static str,
    /// The network's name.
    pub id: String,
    /// The quantity, by the column that it was measured under.
    pub target: String,
    /// Its unit.
    pub unit: String,
    /// Of the whole network.
    pub value: f64,
    /// Lower end of the 90 % interval.
    pub low: f64,
    /// Upper end of the 90 % interval.
    pub high: f64,
    /// Whether every layer is inside the range that was measured.
    pub in_range: bool,
    /// What lies outside, in words.
    #[serde(skip)]
    outside: Vec<String>,
    /// The layers in execution order.
    pub layers: Vec<TargetLayer>,
}

/// What one layer takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetLayer {
    /// The layer's name.
    pub name: String,
    /// Its operator.
    pub op: String,
    /// Its share.
    pub value: f64,
    /// Its multiply-adds.
    pub macs: Macs,
}

impl TargetEntry {
    /// The entry of a network; `estimate` is of an estimator of `target`.
    #[must_use]
    pub fn of(network: &Network, estimate: &NetworkEstimate, target: &Target) -> Self {
        let layers = network.layers().iter().zip(&estimate.layers).map(|(layer, estimate)| TargetLayer {
            name: layer.name.clone(),
            op: layer.op.name().to_owned(),
            value: estimate.latency_us,
            macs: layer.macs,
        });
        Self {
            schema: "nas.estimate/1",
            id: network.name().to_owned(),
            target: target.name.clone(),
            unit: target.unit.clone(),
            value: estimate.latency_us,
            low: estimate.low_us,
            high: estimate.high_us,
            in_range: estimate.in_range(),
            outside: estimate.out_of_range.iter().map(ToString::to_string).collect(),
            layers: layers.collect(),
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}", self.totals(), self.table().text())
    }

    /// For pull requests.
    #[must_use]
    pub fn markdown(&self) -> String {
        format!("```text\n{}```\n\n{}", self.totals(), self.table().markdown())
    }

    /// As one `nas.estimate/1` object on a line of its own.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    fn totals(&self) -> String {
        let Self { id, target, unit, value, low, high, .. } = self;
        let mut text = format!(
            "{id}\n  {target}  {} {unit}, 90 % interval {} to {}\n",
            digits(*value),
            digits(*low),
            digits(*high)
        );
        for outside in &self.outside {
            text += &format!("  outside the measured range: {outside}\n");
        }
        text
    }

    fn table(&self) -> Table {
        let header = format!("{} {}", self.target, self.unit);
        let mut table = Table::new(&["layer", "op", &header, "share", "MACs"]).left(1);
        for layer in &self.layers {
            table.push([
                layer.name.clone(),
                layer.op.clone(),
                digits(layer.value),
                format!("{:.1} %", 100.0 * layer.value / self.value.max(f64::MIN_POSITIVE)),
                si(layer.macs.0),
            ]);
        }
        table
    }
}

/// Four digits that count; the quantity may be anything.
pub(super) fn digits(value: f64) -> String {
    let magnitude = if value > 0.0 { value.log10().floor() } else { 0.0 };
    let decimals = (3.0 - magnitude).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// A hypervolume: of milliseconds it is large, of relative latencies below one.
pub(super) fn volume(value: f64) -> String {
    if value == 0.0 || value.abs() >= 10.0 { format!("{value:.1}") } else { digits(value) }
}

#[cfg(test)]
mod tests {
    use super::{digits, volume};

    #[test]
    fn four_digits_are_shown_whatever_the_size() {
        assert_eq!([0.0, 1450.54, 0.123_456].map(volume), ["0.0", "1450.5", "0.1235"]);
        assert_eq!([0.0, 0.001_234_5, 2.71, 1234.5].map(digits), ["0.000", "0.001234", "2.710", "1234"]);
    }
}
