//! Asking an estimator.

use super::{
    FoundLanes, LayerEstimate, NetworkEstimate, OutOfRange,
    context::Context,
    document::{Document, DtypeModel, NetworkModel},
    features::FEATURES,
    graph::{Graph, Placed},
    model::corrected,
    physical::{Lanes, Machine, Times, Work},
    points::HeldOutPoints,
    priced::PricedLayers,
    quality::Quality,
    reason::reason,
    schedule::Scheduler,
    store,
};
use crate::{
    error::Result,
    io::is_hidden,
    measurement::{Kind, Operation, Target},
    network::{DType, Network},
    stable_hash::short_id,
};

/// The name under which prices for kinds that were never measured stand in a file.
pub(super) const ANY: &str = "any";
/// No layer is priced below this, in microseconds, unless the fit says that its kind can be free.
const LEAST_US: f64 = 1e-6;

pub(super) const PS_PER_US: f64 = 1e6;

/// A fitted estimator.
#[derive(Clone, Debug)]
pub struct Estimator {
    document: Document,
    hash: String,
    layers: PricedLayers,
    /// The same for other number formats that were measured, each by itself.
    others: Vec<(DType, PricedLayers)>,
}

impl Estimator {
    /// The estimator's name, for example the accelerator's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// Hash of the file's content.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Where the measurements come from, in a sentence.
    #[must_use]
    pub fn provenance(&self) -> &str {
        &self.document.provenance
    }

