//! How well trainability ranks the 15,625 cells of NAS-Bench-201 (Dong & Yang 2020) on CIFAR-10.
//!
//! `cargo run --release --example rank_nasbench201 -- nb201_cifar10.csv`
//!
//! The CSV has a column `edge_j_i` for the operation from node i to node j and the accuracy after them.
//! A second argument names a CSV to which the terms of every cell are written.

use std::{error::Error, fmt::Write as _};

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
const DEAD: f64 = -1e3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which CSV? give its path as the first argument")?;
    let mut cells = Vec::new();
    for row in csv::Reader::from_path(path)?.records() {
        let row = row?;
        let operations: Vec<&str> = row.iter().take(6).collect();
        cells.push((row[6].parse::<f64>()?, score(&operations)?));
    }
    if let Some(path) = arguments.next() {
        std::fs::write(path, table(&cells)?)?;
    }
    report(&cells);
    Ok(())
}

/// The terms of a cell's network, the score first.
fn score(operations: &[&str]) -> Result<Vec<Term>, LayerError> {
    let Some(network) = network(operations)? else { return Ok(vec![Term { name: "score", value: DEAD }]) };
    let found = trainability(&network);
    let score = Term { name: "score", value: found.score };
    Ok(std::iter::once(score).chain(found.terms).collect())
}

/// Stem, three stages of five cells with reductions between, pooling, classes; none for a dead cell.
fn network(operations: &[&str]) -> Result<Option<Network>, LayerError> {
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

type Cell = (f64, Vec<Term>);

/// Rank correlations of the score and of each term with accuracy.
fn report(cells: &[Cell]) {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|a, b| cells[*b].0.total_cmp(&cells[*a].0));
    let best = &order[..cells.len() / 10];
    let names = cells.iter().map(|cell| &cell.1).max_by_key(|terms| terms.len());
    println!("{:26} {:>7} {:>7} {:>14}", "term", "rho", "tau", "rho, best 10 %");
    for (index, term) in names.into_iter().flatten().enumerate() {
        let value = |cell: &usize| cells[*cell].1.get(index).map_or(DEAD, |term| term.value);
        let pairs = |chosen: &[usize]| chosen.iter().map(|cell| (value(cell), cells[*cell].0)).unzip();
        let (x, y): (Vec<f64>, Vec<f64>) = pairs(&order);
        let (x10, y10): (Vec<f64>, Vec<f64>) = pairs(best);
        let in_best = spearman(&x10, &y10);
        // A term that no cell changes, such as the input resolution, ranks nothing.
        if in_best.is_finite() {
            let (rho, tau) = (spearman(&x, &y), kendall(&x, &y));
            println!("{:26} {rho:7.3} {tau:7.3} {in_best:14.3}", term.name);
        }
    }
}

/// One row a cell: accuracy, score, terms.
fn table(cells: &[Cell]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for (accuracy, terms) in cells {
        write!(text, "{accuracy}")?;
        for term in terms {
            write!(text, ",{}", term.value)?;
        }
        text.push('\n');
    }
    Ok(text)
}

/// Ranks with ties shared.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = start as f64 + (tied.len() - 1) as f64 / 2.0;
        tied.iter().for_each(|index| ranks[*index] = rank);
        start += tied.len();
    }
    ranks
}

/// Spearman's ρ: Pearson's correlation of the ranks.
fn spearman(x: &[f64], y: &[f64]) -> f64 {
    let (x, y) = (ranks(x), ranks(y));
    let middle = (x.len() - 1) as f64 / 2.0;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
}

/// Kendall's τ-b.
fn kendall(x: &[f64], y: &[f64]) -> f64 {
    let sign = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
    let (mut both, mut in_x, mut in_y) = (0, 0, 0);
    for i in 0..x.len() {
        for j in 0..i {
            let (dx, dy) = (sign(x[i], x[j]), sign(y[i], y[j]));
            both += dx * dy;
            in_x += dx * dx;
            in_y += dy * dy;
        }
    }
    both as f64 / (in_x as f64 * in_y as f64).sqrt()
}
