//! Baseline and chosen as block diagrams, block beside block.

use std::fmt::Write;

use super::{WIDTH, chosen, escape, folded, pairs, section as titled};
use crate::{
    network::Shape,
    report::{BlockCost, BlockPair, Entry, Run, Table, svg::short},
};

const BOX: f64 = 30.0;
const ROW: f64 = 46.0;
const LEFT: f64 = 56.0;
/// The diagram of one architecture takes this much of the usual width.
const DIAGRAM: f64 = 0.7 * WIDTH;
const WIDEST: f64 = DIAGRAM - LEFT - 100.0;

pub(super) fn section(run: &Run) -> String {
    let baseline = &run.report.baseline;
    if baseline.blocks.is_empty() {
        return String::new();
    }
    let pairs = pairs(run);
    let mut drawings = diagram("Baseline", baseline, &pairs, |pair| (pair.before.as_ref(), false));
    if let Some(entry) = chosen(run) {
        drawings += &diagram("Chosen", entry, &pairs, |pair| (pair.after.as_ref(), differs(pair)));
    }
    let html = format!(
        "<p class=\"soft\">The width of a box grows with its output channels. Fused blocks have a thick edge, arcs \
         are residuals, changed blocks are bold. At the right: the shape of what a block writes.</p>\n\
         <div class=\"pair\">\n{drawings}</div>\n{}",
        folded("Table: blocks", &table(&pairs, chosen(run).is_some()))
    );
    titled("Architecture", &html)
}

fn differs(pair: &BlockPair<'_>) -> bool {
    text(pair.before.as_ref()) != text(pair.after.as_ref())
}

fn text<'e>(cost: Option<&BlockCost<'e>>) -> &'e str {
    cost.map_or("", |cost| cost.text)
}

fn diagram<'p>(
    title: &str,
    entry: &Entry,
    pairs: &'p [BlockPair<'p>],
    side: impl Fn(&'p BlockPair<'p>) -> (Option<&'p BlockCost<'p>>, bool),
) -> String {
    let widest = pairs.iter().filter_map(|pair| output(entry, side(pair).0?)).map(|shape| shape.c).max();
    let mut svg = String::new();
    for (row, pair) in pairs.iter().enumerate() {
        let (cost, changed) = side(pair);
        if let Some(cost) = cost {
            svg +=
                &drawn(&pair.name, cost, output(entry, cost), widest.unwrap_or(1), changed, ROW * row as f64);
        }
        if row + 1 < pairs.len() {
            // Writing to a string cannot fail.
            let from = ROW * row as f64 + if cost.is_some() { BOX } else { 0.0 };
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.0} {from:.0}V{to:.0}\"/>",
                x = LEFT + WIDEST / 2.0,
                to = ROW * (row + 1) as f64
            );
        }
    }
    let height = ROW * pairs.len() as f64;
    format!(
        "<div><h3>{title}</h3><div class=\"figure\"><svg viewBox=\"0 -2 {DIAGRAM:.0} {height:.0}\" role=\"img\" \
         aria-label=\"{title}: block diagram of {}\">\n{svg}</svg></div></div>\n",
        escape(&entry.id)
    )
}

/// What the last layer of the block writes.
fn output(entry: &Entry, cost: &BlockCost<'_>) -> Option<Shape> {
    let last = cost.layers.last()?;
    entry.network.layers().iter().find(|layer| layer.name == last.name).map(|layer| layer.output)
}

fn drawn(
    name: &str,
    cost: &BlockCost<'_>,
    output: Option<Shape>,
    widest: u32,
    changed: bool,
    top: f64,
) -> String {
    let share = output.map_or(1.0, |shape| f64::from(shape.c).ln_1p() / f64::from(widest.max(1)).ln_1p());
    // The head and the input are no tensors of that many channels; they span the whole width.
    let width = if matches!(name, "input" | "head") { WIDEST } else { WIDEST * (0.5 + 0.5 * share) };
    let (left, class) =
        (LEFT + (WIDEST - width) / 2.0, if cost.text.starts_with("fused") { "box fused" } else { "box" });
    let weight = if changed { " class=\"changed\"" } else { "" };
    let residual = cost.layers.iter().any(|layer| layer.op == "add");
    format!(
        "<text class=\"soft\" x=\"{:.0}\" y=\"{y:.0}\" text-anchor=\"end\">{}</text>\
         <rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"{BOX}\" rx=\"5\"/>{}\
         <text{weight} x=\"{:.0}\" y=\"{y:.0}\" text-anchor=\"middle\"><title>{}</title>{}</text>\
         <text class=\"soft\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>\n",
        LEFT - 10.0,
        escape(&short(name, 8)),
        if residual { arc(left + width, top) } else { String::new() },
        LEFT + WIDEST / 2.0,
        escape(&format!("{name} {}", cost.text)),
        escape(&short(&label(cost.text), (width / if changed { 8.2 } else { 7.2 }) as usize)),
        LEFT + WIDEST + 14.0,
        output.filter(|_| name != "head").map_or(String::new(), |shape| shape.to_string()),
        y = top + 20.0,
    )
}

/// A residual connection around the box.
fn arc(right: f64, top: f64) -> String {
    format!(
        "<path class=\"curve\" d=\"M{right:.1} {:.0}c12 0 12 {b:.0} 0 {b:.0}\"/>",
        top + 4.0,
        b = BOX - 8.0
    )
}

/// The family and the numbers; the nonlinearity and what follows are in the table.
fn label(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.split_first() {
        Some((family, rest)) if !rest.is_empty() => {
            let numbers = rest.iter().filter(|word| {
                word.len() > 1
                    && word.starts_with(['k', 's', 'x', 'c'])
                    && word[1..].bytes().all(|b| b.is_ascii_digit())
            });
            let numbers: Vec<&str> = numbers.copied().collect();
            if numbers.is_empty() { text.to_owned() } else { format!("{family} {}", numbers.join(" ")) }
        }
        _ => text.to_owned(),
    }
}

fn table(pairs: &[BlockPair<'_>], both: bool) -> Table {
    let columns = if both { 3 } else { 2 };
    let mut table = Table::new(&["block", "baseline", "chosen"][..columns]).left(1).left(2);
    for pair in pairs {
        let side = |cost: Option<&BlockCost<'_>>| cost.map_or("–".to_owned(), |cost| cost.text.to_owned());
        let row = [pair.name.clone(), side(pair.before.as_ref()), side(pair.after.as_ref())];
        table.push(row.into_iter().take(columns));
    }
    table
}
