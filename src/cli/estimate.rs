//! `nas estimate`: what a network costs, layer by layer.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nas::{
    energy::EnergyModel,
    estimator::Estimator,
    network::{DType, Network},
    onnx::{ReadOptions, is_onnx},
    report::{Entry, Report, TargetEntry, check_run_folder, entry_markdown, entry_text},
    trainability::trainability,
};

use super::{
    Status,
    import::dtype,
    model::{self, OnnxArgs},
    output::{self, Format},
    report::report_path,
    targets,
};

/// Estimate latency, memory and trainability of networks, layer by layer.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A network (.json), many (.jsonl, one a line), an ONNX model (.onnx), or an entry of a report:
    /// run/report.json#3, run#baseline.
    #[arg(value_name = "MODEL")]
    model: String,
    /// The estimator (nas.estimator/1); an entry of a report uses the run's own unless this is given.
    #[arg(long, short, value_name = "EST")]
    estimator: Option<PathBuf>,
    /// Of an entry of a run for several accelerators, the one to estimate it on; the first if not given.
    #[arg(long, value_name = "NAME", conflicts_with = "estimator")]
    target: Option<String>,
    /// What tells the energy of an inference: a table of energies (nas.energy/1), such as
    /// energy/horowitz-2014-45nm.json, or an estimator that was fitted on an energy; an entry of a report uses the run's
    /// own unless this is given.
    #[arg(long, value_name = "FILE")]
    energy: Option<PathBuf>,
    /// The form of the result; json is one nas.estimate/1 object a network.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    onnx: OnnxArgs,
    /// Take the network in this number format, int8, fp16 or fp32, whatever the model is in.
    #[arg(long, value_parser = dtype)]
    dtype: Option<DType>,
    /// Price what can be read of an ONNX model, and say what is missing.
    #[arg(long)]
    partial: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let options = ReadOptions { partial: args.partial, ..args.onnx.options() };
    let (networks, report) = networks(&args.model, &options)?;
    let beside = match &report {
        Some(path) => beside(args, path)?,
        None if args.target.is_some() => {
            bail!("--target names an accelerator of a run; give --estimator for other models")
        }
        None => None,
    };
    let energy = energy(args, beside.as_deref())?;
    let path = args.estimator.clone().or(beside).context(
        "which accelerator? give an estimator with --estimator, such as estimators/ethos-u55-128.json",
    )?;
    let estimator = Estimator::load(&path)?;
    if estimator.is_analytic() {
        output::tell(format_args!("note: {} is {}", estimator.name(), estimator.provenance()));
    }
    if let Some(target) = estimator.target().filter(|_| args.energy.is_some()) {
        bail!(
            "{} predicts `{}`, and --energy goes with an estimator of latency; give that with --estimator",
            path.display(),
            target.name
        );
    }
    for (index, network) in networks.into_iter().enumerate() {
        let network = args.dtype.map_or(network.clone(), |dtype| network.relabelled(network.name(), dtype));
        if let Some(hint) = model::dtype_hint(&network, &estimator.estimate(&network)) {
            output::tell(format_args!("{hint}"));
        }
        let text = match estimator.target() {
            Some(target) => {
                of_target(&TargetEntry::of(&network, &estimator.estimate(&network), &target), args.format)
            }
            None => of_latency(&estimator, energy.as_ref(), network, args)?,
        };
        let gap = if index > 0 && args.format != Format::Json { "\n" } else { "" };
        output::print(&format!("{gap}{text}"))?;
    }
    Ok(Status::Done)
}

/// The estimator that lies beside a report; of several, that of the accelerator that is meant.
fn beside(args: &Args, path: &Path) -> anyhow::Result<Option<PathBuf>> {
    if args.estimator.is_some() {
        // Another estimator has no part in the run, but the run's energy model lies beside its own.
        return Ok(targets::beside(path, 0));
    }
    let number = targets::number(&Report::load(path)?, args.target.as_deref(), true)?;
    Ok(targets::beside(path, number))
}

/// The model that is given, or the one that lies beside the estimator of a run.
fn energy(args: &Args, beside: Option<&Path>) -> anyhow::Result<Option<EnergyModel>> {
    let own = || beside.map(|estimator| estimator.with_file_name("energy.json")).filter(|path| path.exists());
    Ok(args.energy.clone().or_else(own).map(|path| EnergyModel::load(&path)).transpose()?)
}

fn of_latency(
    estimator: &Estimator,
    energy: Option<&EnergyModel>,
    network: Network,
    args: &Args,
) -> anyhow::Result<String> {
    let energy = energy.map(|model| model.estimate(&network, estimator).map(|found| (model, found)));
    let energy = energy.transpose()?;
    let (estimate, score) = (estimator.estimate(&network), trainability(&network));
    let blocks = network.blocks();
    let mut entry = Entry::of(network, &estimate, &score);
    if let Some((model, estimate)) = energy {
        entry = entry.with_energy(model, &estimate);
    }
    if is_onnx(Path::new(&args.model)) {
        let line = |(index, block)| format!("b{} {block}", index + 1);
        entry.blocks = blocks.iter().enumerate().map(line).collect();
    }
    Ok(match args.format {
        Format::Text => entry_text(&entry, &estimate, &score),
        Format::Md => entry_markdown(&entry, &estimate, &score),
        Format::Json => entry.to_json_line(),
    })
}

fn of_target(entry: &TargetEntry, format: Format) -> String {
    match format {
        Format::Text => entry.text(),
        Format::Md => entry.markdown(),
        Format::Json => entry.to_json_line(),
    }
}

/// The networks, and the report that they come from.
pub(super) fn networks(
    model: &str,
    options: &ReadOptions,
) -> anyhow::Result<(Vec<Network>, Option<PathBuf>)> {
    let Some((run, entry)) = model.rsplit_once('#') else {
        if Path::new(model).is_dir() {
            check_run_folder(Path::new(model))?;
            bail!("{model} is a run folder; name an entry, such as {model}#0 or {model}#baseline");
        }
        return Ok((model::networks(Path::new(model), options)?, None));
    };
    let path = report_path(Path::new(run))?;
    let report = Report::load(&path)?;
    let network = report.entry(entry)?.network.clone();
    Ok((vec![network], Some(path)))
}
