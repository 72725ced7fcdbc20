//! Reading constraints: `{"model_bytes": {"max": 1000000}, "latency_ms": {"max_of_baseline": 0.5}}`.

use crate::{
    io::json::Node,
    space::{Constraint, Limit, Metric, Side},
};

/// A field, its side, and what its number means.
type Bound = (&'static str, Side, fn(f64) -> Limit);

const BOUNDS: [Bound; 4] = [
    ("max", Side::Max, Limit::Absolute),
    ("min", Side::Min, Limit::Absolute),
    ("max_of_baseline", Side::Max, Limit::OfBaseline),
    ("min_of_baseline", Side::Min, Limit::OfBaseline),
];

pub(super) fn constraints(node: &Node<'_>) -> Option<Vec<Constraint>> {
    let fields = node.fields(&Metric::NAMES.map(|(name, _)| name))?;
    let mut constraints = Vec::new();
    let mut sound = true;
    for (name, metric) in Metric::NAMES {
        let Some(node) = fields.optional(name) else { continue };
        match bounds(node, metric) {
            Some(bounds) => constraints.extend(bounds),
            None => sound = false,
        }
    }
    sound.then_some(constraints)
}

fn bounds(node: &Node<'_>, metric: Metric) -> Option<Vec<Constraint>> {
    let fields = node.fields(&BOUNDS.map(|(name, ..)| name))?;
    let mut constraints = Vec::new();
    for (name, side, limit) in BOUNDS {
        let Some(node) = fields.optional(name) else { continue };
        let least = if metric == Metric::Trainability { -1e18 } else { 0.0 };
        let value = node.f64_in(least..=1e18)?;
        constraints.push(Constraint { metric, side, limit: limit(value) });
    }
    if constraints.is_empty() {
        node.problem("no bound", "max, min, max_of_baseline or min_of_baseline");
        return None;
    }
    Some(constraints)
}

/// Unless the file says otherwise, nothing less trainable than the baseline will do.
pub(super) fn with_default(mut constraints: Vec<Constraint>) -> Vec<Constraint> {
    let floor =
        |constraint: &Constraint| constraint.metric == Metric::Trainability && constraint.side == Side::Min;
    if !constraints.iter().any(floor) {
        constraints.push(Constraint {
            metric: Metric::Trainability,
            side: Side::Min,
            limit: Limit::OfBaseline(1.0),
        });
    }
    constraints
}
