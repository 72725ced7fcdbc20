//! Measurements joined with the graphs that they belong to.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use rayon::prelude::*;

use super::{
    graph::{Graph, Placed},
    physical::Machine,
};
use crate::{
    error::{Error, Result},
    measurement::{Isolated, LayerTime, Measurements, Profile},
    network::{DType, Network},
};

/// Everything that a fit learns from.
#[derive(Clone, Debug, Default)]
pub(super) struct Training {
    graphs: Vec<Graph>,
    /// Where each graph was measured.
    origins: Vec<Origin>,
    /// Name of each sample's layer; empty if the file has none.
    layer_names: Vec<String>,
    /// Layers and isolated operators with their measured latency.
    pub(super) samples: Vec<Sample>,
    /// Whole networks.
    pub(super) wholes: Vec<Whole>,
}

/// Where something was measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Origin {
    /// The file as the user named it.
    pub(super) file: String,
    /// The network; none for isolated operators.
    pub(super) network: Option<String>,
}

/// One measured layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    graph: usize,
    layer: usize,
    /// Microseconds.
    pub(super) latency_us: f64,
    /// The network it belongs to, counted from zero; none for isolated operators.
    pub(super) network: Option<usize>,
}

/// One measured network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Whole {
    graph: usize,
    /// Microseconds.
    pub(super) latency_us: f64,
    /// Which network it is, counted from zero.
    pub(super) network: usize,
}

impl Training {
    /// Joins in-context rows with their networks by name.
    ///
    /// # Errors
    /// A network that was only measured as a whole is not among `networks`, or a row names a layer that its
    /// network does not have.
    pub(super) fn join(measurements: &[Measurements], networks: &[Network]) -> Result<Self> {
        let known: HashMap<&str, &Network> = networks.iter().map(|n| (n.name(), n)).collect();
        let mut training = Self::default();
        let mut numbers = BTreeMap::new();
        for file in measurements {
            for isolated in &file.isolated {
                training.add_isolated(isolated, &file.file);
            }
            for profile in &file.networks {
                let next = numbers.len();
                let number = *numbers.entry(profile.network.as_str()).or_insert(next);
                training
                    .origins
                    .push(Origin { file: file.file.clone(), network: Some(profile.network.clone()) });
                let network =
                    known.get(profile.network.as_str()).map(|network| as_measured(network, profile));
                training.add_profile(profile, network.as_deref(), number)?;
            }
        }
        Ok(training)
    }

    fn add_isolated(&mut self, isolated: &Isolated, file: &str) {
        let graph = self.graphs.len();
        self.origins.push(Origin { file: file.to_owned(), network: None });
        self.graphs.push(Graph::chain(isolated.operations.iter().copied()));
        if isolated.operations.len() == 1 {
            self.layer_names.push(String::new());
            self.samples.push(Sample { graph, layer: 0, latency_us: isolated.latency_us, network: None });
        }
    }

    fn add_profile(&mut self, profile: &Profile, network: Option<&Network>, number: usize) -> Result<()> {
        let graph = self.graphs.len();
        match network {
            Some(network) => {
                self.graphs.push(Graph::of(network));
                self.add_layers(profile, network, number)?;
            }
            None if profile.layers.is_empty() => return Err(unknown_network(&profile.network)),
            None => {
                self.graphs.push(Graph::chain(profile.layers.iter().map(|layer| layer.operation)));
                self.add_samples(profile.layers.iter().enumerate(), graph, number);
            }
        }
        // Some layers of a network do not add up to it.
        let complete = network.is_none_or(|network| network.layers().len() == profile.layers.len());
        let complete = complete && !profile.layers.is_empty();
        let sum = || complete.then(|| profile.layers.iter().map(|l| l.latency_us).sum());
        if let Some(latency_us) = profile.latency_us.or_else(sum) {
            self.wholes.push(Whole { graph, latency_us, network: number });
        }
        Ok(())
    }

    fn add_layers(&mut self, profile: &Profile, network: &Network, number: usize) -> Result<()> {
        let graph = self.graphs.len() - 1;
        let index: HashMap<&str, usize> =
            network.layers().iter().enumerate().map(|(index, layer)| (layer.name.as_str(), index)).collect();
        let place = |layer| match index.get(layer_name(layer)) {
            Some(index) => Ok((*index, layer)),
            None => Err(unknown_layer(&profile.network, &layer.layer, network)),
        };
        let placed = profile.layers.iter().map(place).collect::<Result<Vec<_>>>()?;
        self.add_samples(placed, graph, number);
        Ok(())
    }

    fn add_samples<'l>(
        &mut self,
        layers: impl IntoIterator<Item = (usize, &'l LayerTime)>,
        graph: usize,
        number: usize,
    ) {
        for (layer, time) in layers {
            self.layer_names.push(time.layer.clone());
            let (latency_us, network) = (time.latency_us, Some(number));
            self.samples.push(Sample { graph, layer, latency_us, network });
        }
    }

    /// The same with all networks as `machine` runs them.
    pub(super) fn scheduled(self, machine: &Machine) -> Self {
        let Machine { on_chip_bytes, stripes, .. } = *machine;
        let graphs = self.graphs.into_par_iter().map(|graph| graph.scheduled(on_chip_bytes, stripes));
        Self { graphs: graphs.collect(), ..self }
    }

