//! What single kinds of gene achieve.

use std::fmt::Write;

use super::{Drawing, WIDTH, escape, folded, section as titled};
use crate::report::{
    AblationRow, Report,
    svg::{Axis, short},
    text::ablation_table,
};

const LEFT: f64 = 188.0;
const ROW: f64 = 26.0;

pub(super) fn section(report: &Report) -> String {
    let (Some(drawing), Some(table)) = (drawing(report), ablation_table(report)) else {
        return String::new();
    };
    let html =
        "<p class=\"soft\">The least latency that meets the requirement when only some genes are free.</p>\n"
            .to_owned()
            + &drawing.figure()
            + &folded("Table: ablation", &table);
    titled("Ablation", &html)
}

pub(super) fn drawing(report: &Report) -> Option<Drawing> {
    ablation_table(report)?;
    let axis = Axis::from_zero(report.ablation.iter().filter_map(AblationRow::cost), LEFT, WIDTH - 180.0);
    let rows = report.ablation.iter().enumerate();
    Some(Drawing {
        id: "ablation",
        height: ROW * report.ablation.len() as f64,
        says: "Bars: least latency by free genes".into(),
        content: rows.map(|(index, row)| bar(row, &axis, ROW * index as f64)).collect(),
        signs: Vec::new(),
    })
}

fn bar(row: &AblationRow, axis: &Axis, top: f64) -> String {
    let mut svg = format!(
        "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\"><title>{}</title>{}</text>",
        LEFT - 8.0,
        top + 16.0,
        escape(&row.name),
        escape(&short(&row.name, 25))
    );
    let end = row.cost().map_or(LEFT, |latency| axis.at(latency));
    let unit = if row.relative_latency.is_some() { "relative" } else { "ms" };
    let said = match (row.cost(), row.latency_reduction_pct) {
        (Some(latency), Some(percent)) if percent != 0.0 => {
            format!("{latency:.3} {unit}, {percent:.1} % less")
        }
        (Some(latency), _) => format!("{latency:.3} {unit}"),
        (None, _) => "nothing feasible".to_owned(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<rect class=\"compute\" x=\"{LEFT}\" y=\"{:.0}\" width=\"{:.1}\" height=\"16\"/>\
         <text class=\"soft\" x=\"{:.1}\" y=\"{:.0}\">{said}</text>",
        top + 4.0,
        end - LEFT,
        end + 6.0,
        top + 16.0
    );
    svg
}
