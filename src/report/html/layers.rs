//! Where the time goes: each block's layers as a bar, baseline above chosen.

use std::fmt::Write;

use super::{Drawing, Sign, WIDTH, chosen, escape, first_target, folded, pairs, section as titled};
use crate::report::{
    BlockCost, BlockPair, Run, Table,
    svg::{Axis, short},
};

const LEFT: f64 = 78.0;
const RIGHT: f64 = 205.0;
const ROW: f64 = 38.0;
const BAR: f64 = 15.0;
/// What limits a layer: the word its reason contains and the class that colours it.
const LIMITS: [&str; 3] = ["compute", "memory", "output"];

const BASELINE: Sign = ("<rect class=\"compute was\" width=\"12\" height=\"12\"/>", "baseline, paler");
const SIGNS: [Sign; 4] = [
    ("<rect class=\"compute\" width=\"12\" height=\"12\"/>", "compute-bound"),
    ("<rect class=\"memory\" width=\"12\" height=\"12\"/>", "memory-bound"),
    ("<rect class=\"output\" width=\"12\" height=\"12\"/>", "output-bound"),
    ("<rect class=\"other\" width=\"12\" height=\"12\"/>", "other"),
];

pub(super) fn section(run: &Run) -> String {
    let Some(drawing) = drawing(run) else { return String::new() };
    let both = chosen(run).is_some();
    let html = format!(
        "<p class=\"soft\">{}{}Each piece is one layer; its colour says what limits it.</p>\n{}{}{}",
        first_target(run),
        if both { "Upper bar: baseline; lower bar: chosen. " } else { "" },
        drawing.legend(),
        drawing.figure(),
        folded("Table: every layer and why it takes that long", &table(&costly(run))),
    );
    titled("Latency by layer", &html)
}

pub(super) fn drawing(run: &Run) -> Option<Drawing> {
    if run.report.baseline.layers.is_empty() {
        return None;
    }
    let both = chosen(run).is_some();
    let pairs = costly(run);
    Some(Drawing {
        id: "blocks",
        height: ROW * pairs.len() as f64 + 8.0,
        says: match both {
            true => "Bars: latency of each block, baseline above chosen".into(),
            false => "Bars: latency of each block".into(),
        },
        content: bars(&pairs, both),
        signs: SIGNS.into_iter().chain(both.then_some(BASELINE)).collect(),
    })
}

/// The blocks that have layers.
fn costly(run: &Run) -> Vec<BlockPair<'_>> {
    pairs(run).into_iter().filter(|pair| costs(pair) > 0).collect()
}

fn costs(pair: &BlockPair<'_>) -> usize {
    [&pair.before, &pair.after].into_iter().flatten().map(|cost| cost.layers.len()).sum()
}

fn bars(pairs: &[BlockPair<'_>], both: bool) -> String {
    let costs = pairs.iter().flat_map(|pair| [&pair.before, &pair.after]).flatten();
    let axis = Axis::from_zero(costs.map(BlockCost::latency_ms), LEFT, WIDTH - RIGHT);
    let mut svg = String::new();
    for (row, pair) in pairs.iter().enumerate() {
        let top = ROW * row as f64 + 4.0;
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\"><title>{}</title>{}</text>",
            LEFT - 8.0,
            top + 20.0,
            escape(&pair.name),
            escape(&short(&pair.name, 11))
        );
        if both {
            svg += &bar(pair.before.as_ref(), &axis, top, " was");
            svg += &bar(pair.after.as_ref(), &axis, top + BAR + 1.0, "");
        } else {
            svg += &bar(pair.before.as_ref(), &axis, top + BAR / 2.0, "");
        }
    }
    svg
}

fn bar(cost: Option<&BlockCost<'_>>, axis: &Axis, top: f64, class: &str) -> String {
    let Some(cost) = cost else { return absent(axis, top) };
    let mut svg = String::new();
    let mut done = 0.0;
    for layer in &cost.layers {
        let (from, to) = (axis.at(done), axis.at(done + layer.latency_ms));
        done += layer.latency_ms;
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<rect class=\"{}{class}\" x=\"{from:.1}\" y=\"{top:.0}\" width=\"{:.1}\" height=\"{BAR}\"><title>{}</title></rect>",
            limit(&layer.reason),
            (to - from - 0.7).max(0.3),
            escape(&format!("{}: {} {:.4} ms, {}", layer.name, layer.op, layer.latency_ms, layer.reason))
        );
    }
    let end = axis.at(done) + 5.0;
    svg + &format!(
        "<text class=\"soft small\" x=\"{end:.1}\" y=\"{:.0}\">{done:.3} ms{}</text>\n",
        top + 12.0,
        why(main_reason(cost), WIDTH - end)
    )
}

/// A reason, cut to the pixels that are left beside the bar and behind the latency.
fn why(reason: &str, pixels: f64) -> String {
    const LATENCY: f64 = 66.0;
    const CHARACTER: f64 = 6.1;
    let room = ((pixels - LATENCY) / CHARACTER).max(0.0) as usize;
    if reason.is_empty() || room < 8 {
        return String::new();
    }
    format!("<tspan class=\"why\">, {}</tspan>", escape(&short(reason, room)))
}

fn absent(axis: &Axis, top: f64) -> String {
    format!(
        "<text class=\"soft small\" x=\"{:.1}\" y=\"{:.0}\">not there</text>\n",
        axis.at(0.0) + 5.0,
        top + 12.0
    )
}

/// Why the block takes that long: the reason of its slowest layer.
fn main_reason<'e>(cost: &BlockCost<'e>) -> &'e str {
    let slowest = cost.layers.iter().max_by(|a, b| a.latency_ms.total_cmp(&b.latency_ms));
    slowest.map_or("", |layer| layer.reason.as_str())
}

fn limit(reason: &str) -> &'static str {
    LIMITS.into_iter().find(|word| reason.contains(word)).unwrap_or("other")
}

fn table(pairs: &[BlockPair<'_>]) -> Table {
    let mut table = Table::new(&["block", "in", "layer", "op", "latency ms", "MACs", "why"])
        .left(1)
        .left(2)
        .left(3)
        .left(6);
    for pair in pairs {
        for (side, cost) in [("baseline", &pair.before), ("chosen", &pair.after)] {
            for layer in cost.iter().flat_map(|cost| &cost.layers) {
                table.push([
                    pair.name.clone(),
                    side.to_owned(),
                    layer.name.strip_prefix(&format!("{}.", pair.name)).unwrap_or(&layer.name).to_owned(),
                    layer.op.clone(),
                    format!("{:.4}", layer.latency_ms),
                    crate::units::si(layer.macs.0),
                    layer.reason.clone(),
                ]);
            }
        }
    }
    table
}
