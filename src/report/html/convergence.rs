//! How the hypervolume grew with the evaluations.

use std::fmt::Write;

use super::{WIDTH, figure, folded, section as titled};
use crate::{
    report::{Report, Table, svg::Axis},
    units::si,
};

const HEIGHT: f64 = 240.0;
const LEFT: f64 = 78.0;
const FLOOR: f64 = HEIGHT - 44.0;

pub(super) fn section(report: &Report) -> String {
    let rows = &report.convergence;
    if rows.is_empty() {
        return String::new();
    }
    let x = Axis::log(rows.iter().map(|row| row.evaluations as f64), LEFT, WIDTH - 20.0);
    let y = Axis::linear(rows.iter().map(|row| row.hypervolume), FLOOR, 12.0);
    let places: Vec<(f64, f64)> =
        rows.iter().map(|row| (x.at(row.evaluations as f64), y.at(row.hypervolume))).collect();
    let drawing = grid(&x, &y) + &curve(&places);
    let html = figure("convergence", HEIGHT, "Line: hypervolume against evaluations", &drawing)
        + &reference(report)
        + &folded("Table: convergence", &table(report));
    titled("Convergence", &html)
}

fn grid(x: &Axis, y: &Axis) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    for (value, label) in x.ticks() {
        let at = x.at(value);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} 12V{FLOOR}\"/><text class=\"soft\" x=\"{at:.1}\" y=\"{}\" \
             text-anchor=\"middle\">{label}</text>",
            FLOOR + 16.0
        );
    }
    for (value, label) in y.ticks() {
        let at = y.at(value);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/><text class=\"soft\" x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{label}</text>",
            WIDTH - 20.0,
            LEFT - 6.0,
            at + 4.0
        );
    }
    svg + &format!(
        "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"middle\">architectures scored</text>\n\
         <text transform=\"translate(14 {:.0}) rotate(-90)\" text-anchor=\"middle\">hypervolume</text>\n",
        (LEFT + WIDTH) / 2.0,
        HEIGHT - 8.0,
        FLOOR / 2.0
    )
}

fn curve(places: &[(f64, f64)]) -> String {
    let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let dots: String = places
        .iter()
        .map(|(x, y)| format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"))
        .collect();
    format!("<path class=\"curve\" d=\"M{}\"/>{dots}\n", line.join("L"))
}

fn reference(report: &Report) -> String {
    match report.hypervolume_reference[..] {
        [latency_us, score] => format!(
            "<p class=\"soft\">Hypervolume in µs × trainability, up to {:.3} ms and trainability {:.3}.</p>\n",
            latency_us / 1e3,
            -score
        ),
        _ => String::new(),
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&["architectures scored", "hypervolume"]);
    for row in &report.convergence {
        table.push([si(row.evaluations), format!("{:.1}", row.hypervolume)]);
    }
    table
}
