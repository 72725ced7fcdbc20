//! `nas.estimator/1`: the file that an estimator is kept in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{correction::Correction, lanes::FoundLanes, physical::Machine, quality::Quality};

pub(super) const SCHEMA: &str = "nas.estimator/1";
pub(super) const UNIT: &str = "us";

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) schema: String,
    pub(super) name: String,
    /// Where the numbers come from.
    pub(super) provenance: String,
    /// What is predicted, if it is not the latency: the column that it was measured under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// Unit of every time in this file, or of what is predicted in its place.
    pub(super) unit: String,
    pub(super) data: Vec<Data>,
    /// What the fit found out about the accelerator.
    pub(super) machine: Machine,
    /// Lanes as the staircase shows them, with how sure that is; those of `machine` are what prices are told with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lanes: Option<FoundLanes>,
    /// The physical model, by kind of operator; `any` prices kinds that were never measured.
    pub(super) kinds: BTreeMap<String, KindModel>,
    /// Names of what the corrections ask about, by number.
    pub(super) features: Vec<String>,
    /// Boosted corrections of the physical model, by group of kinds.
    pub(super) corrections: Vec<Correction>,
    /// The layers' part for the other number formats where several were measured: `kinds` and `corrections` are those of the
    /// one with most rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) by_dtype: BTreeMap<String, DtypeModel>,
    pub(super) network: NetworkModel,
    pub(super) quality: Quality,
}

/// A file of measurements that the fit has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    pub(super) file: String,
    pub(super) hash: String,
    pub(super) rows: usize,
}

/// The layers' part of an estimator for one number format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DtypeModel {
    pub(super) kinds: BTreeMap<String, KindModel>,
    pub(super) corrections: Vec<Correction>,
}

/// The physical model of one kind of operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindModel {
    /// Layers of this kind that the fit has seen measured singly; zero where only whole networks were.
    pub(super) rows: usize,
    /// Price of each term; a term that is absent costs nothing.
    pub(super) prices: BTreeMap<String, f64>,
    /// Least and largest value seen of each property.
    pub(super) range: BTreeMap<String, (f64, f64)>,
}

/// What turns the sum of layers into the latency of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkModel {
    /// Time of a network as such.
    pub(super) overhead: f64,
    /// Factor on the sum of the layers.
    pub(super) scale: f64,
    /// Ends of the interval as factors of the latency.
    pub(super) interval: (f64, f64),
    /// Share of unseen networks that the interval is meant to cover.
    pub(super) nominal: f64,
}
