//! The numbers of two runs side by side.

use serde::Serialize;

use super::{FrontComparison, Quantity, quantity};
use crate::report::{Entry, entry::rounded};

/// One number of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuantityRow {
    /// Its name; with that of the accelerator where runs are for several: `latency_ms[npu]`.
    pub name: String,
    #[serde(skip)]
    pub(super) quantity: Quantity,
    /// The accelerator, where runs are for several.
    #[serde(skip)]
    pub(super) target: Option<String>,
    /// In BASE; absent where nothing meets the requirement.
    pub base: Option<f64>,
    /// In NEW; absent where nothing meets the requirement.
    pub new: Option<f64>,
    /// NEW less BASE.
    pub change: Option<f64>,
    /// The same in percent of BASE; absent where zero means nothing, as for scores.
    pub change_pct: Option<f64>,
}

/// A quantity, and the accelerator that it is of where runs are for several.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    pub(super) quantity: Quantity,
    pub(super) target: Option<String>,
}

impl Subject {
    /// The subjects of a quantity in runs for these accelerators.
    pub(super) fn of(quantity: Quantity, targets: &[&str]) -> Vec<Self> {
        if targets.is_empty() || !quantity.is_by_target() {
            return vec![Self { quantity, target: None }];
        }
        targets.iter().map(|name| Self { quantity, target: Some((*name).to_owned()) }).collect()
    }

    /// `latency_ms`, or `latency_ms[npu]`.
    pub(super) fn name(&self) -> String {
        named(self.quantity.name(), self.target.as_deref())
    }

    pub(super) fn value(&self, entry: &Entry) -> Option<f64> {
        match &self.target {
            Some(target) => self.quantity.on(entry, target),
            None => self.quantity.of(entry),
        }
    }
}

/// `name`, or `name[target]`.
pub(super) fn named(name: &str, target: Option<&str>) -> String {
    target.map_or_else(|| name.to_owned(), |target| format!("{name}[{target}]"))
}

impl QuantityRow {
    fn is_known(&self) -> bool {
        self.base.is_some() || self.new.is_some()
    }
}

/// Every number of both; those that a run may not know only where one does.
pub(super) fn rows(
    old: Option<&Entry>,
    now: Option<&Entry>,
    fronts: &FrontComparison,
    targets: &[&str],
) -> Vec<QuantityRow> {
    let subjects = Quantity::NAMES.iter().flat_map(|(_, quantity)| Subject::of(*quantity, targets));
    let rows = subjects.map(|subject| row(subject, old, now, fronts));
    rows.filter(|row| !row.quantity.is_optional() || row.is_known()).collect()
}

fn row(subject: Subject, old: Option<&Entry>, now: Option<&Entry>, fronts: &FrontComparison) -> QuantityRow {
    let (base, new) = match subject.quantity {
        Quantity::Hypervolume => {
            (fronts.hypervolumes.map(|both| both[0]), fronts.hypervolumes.map(|both| both[1]))
        }
        _ => (old.and_then(|entry| subject.value(entry)), now.and_then(|entry| subject.value(entry))),
    };
    let both = base.zip(new);
    let quantity = subject.quantity;
    QuantityRow {
        name: subject.name(),
        quantity,
        target: subject.target,
        base,
        new,
        change: both.map(|(base, new)| rounded(new - base)),
        change_pct: both
            .filter(|_| quantity.is_ratio())
            .map(|(base, new)| rounded(quantity::percent(base, new))),
    }
}
