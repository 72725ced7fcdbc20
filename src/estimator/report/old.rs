//! A fit against an older estimator on the same rows.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::estimator::{
    Accuracy, Estimator,
    held_out::{HeldOut, sum},
};

/// The error of an older estimator and of this fit, on rows that this fit had not seen when it predicted them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OldComparison {
    /// The old estimator's name.
    pub name: String,
    /// Its hash.
    pub hash: String,
    /// Whole networks.
    pub networks: Option<OldNew>,
    /// Layers in context.
    pub layers: Option<OldNew>,
    /// Isolated operators.
    pub isolated: Option<OldNew>,
    /// Files of this fit that the old estimator was fitted to: there it has seen the rows, and its error flatters.
    pub seen: Vec<String>,
}

/// The accuracy of both on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OldNew {
    /// Of the old estimator.
    pub old: Accuracy,
    /// Of this fit, held out.
    pub new: Accuracy,
}

impl OldComparison {
    pub(super) fn new(old: &Estimator, new: &Estimator, held_out: &HeldOut<'_>) -> Self {
        let training = &held_out.training().clone().scheduled(&old.document().machine);
        let whole = |whole| old.overhead_us() + sum(old, training.graph(whole));
        let networks: Vec<f64> = training.wholes.iter().map(whole).collect();
        let networks = networks.iter().zip(held_out.networks());
        let networks: Vec<Row> = networks.map(|(old, (new, measured))| (*old, new, measured)).collect();
        let layers = |isolated: bool| -> Vec<Row> {
            let rows = training.samples.iter().zip(held_out.layers());
            rows.filter(|(sample, _)| sample.network.is_none() == isolated)
                .map(|(sample, new)| (old.layer_us(training.placed(sample)), *new, sample.latency_us))
                .collect()
        };
        let known = &old.document().data;
        let is_known = |hash: &String| known.iter().any(|data| data.hash == *hash);
        let files = new.document().data.iter().filter(|data| is_known(&data.hash));
        Self {
            name: old.name().to_owned(),
            hash: old.hash().to_owned(),
            networks: OldNew::of(&networks),
            layers: OldNew::of(&layers(false)),
            isolated: OldNew::of(&layers(true)),
            seen: files.map(|data| data.file.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }
}

/// Microseconds as the old estimator predicts them, as this fit does, and as measured.
type Row = (f64, f64, f64);

impl OldNew {
    fn of(rows: &[Row]) -> Option<Self> {
        let pairs = |predicted: fn(&Row) -> f64| -> Vec<(f64, f64)> {
            rows.iter().map(|row| (predicted(row), row.2)).collect()
        };
        Some(Self { old: Accuracy::of(&pairs(|row| row.0))?, new: Accuracy::of(&pairs(|row| row.1))? })
    }
}
