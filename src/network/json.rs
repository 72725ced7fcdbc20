//! `nas.network/1`: networks as JSON and JSON Lines.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use super::{
    Activation, DType, Layer, Network, NetworkBuilder, Pad, Shape, Source, Window,
    ops::{self, KNOWN},
};
use crate::{
    error::{Error, Problem, Result, one_of},
    io::{
        json::{Fields, Node, read_document},
        read_text,
    },
};

const SCHEMA: &str = "nas.network/1";
const COMMON_FIELDS: [&str; 4] = ["name", "op", "inputs", "activation"];
const MAX_KERNEL: u32 = 1024;

/// Reads one network from `text`, which came from `file`.
///
/// # Errors
/// The text is not a `nas.network/1` object; all problems are returned, with their positions.
pub fn read_network(file: &str, text: &str) -> Result<Network> {
    read_document(file, text, network_node)
}

/// Reads every network of a `.json` (one) or `.jsonl` (one a line) file, plain or gzipped.
///
/// # Errors
/// The file cannot be read, holds no network, or a network is not acceptable.
pub fn read_networks(path: &Path) -> Result<Vec<Network>> {
    let text = read_text(path)?;
    let file = path.display().to_string();
    if !file.trim_end_matches(".gz").ends_with(".jsonl") {
        return Ok(vec![read_network(&file, &text)?]);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let networks =
        lines.map(|(index, line)| read_network(&file, line).map_err(|error| shift_lines(error, index)));
    let networks = networks.collect::<Result<Vec<_>>>()?;
    if networks.is_empty() {
        let found = "no line with a network".into();
        let expected = format!("one {SCHEMA} object a line");
        return Err(Problem { file, position: None, path: String::new(), found, expected }.into());
    }
    Ok(networks)
}

fn shift_lines(error: Error, lines: usize) -> Error {
    match error {
        Error::Input(mut problems) => {
            for problem in &mut problems {
                problem.position = problem.position.map(|(line, column)| (line + lines, column));
            }
            Error::Input(problems)
        }
        other => other,
    }
}

pub(crate) fn network_node(root: &Node<'_>) -> Option<Network> {
    let fields = root.fields(&["schema", "name", "input", "dtype", "layers"])?;
    fields.check_schema(SCHEMA);
    let name = fields.required("name").and_then(Node::name);
    let input = fields.required("input").and_then(shape);
    let dtype = fields.or("dtype", DType::Int8, |node| node.named(&DType::NAMES));
    let layers = fields.required("layers").and_then(Node::list);
    let mut builder = NetworkBuilder::new(name?, input?, dtype?);
    let layers = layers?;
    if layers.is_empty() {
        fields.required("layers")?.problem("an empty list", "at least one layer");
    }
    // A layer that cannot be read makes later ones that read it fail too; stop at the first.
    for node in &layers {
        add_layer(&mut builder, node)?;
    }
    Some(builder.finish())
}

fn shape(node: &Node<'_>) -> Option<Shape> {
    let fields = node.fields(&["h", "w", "c"])?;
    let side = |name| fields.required(name).and_then(|node| node.u32_in(1..=Shape::MAX_DIM));
    let (h, w, c) = (side("h"), side("w"), side("c"));
    Some(Shape::new(h?, w?, c?))
}

fn add_layer(builder: &mut NetworkBuilder, node: &Node<'_>) -> Option<()> {
    let op = node.field("op");
    let op_name = op.as_ref().map_or(Some(""), Node::string)?;
    let own = KNOWN.iter().find(|(name, _)| *name == op_name);
    let Some((_, own)) = own else {
        let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
        op.as_ref().unwrap_or(node).problem(format_args!("op `{op_name}`"), one_of(op_name, &names));
        return None;
    };
    let fields = node.fields(&[&COMMON_FIELDS, *own].concat())?;
    let name = fields.required("name").and_then(Node::name);
    let inputs = fields.required("inputs").and_then(|node| sources(builder, node));
    let activation = fields.or("activation", Activation::None, |node| node.named(&Activation::NAMES));
    let op = ops::read(op_name, &LayerFields { fields: &fields });
    let added = builder.add(name?, op?, &inputs?, activation?);
    added.map_err(|error| node.problem(error.mismatch.found, error.mismatch.expected)).ok()?;
    Some(())
}

fn sources(builder: &NetworkBuilder, node: &Node<'_>) -> Option<Vec<Source>> {
    let source = |node: &Node<'_>| {
        let name = node.string()?;
        let found = builder.find(name);
        if found.is_none() {
            let near = crate::error::nearest(name, builder.names());
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            node.expected(format_args!("`input` or the name of an earlier layer{hint}"));
        }
        found
    };
    node.list()?.iter().map(source).collect()
}

/// The fields of one layer, read in the ways that operators share.
pub(crate) struct LayerFields<'f, 'd> {
    pub(super) fields: &'f Fields<'d>,
}

impl LayerFields<'_, '_> {
    pub(super) fn cout(&self) -> Option<u32> {
        self.fields.required("cout")?.u32_in(1..=Shape::MAX_DIM)
    }

