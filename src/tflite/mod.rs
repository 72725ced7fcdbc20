//! Writing a network as a TFLite model with random weights, for compilers and runtimes of edge devices.
//!
//! What is int8 becomes full-integer TFLite: weights with a scale for each channel, 32-bit biases, activations in
//! ranges that their nonlinearities suggest; what is fp32 stays in single precision. Weights are those that an ONNX
//! export ([`crate::onnx::export`]) with the same seed has, so the same network and seed give the same bytes.
//! Pictures are ordered batch, rows, columns, channels, and the batch is one. What a layer writes has the
//! layer's name. A part of an operator that TFLite has no field for is an operator of its own: a border that is
//! neither "same" nor "valid", and nonlinearities other than relu and relu6.

mod activation;
mod file;
mod layer;
mod model;
mod operators;
mod quantise;
mod schema;
mod tensors;
mod version;
mod weights;
mod window;

use self::layer::LayerWriter;
use crate::{
    error::{Error, Result},
    network::{DType, Network},
};

/// How a network is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TfliteOptions {
    /// The seed of the weights.
    pub seed: u64,
    /// Notes for the model's metadata, in order, beside those that the exporter writes itself.
    pub metadata: Vec<(String, String)>,
}

/// The most params; a file's offsets end at 2 GiB, and weights are drawn in single precision.
const LARGEST: u64 = ((1 << 31) - (1 << 26)) / 4;

/// The bytes of a TFLite file with `network`, in its own data type (int8 or fp32) and with random weights (He et
/// al. 2015).
///
/// # Errors
/// The network is fp16, has no layers, cannot be said in TFLite (a dilated pool, an average over a border), or has
/// more params than a file may hold.
pub fn tflite_model(network: &Network, options: &TfliteOptions) -> Result<Vec<u8>> {
    check(network)?;
    let mut writer = LayerWriter::new(network, options.seed);
    for (index, layer) in network.layers().iter().enumerate() {
        writer.layer(index, layer)?;
    }
    let mut model = writer.finish();
    model.metadata = metadata(network, options);
    Ok(file::bytes(&model))
}

fn check(network: &Network) -> Result<()> {
    let name = network.name();
    if network.dtype() == DType::Fp16 {
        return Err(Error::unusable(format!(
            "network `{name}` is fp16, in which TFLite computes nothing; expected int8 or fp32: take --dtype int8 or \
             --dtype fp32"
        )));
    }
    if network.layers().is_empty() {
        return Err(Error::unusable(format!("network `{name}` has no layers to be written")));
    }
    let params = network.params();
    if params.0 > LARGEST {
        return Err(Error::unusable(format!(
            "network `{name}` has {params} params; a TFLite file is written with at most {LARGEST}"
        )));
    }
    Ok(())
}

fn metadata(network: &Network, options: &TfliteOptions) -> Vec<(String, String)> {
    let own = [
        ("nas_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("nas_network", network.name().to_owned()),
        ("nas_weights_seed", options.seed.to_string()),
        ("nas_dtype", network.dtype().to_string()),
        ("nas_macs", network.macs().to_string()),
        ("nas_params", network.params().to_string()),
    ];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    own.chain(options.metadata.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