    /// What is predicted in the place of latency, with its unit: every number called latency here is it.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        let name = self.document.target.clone()?;
        Some(Target { name, unit: self.document.unit.clone() })
    }

    /// Channels that the accelerator works on at once: as the staircase shows them where it does, else as they
    /// explain the prices best.
    #[must_use]
    pub fn lanes(&self) -> Lanes {
        let Lanes { input, output } = self.document.machine.lanes;
        let likely = |found: super::FoundLane, other| if found.is_likely() { found.lanes } else { other };
        self.found_lanes().map_or(Lanes { input, output }, |found| Lanes {
            input: likely(found.input, input),
            output: likely(found.output, output),
        })
    }

    /// The lanes as the staircase shows them, with how sure that is; none in files that do not say.
    #[must_use]
    pub fn found_lanes(&self) -> Option<FoundLanes> {
        self.document.lanes
    }

    /// The number that channels should be multiples of: the larger of the lane counts, since one layer's
    /// output channels are the next layer's input channels.
    #[must_use]
    pub fn parallelism(&self) -> u32 {
        let Lanes { input, output } = self.lanes();
        input.max(output).max(1)
    }

    /// Held-out quality of the fit.
    #[must_use]
    pub fn quality(&self) -> &Quality {
        &self.document.quality
    }

    /// Microseconds that a network costs beside its layers.
    #[must_use]
    pub fn overhead_us(&self) -> f64 {
        self.document.network.overhead
    }

    /// Ends of the 90 % interval of a network's latency, as factors of the latency.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        self.document.network.interval
    }

    /// Expected latency of `network` in microseconds: [`Self::overhead_us`] plus all layers.
    #[must_use]
    pub fn latency_us(&self, network: &Network) -> f64 {
        self.priced_us(&self.graph(network))
    }

    fn priced_us(&self, graph: &Graph) -> f64 {
        let layers = graph.layers().map(|layer| self.price_ps(&layer.context()));
        self.total_us(layers.fold(0, u64::saturating_add))
    }

    /// The latency of a network, in microseconds, whose layers cost so many picoseconds.
    pub(super) fn total_us(&self, layers_ps: u64) -> f64 {
        self.overhead_us() + layers_ps as f64 / PS_PER_US
    }

    /// Expected latency of a layer in this context, in whole picoseconds, so that their sum is exact.
    pub(super) fn price_ps(&self, context: &Context<'_>) -> u64 {
        (self.price_us(context) * PS_PER_US).round() as u64
    }

    /// The layers of `network` as this accelerator runs them.
    #[must_use]
    pub fn graph(&self, network: &Network) -> Graph {
        self.scheduled(Graph::unscheduled(network))
    }

    /// `graph` as this accelerator runs it.
    pub(super) fn scheduled(&self, mut graph: Graph) -> Graph {
        graph.schedule(&mut self.scheduler());
        graph
    }

    /// How this accelerator runs graphs.
    pub(super) fn scheduler(&self) -> Scheduler {
        let Machine { on_chip_bytes, stripes, .. } = self.document.machine;
        Scheduler::new(on_chip_bytes, stripes)
    }

    /// Expected latency of one layer among its neighbours, in microseconds.
    #[must_use]
    pub fn layer_us(&self, layer: Placed<'_>) -> f64 {
        self.price_us(&layer.context())
    }

    /// Expected latency of a layer in this context, in microseconds.
    pub(super) fn price_us(&self, context: &Context<'_>) -> f64 {
        let Operation { kind, bytes, .. } = *context.operation;
        let work = Work::of(context, &self.document.machine);
        let priced = self.of_bytes(bytes);
        let times = priced.times(kind, &work);
        (corrected(context, &times, &work, priced.factor(kind)) * self.document.network.scale).max(LEAST_US)
    }

    /// Expected latency of `network` with interval, range check, and each layer's price and reason.
    #[must_use]
    pub fn estimate(&self, network: &Network) -> NetworkEstimate {
        let graph = self.graph(network);
        let layers: Vec<LayerEstimate> = graph.layers().map(|layer| self.estimate_layer(layer)).collect();
        let latency_us = self.priced_us(&graph);
        let out_of_range = self.out_of_range(network, &graph);
        let (low, high) = widened(self.interval(), &out_of_range);
        NetworkEstimate {
            latency_us,
            low_us: low * latency_us,
            high_us: high * latency_us,
            out_of_range,
            layers,
        }
    }

    fn estimate_layer(&self, layer: Placed<'_>) -> LayerEstimate {
        let context = layer.context();
        let Operation { kind, bytes, .. } = *context.operation;
        let work = Work::of(&context, &self.document.machine);
        let priced = self.of_bytes(bytes);
        let mut reason = reason(&context, &priced.times(kind, &work), self.lanes());
        if priced.is_inferred(kind) {
            reason += "; never measured singly";
        }
        LayerEstimate { latency_us: self.price_us(&context), reason }
    }

    /// The physical times of work of a kind, in the number format with most rows.
    pub(super) fn times(&self, kind: Kind, work: &Work) -> Times {
        self.layers.times(kind, work)
    }

    /// The layers in the number format of so many bytes; one that was not measured is taken for the format with
    /// most rows, and its estimates say so.
    fn of_bytes(&self, bytes: u64) -> &PricedLayers {
        let other = self.others.iter().find(|(dtype, _)| dtype.bytes() == bytes);
        other.map_or(&self.layers, |(_, layers)| layers)
    }

    /// The number formats that were measured. A datasheet's estimator measured none.
    #[must_use]
    pub fn dtypes(&self) -> Vec<DType> {
        let measured = |dtype: &DType| self.of_bytes(dtype.bytes()).has_bytes(dtype.bytes());
        DType::NAMES.into_iter().map(|(_, dtype)| dtype).filter(measured).collect()
    }

    /// The kinds of operator in `network` that were measured, but not in its number format.
    #[must_use]
    pub fn unmeasured_kinds(&self, network: &Network) -> Vec<Kind> {
        let bytes = network.dtype().bytes();
        let all = || std::iter::once(&self.layers).chain(self.others.iter().map(|(_, layers)| layers));
        let lacks = |kind: &Kind| {
            let own = self.of_bytes(bytes).range(*kind).is_some_and(|range| range.has_bytes(bytes));
            !own && all().any(|layers| layers.range(*kind).is_some())
        };
        let graph = self.graph(network);
        let present = |kind: &Kind| graph.layers().any(|layer| layer.operation().kind == *kind);
        Kind::NAMES.into_iter().map(|(_, kind)| kind).filter(present).filter(lacks).collect()
    }

    fn out_of_range(&self, network: &Network, graph: &Graph) -> Vec<OutOfRange> {
        let named = network.layers().iter().zip(graph.layers());
        named.flat_map(|(layer, placed)| self.layer_out_of_range(&layer.name, placed.operation())).collect()
    }

    fn layer_out_of_range(&self, layer: &str, operation: &Operation) -> Vec<OutOfRange> {
        let kind = operation.kind.name();
        let found =
            |feature, value, range| OutOfRange { layer: layer.to_owned(), feature, value, range, kind };
        match self.of_bytes(operation.bytes).range(operation.kind) {
            None => vec![found("kind", 0.0, None)],
            Some(range) => range
                .violations(operation)
                .map(|(feature, value, range)| found(feature, value, Some(range)))
                .collect(),
        }
    }

    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// The estimator that a fit has found; its hash is that of the file that it would be saved to.
    pub(super) fn fitted(document: Document) -> Result<Self> {
        let hash = short_id(store::to_text(&document)?.as_bytes());
        Self::from_document(document, hash)
            .map_err(|(path, found)| crate::error::Error::unusable(format!("{path}: {found}")))
    }

    /// Checks a document; the error is the place and what was found there.
    pub(super) fn from_document(document: Document, hash: String) -> Result<Self, (String, String)> {
        if document.name.contains(is_hidden) {
            return Err(("name".into(), format!("{:?} with control characters", document.name)));
        }
        if document.features != FEATURES {
            return Err(("features".into(), "other features than this version of `nas` computes".into()));
        }
        if !document.machine.is_sane() {
            return Err(("machine".into(), "sizes that no accelerator has".into()));
        }
        let layers = PricedLayers::of(&document.kinds, &document.corrections)?;
        let others = document.by_dtype.iter().map(|(name, model)| other_format(name, model));
        let others = others.collect::<Result<_, _>>()?;
        if let Some(problem) = document.quality.held_out.as_ref().and_then(HeldOutPoints::problem) {
            return Err(problem);
        }
        let NetworkModel { overhead, scale, interval: (low, high), .. } = document.network;
        let usable = overhead >= 0.0 && scale > 0.0 && low > 0.0 && low <= high;
        if !(usable && (overhead + scale + high).is_finite()) {
            return Err(("network".into(), "figures that give no interval".into()));
        }
        Ok(Self { document, hash, layers, others })
    }
}

/// The interval of a network of which this much was never measured: three times as wide, in logarithms.
fn widened((low, high): (f64, f64), out_of_range: &[OutOfRange]) -> (f64, f64) {
    if out_of_range.is_empty() { (low, high) } else { (low.min(0.95).powi(3), high.max(1.05).powi(3)) }
}

/// The layers in a number format beside the one with most rows.
fn other_format(name: &str, model: &DtypeModel) -> Result<(DType, PricedLayers), (String, String)> {
    let place = |place: String| format!("by_dtype.{name}.{place}");
    let Some((_, dtype)) = DType::NAMES.iter().find(|(known, _)| *known == name) else {
        return Err((format!("by_dtype.{name}"), "an unknown number format".into()));
    };
    let layers = PricedLayers::of(&model.kinds, &model.corrections);
    Ok((*dtype, layers.map_err(|(inner, found)| (place(inner), found))?))
}
