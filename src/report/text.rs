//! Reports as text for people.

use super::{
    Bound, Entry, ExactGap, Finding, FrontGap, Report, Table, across::targets_table, agreement,
    measured_table::measured_table, trained_table,
};
use crate::{
    estimator::NetworkEstimate,
    io::{plain, plain_line},
    trainability::{KNOWN_CORRELATION, Trainability},
    units::{binary_bytes, si},
};

/// The columns of a table of entries that follow those of the latency; the energy only where it is known, and the number
/// format only where entries differ in it.
const HEADER: [&str; 9] =
    ["trainability", ENERGY, "MACs", "params", "model", "peak act.", DTYPE, "fused", "id"];

/// The column of number formats, where they differ.
const DTYPE: &str = "dtype";
/// The column of energies.
const ENERGY: &str = "energy µJ";

/// A readable summary of a search.
#[must_use]
pub fn report_text(report: &Report) -> String {
    let mut text = format!(
        "{} on {}\n{}{}\nrequired: {}\nlatency: {}\n{}\n{}",
        report.space.name,
        estimators(report),
        verdict_text(report),
        effort(report),
        report.requirement,
        plain_line(&report.provenance),
        energy_origin(report).map_or(String::new(), |line| format!("energy: {line}\n")),
        front_table(report).text(),
    );
    if let Some(note) = range_note(report) {
        text += &format!("{note}\n");
    }
    text += &targets_table(report).map_or(String::new(), |table| format!("\nby target\n{}", table.text()));
    text += &measured_table(report).map_or(String::new(), |table| format!("\nmeasured\n{}", table.text()));
    if let Some(table) = trained_table(report) {
        text += &format!("\ntrained\n{}", table.text());
        text += &agreement(report).map_or(String::new(), |line| format!("{line}\n"));
    }
    text += &ablation_table(report).map_or(String::new(), |table| format!("\nablation\n{}", table.text()));
    match report.finding() {
        Some(found) => {
            text += &format!("\n{}: {}\n{}\n", least(&found), found.entry.id, indented(&found.entry.blocks));
        }
        None => text += "\nno architecture meets the requirement\n",
    }
    text += &format!("\n{KNOWN_CORRELATION}\n");
    plain(&text).into_owned()
}

/// Where energies come from.
pub(super) fn energy_origin(report: &Report) -> Option<String> {
    report.energy.as_ref().map(|origin| plain_line(&origin.line()).into_owned())
}

/// What the run comes to, in a line or a few; empty where nothing was found.
#[must_use]
pub fn verdict_text(report: &Report) -> String {
    let Some(found) = report.finding() else { return String::new() };
    let beside = found.beside().map_or(String::new(), |beside| format!(" ({beside})"));
    let lines = found.target_lines().into_iter().chain(found.accuracy()).chain(report.energy_lines());
    let lines = lines.chain(report.dtype_line()).chain(found.notes());
    let notes: String = lines.map(|line| format!("  {line}\n")).collect();
    format!("{}, {}{beside}\n{notes}", found.headline(), found.origin())
}

/// What the entry to take is called.
pub(super) fn least(found: &Finding<'_>) -> String {
    match found.overtaken {
        Some(_) => format!("least measured latency, #{}", found.index),
        None if found.accuracy().is_some() && found.inaccurate.is_none() => {
            format!("least latency at no less accuracy, #{}", found.index)
        }
        None if found.across.is_some() => "least relative latency".to_owned(),
        None => "least latency".to_owned(),
    }
}

/// What was done, and why it ended.
pub(super) fn effort(report: &Report) -> String {
    format!(
        "{} architectures scored, {} on the Pareto front ({}); {}, seed {}",
        si(report.evaluations),
        report.front_size,
        report.termination,
        report.algorithm,
        report.seed
    ) + &report.goal.as_ref().map_or(String::new(), |goal| format!("; minimised: {goal}"))
        + &snapped(report)
        + &freed(report)
        + &report.gap.as_ref().map_or(String::new(), gap_text)
        + &report
            .bound
            .as_ref()
            .map_or(String::new(), |bound| format!("\noptimality: {}", bound_words(bound)))
}

