//! Reports as Markdown, for pull requests and READMEs.

use super::{
    Entry, Report,
    across::targets_table,
    agreement,
    compare::{capital, escaped},
    measured_table::measured_table,
    text::{
        ablation_table, effort, energy_origin, estimators, front_table, layer_table, least, range_note,
        totals,
    },
    trained_table,
};
use crate::{
    estimator::NetworkEstimate,
    io::{plain, plain_line},
    trainability::{KNOWN_CORRELATION, Trainability},
};

/// The summary of a search as Markdown.
#[must_use]
pub fn report_markdown(report: &Report) -> String {
    let mut text = format!(
        "# {} on {}\n\n{}{}.\n\nRequired: {}.\n\nLatency: {}.\n\n{}{}",
        report.space.name,
        estimators(report),
        verdict(report),
        effort(report),
        report.requirement,
        plain_line(&report.provenance),
        energy_origin(report).map_or(String::new(), |line| format!("Energy: {}.\n\n", escaped(&line))),
        front_table(report).markdown(),
    );
    if let Some(note) = range_note(report) {
        text += &format!("\n\\{note}\n");
    }
    if let Some(table) = targets_table(report) {
        text += &format!("\n## By target\n\n{}", table.markdown());
    }
    if let Some(table) = measured_table(report) {
        text += &format!("\n## Measured\n\n{}", table.markdown());
    }
    if let Some(table) = trained_table(report) {
        let agreed = agreement(report).map_or(String::new(), |line| format!("\n{}.\n", capital(&line)));
        text += &format!("\n## Trained\n\n{}{agreed}", table.markdown());
    }
    if let Some(table) = ablation_table(report) {
        text += &format!("\n## Ablation\n\n{}", table.markdown());
    }
    if let Some(found) = report.finding() {
        let (title, entry) = (capital(&least(&found)), found.entry);
        text += &format!("\n## {title}: {}\n\n```text\n{}\n```\n", entry.id, entry.blocks.join("\n"));
    }
    text += &format!("\nThe {KNOWN_CORRELATION}.\n");
    plain(&text).into_owned()
}

/// What the run comes to, in a paragraph or a few.
fn verdict(report: &Report) -> String {
    let Some(found) = report.finding() else { return String::new() };
    let beside = found.beside().map_or(String::new(), |beside| format!(" ({beside})"));
    let lines = found.accuracy().into_iter().chain(report.energy_lines()).chain(report.dtype_line());
    let lines = lines.chain(found.notes());
    let notes: String = lines.map(|line| format!("{}.\n\n", capital(&line))).collect();
    format!("**{}**, {}{beside}.\n\n{notes}", found.headline(), escaped(&found.origin()))
}

/// One network as Markdown: totals, then layer by layer.
#[must_use]
pub fn entry_markdown(entry: &Entry, estimate: &NetworkEstimate, score: &Trainability) -> String {
    format!("```text\n{}```\n\n{}", totals(entry, estimate, score), layer_table(entry).markdown())
}
