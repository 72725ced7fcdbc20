//! `nas compare`: a gate for CI over two runs.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use nas::{
    io::write_atomically,
    report::{
        Run,
        compare::{
            Against, Comparison, Condition, NamedRun, Premise, Rules, Trend, Verdict, compare,
            comparison_benchmark, comparison_junit, comparison_markdown, comparison_text, trend_markdown,
            trend_text,
        },
    },
};

use super::{Status, output};

/// Compare two runs or more, and fail if the newest one is worse than allowed.
///
/// The headline is the least latency at no less trainability than BASE's baseline: the least measured one if each run
/// has measured the one with the least predicted latency. Predicted latencies are compared exactly. Where both runs hold measured samples, their medians are compared too, and a change of these counts only
/// if a rank test finds it significant. More than two runs give a trend; the last one is judged.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Args {
    /// The run folder to compare with, or its report.json; whole fronts are compared if all are folders.
    base: PathBuf,
    /// The run folder that is judged, or its report.json; of several, the last.
    #[arg(required = true)]
    new: Vec<PathBuf>,
    /// Of more than two runs, the one that the last is judged against.
    #[arg(long, value_enum, default_value_t = Judge::First)]
    against: Judge,
    /// Fail if the headline latency, predicted or measured, grows by more than this, such as 2% or 50us; 0% if there
    /// is no --fail-if.
    #[arg(long, value_name = "LIMIT", value_parser = Condition::max_regression)]
    max_regression: Option<Condition>,
    /// Fail if this holds; may be given more than once.
    #[arg(long, value_name = "EXPR")]
    fail_if: Vec<Condition>,
    /// A change of measured latencies counts if chance gives one as large less often than this.
    #[arg(long, value_name = "P", default_value_t = Rules::default().significance, value_parser = probability)]
    significance: f64,
    /// What may differ between the runs: space, estimator, dtype, requirement, reference, device, energy,
    /// across.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<Premise>,
    /// The form of the result on stdout.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Also write the result to a file in another form, such as md=summary.md; may be given more than once.
    #[arg(long, short, visible_alias = "output", value_name = "FORMAT=FILE", value_parser = output_file)]
    out: Vec<(Form, PathBuf)>,
}

const HELP: &str = "\
Conditions: QUANTITY>LIMIT or QUANTITY<LIMIT. A limit with a sign is a change from BASE, one without a value of NEW:
  --fail-if 'latency_ms>+2%' --fail-if 'peak_activation_bytes>512KiB' --fail-if 'trainability<-0.5'
Quantities: latency_ms, latency_reduction_pct, trainability, macs, params, model_bytes, peak_activation_bytes,
energy_uj, hypervolume, measured_latency_ms. Units: us ms s, B KiB MiB GiB kB MB GB, pJ nJ uJ mJ J, k M G, %.
Of runs for several accelerators also relative_latency, which --max-regression in percent is about, and
latency_ms[NAME], latency_reduction_pct[NAME]; without a name these hold for each.

Exit codes: 0 no gate failed, 1 a gate failed, 2 bad usage or input, 3 the runs cannot be compared (see --allow).";

/// The form of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// Markdown, for pull requests and step summaries.
    Md,
    /// For programs (nas.comparison/1, or nas.trend/1 for more than two runs).
    Json,
    /// JUnit XML, one test case a gate.
    Junit,
    /// NEW's numbers for github-action-benchmark (customSmallerIsBetter).
    GithubBenchmark,
}

fn output_file(text: &str) -> Result<(Form, PathBuf), String> {
    let expected = "expected FORMAT=FILE with FORMAT text, md, json, junit or github-benchmark";
    let (form, file) = text.split_once('=').ok_or(expected)?;
    if file.is_empty() {
        return Err(expected.into());
    }
    Ok((Form::from_str(form, false).map_err(|_| expected)?, file.into()))
}

/// The run that the last of several is judged against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Judge {
    /// The first, so that slow drift fails too.
    First,
    /// The one before it.
    Previous,
}

