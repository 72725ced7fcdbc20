//! A comparison as Markdown, for pull requests and step summaries.

use super::{Comparison, Verdict, summary};

/// The comparison as Markdown.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mark = match comparison.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::NotComparable => "⚠️",
    };
    let mut text =
        format!("### {mark} {}: {}\n", comparison.verdict.word(), escaped(&summary::sentence(comparison)));
    text += &summary::error_sentence(comparison).map_or(String::new(), |said| format!("\n{said}.\n"));
    text += &differences(comparison);
    let Some(fronts) = &comparison.fronts else {
        return format!("{text}\nNext: {}.\n", summary::advice(comparison));
    };
    text += &format!("\n{}", summary::quantities(comparison).markdown());
    if !comparison.gates.is_empty() {
        text += &format!("\n{}", summary::gates(comparison).markdown());
    }
    let sentences = summary::front_sentences(fronts).join(".\n- ");
    let levels = summary::equal_scores(fronts).markdown();
    text += &folded("Fronts", &format!("- {sentences}.\n\nLeast latency at equal score:\n\n{levels}"));
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

/// Names are the user's: what Markdown and HTML would read is escaped.
fn escaped(text: &str) -> String {
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