/// Which genes were free.
fn freed(report: &Report) -> String {
    let Some(kinds) = &report.free else { return String::new() };
    format!("; only these genes free: {}", kinds.join(", "))
}

/// How near the front is to the exact one.
fn gap_text(gap: &ExactGap) -> String {
    let ExactGap { architectures, latency_pct, hypervolume_pct, .. } = gap;
    format!(
        "\noptimality: the least latency is within {latency_pct:.2} % of the true one, the front has \
         {hypervolume_pct:.2} % of the true one's hypervolume (all {architectures} architectures scored)"
    )
}

/// How near the least latency is to what nothing is faster than.
pub(super) fn bound_words(bound: &Bound) -> String {
    let Bound { latency_ms, latency_pct, networks, tried, surprise_pct, closed, .. } = bound;
    let found = match closed {
        true => format!("the least latency is the least there is, to {latency_pct:.2} %"),
        false => {
            format!(
                "the least latency is within {latency_pct:.1} % of the best, none is below {latency_ms:.3} ms"
            )
        }
    };
    let front = bound.front.as_ref().map_or(String::new(), front_words);
    let surprise = match *surprise_pct {
        0.0 => "so it was".to_owned(),
        percent => format!("it was so to {percent:.2} %, which is counted"),
    };
    format!(
        "{found}{front}; if no part costs less than in {} networks that were priced: in {} more on the way {surprise}",
        si(*networks),
        si(*tried)
    )
}

/// How near the whole front is to what is possible.
fn front_words(front: &FrontGap) -> String {
    let FrontGap { median_pct, most_pct, hypervolume_pct, .. } = front;
    let volume = hypervolume_pct
        .map_or(String::new(), |share| format!(", and at least {share:.1} % of the hypervolume there is"));
    format!("; the front is within {most_pct:.1} % at every score, {median_pct:.1} % at half of them{volume}")
}

/// What channels snap to.
fn snapped(report: &Report) -> String {
    report.parallelism.map_or(String::new(), |factor| format!("; channels in multiples of {factor}"))
}

/// What the asterisk in the table means, if there is one.
pub(super) fn range_note(report: &Report) -> Option<&'static str> {
    let mut entries = report.front.iter().chain([&report.baseline]);
    entries
        .any(|entry| !entry.is_in_range() || entry.energy.as_ref().is_some_and(|energy| energy.out_of_range))
        .then_some("* outside the measured range; measure such operators before relying on it")
}

pub(super) fn estimators(report: &Report) -> String {
    let names: Vec<&str> = report.estimators.iter().map(|origin| origin.name.as_str()).collect();
    names.join(", ")
}

fn indented(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

pub(super) fn front_table(report: &Report) -> Table {
    let front = report.front.iter().enumerate().map(|(index, entry)| (format!("#{index}"), entry));
    entry_table(std::iter::once(("baseline".to_owned(), &report.baseline)).chain(front))
}

/// One row an entry, under the name that it is given.
pub(super) fn entry_table<'e>(rows: impl IntoIterator<Item = (String, &'e Entry)>) -> Table {
    let rows: Vec<(String, &Entry)> = rows.into_iter().collect();
    let energy = rows.iter().any(|(_, entry)| entry.energy_uj.is_some());
    let latencies = rows.first().map_or_else(Vec::new, |(_, entry)| latency_header(entry));
    let header = latencies.iter().map(String::as_str).chain(HEADER);
    let formats = rows.windows(2).any(|pair| match pair {
        [(_, a), (_, b)] => a.network.dtype() != b.network.dtype(),
        _ => false,
    });
    let is_shown = |name: &str| (energy || name != ENERGY) && (formats || name != DTYPE);
    let header: Vec<&str> = std::iter::once("").chain(header.filter(|name| is_shown(name))).collect();
    let mut table = Table::new(&header);
    for (name, entry) in rows {
        let named = HEADER.into_iter().zip(cells(entry));
        let rest = named.filter(|(name, _)| is_shown(name)).map(|(_, cell)| cell);
        table.push(std::iter::once(name).chain(latency_cells(entry)).chain(rest));
    }
    table
}

