//! Profiles of ONNX Runtime: the trace of a session with profiling enabled.
//!
//! Node events have the kernel's duration in microseconds and the shapes that it read and wrote. Default
//! optimisation fuses nodes and names them after their last tensor; convolutions in blocked layout
//! (`…_nchwc`) have channels padded to whole blocks, and an `Add` that they take in is a fourth input. With a
//! model rows are joined by name, without one the operators are made from the shapes.

use super::{
    Named, Profiled, Text, Timed, joined, layer_row, lines::Lines, model, ort_shapes, time, whole_row,
};
use crate::{
    error::Result,
    io::json::{Node, read_document},
    measurement::{
        collect::{Content, collect},
        content::{Measurements, Unit},
        noted::{Noted, problem, problem_at},
        options::ReadOptions,
    },
    network::Network,
};

const KERNEL: &str = "_kernel_time";
/// Nodes that change layout or type and compute nothing.
pub(super) const HELPERS: [&str; 12] = [
    "ReorderInput",
    "ReorderOutput",
    "Transpose",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Identity",
    "Cast",
    "QuantizeLinear",
    "DequantizeLinear",
    "MemcpyFromHost",
];

/// A node event.
pub(super) struct Kernel<'d> {
    pub(super) timed: Timed,
    pub(super) op: &'d str,
    pub(super) inputs: Vec<ort_shapes::Tensor>,
    pub(super) outputs: Vec<ort_shapes::Tensor>,
}

/// Reads one file.
pub(super) fn read(text: Text<'_>, models: &[Network], options: &ReadOptions) -> Result<Measurements> {
    let noted = Noted::default();
    read_document(text.file, text.text, |root| {
        let (kernels, mut profiled) = kernels(text, root, &noted)?;
        if kernels.is_empty() {
            let expected =
                "events with `cat` Node, as a session with profiling enabled writes; is --from right?";
            return Some(Err(problem(text.file, "no kernel times", expected).into()));
        }
        if models.is_empty() {
            return Some(shaped(text, &kernels, profiled, noted, options));
        }
        let network = match model(text.file, text.stem(&[]), models) {
            Ok(network) => network,
            Err(error) => return Some(Err(error)),
        };
        note_types(&kernels, network, &mut profiled);
        profiled.rows = kernels.into_iter().map(|kernel| kernel.timed).collect();
        Some(joined(text, network, profiled, noted, options))
    })?
}

/// All kernels of all runs but the first, which warms up.
fn kernels<'d>(text: Text<'_>, root: &Node<'d>, noted: &Noted) -> Option<(Vec<Kernel<'d>>, Profiled)> {
    let lines = Lines::of(text.text);
    let mut profiled = Profiled { unit: Some(Unit::Microseconds), ..Profiled::default() };
    let mut kernels = Vec::new();
    for event in root.list()? {
        let field = |name| event.field(name);
        let name = field("name").and_then(|name| name.as_str()).unwrap_or_default();
        let whole = name == "model_run";
        let node = field("cat").and_then(|cat| cat.as_str()) == Some("Node");
        let kernel_time = node && name.ends_with(KERNEL);
        if !(whole || kernel_time) {
            continue;
        }
        let position = lines.position(event.offset());
        let (found, number) = match field("dur") {
            Some(node) => (node.describe(), node.as_f64()),
            None => ("no `dur`".into(), None),
        };
        let Some(latency_us) = time(noted, text.file, position, &found, number, 1.0) else { continue };
        if whole {
            profiled.wholes.push((latency_us, position.0));
        } else {
            kernels.push(kernel(
                &event,
                name.trim_end_matches(KERNEL),
                position,
                profiled.wholes.len(),
                latency_us,
            ));
        }
    }
    drop_first(&mut kernels, &mut profiled);
    Some((kernels, profiled))
}

