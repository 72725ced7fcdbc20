//! How well trainability ranks the 15,625 cells of NAS-Bench-201 (Dong & Yang 2020) on CIFAR-10.
//!
//! `cargo run --release --example rank_nasbench201 [-- CELLS.csv [TERMS.csv]]`
//!
//! The CSV has a column `edge_j_i` for the operation from node i to node j and the accuracy after them; without
//! one, a sample of 200 cells is ranked. A second argument names a CSV to which the terms of every cell are written.

use std::{error::Error, fmt::Write as _};

use cell::DEAD;
use nas::trainability::Term;
use ranks::{kendall, spearman};

#[path = "../tests/trainability/cell.rs"]
mod cell;
#[path = "../tests/trainability/ranks.rs"]
mod ranks;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nasbench201-sample.csv");
    let path = arguments.next().unwrap_or_else(|| sample.to_owned());
    let mut cells = Vec::new();
    for row in csv::Reader::from_path(path)?.records() {
        let row = row?;
        let operations: Vec<&str> = row.iter().take(6).collect();
        cells.push((row[6].parse::<f64>()?, cell::score(&operations)?));
    }
    if let Some(path) = arguments.next() {
        std::fs::write(path, table(&cells)?)?;
    }
    report(&cells);
    Ok(())
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
