//! `nas measure`: what a device takes for the operators, blocks and networks of a space.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use nas::{
    measure::{
        About, Command, Fake, ModelFormat, Parser, PlanOptions, Runner, Server, Subject, Summary,
        SweepOptions, Table, Termination, Wanted, draw, note_device, plan, sweep,
    },
    network::{DType, Network},
    onnx::is_onnx,
    process::Template,
    report::{Report, Table as Rows},
    space::{Space, Target},
};

use super::{
    Status,
    estimate::networks,
    import::dtype,
    interrupt,
    model::OnnxArgs,
    output,
    progress::Measured,
    report::report_path,
    targets, uncertain,
    values::{model_format, parser, percent, time},
    verify::Verified,
};

/// Measure a device: the operators, blocks and networks of a space, as a table for `nas fit`.
///
/// Whatever is measured when the sweep ends is of use: the most different subjects come first. A sweep goes on
/// where an earlier one into the same table ended. Beside the table lie the graphs of its networks
/// (OUT.networks.jsonl) and what was measured on (targets.json).
#[derive(clap::Args)]
pub(super) struct Args {
    /// A space (nas.space/1), of which networks are drawn; networks (.json, .jsonl, .onnx); a run folder, of which
    /// all entries are measured; or an entry, such as run#3.
    #[arg(value_name = "SPACE|MODEL|ENTRY")]
    subject: String,
    #[command(flatten)]
    onnx: OnnxArgs,
    /// The measurement CSV to write or to go on with.
    #[arg(long, short, value_name = "CSV")]
    out: PathBuf,
    /// What runs the models.
    #[arg(long, value_enum)]
    runner: RunnerName,
    /// The program to run, without a shell; for the runner `command` with {model} where the model's path
    /// goes, as in 'benchmark_model --graph={model}'.
    #[arg(long, value_name = "COMMAND", required_if_eq_any = [("runner", "command"), ("runner", "server")])]
    runner_command: Option<String>,
    /// How the program of the runner `command` prints its times: json, us, ms or benchmark-model.
    #[arg(long, value_name = "FORM", default_value = "json", value_parser = parser)]
    parser: Parser,
    /// The form of the models that programs are given: onnx (in fp32), or tflite (int8 or fp32, as the device computes).
    #[arg(long, value_name = "FORM", default_value = "onnx", value_parser = model_format)]
    model_format: ModelFormat,
    /// The number format that the device of the runner `command` computes in; int8 for TFLite models and fp32 for
    /// ONNX models if not given. A server knows its own.
    #[arg(long, value_parser = dtype)]
    dtype: Option<DType>,
    /// The device's name, for the column `device`; a server knows its own.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// What is worth writing down of the device and how it is run, for targets.json.
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,
    /// What to measure; blocks and networks are measured layer by layer too where the runner can.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SORTS",
          default_values_t = [Sort::Operators, Sort::Blocks, Sort::Networks])]
    sorts: Vec<Sort>,
    /// How many networks to draw of a space, beside its baseline.
    #[arg(long, value_name = "N", default_value_t = 100)]
    samples: usize,
    /// The seed of what is drawn, and of the runner `fake`.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The estimator that --where-uncertain asks, if not the one that the space names or the run keeps; and whose
    /// lanes channels snap to, where the space leaves that to it.
    #[arg(long, short, value_name = "EST")]
    estimator: Option<PathBuf>,
    /// Of a run for several accelerators, the one that is measured, or whose estimator --where-uncertain asks.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// The most operators, blocks and networks to measure.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max: usize,
    /// Begin with what the estimator knows least about: first what lies outside its measured range, then what
    /// contributes most to its expected error in these networks (latency times held-out error of its kind).
    /// --max or --budget say how much of it to measure.
    #[arg(long, conflicts_with = "verify")]
    where_uncertain: bool,
    /// How often to measure each, with others in between.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    repeats: u8,
    /// Repeats further apart than this are noisy, and measured twice more.
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    noise: f64,
    /// Stop after this time, such as 90s, 10m or 2h.
    #[arg(long, value_name = "TIME", value_parser = time)]
    budget: Option<Duration>,
    /// The longest that one model may take.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = time)]
    timeout: Duration,
    /// Measure the baseline and the chosen entry of a run (or the entry that is given) as whole networks, and write
    /// what they took into its report, beside what was predicted.
    #[arg(long, conflicts_with_all = ["sorts", "dry_run", "max"])]
    verify: bool,
    /// Show what would be measured, and measure nothing.
    #[arg(long)]
    dry_run: bool,
    /// Begin the table anew if there is one.
    #[arg(long)]
    force: bool,
    /// No progress.
    #[arg(long, short)]
    quiet: bool,
}

/// What runs the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RunnerName {
    /// A program that is started for each model and prints its times.
    Command,
    /// A program that stays and answers a line of JSON for each model, such as estimators/cpu-ort/ort_runner.py.
    Server,
    /// The runtime tract within this program, on one thread of this processor in fp32; if built with --features tract.
    Tract,
    /// A formula with noise, to try things out.
    Fake,
}

