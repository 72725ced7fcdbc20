//! ONNX models as networks, and networks as ONNX models (<https://onnx.ai>, operator sets 7 to 23).
//!
//! To be read, a graph is run on shapes: integers are computed, as exporters write shapes as arithmetic; pictures are
//! followed through reshapes and element-wise operators; weights count with their sides. What cannot be
//! expressed by the network's operators is refused by name, never counted as nothing.

mod broadcast;
mod curve;
mod draft;
mod export;
mod external;
mod fold;
mod input;
mod layout;
mod lower;
mod node;
mod picture;
mod proto;
mod reader;
mod slice;
mod tensor;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use draft::Drafts;
pub use export::{ExportOptions, export};
use external::External;
use picture::{Refusal, Value};
use proto::{Graph, Model, Node};
use reader::{Reader, Scope};

use crate::{
    error::{Error, Problem, Result},
    io::read_bytes,
    network::Network,
};

/// More problems than this help nobody.
const MOST_PROBLEMS: usize = 50;
/// What is read for sure. Older ones differ in how bounds and axes are given.
const OLDEST_OPSET: i64 = 7;
const NEWEST_OPSET: i64 = 23;

/// How a model is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The input's sides in the file's order, such as 1, 3, 224, 224, where the file leaves some open.
    pub input_shape: Option<Vec<u64>>,
    /// Read what can be read, and list what is missing.
    pub partial: bool,
    /// The network's name; the file's without folder and extension if none is given.
    pub name: Option<String>,
}

/// A model as a network.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// What the network says otherwise than the model, or leaves out because it costs nothing.
    pub notes: Vec<String>,
    /// With [`ReadOptions::partial`]: what of the model is not in the network. Its costs are not counted.
    pub missing: Vec<Problem>,
    /// The nodes that were left out because they read what is missing.
    pub behind: Vec<String>,
}

/// Whether `path` is named like an ONNX model.
#[must_use]
pub fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// Reads an ONNX file; weights in files beside it need not be there.
///
/// # Errors
/// The file cannot be read or is no model, or, unless [`ReadOptions::partial`], a node cannot be expressed;
/// all such nodes are returned together.
pub fn read_onnx(path: &Path, options: &ReadOptions) -> Result<Imported> {
    let bytes = read_bytes(path)?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let named = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = options.name.clone().or(named).unwrap_or_else(|| "model".into());
    let options = ReadOptions { name: Some(name), ..options.clone() };
    read_model(&path.display().to_string(), &bytes, External::beside(&folder), &options)
}

