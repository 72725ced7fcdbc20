//! How the hypervolume grew with the evaluations.

use std::fmt::Write;

use super::{Drawing, Sign, WIDTH, folded, section as titled};
use crate::{
    report::{ConvergenceRow, RandomLine, Report, Run, Table, svg::Axis, target::volume},
    units::{energy, si},
};

const HEIGHT: f64 = 240.0;
const LEFT: f64 = 78.0;
const FLOOR: f64 = HEIGHT - 44.0;
const SEARCH: Sign = ("<path class=\"curve\" d=\"M0 6H12\"/>", "the search");
const EXACT: Sign = ("<path class=\"exact\" d=\"M0 6H12\"/>", "the exact front");
const RANDOM: Sign = ("<path class=\"random\" d=\"M0 6H12\"/>", "random search, same seed");

pub(super) fn section(run: &Run) -> String {
    let Some(drawing) = drawing(run) else { return String::new() };
    let html = drawing.figure()
        + &drawing.legend()
        + &reference(&run.report)
        + &exact_words(&run.report)
        + &run.random.as_ref().map_or(String::new(), |random| verdict(&run.report, random))
        + &folded("Table: convergence", &table(run));
    titled("Convergence", &html)
}

pub(super) fn drawing(run: &Run) -> Option<Drawing> {
    let rows = &run.report.convergence;
    if rows.is_empty() {
        return None;
    }
    let chance = random_rows(run);
    let all = || rows.iter().chain(chance);
    let x = Axis::log(all().map(|row| row.evaluations as f64), LEFT, WIDTH - 20.0);
    let exact = run.report.gap.as_ref().and_then(|gap| gap.hypervolume);
    let y = Axis::linear(all().map(|row| row.hypervolume).chain(exact), FLOOR, 12.0);
    let places = |rows: &[ConvergenceRow]| -> Vec<(f64, f64)> {
        rows.iter().map(|row| (x.at(row.evaluations as f64), y.at(row.hypervolume))).collect()
    };
    let (mut content, mut signs) = (grid(&x, &y), Vec::new());
    if !chance.is_empty() {
        content += &format!("<path class=\"random\" d=\"M{}\"/>\n", line(&places(chance)));
        signs = vec![SEARCH, RANDOM];
    }
    if let Some(exact) = exact {
        let at = y.at(exact);
        content += &format!("<path class=\"exact\" d=\"M{LEFT} {at:.1}H{}\"/>\n", WIDTH - 20.0);
        if signs.is_empty() {
            signs.push(SEARCH);
        }
        signs.push(EXACT);
    }
    content += &curve(&places(rows));
    let mut says = match chance.is_empty() {
        true => "Line: hypervolume against evaluations".to_owned(),
        false => "Lines: hypervolume against evaluations, the search and random search".to_owned(),
    };
    if exact.is_some() {
        says += "; a level line: the exact front";
    }
    Some(Drawing { id: "convergence", height: HEIGHT, says, content, signs })
}

fn random_rows(run: &Run) -> &[ConvergenceRow] {
    run.random.as_ref().map_or(&[], |random| &random.rows)
}

/// How near the search came to the exact front, where that is known.
fn exact_words(report: &Report) -> String {
    let known = report.gap.as_ref().and_then(|gap| Some((gap, gap.hypervolume?)));
    known.map_or(String::new(), |(gap, exact)| {
        format!(
            "<p>The exact front of all {} architectures has a hypervolume of {}; the search reached {:.2} % of it.</p>\n",
            si(gap.architectures),
            volume(exact),
            gap.hypervolume_pct
        )
    })
}

/// What random search reached, and where the search had as much.
fn verdict(report: &Report, random: &RandomLine) -> String {
    let Some(last) = random.rows.last() else {
        return format!(
            "<p>Random search found nothing feasible in {} evaluations.</p>\n",
            si(random.evaluations)
        );
    };
    let passed = report.convergence.iter().find(|row| row.hypervolume >= last.hypervolume);
    let search = match passed {
        Some(row) if row.evaluations < last.evaluations => {
            format!("the search had as much by {} evaluations", si(row.evaluations))
        }
        Some(row) => format!("the search took {} evaluations for as much", si(row.evaluations)),
        None => "the search did not get that far".to_owned(),
    };
    format!(
        "<p>Random search reached a hypervolume of {} in {} evaluations; {search}.</p>\n",
        volume(last.hypervolume),
        si(last.evaluations)
    )
}

fn grid(x: &Axis, y: &Axis) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    for (value, label) in x.ticks() {
        let at = x.at(value);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} 12V{FLOOR}\"/><text class=\"soft\" x=\"{at:.1}\" y=\"{}\" \
             text-anchor=\"middle\">{label}</text>",
            FLOOR + 16.0
        );
    }
    for (value, label) in y.ticks() {
        let at = y.at(value);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/><text class=\"soft\" x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{label}</text>",
            WIDTH - 20.0,
            LEFT - 6.0,
            at + 4.0
        );
    }
    svg + &format!(
        "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"middle\">architectures scored</text>\n\
         <text transform=\"translate(14 {:.0}) rotate(-90)\" text-anchor=\"middle\">hypervolume</text>\n",
        (LEFT + WIDTH) / 2.0,
        HEIGHT - 8.0,
        FLOOR / 2.0
    )
}

fn curve(places: &[(f64, f64)]) -> String {
    let dots: String = places
        .iter()
        .map(|(x, y)| format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"))
        .collect();
    format!("<path class=\"curve\" d=\"M{}\"/>{dots}\n", line(places))
}

fn line(places: &[(f64, f64)]) -> String {
    places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect::<Vec<_>>().join("L")
}

fn reference(report: &Report) -> String {
    match report.hypervolume_reference[..] {
        [latency, score] if report.across.is_some() => format!(
            "<p class=\"soft\">Hypervolume in relative latency × trainability, up to {latency:.3} and trainability \
             {:.3}.</p>\n",
            -score
        ),
        [latency_us, score] => format!(
            "<p class=\"soft\">Hypervolume in µs × trainability, up to {:.3} ms and trainability {:.3}.</p>\n",
            latency_us / 1e3,
            -score
        ),
        [latency_us, score, uj] => format!(
            "<p class=\"soft\">Hypervolume in µs × trainability × µJ, up to {:.3} ms, trainability {:.3} and {}.</p>\n",
            latency_us / 1e3,
            -score,
            energy(uj)
        ),
        _ => String::new(),
    }
}

fn table(run: &Run) -> Table {
    let (rows, chance) = (&run.report.convergence, random_rows(run));
    if chance.is_empty() {
        let mut table = Table::new(&["architectures scored", "hypervolume"]);
        for row in rows {
            table.push([si(row.evaluations), volume(row.hypervolume)]);
        }
        return table;
    }
    let mut counts: Vec<u64> = rows.iter().chain(chance).map(|row| row.evaluations).collect();
    counts.sort_unstable();
    counts.dedup();
    let mut table = Table::new(&["architectures scored", "search", "random search"]);
    let at = |rows: &[ConvergenceRow], count: u64| {
        let row = rows.iter().find(|row| row.evaluations == count);
        row.map_or("–".to_owned(), |row| volume(row.hypervolume))
    };
    for count in counts {
        table.push([si(count), at(rows, count), at(chance, count)]);
    }
    table
}
