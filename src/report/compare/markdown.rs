//! A comparison as Markdown, for pull requests and step summaries.

use super::{Comparison, Verdict, summary};

/// The comparison as Markdown.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison) -> String {
    heading(comparison) + &body(comparison)
}

/// The verdict and what it rests on.
pub(super) fn heading(comparison: &Comparison) -> String {
    let mark = match comparison.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::NotComparable => "⚠️",
    };
    let mut text =
        format!("### {mark} {}: {}\n", comparison.verdict.word(), escaped(&summary::sentence(comparison)));
    text +=
        &summary::error_sentence(comparison).map_or(String::new(), |said| format!("\n{}.\n", capital(&said)));
    for said in summary::measured_sentences(comparison) {
        text += &format!("\n{}.\n", escaped(&capital(&said)));
    }
    text + &differences(comparison)
}

/// The tables; what to do next where the runs cannot be compared.
pub(super) fn body(comparison: &Comparison) -> String {
    let Some(fronts) = &comparison.fronts else {
        return format!("\nNext: {}.\n", summary::advice(comparison));
    };
    let mut text = format!("\n{}", summary::quantities(comparison).markdown());
    if !comparison.gates.is_empty() {
        text += &format!("\n{}", summary::gates(comparison).markdown());
    }
    let sentences = summary::front_sentences(fronts).join(".\n- ");
    let levels = summary::equal_scores(fronts).markdown();
    let members = match fronts.members.is_empty() {
        true => String::new(),
        false => {
            let title = capital(summary::members_title(fronts));
            format!("{title}:\n\n{}\n", summary::members(fronts).markdown())
        }
    };
    let content = format!("- {sentences}.\n\n{members}Least latency at equal score:\n\n{levels}");
    text += &folded("Fronts", &content);
    if !comparison.changes.is_empty() {
        text += &folded("What changed in the architecture", &summary::change_table(comparison).markdown());
    }
    text
}

fn differences(comparison: &Comparison) -> String {
    let line = |difference: &super::Difference| {
        let word = if difference.allowed { "allowed to differ" } else { "differs" };
        format!("- {word}: {}\n", escaped(&difference.to_string()))
    };
    let lines: String = comparison.differences.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

fn folded(title: &str, content: &str) -> String {
    format!("\n<details><summary>{title}</summary>\n\n{content}\n</details>\n")
}

/// A sentence's beginning.
pub(in crate::report) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Names are the user's: what Markdown and HTML would read is escaped.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '*' | '_' | '`' | '[' | ']' | '|' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
