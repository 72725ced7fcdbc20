//! `nas export`: an architecture as a model file.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::ValueEnum;
use nas::{
    io::{check_writable, write_atomically},
    network::{DType, Network},
    onnx::{self, ExportOptions, ReadOptions},
    report::Report,
    tflite::{TfliteOptions, tflite_model},
    torch::{TorchOptions, torch_module},
    units::si,
};

use super::{Status, estimate::networks, import::dtype, model::OnnxArgs, output, report::report_path};

/// Write an architecture as an ONNX model, a TFLite model or a PyTorch module.
///
/// The weights are random (He initialisation), to be trained: `nas` chooses architectures and trains none.
#[derive(clap::Args)]
pub(super) struct Args {
    /// An entry of a report: run/report.json#3, run#baseline, or an architecture id; or a network (.json, .onnx).
    #[arg(value_name = "ENTRY")]
    model: String,
    /// The file to write; its ending gives the form: .onnx, .tflite, or .py for PyTorch.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// The form, whatever the file is called.
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// The ONNX operator set to write.
    #[arg(long, value_name = "N", default_value_t = ExportOptions::default().opset,
          value_parser = clap::value_parser!(u32).range(11..=23))]
    opset: u32,
    /// The seed of an ONNX or TFLite model's weights.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Whether batch-norm stands behind convolutions or is folded into their biases; by default it is present
    /// in PyTorch, where training happens, and folded in ONNX, which is what is deployed, and in TFLite.
    #[arg(long, value_enum, value_name = "FORM")]
    batch_norm: Option<BatchNorm>,
    /// The type of a TFLite model's weights and activations: int8 or fp32; the network's if not given.
    #[arg(long, value_parser = dtype)]
    dtype: Option<DType>,
    #[command(flatten)]
    read: OnnxArgs,
    /// Replace that file if there is one.
    #[arg(long)]
    force: bool,
}

/// The form of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// An ONNX model with all shapes fixed and a batch of one.
    Onnx,
    /// A TFLite model: int8 with a scale for each channel, or fp32.
    Tflite,
    /// Python source with a class `Network`.
    Torch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BatchNorm {
    /// Nodes or layers of its own.
    Present,
    /// Part of weights and biases.
    Folded,
}

/// What is to be written and what is known of it.
struct Subject {
    network: Network,
    /// Names and values for the file.
    notes: Vec<(String, String)>,
    /// The architecture, one line a block.
    blocks: Vec<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    if args.out.exists() && !args.force {
        bail!("{} is there already; name another with --out, or --force to replace it", args.out.display());
    }
    check_writable(&args.out)?;
    let form = form(args)?;
    check_options(args, form)?;
    let subject = subject(&args.model, &args.read.options())?;
    let bytes = match form {
        Form::Onnx => onnx(args, &subject)?,
        Form::Tflite => tflite(args, &subject)?,
        Form::Torch => torch(args, &subject)?,
    };
    write_atomically(&args.out, &bytes)?;
    let network = &subject.network;
    output::tell(format_args!(
        "wrote {}: {}, input 1x{}x{}x{}, {} MACs, {} params, untrained",
        args.out.display(),
        network.name(),
        network.input().c,
        network.input().h,
        network.input().w,
        si(network.macs().0),
        si(network.params().0),
    ));
    Ok(Status::Done)
}

fn form(args: &Args) -> anyhow::Result<Form> {
    let ending = args.out.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match (args.format, ending.as_deref()) {
        (Some(form), _) => Ok(form),
        (None, Some("onnx")) => Ok(Form::Onnx),
        (None, Some("tflite")) => Ok(Form::Tflite),
        (None, Some("py")) => Ok(Form::Torch),
        _ => bail!(
            "--out {}: expected a file ending in .onnx, .tflite or .py; or say which with --format onnx, tflite or torch",
            args.out.display()
        ),
    }
}

/// Options that would have no effect are refused.
fn check_options(args: &Args, form: Form) -> anyhow::Result<()> {
    if form == Form::Tflite && args.batch_norm == Some(BatchNorm::Present) {
        bail!("--batch-norm present: TFLite has no batch-norm; leave it out, or write --format onnx");
    }
    if form != Form::Tflite && args.dtype.is_some() {
        bail!("--dtype is for TFLite; ONNX models and PyTorch modules are written in fp32");
    }
    Ok(())
}

fn onnx(args: &Args, subject: &Subject) -> anyhow::Result<Vec<u8>> {
    let options = ExportOptions {
        opset: args.opset,
        seed: args.seed,
        batch_norm: args.batch_norm == Some(BatchNorm::Present),
        metadata: subject.notes.clone(),
    };
    Ok(onnx::export(&subject.network, &options)?)
}

fn tflite(args: &Args, subject: &Subject) -> anyhow::Result<Vec<u8>> {
    let network = &subject.network;
    let network = network.relabelled(network.name(), args.dtype.unwrap_or(network.dtype()));
    let options = TfliteOptions { seed: args.seed, metadata: subject.notes.clone() };
    Ok(tflite_model(&network, &options)?)
}

fn torch(args: &Args, subject: &Subject) -> anyhow::Result<Vec<u8>> {
    let notes =
        subject.notes.iter().map(|(name, value)| format!("{}: {value}", name.trim_start_matches("nas_")));
    let notes = notes.chain(subject.blocks.iter().cloned()).collect();
    let options = TorchOptions { batch_norm: args.batch_norm != Some(BatchNorm::Folded), notes };
    Ok(torch_module(&subject.network, &options)?.into_bytes())
}

fn subject(model: &str, options: &ReadOptions) -> anyhow::Result<Subject> {
    let Some((run, entry)) = model.rsplit_once('#') else { return plain(model, options) };
    let report = Report::load(&report_path(Path::new(run))?)?;
    let entry = report.entry(entry)?;
    let notes = [
        ("nas_architecture_id", entry.id.clone()),
        ("nas_space", report.space.name.clone()),
        ("nas_space_hash", report.space.hash.clone()),
        ("nas_search_seed", report.seed.to_string()),
        ("nas_search_version", report.version.clone()),
    ];
    let notes = notes.map(|(name, value)| (name.to_owned(), value)).into();
    Ok(Subject { network: entry.network.clone(), notes, blocks: entry.blocks.clone() })
}

fn plain(model: &str, options: &ReadOptions) -> anyhow::Result<Subject> {
    let (mut networks, _) = networks(model, options)?;
    match (networks.pop(), networks.len()) {
        (Some(network), 0) => Ok(Subject { network, notes: Vec::new(), blocks: Vec::new() }),
        (_, others) => bail!("{model} holds {} networks; export one at a time", others + 1),
    }
}
