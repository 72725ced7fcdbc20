//! `nas search`: the main job.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use nas::{
    energy::EnergyModel,
    objective::{ArchitectureSearch, Goal, SearchOptions, Targets},
    report::{
        AblationRow, Bound, ExactGap, Report, Settings, ablate, exact_gap, front_bound, front_csv,
        report_markdown,
    },
    search::{Algorithm, Budget, Executor, Outcome, Termination, is_countable},
    space::{GeneKind, Space, Target},
};

use super::{
    Status, codesign, interrupt,
    output::{self, Format},
    progress::Reporter,
    report::rendered,
    run_folder::RunFolder,
    targets::{self, Over, weight},
};

/// The regions that a space is divided into where there are too many architectures to score them all.
const REGIONS: u64 = 1000;
/// The most architectures that are scored to know the exact front.
const MOST_EXACT: u64 = 1 << 24;

/// Search a space for the architecture with the least latency at no less expected accuracy.
///
/// Writes a run folder with report.json, report.md, front.csv, checkpoint.json and copies of the space
/// and the estimator.
/// With several estimators, one search for each chip in a folder of its own, and codesign.json: what each chip
/// reaches at the same trainability. With --across worst or weighted, or where the space names several, one search for an
/// architecture that is good on all of them.
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(super) struct Args {
    /// The space file (nas.space/1).
    pub(super) space: PathBuf,
    /// The estimator of the accelerator (nas.estimator/1); by default the one that the space names, or all that it
    /// names. Give it several times to compare chips, or with --across to search for all of them at once.
    #[arg(long, short, value_name = "EST")]
    pub(super) estimator: Vec<PathBuf>,
    /// What several estimators are for; by default what the space says in target.objective, and each by itself where it
    /// names no several.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(super) across: Option<Over>,
    /// How much each estimator counts with --across weighted, in their order, with commas between them; only ratios
    /// matter.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = weight, allow_negative_numbers = true)]
    pub(super) weight: Vec<f64>,
    /// What tells the energy of an inference: a table of energies (nas.energy/1), such as
    /// energy/horowitz-2014-45nm.json, or an estimator that was fitted on an energy; by default what the space names.
    #[arg(long, value_name = "FILE")]
    pub(super) energy: Option<PathBuf>,
    /// What to minimise while trainability goes up: latency, or latency,energy for a front that holds what is good in
    /// either.
    #[arg(long, value_name = "GOAL", default_value = Goal::default().name())]
    objective: Goal,
    /// The run folder to write; by default the next free one below runs/.
    #[arg(long, short, value_name = "RUN", conflicts_with = "resume")]
    pub(super) out: Option<PathBuf>,
    /// Replace the results of an earlier search in the run folder.
    #[arg(long)]
    pub(super) force: bool,
    /// Go on with an interrupted search in its run folder.
    #[arg(long, value_name = "RUN")]
    pub(super) resume: Option<PathBuf>,
    /// How many distinct architectures to score.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 200_000)]
    pub(super) evaluations: u64,
    /// Stop after this many seconds, if that comes first.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time: Option<Duration>,
    /// How to search: nsga2, regularized-evolution, random, or exact, which scores every architecture of a small space.
    #[arg(long, default_value_t = Algorithm::default())]
    algorithm: Algorithm,
    /// The size of the population; by default it fits the evaluations.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=1_000_000))]
    population: Option<u32>,
    /// The seed of all random numbers; the same seed gives the same result on any number of threads.
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Threads; by default one for each core.
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Only genes of these kinds are free, the others stay at the baseline: fused, depth-multiplier, kernel and so on,
    /// with commas between them.
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(super) free: Vec<GeneKind>,
    /// Also tell how near the optimum the front is. A small space is scored as a whole; of a large one the latency is bounded
    /// at every score, which takes a few minutes and adds what it meets that is better.
    #[arg(long)]
    gap: bool,
    /// Also search with single kinds of gene free, and tell what each achieves.
    #[arg(long)]
    ablate: bool,
    /// How many architectures of the Pareto front to report.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=1000))]
    front: u16,
    /// The form of the result on stdout.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// No progress.
    #[arg(long, short)]
    pub(super) quiet: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("expected a positive number of seconds".into()),
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    if args.evaluations == 0 {
        bail!("--evaluations 0 leaves nothing to search; give at least 1");
    }
    let files = targets::files(&args.estimator, &args.space)?;
    if targets::compares_chips(args, &files)? {
        return codesign::run(args, &files);
    }
    if args.resume.as_ref().is_some_and(|folder| folder.join(codesign::FILE).exists()) {
        bail!(
            "that run compares several chips; repeat all of its --estimator options, or resume one of its folders"
        );
    }
    let estimators = targets::load(&files)?;
    let space = targets::space_for(&args.space, &estimators)?;
    let energy = energy(args)?;
    let problem = problem(args, &space, targets::of(args, &space, &estimators)?, energy.as_ref())?;
    let folder = match &args.resume {
        Some(folder) => RunFolder::open(folder)?,
        None => RunFolder::create(args.out.as_deref(), space.name(), args.force)?,
    };
    let threads = threads(args)?;
    let stop = interrupt::flag()?;
    let resume = args.resume.is_some();
    let (report, outcome) = threads.install(|| searched_and_saved(args, &problem, &folder, resume, stop))?;
    output::print(&rendered(&report, args.format))?;
    tell_what_next(args, &folder, &problem, &outcome);
    Ok(if stop.load(Ordering::Relaxed) { Status::Interrupted } else { status(&outcome) })
}

