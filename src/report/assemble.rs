//! From the outcome of a search to its report.

use std::{fmt::Write, sync::atomic::AtomicBool};

use super::{
    AblationRow, ConvergenceRow, EnergyOrigin, Entry, ExactGap, Origin, Report, SCHEMA, entry::rounded,
};
use crate::{
    energy::EnergyModel,
    error::Result,
    estimator::Estimator,
    objective::{ABLATION, ArchitectureSearch, Goal, SearchOptions, requirement},
    search::{
        Algorithm, Budget, Candidate, Executor, Objectives, Outcome, Problem, Termination, pareto::gap,
    },
    space::Space,
    trainability::trainability,
};

/// How the search was run, and how much of its front to report.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The search algorithm.
    pub algorithm: Algorithm,
    /// The seed of all random numbers.
    pub seed: u64,
    /// At most this many entries of the front.
    pub front: usize,
}

impl Report {
    /// Reports `outcome`.
    ///
    /// # Errors
    /// A genotype of the outcome is not one of the space.
    pub fn of(
        space: &Space,
        estimator: &Estimator,
        search: &ArchitectureSearch<'_>,
        outcome: &Outcome,
        settings: &Settings,
        ablation: Vec<AblationRow>,
    ) -> Result<Self> {
        let entry = |genes: &[u8]| entry(space, estimator, search.energy(), genes);
        let baseline = entry(&space.baseline().0)?;
        let front: Result<Vec<Entry>> = representatives(search, outcome, settings.front)
            .into_iter()
            .map(|candidate| Ok(entry(&search.full(&candidate.genotype.0).0)?.against(baseline.latency_ms)))
            .collect();
        let front = front?;
        let convergence = outcome.convergence.iter().map(|point| ConvergenceRow {
            evaluations: point.evaluations,
            hypervolume: rounded(point.hypervolume),
        });
        Ok(Self {
            schema: SCHEMA.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            space: Origin { name: space.name().into(), hash: space.hash().into() },
            parallelism: Some(space.parallelism()),
            estimators: vec![Origin { name: estimator.name().into(), hash: estimator.hash().into() }],
            provenance: estimator.provenance().into(),
            energy: search.energy().map(EnergyOrigin::of),
            fleet: None,
            goal: (search.goal() != Goal::default()).then(|| search.goal().name().into()),
            algorithm: settings.algorithm.to_string(),
            seed: settings.seed,
            free: search.free_kinds().map(|kinds| kinds.iter().map(ToString::to_string).collect()),
            evaluations: outcome.evaluations,
            termination: outcome.termination.to_string(),
            requirement: requirement(search.constraints()),
            baseline,
            chosen: (!front.is_empty()).then_some(0),
            front,
            front_size: outcome.front.len(),
            ablation,
            gap: None,
            convergence: convergence.collect(),
            hypervolume_reference: outcome.reference.map_or(Vec::new(), |point| point.to_vec()),
        })
    }
}

fn entry(space: &Space, estimator: &Estimator, energy: Option<&EnergyModel>, genes: &[u8]) -> Result<Entry> {
    let architecture = space.architecture(genes);
    let network = architecture.network(&space.architecture_id(genes))?;
    let (estimate, score) = (estimator.estimate(&network), trainability(&network));
    let energy = energy.map(|model| model.estimate(&network, estimator).map(|found| (model, found)));
    let energy = energy.transpose()?;
    let mut entry = Entry::of(network, &estimate, &score);
    if let Some((model, estimate)) = energy {
        entry = entry.with_energy(model, &estimate);
    }
    entry.genotype = genes.to_vec();
    entry.blocks = architecture.lines();
    Ok(entry)
}

/// At most `count` of the front, evenly spread: from the fastest to the last that is not slower
/// than the baseline, or of the whole front if all are slower. Where energy is minimised, the one with the least of
/// the whole front is among them.
fn representatives<'o>(
    search: &ArchitectureSearch<'_>,
    outcome: &'o Outcome,
    count: usize,
) -> Vec<&'o Candidate> {
    let baseline = search.baseline().latency_us;
    let faster = outcome.front.iter().take_while(|candidate| candidate.objectives[0] <= baseline).count();
    let pool = if faster > 0 { &outcome.front[..faster] } else { &outcome.front[..] };
    let last = pool.len().saturating_sub(1);
    let mut picked: Vec<usize> = match pool.len() <= count {
        true => (0..pool.len()).collect(),
        false => (0..count).map(|step| step * last / (count - 1).max(1)).collect(),
    };
    if let Some(least) = least_energy(&outcome.front).filter(|least| !picked.contains(least)) {
        let place = picked.partition_point(|index| *index < least);
        if picked.len() >= count && count > 1 {
            // In the place of its neighbour, but never of the fastest.
            picked.remove(place.clamp(1, picked.len() - 1));
        }
        if picked.len() < count {
            picked.insert(place.min(picked.len()), least);
        }
    }
    picked.into_iter().map(|index| &outcome.front[index]).collect()
}

