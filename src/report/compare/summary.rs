//! The sentences and tables that the forms for people share.

use super::{
    Comparison, EstimatorError, FrontComparison, MeasuredHeadline, Quantity, Verdict,
    quantity::{percent, show_percent},
};
use crate::{report::Table, units::energy};

impl Verdict {
    /// The verdict in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::NotComparable => "NOT COMPARABLE",
        }
    }
}

/// The headline in a line.
pub(super) fn sentence(comparison: &Comparison) -> String {
    let subject = &comparison.subject;
    if comparison.verdict == Verdict::NotComparable {
        return format!("{subject}: the runs do not share what a comparison needs");
    }
    let Some(row) = comparison.latency() else { return subject.clone() };
    let (what, unit) = match row.quantity {
        Quantity::RelativeLatency => ("relative latency", ""),
        _ => ("latency", " ms"),
    };
    if let Some((old, now)) = measured_headlines(comparison) {
        let (before, after) = (old.latency_ms, now.latency_ms);
        let change = percent(before, after);
        let change = if change == 0.0 { "no change".to_owned() } else { show_percent(change) };
        let predicted =
            row.base.zip(row.new).zip(row.change_pct).map_or(String::new(), |((base, new), change)| {
                format!("; predicted {base:.3} → {new:.3} ms ({})", show_percent(change))
            });
        return format!(
            "{subject}: latency {before:.3} → {after:.3} ms ({change}), {}{predicted}",
            now.origin
        );
    }
    match (row.base, row.new, row.change_pct) {
        (Some(base), Some(new), Some(0.0)) if base == new => {
            format!("{subject}: {what} still {new:.3}{unit}")
        }
        (Some(base), Some(new), Some(change)) => {
            format!("{subject}: {what} {base:.3} → {new:.3}{unit} ({})", show_percent(change))
        }
        (None, Some(new), _) => format!("{subject}: {what} {new:.3}{unit} where BASE found nothing"),
        (_, None, _) => format!("{subject}: NEW has no architecture that meets the requirement"),
        _ => subject.clone(),
    }
}

/// What devices said of both headline architectures; none where either was not measured.
fn measured_headlines(comparison: &Comparison) -> Option<(&MeasuredHeadline, &MeasuredHeadline)> {
    let [old, now] = comparison.headline.each_ref().map(|headline| headline.as_ref()?.measured.as_ref());
    old.zip(now)
}

/// How the difference stands to the estimator's error; empty where there is none.
pub(super) fn error_sentence(comparison: &Comparison) -> Option<String> {
    let change = comparison.quantity(Quantity::LatencyMs)?.change_pct.filter(|change| *change != 0.0)?;
    let EstimatorError { percent, of } = comparison.estimator_error.as_ref()?;
    let measured = measured_headlines(comparison).is_some();
    let change = format!("{}{}", if measured { "predicted " } else { "" }, show_percent(change));
    Some(match comparison.below_estimator_error? {
        true if measured => format!("{change} is below the estimator's error of {percent:.1} % ({of})"),
        true => format!(
            "{change} is below the estimator's error of {percent:.1} % ({of}); a device may show no difference"
        ),
        false => format!("{change} exceeds the estimator's error of {percent:.1} % ({of})"),
    })
}

/// What the devices said of both, and what to keep in mind; empty where either was not measured.
pub(super) fn measured_sentences(comparison: &Comparison) -> Vec<String> {
    let Some(measured) = &comparison.measured else { return Vec::new() };
    let warnings = measured.warnings.iter().map(|warning| format!("warning: {warning}"));
    std::iter::once(measured.sentence()).chain(warnings).collect()
}

/// What is to be done about runs that cannot be compared.
pub(super) fn advice(comparison: &Comparison) -> String {
    let blocking = comparison.differences.iter().filter(|difference| !difference.allowed);
    if blocking.clone().any(|difference| !difference.can_be_allowed()) {
        return "search both alike: a latency cannot be compared with a ratio of latencies".to_owned();
    }
    let mut names: Vec<String> = Vec::new();
    for name in blocking.map(|difference| format!("--allow {}", difference.premise)) {
        // Several runs may differ in the same.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    format!("search both alike, or accept the difference with {}", names.join(" "))
}

/// Every quantity in both runs.
pub(super) fn quantities(comparison: &Comparison) -> Table {
    let mut table = Table::new(&["", "BASE", "NEW", "change", "in percent", ""]).left(5);
    for row in &comparison.quantities {
        let show = |value: Option<f64>| value.map_or("–".into(), |value| row.quantity.show(value));
        table.push([
            label_on(row.quantity, row.target.as_deref()),
            show(row.base),
            show(row.new),
            row.change.map_or(String::new(), |change| change_text(row.quantity, change)),
            row.change_pct.filter(|change| *change != 0.0).map_or(String::new(), show_percent),
            row.change.map_or("", |change| direction(row.quantity, change)).to_owned(),
        ]);
    }
    table
}

fn change_text(quantity: Quantity, change: f64) -> String {
    if change == 0.0 { "same".into() } else { quantity.show_change(change) }
}

fn direction(quantity: Quantity, change: f64) -> &'static str {
    match (change == 0.0, (change < 0.0) == quantity.smaller_is_better()) {
        (true, _) => "",
        (_, true) => "better",
        (_, false) => "worse",
    }
}

