//! A search space around a network that is already there.
//!
//! The network is the baseline; around it are the choices that pay on
//! accelerators: widths in multiples of the parallelism factor, fused
//! convolutions, kernels, expansions, depths, input sizes and depth multipliers.

mod chain;
mod differences;
mod document;
mod stages;

use chain::Chain;
use differences::differences;

use super::{Space, read_space_for};
use crate::{
    error::{Error, Result},
    network::{DType, Network},
};

/// The number of channels that an accelerator computes as fast as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallelism {
    /// Written into the space.
    Number(u32),
    /// The estimator's, which is this; the space leaves it to the estimator.
    OfEstimator(u32),
}

impl Parallelism {
    fn factor(self) -> u32 {
        match self {
            Self::Number(factor) | Self::OfEstimator(factor) => factor,
        }
    }
}

/// What the space file says that the network does not.
#[derive(Clone, Debug)]
pub struct SpaceOptions {
    /// The space's name; the network's if none is given.
    pub name: Option<String>,
    /// To what channels snap.
    pub parallelism: Parallelism,
    /// The estimator file, relative to the space file.
    pub estimator: Option<String>,
    /// The type of activations and weights; the network's if none is given.
    pub dtype: Option<DType>,
}

/// A space around a network.
#[derive(Clone, Debug)]
pub struct SpaceAround {
    /// The text of the space file.
    pub text: String,
    /// The space itself.
    pub space: Space,
    /// In what its baseline differs from the network; empty if it has the same layers.
    pub differences: Vec<String>,
}

/// Writes a space with `network` as baseline.
///
/// # Errors
/// The network is not a stem, a chain of known blocks and a classifier; the layer that does not fit is named.
pub fn space_around(network: &Network, options: &SpaceOptions) -> Result<SpaceAround> {
    let chain = Chain::of(network)?;
    let mut around = around(network, &chain, options)?;
    if let Some(fewer) = fewer_with(network, &chain, options, around.differences.len()) {
        around.differences.push(fewer);
    }
    Ok(around)
}

/// Widths between the multiples of a large factor may lie on those of a smaller one.
fn fewer_with(network: &Network, chain: &Chain, options: &SpaceOptions, than: usize) -> Option<String> {
    let found =
        [16, 8, 4].into_iter().filter(|factor| *factor < options.parallelism.factor()).find_map(|factor| {
            let options = SpaceOptions { parallelism: Parallelism::Number(factor), ..options.clone() };
            let differences = around(network, chain, &options).ok()?.differences.len();
            (differences < than).then_some((factor, differences))
        });
    let (factor, differences) = found?;
    Some(format!("with --parallelism {factor} there would be {differences} differences instead of {than}"))
}

fn around(network: &Network, chain: &Chain, options: &SpaceOptions) -> Result<SpaceAround> {
    if chain.blocks.is_empty() {
        return Err(Error::unusable(format!(
            "{}: no blocks between stem and classifier to search",
            network.name()
        )));
    }
    let stages = stages::stages(&chain.blocks, chain.stem.cout, options.parallelism.factor());
    let text = document::document(network, chain, &stages, options);
    let space = read_space_for("the imported space", &text, Some(options.parallelism.factor()))?;
    let baseline = space.network(&space.baseline().0)?;
    let differences = differences(network, &baseline);
    Ok(SpaceAround { text, space, differences })
}