/// The one with the least energy, where that is minimised.
fn least_energy(pool: &[Candidate]) -> Option<usize> {
    let energies = pool.iter().enumerate().filter_map(|(index, one)| Some((index, *one.objectives.get(2)?)));
    energies.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
}

/// The whole front as CSV: id, objectives, energy where it is known, and genotype.
#[must_use]
pub fn front_csv(space: &Space, search: &ArchitectureSearch<'_>, outcome: &Outcome) -> String {
    let energy = if search.energy().is_some() { "energy_uj," } else { "" };
    let mut csv = format!("id,latency_ms,trainability,{energy}genotype\n");
    for candidate in &outcome.front {
        let genotype = search.full(&candidate.genotype.0);
        let genes: Vec<String> = genotype.0.iter().map(u8::to_string).collect();
        let (latency, score) = (candidate.objectives[0] / 1e3, -candidate.objectives[1]);
        // A member of the front has been scored before.
        let energy = search.metrics(&candidate.genotype.0).ok().and_then(|metrics| metrics.energy_uj);
        // Writing to a string cannot fail.
        let _ = writeln!(
            csv,
            "{},{},{},{}{}",
            space.architecture_id(&genotype.0),
            rounded(latency),
            rounded(score),
            energy.map_or(String::new(), |uj| format!("{},", rounded(uj))),
            genes.join(" ")
        );
    }
    csv
}

/// What single kinds of gene achieve within the requirement, and `all` beside them, where the search was `asked` for
/// with these options; empty if cancelled.
///
/// # Errors
/// As [`Executor::run`].
pub fn ablate(
    space: &Space,
    estimator: &Estimator,
    asked: &SearchOptions<'_>,
    all: &Outcome,
    seed: u64,
    budget: Budget,
    cancel: &AtomicBool,
) -> Result<Vec<AblationRow>> {
    let options = |free| SearchOptions { free, ..asked.clone() };
    let whole = ArchitectureSearch::with(space, estimator, options(None))?;
    let baseline = Candidate {
        genotype: space.baseline().clone(),
        objectives: whole.evaluate(&space.baseline().0).objectives,
        violation: 0.0,
    };
    let mut rows = vec![row("baseline", &whole, space, Some(&baseline))];
    for (name, kinds) in ABLATION {
        let search = ArchitectureSearch::with(space, estimator, options(Some(kinds.to_vec())))?;
        if search.genes().is_empty() {
            rows.push(row(name, &whole, space, Some(&baseline)));
            continue;
        }
        let outcome = Executor::new(&search).seed(seed).budget(budget).cancel(cancel).run()?;
        if outcome.termination == Termination::Cancelled {
            return Ok(Vec::new());
        }
        let exact = outcome.termination == Termination::Exhausted;
        rows.push(AblationRow { exact, ..row(name, &search, space, outcome.front.first()) });
    }
    rows.push(row("all genes", &whole, space, all.front.first()));
    Ok(rows)
}

fn row(name: &str, search: &ArchitectureSearch<'_>, space: &Space, best: Option<&Candidate>) -> AblationRow {
    let ratio = |candidate: &Candidate| candidate.objectives[0] / search.baseline().latency_us;
    AblationRow {
        name: name.to_owned(),
        latency_ms: best.map(|candidate| rounded(candidate.objectives[0] / 1e3)),
        latency_reduction_pct: best.map(|candidate| rounded(100.0 * (1.0 - ratio(candidate)))),
        id: best.map(|candidate| space.architecture_id(&search.full(&candidate.genotype.0).0)),
        exact: false,
    }
}

/// How far what was `found` is from the exact front, for which every architecture is scored; none if cancelled.
///
/// # Errors
/// There are more architectures than `limit`.
pub fn exact_gap(
    search: &ArchitectureSearch<'_>,
    found: &Outcome,
    limit: u64,
    cancel: &AtomicBool,
) -> Result<Option<ExactGap>> {
    let exact = Executor::new(search).algorithm(Algorithm::Exact).budget(Budget::evaluations(limit));
    let exact = exact.cancel(cancel).run()?;
    let (Termination::Exhausted, Some(reference)) = (exact.termination, exact.reference) else {
        return Ok(None);
    };
    let points =
        |outcome: &Outcome| outcome.front.iter().map(|one| one.objectives).collect::<Vec<Objectives>>();
    let (found, best) = (points(found), points(&exact));
    let (Some(least), Some(fastest)) = (found.first(), best.first()) else { return Ok(None) };
    let share = gap(&found, &best, &reference).hypervolume_share;
    Ok(Some(ExactGap {
        architectures: exact.evaluations,
        latency_pct: rounded(100.0 * (least[0] / fastest[0] - 1.0)),
        hypervolume_pct: rounded(100.0 * share),
    }))
}
