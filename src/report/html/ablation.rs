//! What single kinds of gene achieve.

use std::fmt::Write;

use super::{WIDTH, escape, figure, folded, section as titled};
use crate::report::{
    AblationRow, Report,
    svg::{Axis, short},
    text::ablation_table,
};

const LEFT: f64 = 188.0;
const ROW: f64 = 26.0;

pub(super) fn section(report: &Report) -> String {
    let Some(table) = ablation_table(report) else { return String::new() };
    let axis = Axis::from_zero(report.ablation.iter().filter_map(|row| row.latency_ms), LEFT, WIDTH - 180.0);
    let bars: String =
        report.ablation.iter().enumerate().map(|(index, row)| bar(row, &axis, ROW * index as f64)).collect();
    let html =
        "<p class=\"soft\">The least latency that meets the requirement when only some genes are free.</p>\n"
            .to_owned()
            + &figure(
                "ablation",
                ROW * report.ablation.len() as f64,
                "Bars: least latency by free genes",
                &bars,
            )
            + &folded("Table: ablation", &table);
    titled("Ablation", &html)
}

fn bar(row: &AblationRow, axis: &Axis, top: f64) -> String {
    let mut svg = format!(
        "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\"><title>{}</title>{}</text>",
        LEFT - 8.0,
        top + 16.0,
        escape(&row.name),
        escape(&short(&row.name, 25))
    );
    let end = row.latency_ms.map_or(LEFT, |latency| axis.at(latency));
    let said = match (row.latency_ms, row.latency_reduction_pct) {
        (Some(latency), Some(percent)) if percent != 0.0 => format!("{latency:.3} ms, {percent:.1} % less"),
        (Some(latency), _) => format!("{latency:.3} ms"),
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
