//! Two Pareto fronts against each other.

use std::collections::HashSet;

use serde::Serialize;

use super::quantity::percent;
use crate::{
    report::{FrontPoint, Run, entry::rounded},
    search::{Objectives, pareto},
};

/// At most this many scores at which the fronts are compared.
const LEVELS: usize = 6;
/// Members that are shown of those gained, and of those lost.
const SHOWN: usize = 5;

/// How the front of NEW differs from that of BASE.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrontComparison {
    /// What was compared: whole fronts, or the entries of the reports where a front.csv is missing.
    pub of: &'static str,
    /// Whether latencies are relative ones, of runs for several accelerators: ratios in the place of milliseconds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub relative: bool,
    /// Architectures on each front.
    pub sizes: [usize; 2],
    /// On both fronts.
    pub kept: usize,
    /// Ids on the front of NEW only.
    pub gained: Vec<String>,
    /// Ids on the front of BASE only.
    pub lost: Vec<String>,
    /// The fastest of those gained, and of those lost.
    pub members: Vec<MemberChange>,
    /// How many of BASE's front some architecture of NEW dominates.
    pub base_dominated: usize,
    /// How many of NEW's front some architecture of BASE dominates.
    pub new_dominated: usize,
    /// The reference point of both hypervolumes: microseconds, negated trainability.
    pub reference: Vec<f64>,
    /// The hypervolumes; absent without a reference point.
    pub hypervolumes: Option<[f64; 2]>,
    /// The least latency of each at some scores of BASE.
    pub at_equal_score: Vec<EqualScore>,
}

/// An architecture that is on one front only.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberChange {
    /// Its id.
    pub id: String,
    /// Whether it is on the front of NEW; on that of BASE otherwise.
    pub gained: bool,
    /// Its latency; the relative one of runs for several accelerators.
    pub latency_ms: f64,
    /// Its score.
    pub trainability: f64,
    /// How many of the other front it dominates.
    pub dominates: usize,
    /// How many of the other front dominate it.
    pub dominated_by: usize,
}

/// The least latency of both fronts at no less than one score; relative ones of runs for several accelerators.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EqualScore {
    /// The score.
    pub trainability: f64,
    /// BASE's least latency.
    pub base_ms: Option<f64>,
    /// NEW's least latency.
    pub new_ms: Option<f64>,
    /// The change in percent.
    pub change_pct: Option<f64>,
}

impl FrontComparison {
    pub(super) fn of(base: &Run, new: &Run) -> Self {
        let whole = base.front.is_some() && new.front.is_some();
        let (old, now) = (points(base, whole), points(new, whole));
        let (old_ids, now_ids) = (ids(&old), ids(&now));
        let reference = reference(base, new);
        let objectives = |points: &[FrontPoint]| objectives(points, reference.len());
        let (old_points, now_points) = (objectives(&old), objectives(&now));
        Self {
            of: extent(whole),
            relative: new.report.across.is_some(),
            sizes: [old.len(), now.len()],
            kept: old_ids.intersection(&now_ids).count(),
            gained: only(&now, &old_ids),
            lost: only(&old, &now_ids),
            members: [
                members((&now, &now_points), (&old, &old_points), true),
                members((&old, &old_points), (&now, &now_points), false),
            ]
            .concat(),
            base_dominated: dominated(&old_points, &now_points),
            new_dominated: dominated(&now_points, &old_points),
            hypervolumes: hypervolume(&old, &reference)
                .zip(hypervolume(&now, &reference))
                .map(<[f64; 2]>::from),
            reference,
            at_equal_score: levels(base).iter().map(|level| equal_score(*level, &old, &now)).collect(),
        }
    }
}

/// What was compared, in words.
pub(super) fn extent(whole: bool) -> &'static str {
    if whole { "whole fronts" } else { "entries of the reports" }
}

