//! Whole networks as `litert-benchmark --result_json` tells them.

use super::{Text, lines::Lines};
use crate::{
    error::Result,
    io::json::{Node, read_document},
    measurement::{checks::LONGEST_US, noted::problem_at},
};

/// The latency of a whole network.
pub(super) struct Outcome {
    /// The model's file name without folders and ending.
    pub(super) network: String,
    /// Median in microseconds; the mean may be ten times as much where the first runs are slow.
    pub(super) latency_us: f64,
}

/// Reads one file.
pub(super) fn read(text: Text<'_>) -> Result<Outcome> {
    let lines = Lines::of(text.text);
    let outcome = read_document(text.file, text.text, |root| {
        let median = root.field("latency").and_then(|latency| latency.field("median_ms"));
        let time = |node: &Node<'_>| node.as_f64().filter(|ms| *ms > 0.0 && *ms * 1e3 <= LONGEST_US);
        let model = root.field("model").and_then(|model| model.as_str()).unwrap_or_default();
        let network = Text { file: model, text: "" }.stem(&[]).to_owned();
        let place = lines.position(median.as_ref().map_or(0, Node::offset));
        let found = median.as_ref().map_or("no `latency.median_ms`".into(), Node::describe);
        let outcome = median.as_ref().and_then(time).map(|ms| Outcome { network, latency_us: 1e3 * ms });
        Some(outcome.ok_or_else(|| {
            problem_at(
                text.file,
                place,
                found,
                "milliseconds above zero, as `litert-benchmark --result_json` writes",
            )
        }))
    })?;
    Ok(outcome?)
}
