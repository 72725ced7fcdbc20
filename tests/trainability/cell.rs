//! The networks of NAS-Bench-201 (Dong & Yang 2020).

use nas::{
    network::{
        Activation, DType, LayerError, Network, NetworkBuilder, Shape, Source, Window,
        ops::{Add, AvgPool, Conv2d, Dense, GlobalAvgPool},
    },
    trainability::{Term, trainability},
};

/// From node, to node, in the order of the columns.
const EDGES: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];
/// What a cell without a path from input to output scores: it passes nothing on.
pub(crate) const DEAD: f64 = -1e3;

/// The terms of a cell's network, the score first.
pub(crate) fn score(operations: &[&str]) -> Result<Vec<Term>, LayerError> {
    let Some(network) = network(operations)? else { return Ok(vec![Term { name: "score", value: DEAD }]) };
    let found = trainability(&network);
    let score = Term { name: "score", value: found.score };
    Ok(std::iter::once(score).chain(found.terms).collect())
}

/// Stem, three stages of five cells with reductions between, pooling, classes; none for a dead cell.
pub(crate) fn network(operations: &[&str]) -> Result<Option<Network>, LayerError> {
    let mut b = NetworkBuilder::new("cell", Shape::new(32, 32, 3), DType::Fp32);
    let mut x = b.add("stem", Conv2d::square(16, 3, 1), &[Source::Input], Activation::None)?;
    for (stage, width) in [16, 32, 64].into_iter().enumerate() {
        if stage > 0 {
            x = reduction(&mut b, &format!("r{stage}"), x, width)?;
        }
        for repeat in 0..5 {
            let Some(y) = cell(&mut b, &format!("s{stage}.c{repeat}"), x, operations)? else {
                return Ok(None);
            };
            x = y;
        }
    }
    x = relu(&mut b, "last", x)?;
    x = b.add("pool", GlobalAvgPool, &[x], Activation::None)?;
    b.add("classes", Dense { cout: 10, bias: true }, &[x], Activation::None)?;
    Ok(Some(b.finish()))
}

/// The residual block of stride 2 between the stages.
fn reduction(b: &mut NetworkBuilder, name: &str, x: Source, width: u32) -> Result<Source, LayerError> {
    let active = relu(b, &format!("{name}.relu"), x)?;
    let conv = |stride| Conv2d::square(width, 3, stride);
    let first = b.add(format!("{name}.a"), conv(2), &[active], Activation::Relu)?;
    let second = b.add(format!("{name}.b"), conv(1), &[first], Activation::None)?;
    let pool = AvgPool { window: Window::square(2, 2) };
    let pooled = b.add(format!("{name}.pool"), pool, &[x], Activation::None)?;
    let matched = b.add(format!("{name}.match"), Conv2d::square(width, 1, 1), &[pooled], Activation::None)?;
    b.add(format!("{name}.add"), Add, &[matched, second], Activation::None)
}

/// One cell: each node is the sum of its live incoming edges.
fn cell(
    b: &mut NetworkBuilder,
    name: &str,
    x: Source,
    operations: &[&str],
) -> Result<Option<Source>, LayerError> {
    let mut nodes = [Some(x), None, None, None];
    for to in 1..4 {
        let mut incoming = Vec::new();
        for (edge, operation) in EDGES.iter().zip(operations) {
            let Some(from) = nodes[edge.0].filter(|_| edge.1 == to && live(*edge, operations)) else {
                continue;
            };
            let name = format!("{name}.e{}{}", edge.0, edge.1);
            incoming.extend(edge_output(b, &name, from, operation)?);
        }
        nodes[to] = match incoming.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => Some(b.add(format!("{name}.n{to}"), Add, several, Activation::None)?),
        };
    }
    Ok(nodes[3])
}

/// Whether the end of an edge can reach the cell's output.
fn live(edge: (usize, usize), operations: &[&str]) -> bool {
    let onward = |(next, operation): (&(usize, usize), &&str)| {
        next.0 == edge.1 && *operation != "none" && live(*next, operations)
    };
    edge.1 == 3 || EDGES.iter().zip(operations).any(onward)
}

fn edge_output(
    b: &mut NetworkBuilder,
    name: &str,
    from: Source,
    operation: &str,
) -> Result<Option<Source>, LayerError> {
    let kernel = match operation {
        "none" => return Ok(None),
        "skip_connect" => return Ok(Some(from)),
        "avg_pool_3x3" => {
            let pool = AvgPool { window: Window::square(3, 1) };
            return b.add(name, pool, &[from], Activation::None).map(Some);
        }
        "nor_conv_1x1" => 1,
        _ => 3,
    };
    let active = relu(b, &format!("{name}.relu"), from)?;
    let conv = Conv2d::square(b.shape(from).c, kernel, 1);
    b.add(name, conv, &[active], Activation::None).map(Some)
}

/// A nonlinearity on its own: a window of one pixel, which changes nothing, and then ReLU.
fn relu(b: &mut NetworkBuilder, name: &str, x: Source) -> Result<Source, LayerError> {
    b.add(name, AvgPool { window: Window::square(1, 1) }, &[x], Activation::Relu)
}
