//! Whether two runs can be compared at all.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::Serialize;

use crate::{
    error::{Error, one_of},
    report::{AcrossTargets, Report},
    units::energy,
};

/// What a run is for that is not for several accelerators.
const ONE: &str = "one accelerator";

/// Something that has to be alike in both runs unless it is allowed to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Premise {
    /// The search space.
    Space,
    /// The estimators: device, measurements and fit.
    Estimator,
    /// The data type of weights and activations.
    Dtype,
    /// What every candidate keeps to.
    Requirement,
    /// The reference point of the hypervolume.
    Reference,
    /// What was measured on, where both were measured.
    Device,
    /// What told the energies, where both know them.
    Energy,
    /// What was minimised over which accelerators, where runs are for several.
    Across,
}

impl Premise {
    /// Names as they stand on the command line.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("space", Self::Space),
        ("estimator", Self::Estimator),
        ("dtype", Self::Dtype),
        ("requirement", Self::Requirement),
        ("reference", Self::Reference),
        ("device", Self::Device),
        ("energy", Self::Energy),
        ("across", Self::Across),
    ];

    /// What it is in `report`; empty where it is not known.
    fn of(self, report: &Report) -> String {
        match self {
            Self::Space => format!("{} ({})", report.space.name, report.space.hash),
            Self::Estimator => estimators(report),
            Self::Dtype => report.baseline.network.dtype().to_string(),
            Self::Requirement => report.requirement.clone(),
            Self::Reference => reference(&report.hypervolume_reference, report.across.is_some()),
            Self::Across => report.across.as_ref().map_or_else(|| ONE.to_owned(), AcrossTargets::definition),
            Self::Device => devices(report),
            Self::Energy => report
                .energy
                .as_ref()
                .map_or(String::new(), |model| format!("{} ({})", model.name, model.hash)),
        }
    }
}

impl fmt::Display for Premise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize].0)
    }
}

impl FromStr for Premise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let names = Self::NAMES.map(|(name, _)| name);
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, premise)| *premise)
            .ok_or_else(|| Error::unusable(format!("expected what may differ, {}", one_of(text, &names))))
    }
}

fn estimators(report: &Report) -> String {
    let named = |origin: &crate::report::Origin| format!("{} ({})", origin.name, origin.hash);
    let mut names: Vec<String> = report.estimators.iter().map(named).collect();
    names.sort();
    names.join(", ")
}

fn devices(report: &Report) -> String {
    let entries = report.front.iter().chain([&report.baseline]);
    let devices = entries.filter_map(|entry| entry.measured.as_ref()?.device.as_deref());
    let distinct: BTreeSet<&str> = devices.collect();
    distinct.into_iter().collect::<Vec<_>>().join(", ")
}

fn reference(point: &[f64], relative: bool) -> String {
    match point {
        [latency, score] if relative => format!("relative latency {latency:.3}, trainability {:.3}", -score),
        [latency_us, score] => format!("{:.3} ms, trainability {:.3}", latency_us / 1e3, -score),
        [latency_us, score, uj] => {
            format!("{:.3} ms, trainability {:.3}, {}", latency_us / 1e3, -score, energy(*uj))
        }
        values => values.iter().map(f64::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A premise that two runs do not share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub premise: Premise,
    /// What it is in BASE.
    pub base: String,
    /// What it is in NEW.
    pub new: String,
    /// Whether it may differ.
    pub allowed: bool,
    /// The two runs, where there are more than BASE and NEW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<[String; 2]>,
}

impl Difference {
    /// The same between runs with these names.
    pub(super) fn between(self, names: [String; 2]) -> Self {
        Self { runs: Some(names), ..self }
    }

    /// Whether runs can be compared in spite of it: a latency and a ratio of latencies cannot.
    pub(super) fn can_be_allowed(&self) -> bool {
        self.premise != Premise::Across || (self.base != ONE && self.new != ONE)
    }

    /// Whether `other` only goes back to what there was before this difference.
    pub(super) fn undoes(&self, other: &Self) -> bool {
        self.premise == other.premise && self.base == other.new && self.new == other.base
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [base, new] = self.runs.as_ref().map_or(["BASE", "NEW"], |[base, new]| [base, new]);
        write!(f, "{}: {} in {base}, {} in {new}", self.premise, self.base, self.new)
    }
}

/// Every premise that `base` and `new` do not share.
pub(super) fn differences(base: &Report, new: &Report, allowed: &[Premise]) -> Vec<Difference> {
    let difference = |premise: Premise| {
        let (base_has, new_has) = (premise.of(base), premise.of(new));
        // A search that found nothing has no reference point; that is a result and compares badly enough.
        let alike = same(premise, base, new) || base_has.is_empty() || new_has.is_empty();
        let allowed = allowed.contains(&premise);
        let mut difference = Difference { premise, base: base_has, new: new_has, allowed, runs: None };
        difference.allowed &= difference.can_be_allowed();
        (!alike).then_some(difference)
    };
    Premise::NAMES.iter().filter_map(|(_, premise)| difference(*premise)).collect()
}

fn same(premise: Premise, base: &Report, new: &Report) -> bool {
    match premise {
        // By hash: a space may be renamed.
        Premise::Space => base.space.hash == new.space.hash,
        // As numbers: what is printed is rounded.
        Premise::Reference => base.hypervolume_reference == new.hypervolume_reference,
        _ => premise.of(base) == premise.of(new),
    }
}
