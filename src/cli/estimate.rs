//! `nas estimate`: what a network costs, layer by layer.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nas::{
    estimator::Estimator,
    network::{Network, read_networks},
    report::{Entry, Report, TargetEntry, entry_markdown, entry_text},
    trainability::trainability,
};

use super::{
    Status,
    output::{self, Format},
    report::report_path,
};

/// Estimate latency, memory and trainability of networks, layer by layer.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A network (.json), many (.jsonl, one a line), or an entry of a report: run/report.json#3, run#baseline.
    #[arg(value_name = "MODEL")]
    model: String,
    /// The estimator (nas.estimator/1); an entry of a report uses the run's own unless this is given.
    #[arg(long, short, value_name = "EST")]
    estimator: Option<PathBuf>,
    /// The form of the result; json is one nas.estimate/1 object a network.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let (networks, beside) = networks(&args.model)?;
    let path = args.estimator.clone().or(beside).context(
        "which accelerator? give an estimator with --estimator, such as estimators/ethos-u55-128.json",
    )?;
    let estimator = Estimator::load(&path)?;
    if estimator.is_analytic() {
        output::tell(format_args!("note: {} is {}", estimator.name(), estimator.provenance()));
    }
    for (index, network) in networks.into_iter().enumerate() {
        let text = match estimator.target() {
            Some(target) => {
                of_target(&TargetEntry::of(&network, &estimator.estimate(&network), &target), args.format)
            }
            None => of_latency(&estimator, network, args.format),
        };
        let gap = if index > 0 && args.format != Format::Json { "\n" } else { "" };
        output::print(&format!("{gap}{text}"))?;
    }
    Ok(Status::Done)
}

fn of_latency(estimator: &Estimator, network: Network, format: Format) -> String {
    let (estimate, score) = (estimator.estimate(&network), trainability(&network));
    let entry = Entry::of(network, &estimate, &score);
    match format {
        Format::Text => entry_text(&entry, &estimate, &score),
        Format::Md => entry_markdown(&entry, &estimate, &score),
        Format::Json => entry.to_json_line(),
    }
}

fn of_target(entry: &TargetEntry, format: Format) -> String {
    match format {
        Format::Text => entry.text(),
        Format::Md => entry.markdown(),
        Format::Json => entry.to_json_line(),
    }
}

/// The networks, and the estimator that lies beside them.
pub(super) fn networks(model: &str) -> anyhow::Result<(Vec<Network>, Option<PathBuf>)> {
    let Some((run, entry)) = model.rsplit_once('#') else {
        if Path::new(model).is_dir() {
            bail!("{model} is a run folder; name an entry, such as {model}#0 or {model}#baseline");
        }
        return Ok((read_networks(Path::new(model))?, None));
    };
    let path = report_path(Path::new(run));
    let report = Report::load(&path)?;
    let network = report.entry(entry)?.network.clone();
    let beside = path.with_file_name("estimator.json");
    Ok((vec![network], beside.exists().then_some(beside)))
}