/// The same with the accelerator, where there is one: `latency on npu`.
pub(super) fn label_on(quantity: Quantity, target: Option<&str>) -> String {
    let on = target.map_or(String::new(), |target| format!(" on {target}"));
    format!("{}{on}", label(quantity))
}

pub(super) fn label(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::LatencyMs => "latency",
        Quantity::LatencyReductionPct => "reduction from baseline",
        Quantity::Trainability => "trainability",
        Quantity::Accuracy => "accuracy, trained",
        Quantity::Macs => "MACs",
        Quantity::Params => "params",
        Quantity::ModelBytes => "model",
        Quantity::PeakActivationBytes => "peak activation",
        Quantity::EnergyUj => "energy",
        Quantity::Hypervolume => "hypervolume",
        Quantity::MeasuredLatencyMs => "measured latency",
        Quantity::RelativeLatency => "relative latency",
    }
}

/// Each condition and how it came out.
pub(super) fn gates(comparison: &Comparison) -> Table {
    let mut table = Table::new(&["fails if", "", "seen"]).left(1).left(2);
    for gate in &comparison.gates {
        let word = if gate.failed { "FAIL" } else { "ok" };
        table.push([gate.condition.clone(), word.to_owned(), gate.observed.clone()]);
    }
    table
}

/// The fronts in sentences.
pub(super) fn front_sentences(fronts: &FrontComparison) -> Vec<String> {
    let [old, now] = fronts.sizes;
    let mut sentences = vec![
        format!(
            "{}: {old} architectures in BASE, {now} in NEW; {} in both, {} gained, {} lost",
            fronts.of,
            fronts.kept,
            fronts.gained.len(),
            fronts.lost.len()
        ),
        format!(
            "NEW dominates {} of BASE's front, BASE dominates {} of NEW's",
            fronts.base_dominated, fronts.new_dominated
        ),
    ];
    sentences.extend(volume_sentence(&fronts.reference, fronts.relative));
    sentences
}

/// What hypervolumes are measured to; empty without a reference point. Of runs for several accelerators, `relative`.
pub(super) fn volume_sentence(reference: &[f64], relative: bool) -> Option<String> {
    if let ([latency, score], true) = (reference, relative) {
        let score = -score;
        return Some(format!(
            "hypervolume (relative latency × trainability) up to {latency:.3} and trainability {score:.3}"
        ));
    }
    let point =
        |latency_us: f64, score: f64| format!("{:.3} ms and trainability {:.3}", latency_us / 1e3, -score);
    match reference[..] {
        [latency_us, score] => {
            Some(format!("hypervolume (µs × trainability) up to {}", point(latency_us, score)))
        }
        [latency_us, score, uj] => {
            let point = point(latency_us, score);
            Some(format!("hypervolume (µs × trainability × µJ) up to {point} and {}", energy(uj)))
        }
        _ => None,
    }
}

/// What latencies of fronts are in.
fn unit(fronts: &FrontComparison) -> &'static str {
    if fronts.relative { "relative" } else { "ms" }
}

/// The fastest architectures that only one front has.
pub(super) fn members(fronts: &FrontComparison) -> Table {
    let mut table = Table::new(&["architecture", "", unit(fronts), "trainability", ""]).left(1).left(4);
    for member in &fronts.members {
        let (word, other) = if member.gained { ("gained", "BASE") } else { ("lost", "NEW") };
        let relation = match (member.dominates, member.dominated_by) {
            (0, 0) => String::new(),
            (0, rivals) => format!("dominated by {rivals} of {other}"),
            (victims, _) => format!("dominates {victims} of {other}"),
        };
        table.push([
            member.id.clone(),
            word.to_owned(),
            format!("{:.3}", member.latency_ms),
            format!("{:.3}", member.trainability),
            relation,
        ]);
    }
    table
}

/// What the table of members shows of all that were gained and lost.
pub(super) fn members_title(fronts: &FrontComparison) -> &'static str {
    match fronts.members.len() < fronts.gained.len() + fronts.lost.len() {
        true => "gained and lost, the fastest of each",
        false => "gained and lost",
    }
}

/// The least latency of both at equal score.
pub(super) fn equal_scores(fronts: &FrontComparison) -> Table {
    let [base, new] = ["BASE", "NEW"].map(|run| format!("{run} {}", unit(fronts)));
    let mut table = Table::new(&["trainability", &base, &new, "change"]);
    for level in &fronts.at_equal_score {
        let show = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
        let change = level
            .change_pct
            .map_or(String::new(), |change| if change == 0.0 { "same".into() } else { show_percent(change) });
        table.push([format!("≥ {:.3}", level.trainability), show(level.base_ms), show(level.new_ms), change]);
    }
    table
}

/// What changed block by block; empty where nothing did.
pub(super) fn change_table(comparison: &Comparison) -> Table {
    let mut table = Table::new(&["block", "change", "latency"]).left(1);
    for change in &comparison.changes {
        table.push([
            change.block.clone(),
            change.words(),
            Quantity::LatencyMs.show_change(change.latency_ms),
        ]);
    }
    if comparison.unchanged_blocks_ms.abs() >= 5e-4 {
        let words = "the rest, which only has other neighbours".to_owned();
        let change = Quantity::LatencyMs.show_change(comparison.unchanged_blocks_ms);
        table.push([String::new(), words, change]);
    }
    table
}
