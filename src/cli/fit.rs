//! `nas fit`: from measurements to an estimator.

use std::path::{Path, PathBuf};

use anyhow::bail;
use nas::{
    error::Result,
    estimator::{Datasheet, Estimator, FitOptions, fit},
    network::{DType, Network, read_networks},
};

use super::{
    Status, measured,
    output::{self, Format},
};

/// Fit a latency estimator to measurements, and tell what it is worth on networks it has not seen.
///
/// With --datasheet the estimator of a chip that exists on paper only; measurements, if there are any, then
/// correct the datasheet's figures.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Measurements (.csv or .csv.gz): isolated operators, networks in context layer by layer, whole networks;
    /// or profiles that another tool wrote, see --from.
    #[arg(value_name = "FILE", required_unless_present = "datasheet")]
    measurements: Vec<PathBuf>,
    #[command(flatten)]
    read: measured::Args,
    /// The estimator file to write (nas.estimator/1).
    #[arg(long, short, value_name = "EST")]
    out: PathBuf,
    /// The datasheet of a chip being designed (nas.datasheet/1); measurements are then optional.
    #[arg(long, value_name = "CHIP")]
    datasheet: Option<PathBuf>,
    /// The number format to make the datasheet's estimator for; by default int8 where the chip has it.
    #[arg(long, value_name = "DTYPE", requires = "datasheet", value_parser = dtype)]
    dtype: Option<DType>,
    /// The graphs of the networks in the measurements (.jsonl or .jsonl.gz, nas.network/1).
    #[arg(long, value_name = "JSONL")]
    networks: Vec<PathBuf>,
    /// The estimator's name; by default the device in the measurements.
    #[arg(long)]
    name: Option<String>,
    /// Where the numbers come from, in a sentence; by default what lies beside the measurements.
    #[arg(long, value_name = "TEXT")]
    provenance: Option<String>,
    /// Fit the physical model only, without the boosted correction.
    #[arg(long)]
    no_correction: bool,
    /// An older estimator: print its error and the new one's on the same held-out rows.
    #[arg(long, value_name = "EST")]
    old: Option<PathBuf>,
    /// Do not tell how the error falls with more data, which takes fits to parts of the data.
    #[arg(long)]
    no_learning_curve: bool,
    /// Replace the estimator file if there is one.
    #[arg(long)]
    force: bool,
    /// The form of the report; json is one nas.fit-report/1 object.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn dtype(text: &str) -> Result<DType, String> {
    let known = DType::NAMES.iter().find(|(name, _)| *name == text);
    known.map(|(_, dtype)| *dtype).ok_or_else(|| {
        let names = DType::NAMES.map(|(name, _)| name);
        format!("expected {}", nas::error::one_of(text, &names))
    })
}

pub(super) fn run(args: Args) -> anyhow::Result<Status> {
    if args.out.exists() && !args.force {
        bail!("{} is there already; name another with --out, or --force to replace it", args.out.display());
    }
    nas::io::check_writable(&args.out)?;
    let (measurements, models) = args.read.read(&args.measurements)?;
    let graphs = graphs(&args.networks)?.into_iter().chain(models).collect::<Vec<_>>();
    let old = args.old.as_deref().map(Estimator::load).transpose()?;
    let options = FitOptions {
        name: args.name,
        provenance: args.provenance,
        correction: !args.no_correction,
        learning_curve: !args.no_learning_curve,
        old,
        ..FitOptions::default()
    };
    let fitted = match &args.datasheet {
        None => fit(&measurements, &graphs, &options)?,
        Some(path) => {
            let datasheet = Datasheet::load(path)?;
            let dtype = args.dtype.unwrap_or_else(|| datasheet.dtype());
            datasheet.with_dtype(dtype)?.calibrate(&measurements, &graphs, &options)?
        }
    };
    fitted.estimator.save(&args.out)?;
    let text = if fitted.estimator.is_analytic() { UNMEASURED.into() } else { fitted.report.to_string() };
    output::print(&match args.format {
        Format::Text => text,
        Format::Md => format!("```text\n{text}```\n"),
        Format::Json => serde_json::to_string_pretty(&fitted.report)? + "\n",
    })?;
    if args.datasheet.is_some() {
        output::tell(format_args!("latency: {}", fitted.estimator.provenance()));
    }
    output::tell(format_args!("wrote {}", args.out.display()));
    Ok(Status::Done)
}

/// What there is to say of an estimator that nothing was measured for.
const UNMEASURED: &str = "analytic: nothing was measured, so nothing could be held out; the interval, 0.5 to 2 \
                          times the latency, is wide on purpose.\nsome 50 measured rows make it better: nas \
                          fit --datasheet CHIP few.csv\n";

fn graphs(paths: &[PathBuf]) -> Result<Vec<Network>> {
    let read: Result<Vec<Vec<Network>>> = paths.iter().map(|path| read_networks(Path::new(path))).collect();
    Ok(read?.into_iter().flatten().collect())
}
