//! Asking an estimator.

use super::{
    FoundLanes, LayerEstimate, NetworkEstimate, OutOfRange,
    context::Context,
    correction::{Correction, Factor},
    document::{Document, KindModel, NetworkModel},
    features::FEATURES,
    graph::{Graph, Placed},
    model::{corrected, named_prices},
    physical::{Lanes, Machine, Prices, TERM_COUNT, Times, Work},
    points::HeldOutPoints,
    quality::Quality,
    range::Range,
    reason::reason,
    schedule::Scheduler,
    store,
};
use crate::io::is_hidden;
use crate::measurement::{Kind, Operation, Target};
use crate::{error::Result, network::Network, stable_hash::short_id};

/// The name under which prices for kinds that were never measured stand in a file.
pub(super) const ANY: &str = "any";
/// No layer is priced below this, in microseconds, unless the fit says that its kind can be free.
const LEAST_US: f64 = 1e-6;

const PS_PER_US: f64 = 1e6;

/// A fitted estimator.
#[derive(Clone, Debug)]
pub struct Estimator {
    document: Document,
    hash: String,
    kinds: Vec<Priced>,
    any: Prices,
    /// For each kind, which correction it takes.
    corrections: Vec<Option<usize>>,
    factors: Vec<Factor>,
}

/// What is known of one kind of operator.
#[derive(Clone, Debug)]
struct Priced {
    prices: Prices,
    range: Option<Range>,
    /// Only networks that contain it were measured.
    inferred: bool,
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
        let kind = context.operation.kind;
        let work = Work::of(context, &self.document.machine);
        let times = self.times(kind, &work);
        let correction = self.corrections[kind as usize].map(|index| &self.factors[index]);
        (corrected(context, &times, &work, correction) * self.document.network.scale).max(LEAST_US)
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
        let kind = context.operation.kind;
        let work = Work::of(&context, &self.document.machine);
        let mut reason = reason(&context, &self.times(kind, &work), self.lanes());
        if self.kinds[kind as usize].inferred {
            reason += "; never measured singly";
        }
        LayerEstimate { latency_us: self.price_us(&context), reason }
    }

    /// The physical times of work of a kind.
    pub(super) fn times(&self, kind: Kind, work: &Work) -> Times {
        let priced = &self.kinds[kind as usize];
        let prices = if priced.range.is_some() { &priced.prices } else { &self.any };
        prices.times(&work.terms)
    }

    fn out_of_range(&self, network: &Network, graph: &Graph) -> Vec<OutOfRange> {
        let named = network.layers().iter().zip(graph.layers());
        named.flat_map(|(layer, placed)| self.layer_out_of_range(&layer.name, placed.operation())).collect()
    }

    fn layer_out_of_range(&self, layer: &str, operation: &Operation) -> Vec<OutOfRange> {
        let kind = operation.kind.name();
        let found =
            |feature, value, range| OutOfRange { layer: layer.to_owned(), feature, value, range, kind };
        match &self.kinds[operation.kind as usize].range {
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
        let known = |name: &String| name == ANY || Kind::NAMES.iter().any(|(known, _)| known == name);
        if let Some(name) = document.kinds.keys().find(|name| !known(name)) {
            return Err((format!("kinds.{name}"), "an unknown kind of operator".into()));
        }
        if document.name.contains(is_hidden) {
            return Err(("name".into(), format!("{:?} with control characters", document.name)));
        }
        if document.features != FEATURES {
            return Err(("features".into(), "other features than this version of `nas` computes".into()));
        }
        if !document.machine.is_sane() {
            return Err(("machine".into(), "sizes that no accelerator has".into()));
        }
        let any = match document.kinds.get(ANY) {
            Some(model) => prices(ANY, model)?,
            None => return Err(("kinds".into(), "no prices for `any` kind".into())),
        };
        let kinds = Kind::NAMES.iter().map(|(name, _)| priced(name, &document)).collect::<Result<_, _>>()?;
        let compile = |(index, correction): (usize, &Correction)| {
            correction.compile().map_err(|(place, found)| (format!("corrections[{index}].{place}"), found))
        };
        let factors = document.corrections.iter().enumerate().map(compile).collect::<Result<_, _>>()?;
        let correction = |kind: &Kind| document.corrections.iter().position(|c| c.kinds.contains(kind));
        let corrections = Kind::NAMES.iter().map(|(_, kind)| correction(kind)).collect();
        if let Some(problem) = document.quality.held_out.as_ref().and_then(HeldOutPoints::problem) {
            return Err(problem);
        }
        let NetworkModel { overhead, scale, interval: (low, high), .. } = document.network;
        let usable = overhead >= 0.0 && scale > 0.0 && low > 0.0 && low <= high;
        if !(usable && (overhead + scale + high).is_finite()) {
            return Err(("network".into(), "figures that give no interval".into()));
        }
        Ok(Self { document, hash, kinds, any, corrections, factors })
    }
}

/// The interval of a network of which this much was never measured: three times as wide, in logarithms.
fn widened((low, high): (f64, f64), out_of_range: &[OutOfRange]) -> (f64, f64) {
    if out_of_range.is_empty() { (low, high) } else { (low.min(0.95).powi(3), high.max(1.05).powi(3)) }
}

fn priced(name: &str, document: &Document) -> Result<Priced, (String, String)> {
    // Isolated rows say nothing of a network's input; then the first layer is priced like another.
    let stand_in = if name == Kind::InputConv2d.name() { Kind::Conv2d.name() } else { name };
    let Some(model) = document.kinds.get(name).or_else(|| document.kinds.get(stand_in)) else {
        return Ok(Priced { prices: Prices([0.0; TERM_COUNT]), range: None, inferred: false });
    };
    let range = Range::from_map(&model.range).map_err(|property| {
        (format!("kinds.{name}.range"), format!("no or unknown property `{property}`"))
    })?;
    Ok(Priced { prices: prices(name, model)?, range: Some(range), inferred: model.rows == 0 })
}

fn prices(kind: &str, model: &KindModel) -> Result<Prices, (String, String)> {
    named_prices(model).map_err(|(term, found)| (format!("kinds.{kind}.prices.{term}"), found))
}
