//! `nas compare`: a gate for CI over two runs.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::ValueEnum;
use nas::{
    io::write_atomically,
    report::{
        Run,
        compare::{
            Comparison, Condition, Premise, Verdict, compare, comparison_benchmark, comparison_junit,
            comparison_markdown, comparison_text,
        },
    },
};

use super::{Status, output};

/// Compare two runs, and fail if the newer one is worse than allowed.
///
/// The headline is the least latency at no less trainability than BASE's baseline. Only predicted latencies are
/// compared, exactly; measured samples are not supported yet.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Args {
    /// The run folder to compare with, or its report.json; the whole fronts are compared if both are folders.
    base: PathBuf,
    /// The run folder that is judged, or its report.json.
    new: PathBuf,
    /// Fail if the headline latency grows by more than this, such as 2% or 50us; 0% if there is no --fail-if.
    #[arg(long, value_name = "LIMIT", value_parser = Condition::max_regression)]
    max_regression: Option<Condition>,
    /// Fail if this holds; may be given more than once.
    #[arg(long, value_name = "EXPR")]
    fail_if: Vec<Condition>,
    /// What may differ between the runs: space, estimator, dtype, requirement, reference.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<Premise>,
    /// The form of the result on stdout.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Also write the result to a file in another form, such as md=summary.md; may be given more than once.
    #[arg(long, short, value_name = "FORMAT=FILE", value_parser = output_file)]
    out: Vec<(Form, PathBuf)>,
}

const HELP: &str = "\
Conditions: QUANTITY>LIMIT or QUANTITY<LIMIT. A limit with a sign is a change from BASE, one without a value of NEW:
  --fail-if 'latency_ms>+2%' --fail-if 'peak_activation_bytes>512KiB' --fail-if 'trainability<-0.5'
Quantities: latency_ms, latency_reduction_pct, trainability, macs, params, model_bytes, peak_activation_bytes,
hypervolume. Units: us ms s, B KiB MiB GiB kB MB GB, k M G, %.

Exit codes: 0 no gate failed, 1 a gate failed, 2 bad usage or input, 3 the runs cannot be compared (see --allow).";

/// The form of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// Markdown, for pull requests and step summaries.
    Md,
    /// For programs (nas.comparison/1).
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

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let (base, new) = (Run::load(&args.base)?, Run::load(&args.new)?);
    let comparison = compare(&base, &new, &conditions(args)?, &args.allow);
    for (form, file) in &args.out {
        write(file, &rendered(&comparison, *form, false))?;
    }
    output::print(&rendered(&comparison, args.format, wants_colour()))?;
    Ok(match comparison.verdict {
        Verdict::Pass => Status::Done,
        Verdict::Fail => Status::GateFailed,
        Verdict::NotComparable => Status::NotComparable,
    })
}

fn conditions(args: &Args) -> anyhow::Result<Vec<Condition>> {
    let mut conditions: Vec<Condition> = args.max_regression.iter().chain(&args.fail_if).cloned().collect();
    if conditions.is_empty() {
        conditions.push(Condition::max_regression("0%")?);
    }
    Ok(conditions)
}

/// Derived files are replaced; a report that is compared is not.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    write_atomically(file, text.as_bytes()).with_context(|| format!("--out {}", file.display()))
}

fn wants_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn rendered(comparison: &Comparison, form: Form, colour: bool) -> String {
    match form {
        Form::Text => comparison_text(comparison, colour),
        Form::Md => comparison_markdown(comparison),
        Form::Json => comparison.to_json(),
        Form::Junit => comparison_junit(comparison),
        Form::GithubBenchmark => comparison_benchmark(comparison),
    }
}
