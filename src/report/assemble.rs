//! From the outcome of a search to its report.

use std::{fmt::Write, sync::atomic::AtomicBool};

use super::{
    AblationRow, AcrossTargets, ConvergenceRow, EnergyOrigin, Entry, ExactGap, Origin, Report, SCHEMA,
    TargetLatency, dtype, entry::rounded,
};
use crate::{
    error::{Error, Result},
    estimator::NetworkEstimate,
    objective::{ABLATION, ArchitectureSearch, Goal, Latencies, Target},
    search::{
        Algorithm, Budget, Candidate, Evaluation, Executor, Objectives, Outcome, Problem, Termination,
        pareto::{gap, hypervolume},
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
        search: &ArchitectureSearch<'_>,
        outcome: &Outcome,
        settings: &Settings,
        ablation: Vec<AblationRow>,
    ) -> Result<Self> {
        let space = search.space();
        let baseline = entry(search, &space.baseline().0)?;
        let front: Result<Vec<Entry>> = representatives(search, outcome, settings.front)
            .into_iter()
            .map(|candidate| Ok(entry(search, &search.full(&candidate.genotype.0).0)?.against_all(&baseline)))
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
            estimators: search.targets().list().iter().map(origin).collect(),
            across: AcrossTargets::of(search),
            provenance: provenance(search),
            energy: search.energy().map(EnergyOrigin::of),
            fleet: None,
            goal: (search.goal() != Goal::default()).then(|| search.goal().name().into()),
            algorithm: settings.algorithm.to_string(),
            seed: settings.seed,
            free: search.free_kinds().map(|kinds| kinds.iter().map(ToString::to_string).collect()),
            dtypes: dtype::free(search),
            evaluations: outcome.evaluations,
            termination: outcome.termination.to_string(),
            requirement: search.requirement(),
            baseline,
            chosen: (!front.is_empty()).then_some(0),
            front,
            front_size: outcome.front.len(),
            ablation,
            accuracy_tolerance: None,
            gap: None,
            bound: None,
            convergence: convergence.collect(),
            hypervolume_reference: outcome.reference.map_or(Vec::new(), |point| point.to_vec()),
        })
    }
}

fn origin(target: &Target<'_>) -> Origin {
    Origin { name: target.estimator.name().into(), hash: target.estimator.hash().into() }
}

/// Where the measurements come from, each source once.
fn provenance(search: &ArchitectureSearch<'_>) -> String {
    let mut sources: Vec<&str> = Vec::new();
    for source in search.targets().list().iter().map(|target| target.estimator.provenance()) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources.join("; ")
}

