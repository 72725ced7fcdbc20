//! The numbers of two runs side by side.

use serde::Serialize;

use super::{FrontComparison, Quantity, quantity};
use crate::report::{Entry, entry::rounded};

/// One number of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuantityRow {
    /// Its name.
    pub name: &'static str,
    #[serde(skip)]
    pub(super) quantity: Quantity,
    /// In BASE; absent where nothing meets the requirement.
    pub base: Option<f64>,
    /// In NEW; absent where nothing meets the requirement.
    pub new: Option<f64>,
    /// NEW less BASE.
    pub change: Option<f64>,
    /// The same in percent of BASE; absent where zero means nothing, as for scores.
    pub change_pct: Option<f64>,
}

impl QuantityRow {
    fn is_known(&self) -> bool {
        self.base.is_some() || self.new.is_some()
    }
}

/// Every number of both; those that a run may not know only where one does.
pub(super) fn rows(old: Option<&Entry>, now: Option<&Entry>, fronts: &FrontComparison) -> Vec<QuantityRow> {
    let rows = Quantity::NAMES.iter().map(|(_, quantity)| row(*quantity, old, now, fronts));
    rows.filter(|row| !row.quantity.is_optional() || row.is_known()).collect()
}

fn row(
    quantity: Quantity,
    old: Option<&Entry>,
    now: Option<&Entry>,
    fronts: &FrontComparison,
) -> QuantityRow {
    let (base, new) = match quantity {
        Quantity::Hypervolume => {
            (fronts.hypervolumes.map(|both| both[0]), fronts.hypervolumes.map(|both| both[1]))
        }
        _ => (old.and_then(|entry| quantity.of(entry)), now.and_then(|entry| quantity.of(entry))),
    };
    let both = base.zip(new);
    QuantityRow {
        name: quantity.name(),
        quantity,
        base,
        new,
        change: both.map(|(base, new)| rounded(new - base)),
        change_pct: both
            .filter(|_| quantity.is_ratio())
            .map(|(base, new)| rounded(quantity::percent(base, new))),
    }
}