/// A sort of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Single operators, on their own.
    Operators,
    /// Blocks such as inverted bottlenecks, as networks of a few layers.
    Blocks,
    /// Whole networks.
    Networks,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    nas::io::check_writable(&args.out)?;
    if args.dtype.is_some() && args.runner != RunnerName::Command {
        bail!(
            "--dtype is for --runner command; a server says its own on its first line, `tract` is fp32 and `fake` int8"
        );
    }
    let mut verified =
        args.verify.then(|| Verified::open(&args.subject, args.target.as_deref())).transpose()?;
    if args.target.is_some() && !args.verify && !args.where_uncertain {
        bail!(
            "--target says which accelerator of a run --verify measures or --where-uncertain asks; give one of them"
        );
    }
    let networks = match &verified {
        Some(verified) => verified.networks(),
        None => subjects(args)?,
    };
    if args.dry_run {
        output::print(&dry_run(args, &networks)?)?;
        return Ok(Status::Done);
    }
    let stop = interrupt::flag()?;
    let mut runner = runner(args)?;
    let about = runner.about().clone();
    let plan = planned_subjects(args, &networks, about.dtype)?;
    if args.force {
        for file in [args.out.clone(), args.out.with_extension("networks.jsonl")] {
            if file.exists() {
                std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
    }
    note_device(&args.out, &about, &today(), runner_text(args))?;
    let mut table = Table::open(&args.out, &about)?;
    let options = SweepOptions {
        repeats: args.repeats.into(),
        noise: args.noise,
        budget: args.budget,
        ..SweepOptions::default()
    };
    let mut shown = Measured::new(args.quiet)?;
    let summary =
        sweep(&plan, runner.as_mut(), &mut table, &options, stop, &mut |progress| shown.update(progress));
    shown.finish();
    let summary = summary?;
    output::print(&text(args, &plan, &summary, &table))?;
    if let Some(verified) = &mut verified {
        output::print(&verified.save(&plan, &table, &about.device, runner_text(args))?)?;
    }
    Ok(if summary.termination == Termination::Interrupted { Status::Interrupted } else { Status::Done })
}

fn planned_subjects(args: &Args, networks: &[Network], dtype: DType) -> anyhow::Result<Vec<Subject>> {
    let options = plan_options(args, dtype);
    let plan = if args.where_uncertain {
        let estimator = uncertain::estimator(args.estimator.as_ref(), &args.subject, args.target.as_deref())?;
        let plan = uncertain::plan(&estimator, networks, &options)?;
        plan.into_iter().map(|doubted| doubted.subject).collect()
    } else {
        plan(networks, &options)?
    };
    if plan.is_empty() {
        bail!("{} holds nothing of these sorts to measure", args.subject);
    }
    Ok(plan)
}

fn plan_options(args: &Args, dtype: DType) -> PlanOptions {
    let wanted = Wanted {
        operators: !args.verify && args.sorts.contains(&Sort::Operators),
        blocks: !args.verify && args.sorts.contains(&Sort::Blocks),
        networks: args.sorts.contains(&Sort::Networks),
    };
    PlanOptions { wanted, dtype, most: args.max }
}

/// What would be measured.
fn dry_run(args: &Args, networks: &[Network]) -> anyhow::Result<String> {
    if !args.where_uncertain {
        return Ok(planned(&planned_subjects(args, networks, computes_in(args))?));
    }
    // What is out of range depends on the number format, which a server knows alone.
    let dtype = match args.runner {
        RunnerName::Server => runner(args)?.about().dtype,
        _ => computes_in(args),
    };
    let estimator = uncertain::estimator(args.estimator.as_ref(), &args.subject, args.target.as_deref())?;
    let plan = uncertain::plan(&estimator, networks, &plan_options(args, dtype))?;
    let first = uncertain::text(&plan, networks);
    let subjects: Vec<Subject> = plan.into_iter().map(|doubted| doubted.subject).collect();
    Ok(format!("{}\n{first}", planned(&subjects)))
}

/// The networks whose parts are measured.
fn subjects(args: &Args) -> anyhow::Result<Vec<Network>> {
    let path = Path::new(&args.subject);
    if args.subject.contains('#') || is_onnx(path) {
        return Ok(networks(&args.subject, &args.onnx.options())?.0);
    }
    if path.is_dir() || path.file_name().is_some_and(|name| name == "report.json") {
        let report = Report::load(&report_path(path)?)?;
        let entries = [&report.baseline].into_iter().chain(&report.front);
        return Ok(entries.map(|entry| entry.network.clone()).collect());
    }
    let text = nas::io::read_text(path)?;
    if !text.contains("nas.space/") {
        return Ok(networks(&args.subject, &args.onnx.options())?.0);
    }
    let target = Target::load(path)?;
    let given: Vec<PathBuf> = args.estimator.iter().cloned().collect();
    let files = if given.is_empty() { &target.estimators } else { &given };
    let space = match target.from_estimator && !files.is_empty() {
        true => targets::space_for(path, &targets::load(files)?)?,
        false => Space::load(path)?,
    };
    Ok(draw(&space, args.samples, args.seed)?)
}

fn runner(args: &Args) -> anyhow::Result<Box<dyn Runner>> {
    let template =
        args.runner_command.as_deref().map(|text| Template::parse("--runner-command", text)).transpose()?;
    Ok(match (args.runner, template) {
        (RunnerName::Fake, _) => Box::new(Fake::new(args.seed, 0.01)),
        (RunnerName::Tract, _) => tract(args)?,
        (RunnerName::Server, Some(template)) => {
            Box::new(Server::start(&template, args.device.as_deref(), args.timeout, args.model_format)?)
        }
        (RunnerName::Command, Some(template)) => {
            let device =
                args.device.clone().context("which device? name it with --device, such as --device pi5")?;
            let runtime = args.about.clone().unwrap_or_else(|| "not said; say it with --about".into());
            let dtype = computes_in(args);
            let about = About { accelerator: device.clone(), device, runtime, threads: None, dtype };
            Box::new(Command::new(about, template, args.parser, args.timeout, args.model_format)?)
        }
        (_, None) => bail!("--runner-command is missing"),
    })
}

#[cfg(feature = "tract")]
fn tract(args: &Args) -> anyhow::Result<Box<dyn Runner>> {
    if args.model_format != ModelFormat::Onnx {
        bail!("--model-format tflite is for programs; tract reads ONNX");
    }
    Ok(Box::new(nas::measure::Tract::new(args.device.as_deref())))
}

#[cfg(not(feature = "tract"))]
fn tract(_: &Args) -> anyhow::Result<Box<dyn Runner>> {
    bail!(
        "this `nas` was built without tract; build it anew with `cargo install --path . --features tract` (Rust 1.91 or \
         newer, some minutes), or take another runner, such as `server` with estimators/cpu-ort/ort_runner.py"
    )
}

/// What ran the models, for people.
fn runner_text(args: &Args) -> &str {
    match args.runner {
        RunnerName::Fake => "fake",
        RunnerName::Tract => "tract",
        RunnerName::Command | RunnerName::Server => args.runner_command.as_deref().unwrap_or_default(),
    }
}

/// What the device computes in, as far as the arguments tell.
fn computes_in(args: &Args) -> DType {
    args.dtype.unwrap_or(match (args.runner, args.model_format) {
        (RunnerName::Fake, _) | (_, ModelFormat::Tflite) => DType::Int8,
        (_, ModelFormat::Onnx) => DType::Fp32,
    })
}

/// How many of each sort there are.
fn planned(plan: &[Subject]) -> String {
    let mut counts: BTreeMap<_, (usize, u64)> = BTreeMap::new();
    for subject in plan {
        let (count, macs) = counts.entry(subject.kind).or_default();
        (*count, *macs) = (*count + 1, macs.saturating_add(subject.network.macs().0));
    }
    let mut rows = Rows::new(&["sort", "to measure", "MACs together"]);
    for (kind, (count, macs)) in counts {
        rows.push([kind.name().to_owned(), count.to_string(), nas::units::si(macs)]);
    }
    rows.text()
}

fn text(args: &Args, plan: &[Subject], summary: &Summary, table: &Table) -> String {
    let why = match summary.termination {
        Termination::Complete => "all is measured",
        Termination::Budget => "the time is spent",
        Termination::Interrupted => "interrupted",
    };
    let mut text = format!(
        "{why}: {} measurements made, {} of {} subjects complete, {} of them noisy\n",
        summary.measured,
        summary.complete,
        plan.len(),
        summary.noisy.len()
    );
    for (name, spread) in summary.noisy.iter().take(5) {
        text += &format!("  noisy: {name}, {:.0} % apart\n", 100.0 * spread);
    }
    for (name, said) in summary.failed.iter().take(5) {
        text += &format!("  left out: {name}: {said:.300}\n");
    }
    if summary.failed.len() > 5 {
        text += &format!("  left out: {} more\n", summary.failed.len() - 5);
    }
    let graphs = table.networks_path();
    let graphs = if graphs.exists() { format!(" --networks {}", graphs.display()) } else { String::new() };
    text + &format!("next: nas fit {}{graphs} -o EST\n", args.out.display())
}

/// The date in UTC, as 2026-01-31.
fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
    date(days)
}

/// The date so many days after 1970-01-01.
fn date(days: u64) -> String {
    // Years from March on, so that a leap day is the last; 146,097 days are 400 years (Hinnant 2013).
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", 400 * era + year + later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (days, said) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_778, "2026-11-21")]
        {
            assert_eq!(date(days), said);
        }
    }
}
