//! `nas fit`: from measurements to an estimator.

use std::path::{Path, PathBuf};

use anyhow::bail;
use nas::{
    error::Result,
    estimator::{Datasheet, Fit, FitOptions, Quality, fit},
    measurement::{Measurements, read_measurements},
    network::{DType, Network, read_networks},
};

use super::{
    Status,
    output::{self, Format},
};

/// Fit a latency estimator to measurements, and tell what it is worth on networks it has not seen.
///
/// With --datasheet the estimator of a chip that exists on paper only; measurements, if there are any, then
/// correct the datasheet's figures.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Measurements (.csv or .csv.gz): isolated operators, networks in context layer by layer, whole networks.
    #[arg(value_name = "CSV", required_unless_present = "datasheet")]
    measurements: Vec<PathBuf>,
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
    /// Replace the estimator file if there is one.
    #[arg(long)]
    force: bool,
    /// The form of the quality report.
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
    let measurements = args.measurements.iter().map(|path| read_measurements(path));
    let measurements = measurements.collect::<Result<Vec<_>>>()?;
    let graphs = graphs(&args.networks)?;
    let options = FitOptions {
        name: args.name,
        provenance: args.provenance,
        correction: !args.no_correction,
        ..FitOptions::default()
    };
    let fitted = match &args.datasheet {
        None => fit(&measurements, &graphs, &options)?,
        Some(path) => {
            let datasheet = Datasheet::load(path)?;
            let dtype = args.dtype.unwrap_or_else(|| datasheet.dtype());
            from_datasheet(&datasheet.with_dtype(dtype)?, &measurements, &graphs, &options)?
        }
    };
    fitted.estimator.save(&args.out)?;
    let text = if fitted.estimator.is_analytic() { UNMEASURED.into() } else { fitted.quality.to_string() };
    output::print(&match args.format {
        Format::Text => text,
        Format::Md => format!("```text\n{text}```\n"),
        Format::Json => serde_json::to_string_pretty(&fitted.quality)? + "\n",
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

/// The estimator of a chip being designed, corrected by what was measured.
fn from_datasheet(
    datasheet: &Datasheet,
    measurements: &[Measurements],
    graphs: &[Network],
    options: &FitOptions,
) -> Result<Fit> {
    if measurements.is_empty() {
        return Ok(Fit { estimator: datasheet.estimator(options)?, quality: Quality::default() });
    }
    datasheet.calibrate(measurements, graphs, options)
}

fn graphs(paths: &[PathBuf]) -> Result<Vec<Network>> {
    let read: Result<Vec<Vec<Network>>> = paths.iter().map(|path| read_networks(Path::new(path))).collect();
    Ok(read?.into_iter().flatten().collect())
}
