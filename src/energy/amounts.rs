//! What an inference does, as far as it costs energy.

use crate::{
    estimator::{Graph, Moved},
    measurement::{Kind, Operation},
    network::{Activation, Network},
    units::{Bytes, Macs},
};

/// Counts of one inference. All are whole numbers, so a sum is the same in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Multiply-adds.
    pub macs: Macs,
    /// Other operations: a sum or product, a tap of a pool, a value of a resized picture, a nonlinearity.
    pub operations: u64,
    /// Bytes of the trained numbers, each read once.
    pub weights: Bytes,
    /// Bytes of tensors by where they lie.
    pub moved: Moved,
}

impl Amounts {
    /// The amounts of `network`, whose graph an estimator has scheduled.
    #[must_use]
    pub fn of(network: &Network, graph: &Graph) -> Self {
        Self::summed(graph, network.macs(), network.model_bytes())
    }

    /// The same where the sums over all layers are known.
    #[must_use]
    pub fn summed(graph: &Graph, macs: Macs, weights: Bytes) -> Self {
        let operations = graph.layers().map(|layer| other_operations(layer.operation()));
        Self { macs, operations: operations.fold(0, u64::saturating_add), weights, moved: graph.moved() }
    }
}

/// Operations of a layer that are not multiply-adds. A bias is where a sum starts, and costs nothing.
fn other_operations(operation: &Operation) -> u64 {
    let results = operation.output.elements();
    let own = match operation.kind {
        Kind::Add | Kind::Mul | Kind::Resize => results,
        Kind::AvgPool | Kind::MaxPool | Kind::GlobalAvgPool => results.saturating_mul(operation.taps()),
        // It only moves channels.
        Kind::Concat => 0,
        Kind::Conv2d | Kind::PointwiseConv2d | Kind::DepthwiseConv2d | Kind::Dense | Kind::InputConv2d => 0,
    };
    own.saturating_add(if operation.activation == Activation::None { 0 } else { results })
}
