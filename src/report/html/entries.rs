//! The reported entries: a table, and each one's details to unfold.

use super::{escape, folded};
use crate::{
    report::{Entry, Run, text::entry_table},
    units::{binary_bytes, energy, si},
};

/// At most this many entries are shown one by one, so that a page stays small.
pub(super) const MOST: usize = 40;

/// The entries to show with their index in the report, evenly spread if there are too many.
pub(super) fn shown(run: &Run) -> Vec<(usize, &Entry)> {
    let front = &run.report.front;
    let count = front.len().min(MOST);
    let mut picked: Vec<usize> =
        (0..count).map(|step| step * (front.len() - 1) / count.saturating_sub(1).max(1)).collect();
    if let Some(chosen) = run.report.chosen.filter(|chosen| *chosen < front.len() && !picked.contains(chosen))
    {
        picked.push(chosen);
        picked.sort_unstable();
    }
    picked.into_iter().map(|index| (index, &front[index])).collect()
}

pub(super) fn table_and_details(run: &Run, shown: &[(usize, &Entry)]) -> String {
    let rows = std::iter::once(("baseline".to_owned(), &run.report.baseline))
        .chain(shown.iter().map(|(index, entry)| (format!("#{index}"), *entry)));
    let details: String = shown.iter().map(|(index, entry)| detail(*index, entry)).collect();
    let title = format!("Table: baseline and {} of {} reported", shown.len(), run.report.front.len());
    folded(&title, &entry_table(rows))
        + &format!("<details class=\"long\"><summary>Each entry in detail</summary>\n{details}</details>\n")
}

/// The anchor stands inside, so that a browser without scripts unfolds the entry on its own.
fn detail(index: usize, entry: &Entry) -> String {
    let reduction = match entry.relative_latency {
        Some(ratio) => Some(100.0 * (1.0 - ratio)),
        None => entry.latency_reduction_pct,
    };
    let reduction = reduction.map_or(String::new(), |percent| format!(", {percent:.1} % less"));
    let energy = entry.energy_uj.map_or(String::new(), |uj| format!(", {}", energy(uj)));
    format!(
        "<details class=\"entry\"><summary>#{index}: {}{reduction}, trainability {:.3}</summary>\n\
         <p id=\"e{index}\">{} · {} MACs, {} params, model {}, peak activation {}{energy}</p>\n\
         <pre tabindex=\"0\">{}</pre></details>\n",
        entry.cost_text(),
        entry.trainability,
        escape(&entry.id),
        si(entry.macs.0),
        si(entry.params.0),
        binary_bytes(entry.model_bytes),
        binary_bytes(entry.peak_activation_bytes),
        escape(&entry.blocks.join("\n"))
    )
}
