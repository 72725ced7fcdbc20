//! A run as one self-contained page.
//!
//! Everything is drawn here as SVG and also stands in a table; the script only
//! adds comfort. The page asks no network for anything, and says so in its
//! content security policy.

mod ablation;
mod architecture;
mod card;
mod changes;
mod convergence;
mod drawing;
mod entries;
mod figures;
mod landscape;
mod layers;
mod line;
mod predicted;
mod quality;
mod scatter;
mod staircase;

pub use figures::{Figure, figure_svg};

use super::{BlockPair, Entry, Run, Table, aligned, markup::escape, svg::short};
use drawing::{Drawing, Sign};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing is loaded from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The run as HTML.
#[must_use]
pub fn report_html(run: &Run) -> String {
    let title = format!("{} on {}", run.report.space.name, super::text::estimators(&run.report));
    let sections = [
        card::section(run),
        scatter::section(run),
        layers::section(run),
        changes::section(run),
        ablation::section(&run.report),
        convergence::section(run),
        landscape::section(run),
        quality::section(run),
        architecture::section(run),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"generator\" content=\"nas {version}\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
        title = escape(&title),
        body = sections.concat(),
    )
}

/// The architecture that the run recommends.
fn chosen(run: &Run) -> Option<&Entry> {
    run.report.finding().map(|finding| finding.entry)
}

/// The blocks of the baseline beside those of the chosen architecture, if there is one.
fn pairs(run: &Run) -> Vec<BlockPair<'_>> {
    let baseline = &run.report.baseline;
    if let Some(entry) = chosen(run) {
        return aligned(baseline, entry);
    }
    let mut alone = aligned(baseline, baseline);
    alone.iter_mut().for_each(|pair| pair.after = None);
    alone
}

/// Whose layers and blocks are shown, as the beginning of a paragraph; empty where a run is for one accelerator.
fn first_target(run: &Run) -> String {
    run.report.across.as_ref().map_or(String::new(), |across| format!("On {}. ", escape(across.first())))
}

fn section(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{content}</section>\n", escape(title))
}

/// The width of a drawing.
const WIDTH: f64 = 600.0;

/// A table that unfolds under its drawing.
fn folded(summary: &str, table: &Table) -> String {
    format!(
        "<details><summary>{}</summary><div class=\"scroll\" tabindex=\"0\">{}</div></details>\n",
        escape(summary),
        table.html()
    )
}

/// A list of so many rows that a table of them would make the page too large: aligned text, left folded in print.
fn folded_list(summary: &str, table: &Table) -> String {
    format!(
        "<details class=\"long\"><summary>{}</summary><pre tabindex=\"0\">{}</pre></details>\n",
        escape(summary),
        escape(&table.text())
    )
}

/// A table so long that print leaves it folded.
fn folded_long(summary: &str, table: &Table) -> String {
    folded(summary, table).replacen("<details>", "<details class=\"long\">", 1)
}

/// A latency change with its sign.
fn change_ms(change: f64) -> String {
    let sign = if change < 0.0 { "−" } else { "+" };
    format!("{sign}{:.3} ms", change.abs())
}