    /// A part of the samples with what they need.
    pub(super) fn only(&self, samples: &[&Sample]) -> Self {
        let mut places = BTreeMap::new();
        let mut part = Self::default();
        for sample in samples {
            let graph = *places.entry(sample.graph).or_insert_with(|| {
                part.graphs.push(self.graphs[sample.graph].clone());
                part.graphs.len() - 1
            });
            part.samples.push(Sample { graph, ..**sample });
        }
        part
    }

    /// The part of `parts` that a sample is in: networks as a whole, isolated operators one by one.
    pub(super) fn part(&self, sample: &Sample, parts: usize) -> usize {
        self.part_of(sample.network.unwrap_or(sample.graph), parts)
    }

    /// What a sample is counted by, in the order of the files: its network, or itself if it is isolated.
    pub(super) fn unit(&self, sample: &Sample) -> usize {
        sample.network.unwrap_or(sample.graph)
    }

    /// Where the sample with this index was measured, and the name of its layer.
    pub(super) fn sample_origin(&self, index: usize) -> Option<(&Origin, &str)> {
        Some((self.origins.get(self.samples.get(index)?.graph)?, self.layer_names.get(index)?))
    }

    /// Where a network was measured.
    pub(super) fn whole_origin(&self, whole: &Whole) -> Option<&Origin> {
        self.origins.get(whole.graph)
    }

    /// The part of `parts` that a network is in.
    pub(super) fn part_of(&self, network: usize, parts: usize) -> usize {
        network % parts.max(1)
    }

    /// A network as if it were a sample: whoever may learn from its layers may learn from it.
    pub(super) fn stand_in(whole: &Whole) -> Sample {
        Sample { graph: whole.graph, layer: 0, latency_us: whole.latency_us, network: Some(whole.network) }
    }

    /// The number format that a sample was measured in; none of odd bytes, which no reader lets through.
    pub(super) fn dtype(&self, sample: &Sample) -> Option<DType> {
        DType::of_bytes(self.placed(sample).operation().bytes)
    }

    /// The number format that a network was measured in.
    pub(super) fn dtype_of(&self, whole: &Whole) -> Option<DType> {
        let first = self.graph(whole).layers().next()?;
        DType::of_bytes(first.operation().bytes)
    }

    /// How much of its network each layer takes.
    pub(super) fn shares(&self) -> Shares {
        let mut networks: HashMap<usize, (f64, f64)> = HashMap::new();
        for sample in &self.samples {
            let sum = networks.entry(sample.graph).or_default();
            *sum = (sum.0 + sample.latency_us, sum.1 + 1.0);
        }
        Shares(networks)
    }

    /// The relative error of a network's sum for each unit of that of its layers: the median of
    /// sqrt(sum t^2) / sum t over the networks with layers; none where there are none.
    pub(super) fn noise_of_sum(&self) -> Option<f64> {
        let mut networks: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for sample in self.samples.iter().filter(|sample| sample.network.is_some()) {
            let sums = networks.entry(sample.graph).or_default();
            *sums = (sums.0 + sample.latency_us, sums.1 + sample.latency_us.powi(2));
        }
        let costly = networks.into_values().filter(|(sum, _)| *sum > 0.0);
        let mut shares: Vec<f64> = costly.map(|(sum, squares)| squares.sqrt() / sum).collect();
        shares.sort_by(f64::total_cmp);
        shares.get(shares.len() / 2).copied()
    }

    /// The layer that was measured, among its neighbours.
    pub(super) fn placed(&self, sample: &Sample) -> Placed<'_> {
        self.graphs[sample.graph].layer(sample.layer)
    }

    /// The network that was measured.
    pub(super) fn graph(&self, whole: &Whole) -> &Graph {
        &self.graphs[whole.graph]
    }
}

/// Total latency and number of layers of each graph.
pub(super) struct Shares(HashMap<usize, (f64, f64)>);

impl Shares {
    /// A layer's latency relative to the mean layer of its network; one for isolated operators.
    pub(super) fn of(&self, sample: &Sample) -> f64 {
        let (total, layers) = self.0.get(&sample.graph).copied().unwrap_or((0.0, 0.0));
        if total > 0.0 { sample.latency_us / total * layers } else { 0.0 }
    }
}

/// The network in the number format that it was measured in.
fn as_measured<'n>(network: &'n Network, profile: &Profile) -> Cow<'n, Network> {
    match profile.dtype.filter(|dtype| *dtype != network.dtype()) {
        Some(dtype) => Cow::Owned(network.relabelled(network.name(), dtype)),
        None => Cow::Borrowed(network),
    }
}

fn layer_name(time: &LayerTime) -> &str {
    &time.layer
}

fn unknown_network(name: &str) -> Error {
    Error::unusable(format!(
        "network `{name}` was measured as a whole only, and is not among the networks given; \
         name the file that holds it with --networks"
    ))
}

fn unknown_layer(network: &str, layer: &str, known: &Network) -> Error {
    let near = crate::error::nearest(layer, known.layers().iter().map(|layer| layer.name.as_str()));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Error::unusable(format!("network `{network}` has no layer `{layer}`{hint}"))
}
