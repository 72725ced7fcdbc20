//! Reports as Markdown, for pull requests and READMEs.

use super::{
    Entry, Report,
    measured_table::measured_table,
    text::{ablation_table, effort, estimators, front_table, layer_table, range_note, totals},
};
use crate::{
    estimator::NetworkEstimate,
    trainability::{KNOWN_CORRELATION, Trainability},
};

/// The summary of a search as Markdown.
#[must_use]
pub fn report_markdown(report: &Report) -> String {
    let mut text = format!(
        "# {} on {}\n\n{}.\n\nRequired: {}.\n\nLatency: {}.\n\n{}",
        report.space.name,
        estimators(report),
        effort(report),
        report.requirement,
        report.provenance,
        front_table(report).markdown(),
    );
    if let Some(note) = range_note(report) {
        text += &format!("\n\\{note}\n");
    }
    if let Some(table) = measured_table(report) {
        text += &format!("\n## Measured\n\n{}", table.markdown());
    }
    if let Some(table) = ablation_table(report) {
        text += &format!("\n## Ablation\n\n{}", table.markdown());
    }
    if let Some(chosen) = report.chosen.and_then(|index| report.front.get(index)) {
        text += &format!("\n## Least latency: {}\n\n```text\n{}\n```\n", chosen.id, chosen.blocks.join("\n"));
    }
    text += &format!("\nThe {KNOWN_CORRELATION}.\n");
    text
}

/// One network as Markdown: totals, then layer by layer.
#[must_use]
pub fn entry_markdown(entry: &Entry, estimate: &NetworkEstimate, score: &Trainability) -> String {
    format!("```text\n{}```\n\n{}", totals(entry, estimate, score), layer_table(entry).markdown())
}
