//! What makes the chosen architecture another one than the baseline, in words.

use super::{change_ms, chosen, escape, first_target, section as titled};
use crate::report::{Change, Run, changes, unexplained_ms};

pub(super) fn section(run: &Run) -> String {
    let Some(after) = chosen(run) else { return String::new() };
    let before = &run.report.baseline;
    let changes = changes(before, after);
    if changes.is_empty() {
        return titled(
            "What changed",
            "<p>Nothing: the baseline itself is the fastest that was found.</p>\n",
        );
    }
    let mut items: String = changes.iter().map(item).collect();
    let rest = unexplained_ms(before, after);
    if rest.abs() >= 5e-4 {
        items += &format!("<li>the rest, which only has other neighbours: {}</li>\n", change_ms(rest));
    }
    let whose = first_target(run);
    let whose = if whose.is_empty() { whose } else { format!("<p class=\"soft\">{whose}</p>\n") };
    titled("What changed", &format!("{whose}<ul>\n{items}</ul>\n"))
}

fn item(change: &Change) -> String {
    let cost = if change.latency_ms == 0.0 {
        String::new()
    } else {
        format!(": <strong>{}</strong>", change_ms(change.latency_ms))
    };
    format!("<li><strong>{}</strong>: {}{cost}</li>\n", escape(&change.block), escape(&change.words()))
}