/// What is searched: all genes of the space, or those that are free.
pub(super) fn problem<'a>(
    args: &Args,
    space: &'a Space,
    targets: Targets<'a>,
    energy: Option<&'a EnergyModel>,
) -> anyhow::Result<ArchitectureSearch<'a>> {
    let absent = |kind: &&GeneKind| !space.genes().iter().any(|gene| gene.kind == **kind);
    if let Some(kind) = args.free.iter().find(absent) {
        bail!("{} has no gene of the kind `{kind}` to be freed; see `nas space`", args.space.display());
    }
    let free = (!args.free.is_empty()).then(|| args.free.clone());
    let search =
        ArchitectureSearch::across(space, targets, SearchOptions { free, energy, goal: args.objective });
    if space.dtypes().len() < 2 {
        return Ok(search?);
    }
    // Whether all formats were measured is a matter of files.
    let estimators: Vec<String> = args.estimator.iter().map(|path| path.display().to_string()).collect();
    let with = if estimators.is_empty() { String::new() } else { format!(" with {}", estimators.join(", ")) };
    search.with_context(|| format!("{}{with}", args.space.display()))
}

pub(super) fn threads(args: &Args) -> anyhow::Result<rayon::ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(args.threads.map_or(0, usize::from)).build()?)
}

/// What tells energies, if anything does.
pub(super) fn energy(args: &Args) -> anyhow::Result<Option<EnergyModel>> {
    let named = match &args.energy {
        Some(given) => Some(given.clone()),
        None => Target::load(&args.space)?.energy,
    };
    Ok(named.map(|path| EnergyModel::load(&path)).transpose()?)
}

/// Searches and fills the run folder.
pub(super) fn searched_and_saved(
    args: &Args,
    problem: &ArchitectureSearch<'_>,
    folder: &RunFolder,
    resume: bool,
    stop: &AtomicBool,
) -> anyhow::Result<(Report, Outcome)> {
    let (mut outcome, ablation) = searched(args, problem, folder, resume, stop)?;
    let (gap, bound) = optimality(args, problem, &mut outcome, stop)?;
    let settings = Settings { algorithm: args.algorithm, seed: args.seed, front: usize::from(args.front) };
    let mut report = Report::of(problem, &outcome, &settings, ablation)?;
    (report.gap, report.bound) = (gap, bound);
    for (number, target) in problem.targets().list().iter().enumerate() {
        target.estimator.save(&folder.estimator(number))?;
    }
    if let Some(energy) = problem.energy() {
        energy.save(&folder.energy())?;
    }
    report.save(&folder.report())?;
    nas::io::write_atomically(&folder.markdown(), report_markdown(&report).as_bytes())?;
    nas::io::write_atomically(&folder.front(), front_csv(problem.space(), problem, &outcome).as_bytes())?;
    nas::io::write_atomically(&folder.space(), nas::io::read_text(&args.space)?.as_bytes())?;
    Ok((report, outcome))
}