/// The entry of a genotype of the space.
fn entry(search: &ArchitectureSearch<'_>, genes: &[u8]) -> Result<Entry> {
    let space = search.space();
    let architecture = space.architecture(genes);
    let network = architecture.network(&space.architecture_id(genes))?;
    let targets = search.targets();
    let estimates: Vec<NetworkEstimate> =
        targets.list().iter().map(|target| target.estimator.estimate(&network)).collect();
    let Some((target, estimate)) = targets.list().iter().zip(&estimates).next() else {
        return Err(Error::unusable("no estimator to report with; give one"));
    };
    let score = trainability(&network);
    let energy =
        search.energy().map(|model| model.estimate(&network, target.estimator).map(|found| (model, found)));
    let energy = energy.transpose()?;
    let mut entry = Entry::of(network, estimate, &score);
    if let Some((model, estimate)) = energy {
        entry = entry.with_energy(model, &estimate);
    }
    if targets.are_several() {
        let named = targets.list().iter().zip(&estimates);
        entry.latencies = named.map(|(target, estimate)| TargetLatency::of(&target.name, estimate)).collect();
        let latencies = Latencies::of(estimates.iter().map(|estimate| estimate.latency_us));
        entry.relative_latency = Some(rounded(search.latency_of(&latencies)));
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
    let baseline = search.latency(search.baseline());
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

/// The whole front as CSV: id, objectives, energy where it is known, number format where it is a gene, and genotype; where the search was for several
/// accelerators, the latency on each as well, the first of which is `latency_ms`.
#[must_use]
pub fn front_csv(space: &Space, search: &ArchitectureSearch<'_>, outcome: &Outcome) -> String {
    let several = search.targets().are_several();
    let energy = if search.energy().is_some() { "energy_uj," } else { "" };
    let names = search.targets().names();
    let on: String = match several {
        true => names.iter().map(|name| format!("latency_ms[{name}],")).collect(),
        false => String::new(),
    };
    let relative = if several { "relative_latency," } else { "" };
    let formats = space.dtypes().len() > 1;
    let dtype = if formats { "dtype," } else { "" };
    let mut csv = format!("id,{relative}latency_ms,{on}trainability,{energy}{dtype}genotype\n");
    for candidate in &outcome.front {
        let genotype = search.full(&candidate.genotype.0);
        let genes: Vec<String> = genotype.0.iter().map(u8::to_string).collect();
        // A member of the front has been scored before.
        let Ok(metrics) = search.metrics(&candidate.genotype.0) else { continue };
        let number = |value: f64| format!("{},", rounded(value));
        let relative = if several { number(candidate.objectives[0]) } else { String::new() };
        let on: String = match several {
            true => metrics.latencies.as_slice().iter().map(|us| number(us / 1e3)).collect(),
            false => String::new(),
        };
        let dtype = if formats { format!("{},", space.dtype(&genotype.0)) } else { String::new() };
        // Writing to a string cannot fail.
        let _ = writeln!(
            csv,
            "{},{relative}{}{on}{}{}{dtype}{}",
            space.architecture_id(&genotype.0),
            number(metrics.latency_us / 1e3),
            number(-candidate.objectives[1]),
            metrics.energy_uj.map_or(String::new(), number),
            genes.join(" ")
        );
    }
    csv
}

/// What single kinds of gene achieve within the requirement, and `all` beside them, which `asked` gave; empty if
/// cancelled.
///
/// # Errors
/// As [`Executor::run`].
pub fn ablate(
    asked: &ArchitectureSearch<'_>,
    all: &Outcome,
    seed: u64,
    budget: Budget,
    cancel: &AtomicBool,
) -> Result<Vec<AblationRow>> {
    let whole = asked.freeing(None)?;
    let genotype = asked.space().baseline().clone();
    let objectives = whole.evaluate(&genotype.0).objectives;
    let baseline = Candidate::new(genotype, Evaluation::feasible(objectives));
    let mut rows = vec![row("baseline", &whole, Some(&baseline))];
    for (name, kinds) in ABLATION {
        let search = whole.freeing(Some(kinds.to_vec()))?;
        if search.genes().is_empty() {
            rows.push(row(name, &whole, Some(&baseline)));
            continue;
        }
        let outcome = Executor::new(&search).seed(seed).budget(budget).cancel(cancel).run()?;
        if outcome.termination == Termination::Cancelled {
            return Ok(Vec::new());
        }
        let exact = outcome.termination == Termination::Exhausted;
        rows.push(AblationRow { exact, ..row(name, &search, outcome.front.first()) });
    }
    rows.push(row("all genes", asked, all.front.first()));
    Ok(rows)
}

fn row(name: &str, search: &ArchitectureSearch<'_>, best: Option<&Candidate>) -> AblationRow {
    let several = search.targets().are_several();
    let latency = |candidate: &Candidate| candidate.objectives[0];
    let ratio = |candidate: &Candidate| latency(candidate) / search.latency(search.baseline());
    AblationRow {
        name: name.to_owned(),
        latency_ms: best.filter(|_| !several).map(|candidate| rounded(latency(candidate) / 1e3)),
        relative_latency: best.filter(|_| several).map(|candidate| rounded(latency(candidate))),
        latency_reduction_pct: best.map(|candidate| rounded(100.0 * (1.0 - ratio(candidate)))),
        id: best.map(|candidate| search.space().architecture_id(&search.full(&candidate.genotype.0).0)),
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
        hypervolume: Some(rounded(hypervolume(&best, &reference))),
    }))
}
