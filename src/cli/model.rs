//! Networks from files of either kind: `nas.network/1` and ONNX.

use std::path::Path;

use nas::{
    estimator::NetworkEstimate,
    network::{DType, Network, read_networks},
    onnx::{Imported, ReadOptions, is_onnx, read_onnx},
};

use super::output;

/// How an ONNX model is read.
#[derive(clap::Args)]
pub(super) struct OnnxArgs {
    /// The input's sides where an ONNX model leaves them open, such as 1x3x224x224.
    #[arg(long, value_name = "NxCxHxW", value_parser = sides)]
    input_shape: Option<Sides>,
}

/// The sides of a tensor.
#[derive(Clone, Debug)]
struct Sides(Vec<u64>);

fn sides(text: &str) -> Result<Sides, String> {
    let side = |side: &str| side.parse::<u64>().ok().filter(|side| *side > 0);
    let sides: Option<Vec<u64>> = text.split('x').map(side).collect();
    sides.map(Sides).ok_or_else(|| "expected whole numbers with x between them, such as 1x3x224x224".into())
}

impl OnnxArgs {
    pub(super) fn options(&self) -> ReadOptions {
        let input_shape = self.input_shape.as_ref().map(|sides| sides.0.clone());
        ReadOptions { input_shape, ..ReadOptions::default() }
    }
}

/// Reads an ONNX model and tells what it notes; `what` is done with the rest of a partial one.
pub(super) fn imported(path: &Path, options: &ReadOptions) -> anyhow::Result<Imported> {
    let read = read_onnx(path, options).map_err(|error| match error {
        nas::error::Error::Input(problems)
            if !options.partial && problems.iter().any(|p| p.path.starts_with("node")) =>
        {
            anyhow::anyhow!(
                "{}\n--partial prices the rest of the model and says what is missing",
                nas::error::Error::Input(problems)
            )
        }
        other => other.into(),
    })?;
    for note in &read.notes {
        output::tell(format_args!("note: {note}"));
    }
    tell_missing(&read);
    output::tell(format_args!("note: blocks: {}", read.network.block_counts()));
    Ok(read)
}

fn tell_missing(read: &Imported) {
    /// Nodes that are only named for whom it helps.
    const MOST: usize = 10;
    for problem in &read.missing {
        output::tell(format_args!("missing: {problem}"));
    }
    if !read.behind.is_empty() {
        let named: Vec<&str> = read.behind.iter().take(MOST).map(String::as_str).collect();
        let more = read.behind.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        output::tell(format_args!("missing with it, since they read it: {}{more}", named.join(", ")));
    }
}

/// The networks of a `.json`, `.jsonl` or `.onnx` file.
pub(super) fn networks(path: &Path, options: &ReadOptions) -> anyhow::Result<Vec<Network>> {
    if is_onnx(path) {
        return Ok(vec![imported(path, options)?.network]);
    }
    Ok(read_networks(path)?)
}

/// What to type where an estimator was fitted to another number format than the network's, as int8 for a model
/// that comes in fp32.
pub(super) fn dtype_hint(network: &Network, estimate: &NetworkEstimate) -> Option<String> {
    let other = estimate.out_of_range.iter().find(|out| out.feature == "bytes_per_value")?;
    let (least, largest) = other.range?;
    let fits = |dtype: &DType| (least..=largest).contains(&(dtype.bytes() as f64));
    let (name, _) = DType::NAMES.iter().find(|(_, dtype)| fits(dtype))?;
    Some(format!(
        "hint: {} is {}, and the estimator was fitted to {name}; --dtype {name} takes it as {name}",
        network.name(),
        network.dtype()
    ))
}
