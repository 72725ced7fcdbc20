//! A trend as text and Markdown for people.

use super::{
    Against, Move, Quantity, Trend, TrendValue, Verdict, markdown, quantity::show_percent, summary, text,
};
use crate::report::Table;

/// A readable trend, with ANSI colours if asked for.
#[must_use]
pub fn trend_text(trend: &Trend, colour: bool) -> String {
    let heading = text::heading(&trend.comparison, colour);
    if trend.verdict == Verdict::NotComparable {
        return heading + &text::body(&trend.comparison, colour);
    }
    let mut said = format!("{heading}      {}\n\n{}", judged(trend), values(trend, str::to_owned).text());
    for (title, table) in moves(trend, str::to_owned) {
        said += &format!("\n{title}\n{}", table.text());
    }
    said + &text::body(&trend.comparison, colour)
}

/// The trend as Markdown, for pull requests and step summaries.
#[must_use]
pub fn trend_markdown(trend: &Trend) -> String {
    let heading = markdown::heading(&trend.comparison);
    if trend.verdict == Verdict::NotComparable {
        return heading + &markdown::body(&trend.comparison);
    }
    let mut said = format!(
        "{heading}\n{}.\n\n{}",
        markdown::escaped(&judged(trend)),
        values(trend, markdown::escaped).markdown()
    );
    for (title, table) in moves(trend, markdown::escaped) {
        said += &format!("\n{}:\n\n{}", markdown::capital(title), table.markdown());
    }
    said + &markdown::body(&trend.comparison)
}

/// Which runs BASE and NEW are.
fn judged(trend: &Trend) -> String {
    let name =
        |index: Option<usize>| index.and_then(|index| trend.runs.get(index)).map_or("", |run| &run.run);
    let last = trend.runs.len().checked_sub(1);
    let (word, base) = match trend.against {
        Against::First => ("first", Some(0)),
        Against::Previous => ("previous", last.and_then(|last| last.checked_sub(1))),
    };
    format!(
        "{} runs; the last is judged against the {word}: BASE is {}, NEW is {}",
        trend.runs.len(),
        name(base),
        name(last)
    )
}

fn header(trend: &Trend) -> Table {
    let values = trend.runs.first().map_or(&[][..], |run| &run.values);
    let mut names = vec!["run"];
    let labels: Vec<String> =
        values.iter().map(|value| summary::label_on(value.quantity, value.target.as_deref())).collect();
    names.extend(labels.iter().map(String::as_str));
    Table::new(&names)
}

fn values(trend: &Trend, name: fn(&str) -> String) -> Table {
    let show =
        |value: &TrendValue| value.value.map_or_else(|| "–".to_owned(), |number| value.quantity.show(number));
    table(trend, 0, name, show)
}

fn moves(trend: &Trend, name: fn(&str) -> String) -> [(&'static str, Table); 2] {
    let change = |value: &TrendValue, moved: Option<Move>| {
        moved.map_or_else(|| "–".to_owned(), |moved| words(value.quantity, moved))
    };
    [
        ("change since the first run", table(trend, 1, name, |value| change(value, value.since_first))),
        ("change since the run before", table(trend, 1, name, |value| change(value, value.since_previous))),
    ]
}

fn table(
    trend: &Trend,
    skip: usize,
    name: fn(&str) -> String,
    cell: impl Fn(&TrendValue) -> String,
) -> Table {
    let mut table = header(trend);
    for run in trend.runs.iter().skip(skip) {
        table.push(std::iter::once(name(&run.run)).chain(run.values.iter().map(&cell)));
    }
    table
}

fn words(quantity: Quantity, moved: Move) -> String {
    match moved.change_pct {
        _ if moved.change == 0.0 => "same".to_owned(),
        Some(percent) => show_percent(percent),
        None => quantity.show_change(moved.change),
    }
}
