//! What no architecture of a space is faster than, as a report tells it.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use super::entry::rounded;
use crate::{
    error::Result,
    objective::{ArchitectureSearch, FrontBound, Level},
    search::{Candidate, Objectives, Outcome, pareto::hypervolume},
    space::Genotype,
};

/// Scores at which a front is bounded, beside that of its fastest member.
const LEVELS: u32 = 8;
/// Scores at which bounds are told.
const TOLD: usize = 65;
/// Steps of the score between two of these, where volumes are compared.
const FINER: u32 = 8;

/// What no architecture that meets the requirement is faster than, if no part costs less than in any network that was
/// priced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The latency.
    pub latency_ms: f64,
    /// By how much the least latency found exceeds it; the best one does so by no more.
    pub latency_pct: f64,
    /// Whether there is no region left that could hold something better.
    pub closed: bool,
    /// The same at all scores; absent where none is required, and in reports of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front: Option<FrontGap>,
    /// Networks that were priced to know what parts cost.
    pub networks: u64,
    /// Networks that came up on the way, the best among them, and were priced to try that.
    pub tried: u64,
    /// By how much the cheapest of these was cheaper than its parts; the bounds are that much lower.
    pub surprise_pct: f64,
    /// Regions that the space was divided into, for all scores together.
    pub regions: u64,
}

/// How far a front is from what is possible at the same score, as far as it is no slower than the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontGap {
    /// By how much the latencies of its members exceed the bounds at their scores, in the median.
    pub median_pct: f64,
    /// By how much that of any member does at the most.
    pub most_pct: f64,
    /// The share that it dominates of all that could be dominated, counted from its largest latency and the score that is
    /// required; absent if bounds do not reach that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervolume_pct: Option<f64>,
    /// What no architecture is faster than, at one score after another from what is required up.
    pub bounds: Vec<BoundAt>,
}

/// What no architecture that meets the requirement and scores as much is faster than.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundAt {
    /// The trainability.
    pub trainability: f64,
    /// The latency.
    pub latency_ms: f64,
}

/// What no architecture is faster than, at one score after another; none if cancelled or if nothing was found. What is met on
/// the way and is better than what was found joins it. About `regions` regions of the space are looked at for the least latency.
///
/// # Errors
/// As [`ArchitectureSearch::bound`].
pub fn front_bound(
    search: &ArchitectureSearch<'_>,
    found: &mut Outcome,
    regions: u64,
    cancel: &AtomicBool,
) -> Result<Option<Bound>> {
    let levels = levels(search, &found.front);
    let designs: Vec<Genotype> = found.front.iter().map(|member| member.genotype.clone()).collect();
    let Some(mut bound) = search.bound(&levels, &designs, regions, cancel)? else { return Ok(None) };
    found.take_in(std::mem::take(&mut bound.better));
    let levels = &bound.levels;
    let least = &levels[0];
    Ok(Some(Bound {
        latency_ms: rounded(least.latency_us / 1e3),
        latency_pct: rounded(above_pct(least.known_us, least.latency_us)),
        closed: least.closed,
        front: FrontGap::of(&bound, &found.front, search.latency(search.baseline())),
        networks: bound.networks,
        tried: levels.iter().map(|level| level.met).sum(),
        surprise_pct: rounded(100.0 * bound.surprise),
        regions: levels.iter().map(|level| level.regions).sum(),
    }))
}

fn above_pct(found_us: f64, bound_us: f64) -> f64 {
    100.0 * (found_us / bound_us - 1.0)
}

fn score(member: &Candidate) -> f64 {
    -member.objectives[1]
}

impl FrontGap {
    /// None if nothing is required of the score, or if a third goal trades with both.
    fn of(bound: &FrontBound, front: &[Candidate], baseline_us: f64) -> Option<Self> {
        let least = bound.levels.first()?.score?;
        let members: Vec<&Candidate> = front.iter().filter(|one| one.objectives[0] <= baseline_us).collect();
        if members.iter().any(|member| member.objectives.len() > 2) {
            return None;
        }
        let gap = |member: &&Candidate| above_pct(member.objectives[0], bound.us_at(score(member)));
        let mut gaps: Vec<f64> = members.iter().map(gap).collect();
        gaps.sort_by(f64::total_cmp);
        let step = (score(members.last()?) - least) / (TOLD - 1) as f64;
        let at = |index: usize| {
            let score = least + step * index as f64;
            BoundAt { trainability: rounded(score), latency_ms: rounded(bound.us_at(score) / 1e3) }
        };
        Some(Self {
            median_pct: rounded(gaps[gaps.len() / 2]),
            most_pct: rounded(*gaps.last()?),
            hypervolume_pct: share(bound, &members, least, step / f64::from(FINER))
                .map(|share| rounded(100.0 * share)),
            bounds: (0..TOLD).map(at).collect(),
        })
    }
}

/// The share of what could be dominated that these dominate, up to the slowest one's latency and the least score; none if the
/// bounds do not reach that latency.
fn share(bound: &FrontBound, members: &[&Candidate], least: f64, step: f64) -> Option<f64> {
    let most_us = members.last()?.objectives[0];
    let most_steps = 4 * FINER as usize * TOLD;
    // Up to the next score nothing is faster than at this one.
    let corner = |index: usize| {
        let score = least + step * index as f64;
        Objectives::from([bound.us_at(score), -(score + step)])
    };
    let corners: Vec<Objectives> =
        (0..most_steps).map(corner).take_while(|corner| corner[0] < most_us).collect();
    if step <= 0.0 || members.len() < 2 || corners.len() == most_steps {
        return None;
    }
    let members: Vec<Objectives> = members.iter().map(|member| member.objectives).collect();
    let reference = Objectives::from([most_us, -least]);
    Some(hypervolume(&members, &reference) / hypervolume(&corners, &reference))
}

/// The levels at which a front, the fastest first, is bounded: what is required, and the best scores to be had where the latency has
/// grown by equal factors, up to the baseline's.
fn levels(search: &ArchitectureSearch<'_>, front: &[Candidate]) -> Vec<Level> {
    let (Some(first), Some(last)) = (front.first(), front.last()) else { return Vec::new() };
    let (least, most) = (first.objectives[0], last.objectives[0].min(search.latency(search.baseline())));
    let mut levels = vec![Level { score: None, known_us: least }];
    let mut highest = score(first);
    for step in 1..=LEVELS {
        let within = least * (most / least).powf(f64::from(step) / f64::from(LEVELS));
        let within = front.iter().filter(|member| member.objectives[0] <= within * (1.0 + 1e-9));
        let best = within.map(score).fold(highest, f64::max);
        let fastest = front.iter().find(|member| score(member) >= best);
        if let Some(fastest) = fastest.filter(|_| best > highest) {
            levels.push(Level { score: Some(best), known_us: fastest.objectives[0] });
            highest = best;
        }
    }
    levels
}
