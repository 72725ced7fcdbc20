//! The verdict: what was found, how sure that is, and where it comes from.

use super::{chosen, escape, folded, short};
use crate::{
    report::{
        AcrossTargets, Entry, Finding, Measured, Report, Run, Table, TargetLatency, agreement,
        compare::capital,
        measured_table, targets_table,
        text::{bound_words, estimators},
        trained::decimals,
        trained_table,
    },
    units::{binary_bytes, energy, si},
};

pub(super) fn section(run: &Run) -> String {
    let report = &run.report;
    let mut html = format!(
        "<header>\n<h1>{} <span class=\"soft\">on</span> {}</h1>\n<p class=\"soft\">Required: {}</p>\n</header>\n\
         <section class=\"card\" aria-label=\"Verdict\">\n",
        escape(&report.space.name),
        escape(&estimators(report)),
        escape(&report.requirement)
    );
    html += &match report.finding() {
        Some(finding) => {
            found(&finding) + &optimum(report) + &by_target(report) + &energies(report) + &format_free(report)
        }
        None => nothing(&report.baseline),
    };
    html += &doubts(run);
    let numbers = numbers(run).html();
    html += &format!(
        "<div class=\"facts\"><div class=\"scroll\" tabindex=\"0\">{numbers}</div>\n{}</div>\n",
        provenance(report)
    );
    html += &measured_table(report)
        .map_or(String::new(), |table| folded("Table: predicted and measured latencies", &table));
    if let Some(table) = trained_table(report) {
        html += &agreement(report)
            .map_or(String::new(), |line| format!("<p class=\"soft\">{}.</p>\n", capital(&line)));
        html += &folded("Table: accuracy as trained", &table);
    }
    html + "</section>\n"
}

fn found(finding: &Finding<'_>) -> String {
    let gain = finding.gain();
    let class = if gain.percent() < 0.0 { "" } else { "better" };
    let origin = match finding.measured {
        Some(_) => short(&finding.origin(), 60),
        None => finding.across.map_or_else(
            || "estimated latency".to_owned(),
            |across| format!("estimated latency, {}", across.words()),
        ),
    };
    let unit = if finding.across.is_some() { "relative" } else { "ms" };
    let mut html = format!(
        "<p class=\"verdict\">{:.3} → {:.3} {unit} <span class=\"{class}\">{}</span> <small>{}</small></p>\n",
        gain.from_ms,
        gain.to_ms,
        gain.change(),
        escape(&origin)
    );
    html += &finding
        .beside()
        .map_or(String::new(), |beside| format!("<p class=\"soft\">{}.</p>\n", escape(&capital(&beside))));
    if let Some(line) = finding.accuracy() {
        html += &format!("<p>{}.</p>\n", escape(&capital(&line)));
    }
    for note in finding.notes() {
        html += &format!("<p class=\"warning\">{}.</p>\n", escape(&capital(&note)));
    }
    html
}

/// How near the optimum it is, where that is known.
fn optimum(report: &Report) -> String {
    let words = report.bound.as_ref().map(|bound| capital(&bound_words(bound)));
    words.map_or(String::new(), |words| format!("<p class=\"soft\">{}.</p>\n", escape(&words)))
}

/// What each of several accelerators gains.
fn by_target(report: &Report) -> String {
    let Some(table) = targets_table(report) else { return String::new() };
    let first = report.across.as_ref().map_or("", AcrossTargets::first);
    format!(
        "<div class=\"scroll\" tabindex=\"0\">{}</div>\n<p class=\"soft\">Relative to the baseline's latency on the same \
         target. Layers and blocks below are those of {}.</p>\n",
        table.html(),
        escape(first)
    )
}

/// What is known of energies.
fn energies(report: &Report) -> String {
    let lines = report.energy_lines().into_iter();
    lines.map(|line| format!("<p class=\"soft\">{}.</p>\n", escape(&capital(&line)))).collect()
}

/// What the score does not know of number formats.
fn format_free(report: &Report) -> String {
    let line = report.dtype_line();
    line.map_or(String::new(), |line| format!("<p class=\"warning\">{}.</p>\n", escape(&capital(&line))))
}