/// The same for the bytes of a model; every file beside it counts as absent.
///
/// # Errors
/// As [`read_onnx`].
pub fn read_onnx_bytes(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Imported> {
    read_model(file, bytes, External::nowhere(), options)
}

fn read_model(file: &str, bytes: &[u8], external: External, options: &ReadOptions) -> Result<Imported> {
    let problem = |path: &str, found: String, expected: &str| Problem {
        file: file.to_owned(),
        position: None,
        path: path.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    let model = proto::decode(bytes).map_err(|error| problem("", error, "an ONNX model"))?;
    let graph = model.graph.as_ref().filter(|graph| !graph.node.is_empty()).ok_or_else(|| {
        let found = if bytes.is_empty() { "an empty file" } else { "no graph, or one without nodes" };
        problem("", found.into(), "an ONNX model")
    })?;
    let mut notes = Vec::new();
    check_opset(&model, &mut notes)
        .map_err(|found| problem("opset_import", found, "operator set 7 or newer"))?;
    let nodes = needed(graph);
    let references: Vec<&Node> = nodes.iter().collect();
    let given = input::given(graph, &references, options.input_shape.as_deref())
        .map_err(|(place, found, expected)| problem(&place, found, &expected))?;
    if given.open_batch {
        notes.push("the batch, which the file leaves open, is 1".into());
    }
    let mut reader = Reader::new(file, Drafts::new(given.shape), external, &model.functions);
    reader.notes = notes;
    let mut scope = Scope::new();
    reader.initialize(graph, &mut scope);
    scope.insert(given.name.clone(), given.picture.clone().into());
    reader.dropped = lower::dropped(&nodes, &scope);
    reader.run(&nodes, &mut scope, 0);
    finish(reader, graph, &scope, options)
}

/// The network of what has been read.
fn finish(mut reader: Reader<'_>, graph: &Graph, scope: &Scope, options: &ReadOptions) -> Result<Imported> {
    let mut outputs = Vec::new();
    for output in &graph.output {
        match scope.get(&output.name) {
            Some(Value::Picture(picture)) => match reader.read(picture) {
                Ok(read) => outputs.push(read),
                Err(Refusal { found, expected, .. }) => {
                    reader.problem_at(format!("output `{}`", output.name), Refusal::new(found, expected));
                }
            },
            Some(Value::Constant(_)) => reader.note(&format!("output `{}` is a constant", output.name)),
            Some(Value::Missing) => {}
            None => {
                let refusal = Refusal::new("an output that no node writes", "a graph that is whole");
                reader.problem_at(format!("output `{}`", output.name), refusal);
            }
        }
    }
    let mut problems = std::mem::take(&mut reader.problems);
    if !problems.is_empty() && !options.partial {
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        problems.truncate(MOST_PROBLEMS);
        if more > 0 {
            let found = format!("{more} more nodes that cannot be read");
            problems.push(Problem {
                path: "graph".into(),
                found,
                expected: "none".into(),
                ..problems[0].clone()
            });
        }
        return Err(Error::Input(problems));
    }
    if reader.drafts.len() == 0 {
        let found = "no layer that can be read".to_owned();
        let expected = "convolutions or dense layers on the input".to_owned();
        problems.push(Problem {
            file: reader.file.clone(),
            position: None,
            path: "graph".into(),
            found,
            expected,
        });
        return Err(Error::Input(problems));
    }
    for file in reader.external.absent().to_vec() {
        reader.note(&format!("{file} is not there; the sides of the weights in it are enough"));
    }
    let dtype = reader.dtype();
    let mut name = options.name.clone().unwrap_or_else(|| graph.name.clone());
    if !problems.is_empty() {
        // Wherever the numbers go, they go under this name.
        name = format!("{name} (partial: {} nodes missing)", problems.len() + reader.behind.len());
    }
    let Reader { drafts, mut notes, behind, .. } = reader;
    let network = drafts.finish(&name, dtype, outputs, !problems.is_empty(), &mut notes)?;
    Ok(Imported { network, notes, missing: problems, behind })
}

fn check_opset(model: &Model, notes: &mut Vec<String>) -> Result<(), String> {
    let own = model.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
    match own.map(|set| set.version) {
        None => Err("no version of ONNX's operator set".into()),
        Some(version) if version < OLDEST_OPSET => Err(format!("operator set {version}")),
        Some(version) => {
            if version > NEWEST_OPSET {
                notes.push(format!(
                    "operator set {version} is newer than {NEWEST_OPSET}, the last that was tried"
                ));
            }
            Ok(())
        }
    }
}

/// The nodes that the graph's outputs depend on, in their order.
fn needed(graph: &Graph) -> Vec<Node> {
    let mut wanted: HashSet<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    let mut kept: Vec<&Node> = Vec::new();
    for node in graph.node.iter().rev() {
        if node.output.iter().any(|name| wanted.contains(name.as_str())) {
            kept.push(node);
            read_by(node, &mut wanted);
        }
    }
    kept.into_iter().rev().cloned().collect()
}

/// What the node reads, its branches included.
fn read_by<'g>(node: &'g Node, wanted: &mut HashSet<&'g str>) {
    wanted.extend(node.input.iter().map(String::as_str));
    for graph in node.attribute.iter().filter_map(|attribute| attribute.g.as_deref()) {
        wanted.extend(graph.output.iter().map(|output| output.name.as_str()));
        for inner in &graph.node {
            read_by(inner, wanted);
        }
    }
}