/// The whole front of `run`, or the entries of its report.
pub(super) fn points(run: &Run, whole: bool) -> Vec<FrontPoint> {
    if whole { run.points() } else { run.reported() }
}

/// The reference point of BASE, or of NEW if BASE found nothing and thus has none.
fn reference(base: &Run, new: &Run) -> Vec<f64> {
    let of = |run: &Run| run.report.hypervolume_reference.clone();
    if of(base).is_empty() { of(new) } else { of(base) }
}

fn ids(points: &[FrontPoint]) -> HashSet<&str> {
    points.iter().map(|point| point.id.as_str()).collect()
}

fn only(points: &[FrontPoint], others: &HashSet<&str>) -> Vec<String> {
    let missing = points.iter().filter(|point| !others.contains(point.id.as_str()));
    missing.map(|point| point.id.clone()).collect()
}

/// The fastest of `points` that are not among `others`.
fn members(
    (points, own): (&[FrontPoint], &[Objectives]),
    (others, rivals): (&[FrontPoint], &[Objectives]),
    gained: bool,
) -> Vec<MemberChange> {
    let known = ids(others);
    let mut alone: Vec<(&FrontPoint, &Objectives)> =
        points.iter().zip(own).filter(|(point, _)| !known.contains(point.id.as_str())).collect();
    alone.sort_by(|a, b| a.0.cost().total_cmp(&b.0.cost()));
    let change = |(point, own): &(&FrontPoint, &Objectives)| MemberChange {
        id: point.id.clone(),
        gained,
        latency_ms: point.cost(),
        trainability: point.trainability,
        dominates: rivals.iter().filter(|rival| own.dominates(rival)).count(),
        dominated_by: rivals.iter().filter(|rival| rival.dominates(own)).count(),
    };
    alone.iter().take(SHOWN).map(change).collect()
}

/// As the search minimises them: microseconds or the relative latency, negated trainability, and microjoules if that makes `count`. An energy
/// that is not known is worse than any.
fn objectives(points: &[FrontPoint], count: usize) -> Vec<Objectives> {
    let objective = |point: &FrontPoint| {
        let latency = point.relative_latency.unwrap_or(1e3 * point.latency_ms);
        let two = [latency, -point.trainability];
        match count {
            3 => Objectives::from([two[0], two[1], point.energy_uj.unwrap_or(f64::INFINITY)]),
            _ => Objectives::from(two),
        }
    };
    points.iter().map(objective).collect()
}

fn dominated(points: &[Objectives], rivals: &[Objectives]) -> usize {
    points.iter().filter(|point| rivals.iter().any(|rival| rival.dominates(point))).count()
}

/// The hypervolume of `points`; none without a reference point.
pub(super) fn hypervolume(points: &[FrontPoint], reference: &[f64]) -> Option<f64> {
    let reference: Objectives = matches!(reference.len(), 2 | 3).then(|| reference.into())?;
    Some(rounded(pareto::hypervolume(&objectives(points, reference.len()), &reference)))
}

/// The baseline's score, and some of BASE's front.
fn levels(base: &Run) -> Vec<f64> {
    let entries = &base.report.front;
    let picked = (LEVELS - 1).min(entries.len());
    let spread = |step: usize| entries[step * (entries.len() - 1) / (picked - 1).max(1)].trainability;
    let mut levels = vec![base.report.baseline.trainability];
    levels.extend((0..picked).map(spread));
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    levels
}

fn equal_score(trainability: f64, base: &[FrontPoint], new: &[FrontPoint]) -> EqualScore {
    let least = |points: &[FrontPoint]| {
        let enough = points.iter().filter(|point| point.trainability >= trainability);
        enough.map(FrontPoint::cost).min_by(f64::total_cmp)
    };
    let (base_ms, new_ms) = (least(base), least(new));
    let change_pct = base_ms.zip(new_ms).map(|(base, new)| rounded(percent(base, new)));
    EqualScore { trainability, base_ms, new_ms, change_pct }
}