/// How far the front is from the exact one, or from what nothing is faster than. What is better and comes up on the way
/// joins the outcome.
fn optimality(
    args: &Args,
    problem: &ArchitectureSearch<'_>,
    outcome: &mut Outcome,
    stop: &AtomicBool,
) -> anyhow::Result<(Option<ExactGap>, Option<Bound>)> {
    if !args.gap || outcome.termination == Termination::Cancelled {
        return Ok((None, None));
    }
    if is_countable(problem)? {
        return Ok((exact_gap(problem, outcome, MOST_EXACT, stop).context("--gap")?, None));
    }
    if !args.quiet {
        output::tell("bounding the latency of all architectures; this takes a few minutes");
    }
    // What was searched for is not lost for want of a bound.
    let bound = match front_bound(problem, outcome, REGIONS, stop) {
        Ok(Some(bound)) => Some(bound),
        Ok(None) => {
            if stop.load(Ordering::Relaxed) {
                output::tell(
                    "interrupted before the latency was bounded; a search with --resume and --gap does that",
                );
            }
            None
        }
        Err(error) => {
            output::tell(format_args!("there is no bound: {error}"));
            None
        }
    };
    Ok((None, bound))
}

fn searched(
    args: &Args,
    problem: &ArchitectureSearch<'_>,
    folder: &RunFolder,
    resume: bool,
    stop: &AtomicBool,
) -> anyhow::Result<(Outcome, Vec<AblationRow>)> {
    let budget = Budget { evaluations: Some(args.evaluations), time: args.time };
    let mut reporter = Reporter::new(problem.latency(problem.baseline()), budget.evaluations, args.quiet)?;
    let mut executor = Executor::new(problem)
        .algorithm(args.algorithm)
        .seed(args.seed)
        .budget(budget)
        .cancel(stop)
        .checkpoint(folder.checkpoint())
        .resume(resume)
        .observe(&mut reporter);
    if let Some(size) = args.population {
        executor = executor.population(size as usize);
    }
    let outcome = executor.run();
    reporter.finish();
    let outcome = outcome?;
    let ablation = if args.ablate && outcome.termination != Termination::Cancelled {
        ablate(problem, &outcome, args.seed, budget, stop)?
    } else {
        Vec::new()
    };
    if args.ablate && ablation.is_empty() {
        output::tell("interrupted before the ablation was complete; it is left out");
    }
    Ok((outcome, ablation))
}

/// What is not part of the result: where it lies, and what to do about a result that disappoints.
fn tell_what_next(args: &Args, folder: &RunFolder, problem: &ArchitectureSearch<'_>, outcome: &Outcome) {
    let run = folder.path().display();
    if outcome.termination == Termination::Cancelled {
        let estimator = args.estimator.iter().map(|path| format!(" -e {}", path.display()));
        let (space, options) = (args.space.display(), estimator.collect::<String>() + &repeated(args));
        output::tell(format_args!("\ninterrupted; go on with: nas search {space} --resume {run}{options}"));
    }
    if args.algorithm == Algorithm::Exact && outcome.termination != Termination::Exhausted {
        let scored = outcome.evaluations;
        output::tell(format_args!(
            "\nonly {scored} architectures were scored, so the front is not the exact one; raise --evaluations"
        ));
    }
    if let Some(nearest) = outcome.nearest.as_ref().filter(|_| !outcome.found_feasible()) {
        output::tell(format_args!("\nnothing feasible; the candidate that came nearest misses:"));
        for line in problem.missed(&nearest.genotype.0) {
            output::tell(format_args!("  {line}"));
        }
        output::tell(format_args!("loosen these constraints, widen the space, or raise --evaluations"));
    } else if !args.quiet {
        output::tell(format_args!("\nwrote {run}; layers of the first entry: nas estimate {run}#0"));
    }
}

fn status(outcome: &Outcome) -> Status {
    if outcome.found_feasible() { Status::Done } else { Status::NothingFeasible }
}

/// The options that a resumed search has to repeat, beside the estimators.
pub(super) fn repeated(args: &Args) -> String {
    let population = args.population.map_or(String::new(), |size| format!(" --population {size}"));
    let energy = args.energy.as_ref().map_or(String::new(), |path| format!(" --energy {}", path.display()));
    let goal = match args.objective {
        goal if goal == Goal::default() => String::new(),
        goal => format!(" --objective {}", goal.name()),
    };
    let across = args.across.and_then(|over| over.to_possible_value());
    let across = across.map_or(String::new(), |value| format!(" --across {}", value.get_name()));
    let weights: Vec<String> = args.weight.iter().map(f64::to_string).collect();
    let weights = if weights.is_empty() { String::new() } else { format!(" --weight {}", weights.join(",")) };
    let kinds: Vec<String> = args.free.iter().map(|kind| kind.name().replace(' ', "-")).collect();
    let free = if kinds.is_empty() { String::new() } else { format!(" --free {}", kinds.join(",")) };
    format!(
        "{across}{weights} --seed {} --algorithm {}{population}{free}{energy}{goal} -n {}",
        args.seed, args.algorithm, args.evaluations
    )
}
