//! A comparison as text for people.

use std::fmt::Write;

use super::{Comparison, Verdict, summary};

/// A readable comparison, with ANSI colours if asked for.
#[must_use]
pub fn comparison_text(comparison: &Comparison, colour: bool) -> String {
    heading(comparison, colour) + &body(comparison, colour)
}

/// The verdict and what it rests on.
pub(super) fn heading(comparison: &Comparison, colour: bool) -> String {
    let mut text = format!("{}  {}\n", badge(comparison.verdict, colour), summary::sentence(comparison));
    text += &summary::error_sentence(comparison).map_or(String::new(), |said| format!("      {said}\n"));
    for said in summary::measured_sentences(comparison) {
        text += &format!("      {said}\n");
    }
    for difference in &comparison.differences {
        let word = if difference.allowed { "allowed to differ" } else { "differs" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "      {word}: {difference}");
    }
    text
}

/// The tables; what to do next where the runs cannot be compared.
pub(super) fn body(comparison: &Comparison, colour: bool) -> String {
    let Some(fronts) = &comparison.fronts else {
        return format!("      {}\n", summary::advice(comparison));
    };
    let mut text = format!("\n{}", summary::quantities(comparison).text());
    if !comparison.gates.is_empty() {
        text += &format!("\n{}", coloured(&summary::gates(comparison).text(), colour));
    }
    text += &format!("\n{}\n", summary::front_sentences(fronts).join("\n"));
    if !fronts.members.is_empty() {
        text += &format!("\n{}\n{}", summary::members_title(fronts), summary::members(fronts).text());
    }
    text += &format!("\nleast latency at equal score\n{}", summary::equal_scores(fronts).text());
    if !comparison.changes.is_empty() {
        text += &format!("\nfrom BASE's architecture to NEW's\n{}", summary::change_table(comparison).text());
    }
    text
}

fn badge(verdict: Verdict, colour: bool) -> String {
    let code = match verdict {
        Verdict::Pass => "32",
        Verdict::Fail => "31",
        Verdict::NotComparable => "33",
    };
    if colour { format!("\x1b[1;{code}m{}\x1b[0m", verdict.word()) } else { verdict.word().to_owned() }
}

/// The gate table with each FAIL in red; coloured last, since escapes have no width.
fn coloured(table: &str, colour: bool) -> String {
    if colour { table.replace("  FAIL  ", "  \x1b[31mFAIL\x1b[0m  ") } else { table.to_owned() }
}