    pub(super) fn optional_cout(&self) -> Option<Option<u32>> {
        self.fields.or("cout", None, |node| node.u32_in(1..=Shape::MAX_DIM).map(Some))
    }

    pub(super) fn count(&self, name: &str, default: u32) -> Option<u32> {
        self.fields.or(name, default, |node| node.u32_in(1..=Shape::MAX_DIM))
    }

    pub(super) fn start(&self) -> Option<u32> {
        self.fields.or("start", 0, |node| node.u32_in(0..=Shape::MAX_DIM))
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Option<bool> {
        self.fields.or(name, default, Node::bool)
    }

    pub(super) fn size(&self) -> Option<[u32; 2]> {
        pair(self.fields.required("size")?, Shape::MAX_DIM)
    }

    pub(super) fn window(&self) -> Option<Window> {
        let kernel = self.fields.required("kernel").and_then(|node| pair(node, MAX_KERNEL));
        let stride = self.fields.or("stride", [1; 2], |node| pair(node, MAX_KERNEL));
        let dilation = self.fields.or("dilation", [1; 2], |node| pair(node, MAX_KERNEL));
        let pad = self.fields.or("pad", Pad::Same, pad);
        Some(Window { kernel: kernel?, stride: stride?, dilation: dilation?, pad: pad? })
    }
}

/// A number for both axes, or a list of height and width.
fn pair(node: &Node<'_>, max: u32) -> Option<[u32; 2]> {
    if !node.is_list() {
        return node.u32_in(1..=max).map(|both| [both; 2]);
    }
    match node.list()?.as_slice() {
        [h, w] => {
            let (h, w) = (h.u32_in(1..=max), w.u32_in(1..=max));
            Some([h?, w?])
        }
        _ => {
            node.expected("a number, or a list of height and width");
            None
        }
    }
}

fn pad(node: &Node<'_>) -> Option<Pad> {
    if node.is_string() {
        return node.named(&[("same", Pad::Same), ("valid", Pad::Valid)]);
    }
    let sides: Option<Vec<u32>> = node.list()?.iter().map(|side| side.u32_in(0..=MAX_KERNEL)).collect();
    let sides = <[u32; 4]>::try_from(sides?);
    if sides.is_err() {
        node.expected("\"same\", \"valid\" or [top, left, bottom, right]");
    }
    sides.ok().map(Pad::Explicit)
}

/// One layer as it stands in a file; fields at their defaults are left out.
#[derive(Serialize)]
pub struct LayerDocument {
    name: String,
    op: &'static str,
    inputs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cout: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stride: Option<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dilation: Option<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pad: Option<PadDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<[u32; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bias: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Pair {
    Both(u32),
    Each([u32; 2]),
}

impl From<[u32; 2]> for Pair {
    fn from(pair: [u32; 2]) -> Self {
        if pair[0] == pair[1] { Self::Both(pair[0]) } else { Self::Each(pair) }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum PadDocument {
    Named(&'static str),
    Sides([u32; 4]),
}

impl LayerDocument {
    fn new(network: &Network, layer: &Layer) -> Self {
        let name = |source: &Source| match source {
            Source::Input => "input".to_owned(),
            Source::Layer(index) => network.layers[*index].name.clone(),
        };
        let mut document = Self {
            name: layer.name.clone(),
            op: layer.op.name(),
            inputs: layer.inputs.iter().map(name).collect(),
            start: None,
            cout: None,
            kernel: None,
            stride: None,
            dilation: None,
            pad: None,
            groups: None,
            size: None,
            mode: None,
            bias: None,
            activation: (layer.activation != Activation::None).then(|| layer.activation.name()),
        };
        layer.op.operator().write(&mut document);
        document
    }

    pub(super) fn set_window(&mut self, window: &Window) {
        self.kernel = Some(window.kernel.into());
        self.stride = Some(window.stride.into());
        self.dilation = (window.dilation != [1; 2]).then(|| window.dilation.into());
        self.pad = match window.pad {
            Pad::Same => None,
            Pad::Valid => Some(PadDocument::Named("valid")),
            Pad::Explicit(sides) => Some(PadDocument::Sides(sides)),
        };
    }

    pub(super) fn set_bias(&mut self, bias: bool) {
        self.bias = (!bias).then_some(false);
    }
}

#[derive(Serialize)]
struct ShapeDocument {
    h: u32,
    w: u32,
    c: u32,
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Shape { h, w, c } = self.input;
        let layers: Vec<LayerDocument> =
            self.layers.iter().map(|layer| LayerDocument::new(self, layer)).collect();
        let mut object = serializer.serialize_struct("Network", 5)?;
        object.serialize_field("schema", SCHEMA)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("input", &ShapeDocument { h, w, c })?;
        object.serialize_field("dtype", self.dtype.name())?;
        object.serialize_field("layers", &layers)?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Network {
    /// Reads a network inside another document, whose reader knows the position; what is said here is the place within
    /// the network.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        read_network("network", &value.to_string()).map_err(|error| match error {
            Error::Input(problems) => {
                let placeless = |problem| Problem { position: None, ..problem };
                de::Error::custom(Error::Input(problems.into_iter().map(placeless).collect()))
            }
            other => de::Error::custom(other),
        })
    }
}