fn kernel<'d>(
    event: &Node<'d>,
    name: &str,
    position: (usize, usize),
    run: usize,
    latency_us: f64,
) -> Kernel<'d> {
    let args = event.field("args");
    let arg = |name| args.as_ref().and_then(|args| args.field(name));
    let op = arg("op_name").and_then(|op| op.as_str()).unwrap_or_default();
    let tensors = |name| arg(name).map(|list| ort_shapes::tensors(&list)).unwrap_or_default();
    let inputs: Vec<ort_shapes::Tensor> = tensors("input_type_shape");
    let helper = HELPERS.contains(&op) || latency_us == 0.0;
    let adds = ["Conv", "FusedConv"].contains(&op) && inputs.len() == 4;
    let name = Named { name: name.to_owned(), position, helper, adds };
    Kernel { timed: Timed { name, run, latency_us }, op, inputs, outputs: tensors("output_type_shape") }
}

fn drop_first(kernels: &mut Vec<Kernel<'_>>, profiled: &mut Profiled) {
    let runs = kernels.iter().map(|kernel| kernel.timed.run + 1).max().unwrap_or(0);
    if runs < 2 {
        profiled.notes.push("warning: one run only, which warms up; profile several".into());
        return;
    }
    kernels.retain(|kernel| kernel.timed.run > 0);
    kernels.iter_mut().for_each(|kernel| kernel.timed.run -= 1);
    profiled.wholes.drain(..profiled.wholes.len().min(1));
    profiled.notes.push(format!("the first of {runs} runs is left out, since it warms up"));
}

fn note_types(kernels: &[Kernel<'_>], network: &Network, profiled: &mut Profiled) {
    let bytes = kernels.iter().find_map(|kernel| kernel.outputs.first()).and_then(|tensor| tensor.bytes);
    if bytes.is_some_and(|bytes| bytes != network.dtype().bytes()) {
        let (name, dtype) = (network.name(), network.dtype());
        profiled.notes.push(format!(
            "warning: the profile computes in another type than network `{name}`, which says {dtype}"
        ));
    }
}

/// Rows made from the shapes, where there is no model.
fn shaped(
    text: Text<'_>,
    kernels: &[Kernel<'_>],
    mut profiled: Profiled,
    noted: Noted,
    options: &ReadOptions,
) -> Result<Measurements> {
    if kernels.iter().any(|kernel| kernel.timed.name.name.ends_with("_nchwc")) {
        let note = "warning: channels in blocked layout (_nchwc) are padded to whole blocks; give the --model, or \
                    profile with ORT_ENABLE_EXTENDED";
        profiled.notes.push(note.into());
    }
    let network = text.stem(&[]);
    let mut rows = Vec::new();
    let mut helpers = Vec::new();
    for run in 0..kernels.iter().map(|kernel| kernel.timed.run + 1).max().unwrap_or(0) {
        let of_run: Vec<&Kernel<'_>> = kernels.iter().filter(|kernel| kernel.timed.run == run).collect();
        for layer in ort_shapes::layers(&of_run) {
            match layer {
                Ok((name, operation, latency_us)) => {
                    let row = layer_row(network, &name.name, operation, latency_us, name.position.0);
                    rows.extend(super::plausible(text.file, &noted, row));
                }
                Err((name, op)) if name.helper => helpers.push(format!("`{}` ({op})", name.name)),
                Err((name, op)) if run == 0 => {
                    let expected = "an operator with shapes that `nas` knows; or give the --model";
                    let found = format!("`{op}` in row `{}`", name.name);
                    noted.push(problem_at(text.file, name.position, found, expected));
                }
                Err(_) => {}
            }
        }
        let line = of_run.first().map_or(0, |kernel| kernel.timed.name.position.0);
        let sum = || (of_run.iter().map(|kernel| kernel.timed.latency_us).sum(), line);
        rows.push(whole_row(network, profiled.wholes.get(run).copied().unwrap_or_else(sum)));
    }
    helpers.sort();
    helpers.dedup();
    if !helpers.is_empty() {
        helpers.truncate(8);
        profiled.notes.push(format!("counted for the network but for no layer: {}", helpers.join(", ")));
    }
    let (notes, unit) = (profiled.notes, Unit::Microseconds);
    collect(Content { file: text.file, hash: text.hash(), unit, rows, noted, notes }, options)
}