fn probability(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..1.0).contains(value) && *value > 0.0);
    value.ok_or_else(|| "expected a probability between 0 and 1, such as 0.05".into())
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let runs = load(args)?;
    check_outputs(args)?;
    check_targets(args, &runs)?;
    let rules =
        Rules { conditions: conditions(args)?, allowed: args.allow.clone(), significance: args.significance };
    let (result, verdict) = match &runs[..] {
        [base, new] => {
            let comparison = compare(&base.run, &new.run, &rules);
            let verdict = comparison.verdict;
            (Compared::Two(Box::new(comparison)), verdict)
        }
        runs => {
            let trend = Trend::of(runs, against(args), &rules)?;
            let verdict = trend.verdict;
            (Compared::More(Box::new(trend)), verdict)
        }
    };
    for (form, file) in &args.out {
        write(file, &result.rendered(*form, false))?;
    }
    let colour = wants_colour();
    let text = result.rendered(args.format, colour);
    if colour {
        output::print_coloured(&text)?;
    } else {
        output::print(&text)?;
    }
    Ok(match verdict {
        Verdict::Pass => Status::Done,
        Verdict::Fail => Status::GateFailed,
        Verdict::NotComparable => Status::NotComparable,
    })
}

fn load(args: &Args) -> anyhow::Result<Vec<NamedRun>> {
    let named = |path: &PathBuf| Ok(NamedRun { name: path.display().to_string(), run: Run::load(path)? });
    std::iter::once(&args.base).chain(&args.new).map(named).collect()
}

fn against(args: &Args) -> Against {
    match args.against {
        Judge::First => Against::First,
        Judge::Previous => Against::Previous,
    }
}

/// Derived files are replaced, but no file twice, and no report that is compared.
fn check_outputs(args: &Args) -> anyhow::Result<()> {
    let real = |path: &Path| resolved(path);
    let inputs: Vec<PathBuf> = std::iter::once(&args.base)
        .chain(&args.new)
        .flat_map(|run| ["", "report.json", "front.csv", "estimator.json"].map(|name| real(&run.join(name))))
        .chain(std::iter::once(&args.base).chain(&args.new).map(|run| real(run)))
        .collect();
    for (index, (_, file)) in args.out.iter().enumerate() {
        let file_at = real(file);
        if inputs.contains(&file_at) {
            bail!("--out {}: that is what is compared; choose another file", file.display());
        }
        if args.out[..index].iter().any(|(_, other)| real(other) == file_at) {
            bail!("--out {}: given twice; choose a file for each form", file.display());
        }
    }
    Ok(())
}

/// An accelerator that a condition names is one of the run that is judged.
fn check_targets(args: &Args, runs: &[NamedRun]) -> anyhow::Result<()> {
    let Some(last) = runs.last() else { return Ok(()) };
    for condition in &args.fail_if {
        condition.check_target(&last.run.report).with_context(|| format!("--fail-if on {}", last.name))?;
    }
    Ok(())
}

fn conditions(args: &Args) -> anyhow::Result<Vec<Condition>> {
    let mut conditions: Vec<Condition> = args.max_regression.iter().chain(&args.fail_if).cloned().collect();
    if conditions.is_empty() {
        conditions.push(Condition::max_regression("0%")?);
    }
    Ok(conditions)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    write_atomically(file, text.as_bytes()).with_context(|| format!("--out {}", file.display()))
}

fn wants_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What came of it.
enum Compared {
    Two(Box<Comparison>),
    More(Box<Trend>),
}

impl Compared {
    fn rendered(&self, form: Form, colour: bool) -> String {
        match (form, self) {
            (Form::Text, Self::Two(comparison)) => comparison_text(comparison, colour),
            (Form::Text, Self::More(trend)) => trend_text(trend, colour),
            (Form::Md, Self::Two(comparison)) => comparison_markdown(comparison),
            (Form::Md, Self::More(trend)) => trend_markdown(trend),
            (Form::Json, Self::Two(comparison)) => comparison.to_json(),
            (Form::Json, Self::More(trend)) => trend.to_json(),
            (Form::Junit, _) => comparison_junit(self.judged()),
            (Form::GithubBenchmark, _) => comparison_benchmark(self.judged()),
        }
    }

    /// The comparison that decides.
    fn judged(&self) -> &Comparison {
        match self {
            Self::Two(comparison) => comparison,
            Self::More(trend) => &trend.comparison,
        }
    }
}

/// The file itself, whether it is there or not, so that two ways to write a path are one.
fn resolved(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(std::fs::canonicalize(folder).ok()?.join(path.file_name()?));
    std::fs::canonicalize(path).ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}
