//! Reading the accelerators of a space: `target.estimator`, or `target.estimators` for several.

use std::path::PathBuf;

use super::constraints;
use crate::{
    io::json::{Fields, Node},
    space::{Across, MOST_TARGETS, Metric, SpaceTarget, SpaceTargets},
};

/// Weights beyond this are a slip.
const LEAST_WEIGHT: f64 = 1e-6;
const MOST_WEIGHT: f64 = 1e6;
/// A name that stands in conditions, in the head of a table and in the name of a column.
const LONGEST_NAME: usize = 40;

/// The estimator that `target` names, or several of them.
#[derive(Default)]
pub(super) struct Estimators {
    pub(super) one: Option<PathBuf>,
    pub(super) several: Option<SpaceTargets>,
}

pub(super) fn estimators(fields: &Fields<'_>) -> Option<Estimators> {
    let one = fields.or("estimator", None, |node| node.string().map(|path| Some(PathBuf::from(path))));
    let across = fields.or("objective", None, |node| node.named(&Across::NAMES).map(Some));
    let Some(node) = fields.optional("estimators") else {
        if let Some(node) = fields.optional("objective") {
            node.problem(
                "an objective over several estimators, and only one",
                "the list `estimators`, or no `objective`",
            );
            return None;
        }
        return Some(Estimators { one: one?, several: None });
    };
    if let Some(node) = fields.optional("estimator") {
        node.problem("`estimator` beside `estimators`", "one of them: put this one into the list");
        return None;
    }
    let across = across?.unwrap_or_default();
    let list = list(node, across)?;
    Some(Estimators { one: None, several: Some(SpaceTargets { across, list }) })
}

fn list(node: &Node<'_>, across: Across) -> Option<Vec<SpaceTarget>> {
    let nodes = node.list()?;
    if !(2..=MOST_TARGETS).contains(&nodes.len()) {
        let what = format!("2 to {MOST_TARGETS} of them; a single one is named in `estimator`");
        node.problem(format_args!("{} estimators", nodes.len()), what);
        return None;
    }
    let read: Vec<Option<SpaceTarget>> = nodes.iter().map(|node| target(node, across)).collect();
    let list: Vec<SpaceTarget> = read.into_iter().collect::<Option<_>>()?;
    for (index, (own, node)) in list.iter().zip(&nodes).enumerate() {
        let before = list.get(..index).unwrap_or_default();
        if before.iter().any(|other| other.estimator == own.estimator) {
            node.problem(format_args!("`{}` a second time", own.estimator.display()), "each estimator once");
            return None;
        }
        if own.name.is_some() && before.iter().any(|other| other.name == own.name) {
            let name = own.name.as_deref().unwrap_or_default();
            node.problem(format_args!("the name `{name}` a second time"), "a name of its own for each");
            return None;
        }
    }
    Some(list)
}

fn target(node: &Node<'_>, across: Across) -> Option<SpaceTarget> {
    let fields = node.fields(&["estimator", "name", "weight", "latency_ms"])?;
    let estimator = fields.required("estimator").and_then(|node| node.string().map(PathBuf::from));
    let name = fields.or("name", None, |node| name(node).map(Some));
    let weight = fields.or("weight", 1.0, |node| {
        if across == Across::Worst {
            node.problem("a weight", "none, since it only counts with \"objective\": \"weighted\"");
            return None;
        }
        node.f64_in(LEAST_WEIGHT..=MOST_WEIGHT)
    });
    let limits = fields.or("latency_ms", Vec::new(), |node| constraints::bounds(node, Metric::LatencyMs));
    Some(SpaceTarget { estimator: estimator?, name: name?, weight: weight?, limits: limits? })
}

fn name(node: &Node<'_>) -> Option<String> {
    let name = node.name()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.len() > LONGEST_NAME || !name.chars().all(fits) {
        node.expected(format_args!("letters, digits, `-`, `_` and `.`, at most {LONGEST_NAME}"));
        return None;
    }
    Some(name.to_owned())
}
