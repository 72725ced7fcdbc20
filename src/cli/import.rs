//! `nas import`: a search space around a model.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, bail};
use nas::{
    estimator::Estimator,
    io::{check_writable, write_atomically},
    network::{DType, Network},
    space::{Parallelism, SpaceAround, SpaceOptions, space_around},
};

use super::{
    Status,
    model::{self, OnnxArgs},
    output,
};

/// Write a search space with a model as its baseline, ready for `nas search`.
///
/// The space has the model's stem, blocks and classifier, and curated choices around them: widths in multiples
/// of the parallelism factor, fused blocks, kernels, expansions, repeats, input sizes and depth multipliers. If
/// its baseline is not exactly the model, what differs is said.
#[derive(clap::Args)]
pub(super) struct Args {
    /// An ONNX model (.onnx) or a network (.json).
    model: PathBuf,
    /// The space file (nas.space/1) to write; standard output if not given.
    #[arg(long, short, value_name = "SPACE")]
    output: Option<PathBuf>,
    /// Overwrite the space file.
    #[arg(long)]
    force: bool,
    /// The space's name; the model's file name if not given.
    #[arg(long)]
    name: Option<String>,
    /// Channels are multiples of this: a number, or `estimator` for the lanes of the one that is given, which
    /// is the default if one is given; else 8.
    #[arg(long, value_name = "N|estimator")]
    parallelism: Option<Factor>,
    /// The estimator (nas.estimator/1) that the space names.
    #[arg(long, short, value_name = "EST")]
    estimator: Option<PathBuf>,
    /// The type of activations and weights to search for: int8, fp16 or fp32; the model's if not given.
    #[arg(long, value_parser = dtype)]
    dtype: Option<DType>,
    #[command(flatten)]
    onnx: OnnxArgs,
}

/// The parallelism factor as it is asked for.
#[derive(Clone, Copy, Debug)]
enum Factor {
    Number(u32),
    OfEstimator,
}

impl FromStr for Factor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "estimator" {
            return Ok(Self::OfEstimator);
        }
        let number = text.parse().ok().filter(|number| (1..=1024).contains(number));
        number
            .map(Self::Number)
            .ok_or_else(|| "expected a whole number from 1 to 1024, or `estimator`".into())
    }
}

/// A number format by its name.
pub(super) fn dtype(text: &str) -> Result<DType, String> {
    let found = DType::NAMES.iter().find(|(name, _)| *name == text);
    found.map(|(_, dtype)| *dtype).ok_or_else(|| "expected int8, fp16 or fp32".into())
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    if let Some(path) = &args.output {
        if path.exists() && !args.force {
            bail!("{} exists; --force overwrites it", path.display());
        }
        check_writable(path)?;
    }
    let networks = model::networks(&args.model, &args.onnx.options())?;
    let [network] = networks.as_slice() else {
        bail!("{} holds {} networks; give a file with one", args.model.display(), networks.len());
    };
    let around = space_around(network, &options(args)?)?;
    hint(args, network)?;
    for difference in &around.differences {
        output::tell(format_args!("differs: {difference}"));
    }
    match &args.output {
        None => output::print(&around.text)?,
        Some(path) => {
            write_atomically(path, around.text.as_bytes())?;
            output::print(&summary(path, network, &around))?;
        }
    }
    Ok(Status::Done)
}

/// Says so where the space is of another number format than the estimator.
fn hint(args: &Args, network: &Network) -> anyhow::Result<()> {
    let Some(path) = &args.estimator else { return Ok(()) };
    let estimator = Estimator::load(path)?;
    let network = network.relabelled(network.name(), args.dtype.unwrap_or(network.dtype()));
    if let Some(hint) = model::dtype_hint(&network, &estimator.estimate(&network)) {
        output::tell(format_args!("{hint}"));
    }
    Ok(())
}

fn options(args: &Args) -> anyhow::Result<SpaceOptions> {
    let estimator = args.estimator.as_deref().map(Estimator::load).transpose()?;
    let lanes = estimator.as_ref().map(Estimator::parallelism);
    let parallelism = match (args.parallelism, lanes) {
        (Some(Factor::Number(number)), _) => Parallelism::Number(number),
        (Some(Factor::OfEstimator), None) => bail!("whose lanes? give the estimator with --estimator EST"),
        (_, Some(lanes)) => Parallelism::OfEstimator(lanes),
        (None, None) => Parallelism::Number(8),
    };
    let relative = |path: &PathBuf| seen_from(args.output.as_deref(), path);
    let estimator = args.estimator.as_ref().map(relative).transpose()?;
    Ok(SpaceOptions { name: args.name.clone(), parallelism, estimator, dtype: args.dtype })
}

/// The path to `file` from the folder of `space`.
fn seen_from(space: Option<&Path>, file: &Path) -> anyhow::Result<String> {
    let folder = space.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let absolute =
        |path: &Path| fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()));
    let (from, to) = (absolute(folder.unwrap_or(Path::new(".")))?, absolute(file)?);
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    Ok(path.to_string_lossy().into_owned())
}

fn summary(path: &Path, network: &Network, around: &SpaceAround) -> String {
    let (curated, _) = around.space.log10_size();
    let same = if around.differences.is_empty() {
        "the baseline is the model: the same MACs, params and blocks"
    } else {
        "the baseline is not quite the model; see above"
    };
    format!(
        "{}: {} genes, 10^{curated:.1} architectures around {} ({}); {same}\n",
        path.display(),
        around.space.genes().len(),
        network.name(),
        network.block_counts()
    )
}
