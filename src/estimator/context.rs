//! All that the price of a layer may depend on.
//!
//! What a layer costs depends on where its input comes from and where its
//! output goes. Prices and features see this record and nothing else, so layers
//! with equal contexts cost the same, in whatever networks they stand.

use super::{
    graph::Placed,
    manner::Manner,
    schedule::{Place, Role, Step},
};
use crate::{
    measurement::Operation,
    stable_hash::{Fingerprint, fingerprint},
};

/// A layer as it is run, and what it needs to know of its neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'g> {
    pub(super) operation: &'g Operation,
    pub(super) fingerprint: Fingerprint,
    pub(super) step: Step,
    /// Whether it is the only layer of its graph: an isolated measurement.
    pub(super) isolated: bool,
    /// How many layers read its output.
    pub(super) readers: u32,
    /// Bytes of its output if that is kept for a later layer than the next.
    pub(super) held: u64,
    /// Bytes kept beside its own input and output.
    pub(super) held_beside: u64,
    /// Bytes of the tensors that are alive while it runs.
    pub(super) live: u64,
    /// The most bytes alive at any time while its output is.
    pub(super) peak: u64,
    /// Bytes of its inputs that lie off the chip although a layer of the network wrote them.
    pub(super) spilled_input: u64,
    /// The layer that writes the latest of its inputs; none if it reads the network's input only.
    pub(super) producer: Option<Producer<'g>>,
    /// The first layer that reads its output; none if it is an output of the network.
    pub(super) consumer: Option<Consumer<'g>>,
}

/// What a layer needs to know of the one that writes its input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Producer<'g> {
    pub(super) operation: &'g Operation,
    pub(super) fingerprint: Fingerprint,
    pub(super) distance: usize,
    /// How it is run.
    pub(super) manner: Manner,
}

/// What a layer needs to know of the one that reads its output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consumer<'g> {
    pub(super) operation: &'g Operation,
    pub(super) fingerprint: Fingerprint,
    pub(super) role: Role,
    pub(super) distance: usize,
    pub(super) readers: u32,
    pub(super) live: u64,
    pub(super) peak: u64,
}

impl<'g> Context<'g> {
    /// The context of a layer in a graph that has been scheduled.
    pub(super) fn of(layer: Placed<'g>) -> Self {
        let (producer, consumer) = (layer.producer(), layer.consumer());
        let operation = layer.operation();
        let manner = producer.map(|other| other.manner());
        let held_before = manner.map_or(0, |manner| manner.held_before);
        let joined = consumer
            .map_or(0, |other| other.operation().input_bytes().saturating_sub(operation.output_bytes()));
        let spilled = layer.producers().filter(|other| other.manner().output == Place::OffChip);
        Self {
            operation,
            fingerprint: layer.fingerprint(),
            step: layer.step(),
            isolated: layer.is_isolated(),
            readers: layer.readers(),
            held: layer.held(),
            held_beside: held_before.max(joined),
            live: layer.live_bytes(),
            peak: layer.peak_bytes(),
            spilled_input: spilled.map(|other| other.operation().output_bytes()).sum(),
            producer: producer.zip(manner).map(|(other, manner)| Producer {
                operation: other.operation(),
                fingerprint: other.fingerprint(),
                distance: layer.distance(other),
                manner,
            }),
            consumer: consumer.map(|other| Consumer {
                operation: other.operation(),
                fingerprint: other.fingerprint(),
                role: other.step().role,
                distance: layer.distance(other),
                readers: other.readers(),
                live: other.live_bytes(),
                peak: other.peak_bytes(),
            }),
        }
    }

    /// Where it reads its latest input from.
    pub(super) fn from(&self) -> Place {
        self.producer.map_or(Place::Outside, |producer| producer.manner.output)
    }

    /// Where it writes to.
    pub(super) fn to(&self) -> Place {
        self.step.output
    }

    /// Share of its input that lies off the chip although a layer of the network wrote it.
    pub(super) fn read_off_chip(&self) -> f64 {
        (self.spilled_input as f64 / self.operation.input_bytes().max(1) as f64).min(1.0)
    }

    /// Sixty-four bits that tell contexts apart: among a million of them two clash in one of 37 million searches.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let Self { operation: _, fingerprint: own, step, isolated, readers, .. } = self;
        let Self { held, held_beside, live, peak, spilled_input, producer, consumer, .. } = self;
        let Step { role, rows, output, fused, kept_bytes, free_bytes } = step;
        let words = [
            *own,
            pair(*rows, *fused),
            pair(*readers, u32::from(*isolated)),
            pair(*role as u32, *output as u32),
            *kept_bytes,
            *free_bytes,
            *held,
            *held_beside,
            *live,
            *peak,
            *spilled_input,
            producer.as_ref().map_or(0, Producer::fingerprint),
            consumer.as_ref().map_or(0, Consumer::fingerprint),
        ];
        fingerprint(&words)
    }
}

impl Producer<'_> {
    fn fingerprint(&self) -> Fingerprint {
        let Self { operation: _, fingerprint: own, distance, manner } = self;
        fingerprint(&[manner.fingerprint(*own), *distance as u64])
    }
}

impl Consumer<'_> {
    fn fingerprint(&self) -> Fingerprint {
        let Self { operation: _, fingerprint: own, role, distance, readers, live, peak } = self;
        fingerprint(&[*own, pair(*role as u32, *readers), *distance as u64, *live, *peak])
    }
}

fn pair(upper: u32, lower: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(lower)
}
