//! How far the latencies can be trusted: what the estimator's file says of networks it has not seen.

use super::{first_target, folded, predicted, section as titled};
use crate::{
    estimator::{Accuracy, Quality},
    report::{Run, Table},
};

pub(super) fn section(run: &Run) -> String {
    let Some(quality) = &run.quality else { return String::new() };
    let Some(sentence) = sentence(quality) else { return String::new() };
    let table = table(quality, false).html();
    let mut html = format!(
        "<p>{}{sentence}</p>\n<div class=\"scroll\" tabindex=\"0\">{table}</div>\n",
        first_target(run)
    );
    if !quality.layers_by_kind.is_empty() || !quality.isolated_by_kind.is_empty() {
        html += &folded("Table: by kind of operator", &self::table(quality, true));
    }
    html += &predicted::part(run);
    titled("Estimator quality", &html)
}

/// What the numbers mean for a reader, from what is closest to whole networks.
fn sentence(quality: &Quality) -> Option<String> {
    let (what, accuracy) = [
        ("networks", &quality.networks),
        ("layers in networks", &quality.layers),
        ("isolated operators", &quality.isolated),
    ]
    .into_iter()
    .find_map(|(what, accuracy)| Some((what, accuracy.as_ref()?)))?;
    let covered = quality.interval_coverage_pct.map_or(String::new(), |percent| {
        format!(" Its 90 % interval held {percent:.1} % of the unseen networks.")
    });
    Some(format!(
        "Held out from the fit, {} {what} were predicted with an error of {:.1} % in the mean; {:.1} % of them \
         within ±10 %.{covered} Two architectures that differ by less than that error may in truth stand the \
         other way round.",
        accuracy.n, accuracy.mape_pct, accuracy.within_10_pct
    ))
}

fn table(quality: &Quality, kinds: bool) -> Table {
    let mut table = Table::new(&["held out", "n", "MAPE %", "within ±10 %", "Spearman"]);
    let mut row = |name: &str, accuracy: &Accuracy| {
        table.push([
            name.to_owned(),
            accuracy.n.to_string(),
            format!("{:.2}", accuracy.mape_pct),
            format!("{:.1}", accuracy.within_10_pct),
            format!("{:.4}", accuracy.spearman),
        ]);
    };
    let groups = [
        ("whole networks", &quality.networks, &[][..]),
        ("layers in networks", &quality.layers, &quality.layers_by_kind),
        ("isolated operators", &quality.isolated, &quality.isolated_by_kind),
    ];
    for (name, all, by_kind) in groups {
        all.iter().for_each(|accuracy| row(name, accuracy));
        for (kind, accuracy) in by_kind.iter().filter(|_| kinds) {
            row(&format!("{name}: {kind}"), accuracy);
        }
    }
    table
}
