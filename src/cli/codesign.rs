//! `nas search` for several chips: a search for each, and a table of what they reach.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, bail};
use nas::{
    energy::EnergyModel,
    estimator::{Estimator, Lanes},
    objective::{ArchitectureSearch, Targets},
    report::{ChipRow, CoDesign, Design, Entry, Origin},
    search::{Outcome, Termination},
    space::{Constraint, Space},
    trainability::trainability,
};

use super::{
    Status, interrupt,
    output::{self, Format},
    run_folder::{RunFolder, next_free, safe},
    search::{self, Args},
    targets,
};

/// The table's file in the run folder.
pub(super) const FILE: &str = "codesign.json";

/// One chip with the space as its lanes want it.
struct Chip {
    estimator: Estimator,
    space: Space,
    /// Limits on the latency on this chip alone.
    limits: Vec<Constraint>,
}

pub(super) fn run(args: &Args, files: &[PathBuf]) -> anyhow::Result<Status> {
    if !args.weight.is_empty() {
        bail!("--weight counts only with --across weighted");
    }
    let chips = files.iter().enumerate().map(|(number, path)| chip(args, number, path));
    let chips: Vec<Chip> = chips.collect::<anyhow::Result<_>>()?;
    check_names(&chips)?;
    let energy = search::energy(args)?;
    let threshold = highest_baseline(&chips)?;
    let folder = folder(args, &chips)?;
    let threads = search::threads(args)?;
    let stop = interrupt::flag()?;
    let mut rows = Vec::new();
    let mut unfinished = Vec::new();
    for chip in &chips {
        let name = chip.estimator.name();
        if stop.load(Ordering::Relaxed) {
            unfinished.push(name.to_owned());
            continue;
        }
        if !args.quiet {
            output::tell(format_args!("{name} ({} of {})", rows.len() + 1, chips.len()));
        }
        let row =
            threads.install(|| row(args, chip, energy.as_ref(), &folder.join(safe(name)), threshold, stop));
        let (row, termination) = row?;
        if termination == Termination::Cancelled {
            unfinished.push(name.to_owned());
        }
        rows.push(row);
    }
    let names = |chip: &Chip| chip.space.name().to_owned();
    let space = chips.first().map(names).unwrap_or_default();
    let table = CoDesign { unfinished, ..CoDesign::of(&space, args.seed, args.evaluations, threshold, rows) };
    table.save(&folder.join(FILE))?;
    output::print(&rendered(&table, args.format))?;
    let path = folder.display();
    if stop.load(Ordering::Relaxed) {
        output::tell(format_args!("\ninterrupted; go on with: {} --resume {path}", repeated(args)));
        return Ok(Status::Interrupted);
    }
    if !args.quiet {
        output::tell(format_args!("\nwrote {path}; the table again: nas report {path}"));
    }
    Ok(if table.winner.is_some() { Status::Done } else { Status::NothingFeasible })
}

pub(super) fn rendered(table: &CoDesign, format: Format) -> String {
    match format {
        Format::Text => table.text(),
        Format::Json => table.to_json(),
        Format::Md => table.markdown(),
    }
}

fn chip(args: &Args, number: usize, path: &Path) -> anyhow::Result<Chip> {
    let estimator = Estimator::load(path)?;
    let space = targets::space_for(&args.space, std::slice::from_ref(&estimator))?;
    // Estimators that are given replace those of the space, with their limits.
    let named = space.targets().filter(|_| args.estimator.is_empty());
    let own = named.and_then(|targets| targets.list.get(number));
    let limits = own.map_or(Vec::new(), |own| own.limits.clone());
    Ok(Chip { estimator, space, limits })
}

/// Names become folders.
fn check_names(chips: &[Chip]) -> anyhow::Result<()> {
    for (index, chip) in chips.iter().enumerate() {
        let name = safe(chip.estimator.name());
        if chips[..index].iter().any(|other| safe(other.estimator.name()) == name) {
            bail!(
                "two estimators are called {name}, which is what their folders would be called; give one \
                 another name with nas fit --name"
            );
        }
        if name.chars().all(|c| c == '.') {
            bail!("no folder can be called {name}; give the estimator another name with nas fit --name");
        }
    }
    Ok(())
}

