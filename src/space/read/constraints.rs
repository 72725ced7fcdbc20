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

/// The bounds on one metric.
pub(super) fn bounds(node: &Node<'_>, metric: Metric) -> Option<Vec<Constraint>> {
    let fields = node.fields(&BOUNDS.map(|(name, ..)| name))?;
    let mut constraints = Vec::new();
    for (name, side, limit) in BOUNDS {
        let Some(node) = fields.optional(name) else { continue };
        let least = if metric == Metric::Trainability { -1e18 } else { 0.0 };
        let value = node.f64_in(least..=1e18)?;
        constraints.push(Constraint::new(metric, side, limit(value)));
    }
    if constraints.is_empty() {
        node.problem("no bound", "max, min, max_of_baseline or min_of_baseline");
        return None;
    }
    if let Some((min, max)) = crossed(&constraints) {
        node.problem(
            format_args!("a least value above the greatest, `{min}` and `{max}`"),
            "a range that some architecture can keep to: a smaller min, or a larger max",
        );
        return None;
    }
    Some(constraints)
}

/// Two bounds in the same unit that nothing can keep to.
fn crossed(constraints: &[Constraint]) -> Option<(&Constraint, &Constraint)> {
    let of = |side: Side| constraints.iter().filter(move |constraint| constraint.side == side);
    let mut pairs = of(Side::Min).flat_map(|min| of(Side::Max).map(move |max| (min, max)));
    pairs.find(|(min, max)| match (min.limit, max.limit) {
        (Limit::Absolute(min), Limit::Absolute(max)) | (Limit::OfBaseline(min), Limit::OfBaseline(max)) => {
            min > max
        }
        _ => false,
    })
}

/// Unless the file says otherwise, nothing less trainable than the baseline will do.
pub(super) fn with_default(mut constraints: Vec<Constraint>) -> Vec<Constraint> {
    let floor =
        |constraint: &Constraint| constraint.metric == Metric::Trainability && constraint.side == Side::Min;
    if !constraints.iter().any(floor) {
        constraints.push(Constraint::new(Metric::Trainability, Side::Min, Limit::OfBaseline(1.0)));
    }
    constraints
}
