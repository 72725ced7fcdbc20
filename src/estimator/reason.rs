//! Why a layer takes as long as it does, in words.

use super::{
    context::Context,
    physical::{Lanes, Resource, Times},
    schedule::Place,
};
use crate::measurement::Kind;

/// Lanes are worth a word if at least this share of them idles.
const IDLE: f64 = 0.15;

/// The reason in a few words: what bounds the layer, then what wastes time.
pub(super) fn reason(layer: &Context<'_>, times: &Times, lanes: Lanes) -> String {
    let mut parts = vec![bound(layer, times)];
    if times.bound() == Resource::Compute || times.bound() == Resource::Output {
        parts.extend(idle_lanes(layer, lanes));
    }
    parts.join("; ")
}

fn bound(layer: &Context<'_>, times: &Times) -> String {
    let kind = layer.operation.kind;
    match times.bound() {
        Resource::Compute if kind == Kind::DepthwiseConv2d => {
            "compute-bound: depthwise, one input channel a filter".into()
        }
        Resource::Compute => "compute-bound".into(),
        Resource::Output => "output-bound: writing results".into(),
        Resource::OnChip => "memory-bound: on the chip".into(),
        Resource::OffChip => format!("memory-bound: {}", traffic(layer)),
        Resource::Tiles => "bound by starting tiles: each one waits for memory".into(),
        Resource::Overhead => "fixed overhead".into(),
    }
}

/// What most of the off-chip traffic is.
fn traffic(layer: &Context<'_>) -> &'static str {
    let operation = &layer.operation;
    let (from, to) = (layer.from(), layer.to());
    let when = |place: Place, bytes: u64| if place == Place::OnChip { 0 } else { bytes };
    let candidates = [
        (operation.weight_bytes(), "weights"),
        (when(from, operation.input_bytes()), "input from off the chip"),
        (when(to, operation.output_bytes()), "output to off the chip"),
    ];
    candidates.into_iter().max_by_key(|(bytes, _)| *bytes).map_or("weights", |(_, what)| what)
}

fn idle_lanes(layer: &Context<'_>, lanes: Lanes) -> Option<String> {
    let operation = &layer.operation;
    let output = idle(u64::from(operation.output.c), lanes.output, "output");
    let multiplies = operation.kind.has_macs() && operation.kind != Kind::DepthwiseConv2d;
    output.or_else(|| if multiplies { idle(operation.depth(), lanes.input, "input") } else { None })
}

/// `lanes: 17 of 32 output channels used`.
fn idle(channels: u64, lanes: u32, side: &str) -> Option<String> {
    let tiled = channels.next_multiple_of(u64::from(lanes.max(1)));
    let wasted = 1.0 - channels as f64 / tiled as f64;
    (wasted >= IDLE).then(|| format!("lanes: {channels} of {tiled} {side} channels used"))
}
