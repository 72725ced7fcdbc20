//! Times of nodes that a program has just measured, joined with the layers of the network by name.

use super::{
    Named,
    join::{Joined, join},
    ort,
};
use crate::{error::Result, measurement::noted::Noted, network::Network};

/// One node of a network as a runtime ran it, with its time in each run.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeTimes {
    /// The runtime's name for it, made of a layer's name.
    pub name: String,
    /// The runtime's name for what it computes; empty if it does not say.
    pub op: String,
    /// How many tensors it reads, if the runtime says so: a convolution of four has taken in a sum.
    pub inputs: usize,
    /// Microseconds, run by run.
    pub samples_us: Vec<f64>,
}

/// The time of one layer in each run.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTimes {
    /// The layer's index in the network.
    pub layer: usize,
    /// Microseconds, run by run; zeros for a layer that was merged into another.
    pub samples_us: Vec<f64>,
}

/// The times of the layers of `network`, in order. Nodes that are no layer, such as changes of layout, count for
/// none.
///
/// # Errors
/// A node belongs to no layer or to several, a layer has no node, or there are nodes with different numbers of
/// runs; all problems are returned, under the name `source`.
pub fn join_nodes(source: &str, network: &Network, nodes: &[NodeTimes]) -> Result<Vec<LayerTimes>> {
    let noted = Noted::default();
    let named: Vec<Named> = nodes.iter().map(named).collect();
    let Joined { owners, merged, .. } = join(source, network, &named, &noted);
    noted.settle(source, false)?;
    let runs = nodes.iter().map(|node| node.samples_us.len()).min().unwrap_or(0);
    let mut times: Vec<Option<Vec<f64>>> = vec![None; network.layers().len()];
    for layer in merged {
        times[layer] = Some(vec![0.0; runs]);
    }
    for (node, owner) in nodes.iter().zip(owners) {
        let Some(owner) = owner else { continue };
        let sums = times[owner].get_or_insert_with(|| vec![0.0; runs]);
        sums.iter_mut().zip(&node.samples_us).for_each(|(sum, sample)| *sum += sample);
    }
    let times = times.into_iter().enumerate();
    Ok(times.filter_map(|(layer, samples_us)| Some(LayerTimes { layer, samples_us: samples_us? })).collect())
}

fn named(node: &NodeTimes) -> Named {
    let nothing = node.samples_us.iter().all(|sample| *sample == 0.0);
    Named {
        name: node.name.clone(),
        position: (0, 0),
        helper: nothing || ort::HELPERS.contains(&node.op.as_str()),
        adds: ["Conv", "FusedConv"].contains(&node.op.as_str()) && node.inputs == 4,
    }
}
