//! Writing a network as an ONNX model, with weights to start a training from.
//!
//! Every layer becomes one node of its name, followed by batch-norm and activation where it has them; the value
//! that it writes has its name too. The batch is one and all shapes are fixed. Weights are drawn from the seed,
//! layer by layer, so that the same network and seed give the same bytes.

mod graph;
mod layer;

use self::{graph::GraphWriter, layer::LayerWriter};
use super::proto;
use crate::{
    error::{Error, Result},
    network::Network,
};

/// How a network is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    /// The operator set, one of [`ExportOptions::OPSETS`].
    pub opset: u32,
    /// The seed of the weights.
    pub seed: u64,
    /// Whether batch-norm is written as nodes of its own ([`Network::batch_norms`]) or folded into biases.
    pub batch_norm: bool,
    /// Notes for the model's `metadata_props`, in order, beside those that the exporter writes itself.
    pub metadata: Vec<(String, String)>,
}

impl ExportOptions {
    /// Operator sets that can be written.
    pub const OPSETS: std::ops::RangeInclusive<u32> = 11..=23;
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { opset: 17, seed: 0, batch_norm: false, metadata: Vec::new() }
    }
}

/// A file of protocol buffers must be smaller than this, in bytes.
const LARGEST: u64 = (1 << 31) - (1 << 20);

/// The bytes of an ONNX file with `network`, in single precision and with random weights (He et al. 2015).
///
/// # Errors
/// The operator set is not one of [`ExportOptions::OPSETS`], a layer cannot be said in it, or the weights are more
/// than a file may hold (2 GiB).
pub fn export(network: &Network, options: &ExportOptions) -> Result<Vec<u8>> {
    check(network, options)?;
    let norms = network.batch_norms();
    let mut writer = LayerWriter::new(network, GraphWriter::new(network, options.opset), options.seed);
    for (index, norm) in norms.into_iter().enumerate() {
        writer.layer(index, norm && options.batch_norm)?;
    }
    let graph = writer.finish();
    let model = proto::Model {
        ir_version: ir_version(options.opset),
        producer_name: "nas".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![proto::OperatorSetId { domain: String::new(), version: options.opset.into() }],
        metadata_props: metadata(network, options),
        ..proto::Model::default()
    };
    Ok(proto::encode(&model))
}

fn check(network: &Network, options: &ExportOptions) -> Result<()> {
    let (low, high) = (ExportOptions::OPSETS.start(), ExportOptions::OPSETS.end());
    if !ExportOptions::OPSETS.contains(&options.opset) {
        let opset = options.opset;
        return Err(Error::unusable(format!("cannot write opset {opset}, expected {low} to {high}")));
    }
    if network.layers().is_empty() {
        return Err(Error::unusable(format!("network `{}` has no layers to be written", network.name())));
    }
    let params = network.params();
    if params.0.saturating_mul(4) > LARGEST {
        return Err(Error::unusable(format!(
            "network `{}` has {params} params; an ONNX file holds at most {} in single precision",
            network.name(),
            LARGEST / 4
        )));
    }
    Ok(())
}

/// The version of the file format that came with an operator set.
fn ir_version(opset: u32) -> i64 {
    match opset {
        ..=18 => 8,
        19 | 20 => 9,
        21 | 22 => 10,
        _ => 11,
    }
}

fn metadata(network: &Network, options: &ExportOptions) -> Vec<proto::StringStringEntry> {
    let own = [
        ("nas_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("nas_network", network.name().to_owned()),
        ("nas_weights_seed", options.seed.to_string()),
        ("nas_batch_norm", if options.batch_norm { "present" } else { "folded" }.to_owned()),
        ("nas_dtype", network.dtype().to_string()),
        ("nas_macs", network.macs().to_string()),
        ("nas_params", network.params().to_string()),
    ];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    let entry = |(key, value)| proto::StringStringEntry { key, value };
    own.chain(options.metadata.iter().cloned()).map(entry).collect()
}

#[cfg(test)]
mod tests;