/// One threshold for all, so that no chip has a baseline that is easier to beat.
fn highest_baseline(chips: &[Chip]) -> anyhow::Result<f64> {
    let score = |chip: &Chip| Ok(trainability(&chip.space.network(&chip.space.baseline().0)?).score);
    let scores: Vec<f64> = chips.iter().map(score).collect::<nas::error::Result<_>>()?;
    Ok(scores.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// The folder above the chips' run folders.
fn folder(args: &Args, chips: &[Chip]) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &args.resume {
        if !folder.is_dir() {
            bail!("{} is no run folder to resume from; start without --resume", folder.display());
        }
        return Ok(folder.clone());
    }
    let space = chips.first().map_or("", |chip| chip.space.name());
    let folder = args.out.clone().unwrap_or_else(|| next_free(space));
    for file in [FILE, "report.json", "checkpoint.json"].map(|file| folder.join(file)) {
        if file.exists() && !args.force {
            bail!(
                "{} already holds a search; choose another --out, go on with --resume {0}, or --force to \
                 replace it",
                folder.display()
            );
        }
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let table = folder.join(FILE);
    if table.exists() {
        std::fs::remove_file(&table).with_context(|| format!("cannot remove {}", table.display()))?;
    }
    Ok(folder)
}

/// The search for one chip, exactly as it would be for this chip alone.
fn row(
    args: &Args,
    chip: &Chip,
    energy: Option<&EnergyModel>,
    folder: &Path,
    threshold: f64,
    stop: &AtomicBool,
) -> anyhow::Result<(ChipRow, Termination)> {
    let Chip { estimator, space, limits } = chip;
    let targets = Targets::one_within(estimator, limits.clone());
    let problem = search::problem(args, space, targets, energy)?;
    // A chip that an interruption left out starts from the beginning.
    let resume = args.resume.is_some() && folder.join("checkpoint.json").exists();
    let run = match resume {
        true => RunFolder::open(folder)?,
        false => RunFolder::create(Some(folder), space.name(), args.force || args.resume.is_some())?,
    };
    let (report, outcome) = search::searched_and_saved(args, &problem, &run, resume, stop)?;
    let best = best(&problem, space, estimator, &outcome, threshold)?;
    let ms = report.baseline.latency_ms;
    let Lanes { input, output } = estimator.lanes();
    let row = ChipRow {
        estimator: Origin { name: estimator.name().into(), hash: estimator.hash().into() },
        lanes: [input, output],
        parallelism: space.parallelism(),
        space_hash: space.hash().into(),
        baseline: Design::of(&report.baseline),
        latency_reduction_pct: best.as_ref().map(|best| 100.0 * (1.0 - best.latency_ms / ms)),
        best: best.as_ref().map(Design::of),
    };
    Ok((row, outcome.termination))
}

/// The fastest of the front that reaches the threshold.
fn best(
    problem: &ArchitectureSearch<'_>,
    space: &Space,
    estimator: &Estimator,
    outcome: &Outcome,
    threshold: f64,
) -> anyhow::Result<Option<Entry>> {
    // Sums in a different order may differ in the last bits.
    let enough = threshold - 1e-9 * threshold.abs();
    let Some(candidate) = outcome.front.iter().find(|candidate| -candidate.objectives[1] >= enough) else {
        return Ok(None);
    };
    let genes = problem.full(&candidate.genotype.0);
    let network = space.network(&genes.0)?;
    let (estimate, score) = (estimator.estimate(&network), trainability(&network));
    let entry = Entry::of(network, &estimate, &score);
    Ok(Some(Entry { id: space.architecture_id(&genes.0), ..entry }))
}

/// The command that a resumed search has to repeat.
fn repeated(args: &Args) -> String {
    let estimators: String = args.estimator.iter().map(|path| format!(" -e {}", path.display())).collect();
    format!("nas search {}{estimators}{}", args.space.display(), search::repeated(args))
}
