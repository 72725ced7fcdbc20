//! The picture that a graph is given: its sides, and which axis holds what.

use std::collections::HashSet;

use super::{
    draft::Base,
    layout::Layout,
    node::Attributes,
    picture::Picture,
    proto::{Dimension, Graph, Node, ValueInfo},
};
use crate::network::Shape;

/// The graph's input as a picture.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) picture: Picture,
    /// Sides that the file leaves open and that are taken to be one.
    pub(super) open_batch: bool,
}

/// Where, found and expected.
pub(super) type Wrong = (String, String, String);

/// The only input of the graph that is not a constant, with the sides that `wanted` fills in.
///
/// # Errors
/// There is not exactly one such input, or its sides are not known or not those of a picture.
pub(super) fn given(graph: &Graph, nodes: &[&Node], wanted: Option<&[u64]>) -> Result<Given, Wrong> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut read = HashSet::new();
    nodes.iter().for_each(|node| super::read_by(node, &mut read));
    let inputs = graph.input.iter().filter(|input| !constants.contains(input.name.as_str()));
    let inputs: Vec<&ValueInfo> = inputs.filter(|input| read.contains(input.name.as_str())).collect();
    let [input] = inputs[..] else {
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        let found =
            if names.is_empty() { "no input".into() } else { format!("the inputs {}", names.join(", ")) };
        return Err(("graph".into(), found, "one input: a picture".into()));
    };
    let place = format!("input `{}`", input.name);
    let dims = input.value_type.as_ref().and_then(|kind| kind.tensor_type.as_ref()?.shape.as_ref());
    let dims: Vec<Side> = match (dims, wanted) {
        (Some(shape), _) => shape.dim.iter().map(Side::of).collect(),
        (None, Some(wanted)) => vec![Side::Open("?".into()); wanted.len()],
        (None, None) => {
            let expected = "its shape: give it with --input-shape, such as --input-shape 1x3x224x224";
            return Err((place, "a tensor of unknown shape".into(), expected.into()));
        }
    };
    let sides = filled(&dims, wanted).map_err(|(found, expected)| (place.clone(), found, expected))?;
    let channels_last = dims.len() == 4 && is_transposed_at_once(&input.name, nodes);
    let (shape, layout) =
        picture(&sides, channels_last).map_err(|(found, expected)| (place, found, expected))?;
    let open_batch = wanted.is_none() && matches!(dims.first(), Some(Side::Open(_)));
    let picture = Picture::new(Base::Input, layout);
    Ok(Given { name: input.name.clone(), shape, picture, open_batch })
}

#[derive(Clone, Debug)]
enum Side {
    Known(u64),
    /// A side that is known when the network runs, by its name.
    Open(String),
}

impl Side {
    fn of(dim: &Dimension) -> Self {
        match (
            dim.dim_value.and_then(|side| u64::try_from(side).ok()).filter(|side| *side > 0),
            &dim.dim_param,
        ) {
            (Some(side), _) => Self::Known(side),
            (None, Some(name)) if !name.is_empty() => Self::Open(name.clone()),
            (None, _) => Self::Open("?".into()),
        }
    }
}

fn written(dims: &[Side]) -> String {
    let side = |side: &Side| match side {
        Side::Known(side) => side.to_string(),
        Side::Open(name) => name.clone(),
    };
    dims.iter().map(side).collect::<Vec<_>>().join("x")
}

/// All sides: the file's, and the wanted ones where the file leaves them open.
fn filled(dims: &[Side], wanted: Option<&[u64]>) -> Result<Vec<u64>, (String, String)> {
    let Some(wanted) = wanted else {
        let side = |(index, side): (usize, &Side)| match side {
            Side::Known(side) => Some(*side),
            Side::Open(_) => (index == 0 && dims.len() > 1).then_some(1),
        };
        let sides: Option<Vec<u64>> = dims.iter().enumerate().map(side).collect();
        let example = |(index, side): (usize, &Side)| match side {
            Side::Known(side) => side.to_string(),
            Side::Open(_) if index == 0 => "1".into(),
            Side::Open(_) => "224".into(),
        };
        return sides.ok_or_else(|| {
            let example: Vec<String> = dims.iter().enumerate().map(example).collect();
            let example = example.join("x");
            (
                format!("the sides {}, some of which are open", written(dims)),
                format!("all of them: give them with --input-shape, such as --input-shape {example}"),
            )
        });
    };
    let fits = |(side, wanted): (&Side, &u64)| match side {
        Side::Known(side) => side == wanted,
        Side::Open(_) => true,
    };
    if wanted.len() == dims.len() && dims.iter().zip(wanted).all(fits) {
        return Ok(wanted.to_vec());
    }
    let asked: Vec<String> = wanted.iter().map(u64::to_string).collect();
    Err((format!("--input-shape {}", asked.join("x")), format!("one that fits the file's {}", written(dims))))
}

/// Whether everything that reads the input turns batch, rows, columns, channels into the usual order.
fn is_transposed_at_once(name: &str, nodes: &[&Node]) -> bool {
    let mut names = HashSet::from([name]);
    let mut transposed = false;
    for node in nodes {
        if !node.input.first().is_some_and(|input| names.contains(input.as_str())) {
            continue;
        }
        match node.op_type.as_str() {
            "Transpose" if Attributes::of(node).ints("perm") == Some(&[0, 3, 1, 2]) => transposed = true,
            "Cast" | "Identity" | "QuantizeLinear" | "DequantizeLinear" => {
                names.extend(node.output.first().map(String::as_str));
            }
            _ => return false,
        }
    }
    transposed
}

fn picture(sides: &[u64], channels_last: bool) -> Result<(Shape, Layout), (String, String)> {
    let text: Vec<String> = sides.iter().map(u64::to_string).collect();
    let wrong = |expected: &str| (format!("the sides {}", text.join("x")), expected.to_owned());
    let small = |side: &u64| u32::try_from(*side).ok().filter(|side| (1..=Shape::MAX_DIM).contains(side));
    let small: Option<Vec<u32>> = sides.iter().map(small).collect();
    let small = small.ok_or_else(|| wrong(&format!("sides from 1 to {}", Shape::MAX_DIM)))?;
    match small[..] {
        [1, h, w, c] if channels_last => {
            let shape = Shape::new(h, w, c);
            Ok((shape, Layout::nhwc(shape)))
        }
        [1, c, h, w] => {
            let shape = Shape::new(h, w, c);
            Ok((shape, Layout::nchw(shape)))
        }
        [1, c] => Ok((Shape::new(1, 1, c), Layout::features(c))),
        [_, _, _, _] | [_, _] => Err(wrong("a batch of 1; export the model with batch 1 or an open batch")),
        _ => Err(wrong("batch, channels, rows, columns, or batch and features")),
    }
}