/// The columns of the latency: of one accelerator with its interval, of several beside what is minimised.
fn latency_header(entry: &Entry) -> Vec<String> {
    if entry.latencies.is_empty() {
        return ["latency ms", "90 % interval", "reduction"].map(str::to_owned).into();
    }
    let on = entry.latencies.iter().map(|latency| format!("{} ms", latency.target));
    std::iter::once("relative".to_owned()).chain(on).collect()
}

fn latency_cells(entry: &Entry) -> Vec<String> {
    if let Some(ratio) = entry.relative_latency {
        return std::iter::once(format!("{ratio:.3}")).chain(entry.target_cells()).collect();
    }
    vec![
        format!("{:.3}{}", entry.latency_ms, if entry.in_range { "" } else { "*" }),
        format!("{:.3} to {:.3}", entry.latency_ms_low, entry.latency_ms_high),
        entry.latency_reduction_pct.map_or(String::new(), |percent| format!("{percent:.1} %")),
    ]
}

fn cells(entry: &Entry) -> [String; 9] {
    let blocks = |family: &str| entry.blocks.iter().filter(|line| line.contains(family)).count();
    let fused = blocks(" fused-");
    [
        format!("{:.3}", entry.trainability),
        entry.energy_cell(),
        si(entry.macs.0),
        si(entry.params.0),
        binary_bytes(entry.model_bytes),
        binary_bytes(entry.peak_activation_bytes),
        entry.network.dtype().to_string(),
        format!("{fused}/{}", fused + blocks(" ibn ") + blocks(" ds ")),
        entry.id.clone(),
    ]
}

pub(super) fn ablation_table(report: &Report) -> Option<Table> {
    if report.ablation.is_empty() {
        return None;
    }
    let latency = if report.across.is_some() { "relative latency" } else { "latency ms" };
    let mut table = Table::new(&["free genes", latency, "reduction", "id"]);
    for row in &report.ablation {
        table.push([
            if row.exact { format!("{} (exact)", row.name) } else { row.name.clone() },
            row.cost().map_or("none feasible".into(), |latency| format!("{latency:.3}")),
            row.latency_reduction_pct.map_or(String::new(), |percent| format!("{percent:.1} %")),
            row.id.clone().unwrap_or_default(),
        ]);
    }
    Some(table)
}

/// One network: totals, then layer by layer.
#[must_use]
pub fn entry_text(entry: &Entry, estimate: &NetworkEstimate, score: &Trainability) -> String {
    format!("{}\n{}", totals(entry, estimate, score), layer_table(entry).text())
}

pub(super) fn layer_table(entry: &Entry) -> Table {
    let mut layers = Table::new(&["layer", "op", "latency ms", "share", "MACs", "why"]).left(1).left(5);
    for layer in &entry.layers {
        layers.push([
            layer.name.clone(),
            layer.op.clone(),
            format!("{:.4}", layer.latency_ms),
            format!("{:.1} %", 100.0 * layer.latency_ms / entry.latency_ms.max(f64::MIN_POSITIVE)),
            si(layer.macs.0),
            layer.reason.clone(),
        ]);
    }
    layers
}

pub(super) fn totals(entry: &Entry, estimate: &NetworkEstimate, score: &Trainability) -> String {
    let mut text = format!(
        "{}\n  latency          {:.3} ms, 90 % interval {:.3} to {:.3}\n  trainability     {:.3}\n{}  \
         MACs             {}\n  params           {}, {} as {}\n  \
         peak activation  {} in place, {} without aliasing\n",
        entry.id,
        entry.latency_ms,
        entry.latency_ms_low,
        entry.latency_ms_high,
        entry.trainability,
        terms(score),
        si(entry.macs.0),
        si(entry.params.0),
        binary_bytes(entry.model_bytes),
        entry.network.dtype(),
        binary_bytes(entry.peak_activation_bytes),
        binary_bytes(entry.peak_activation_bytes_no_alias),
    );
    text += &entry.energy_text().map_or(String::new(), |energy| format!("  energy           {energy}\n"));
    for outside in &estimate.out_of_range {
        text += &format!("  outside the measured range: {outside}\n");
    }
    text
}

/// The summands of the score that say something.
fn terms(score: &Trainability) -> String {
    let telling = score.terms.iter().filter(|term| term.value.abs() >= 5e-4);
    telling.map(|term| format!("    {:<26} {:+.3}\n", term.name, term.value)).collect()
}