fn nothing(baseline: &Entry) -> String {
    let on = |latency: &TargetLatency| format!("{:.3} ms on {}", latency.latency_ms, escape(&latency.target));
    let takes = match baseline.latencies.is_empty() {
        true => format!("{:.3} ms", baseline.latency_ms),
        false => baseline.latencies.iter().map(on).collect::<Vec<_>>().join(", "),
    };
    format!(
        "<p class=\"verdict\">No architecture meets the requirement</p>\n\
         <p>The baseline takes {takes}. Loosen the constraints, widen the space, or search longer.</p>\n"
    )
}

/// What to keep in mind before relying on the numbers.
fn doubts(run: &Run) -> String {
    let mut html = String::new();
    // Those of several targets stand in their table.
    if let Some(accuracy) = run.held_out().filter(|_| run.report.across.is_none()) {
        html += &format!(
            "<p>On {} networks that it had not seen, the estimator was off by {:.1} % in the mean and ranked \
             them with a Spearman correlation of {:.3}.</p>\n",
            accuracy.n, accuracy.mape_pct, accuracy.spearman
        );
    }
    if chosen(run).is_some_and(|entry| !entry.is_in_range()) {
        html += "<p class=\"warning\">Some layers of this architecture lie outside the range that was measured. \
                 Measure such operators before relying on the latency.</p>\n";
    }
    html
}

fn numbers(run: &Run) -> Table {
    let entries = [Some(&run.report.baseline), chosen(run)];
    let mut table = Table::new(&["", "baseline", "chosen"][..1 + entries.iter().flatten().count()]);
    let mut row = |name: &str, value: &dyn Fn(&Entry) -> String| {
        table
            .push(std::iter::once(name.to_owned()).chain(entries.iter().flatten().map(|entry| value(entry))));
    };
    let measured = entries.iter().flatten().any(|entry| entry.measured.is_some());
    let latency = if measured { "predicted latency" } else { "latency" };
    if run.report.across.is_some() {
        row("relative latency", &|entry| format!("{:.3}", entry.cost()));
    } else {
        row(latency, &|entry| format!("{:.3} ms", entry.latency_ms));
        row("90 % interval", &|entry| {
            format!("{:.3} to {:.3} ms", entry.latency_ms_low, entry.latency_ms_high)
        });
    }
    if measured {
        row("measured", &|entry| entry.measured.as_ref().map_or("–".to_owned(), spread));
    }
    if entries.iter().flatten().any(|entry| entry.trained.is_some()) {
        row("accuracy, trained", &|entry| {
            entry.trained.as_ref().map_or("–".to_owned(), |own| decimals(own.accuracy))
        });
    }
    row("trainability score", &|entry| format!("{:.3}", entry.trainability));
    if entries.iter().flatten().any(|entry| entry.energy_uj.is_some()) {
        row("energy", &|entry| entry.energy_uj.map_or("–".to_owned(), energy));
    }
    row("MACs", &|entry| si(entry.macs.0));
    row("params", &|entry| si(entry.params.0));
    row("model", &|entry| binary_bytes(entry.model_bytes));
    row("peak activation", &|entry| binary_bytes(entry.peak_activation_bytes));
    row("data type", &|entry| entry.network.dtype().to_string());
    row("architecture", &|entry| short(&entry.id, 40));
    table
}

/// The median, and how far runs lie from it.
fn spread(measured: &Measured) -> String {
    let mad = measured.mad_ms.map_or(String::new(), |mad| format!(" ± {mad:.3}"));
    format!("{:.3}{mad} ms", measured.ms())
}

fn provenance(report: &Report) -> String {
    let origins: Vec<String> =
        report.estimators.iter().map(|origin| format!("{} ({})", origin.name, origin.hash)).collect();
    let rows = [
        ("latencies", report.provenance.clone()),
        (
            "search",
            format!(
                "{}, seed {}, {} architectures scored, {} on the front ({})",
                report.algorithm,
                report.seed,
                si(report.evaluations),
                report.front_size,
                report.termination
            ),
        ),
        ("space", format!("{} ({})", report.space.name, report.space.hash)),
        ("estimator", origins.join(", ")),
        ("written by", format!("nas {}", report.version)),
    ];
    let energy = report.energy.as_ref().map(|origin| ("energies", origin.line()));
    let [latencies, rest @ ..] = rows;
    let rows = std::iter::once(latencies).chain(energy).chain(rest);
    let measured = report.finding().filter(|found| found.measured.is_some()).map(|found| found.origin());
    let rows = measured.into_iter().map(|origin| ("device", origin)).chain(rows);
    let rows = rows.map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(&value)));
    format!("<dl>{}</dl>\n", rows.collect::<String>())
}
