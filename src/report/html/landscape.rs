//! Latency against channels: the staircase, and the few widths of it that a curated space offers.

use super::{Drawing, Sign, WIDTH, escape, first_target, folded, section as titled, staircase::Plane};
use crate::{
    report::{Curve, Landscape, Run, Table},
    units::si,
};

const HEIGHT: f64 = 300.0;
const SMALL: (f64, f64) = (420.0, 190.0);
/// More blocks than this are not drawn.
const MOST_SMALL: usize = 20;
/// A growth by less than this is no step.
const STEP: f64 = 1.02;

const SIGNS: [Sign; 5] = [
    ("<path class=\"faint\" d=\"M0 9H6V3H12\"/>", "every width"),
    ("<circle class=\"dot\" cx=\"6\" cy=\"6\" r=\"5\"/>", "offered by the space"),
    ("<path class=\"best\" d=\"M6 0L12 6L6 12L0 6Z\"/>", "found"),
    ("<path class=\"mark\" d=\"M2 2L10 10M10 2L2 10\"/>", "baseline's width"),
    ("<path class=\"macs\" d=\"M0 10L12 2\"/>", "MACs, scaled to meet at the found width"),
];

pub(super) fn section(run: &Run) -> String {
    let Some((landscape, first, others)) = parts(run) else { return String::new() };
    let Some(drawing) = drawing(run) else { return String::new() };
    let html = intro(run, landscape, first)
        + &drawing.figure()
        + &drawing.legend()
        + &said(first)
        + &folded("Table: latency by channels", &table(landscape, first))
        + &small_ones(landscape, others);
    titled("Cost landscape", &html)
}

pub(super) fn drawing(run: &Run) -> Option<Drawing> {
    let (landscape, first, _) = parts(run)?;
    let plane = Plane::over(landscape, first, (WIDTH, HEIGHT));
    let says = format!(
        "Line: latency of block {} against its {}; dots: the widths that the space offers",
        first.block,
        first.width.name()
    );
    let content = plane.grid() + &plane.axes(first) + &plane.lines(first) + &plane.marks(first);
    // A legend has no signs for what is not drawn.
    let drawn = [true, !first.curated.is_empty(), true, first.baseline.is_some(), true];
    let signs = SIGNS.into_iter().zip(drawn).filter(|(_, drawn)| *drawn).map(|(sign, _)| sign).collect();
    Some(Drawing { id: "landscape", height: HEIGHT, says, content, signs })
}

/// The landscape, its first curve and the others.
fn parts(run: &Run) -> Option<(&Landscape, &Curve, &[Curve])> {
    let landscape = run.landscape.as_ref()?;
    let (first, others) = landscape.curves.split_first()?;
    Some((landscape, first, others))
}

fn intro(run: &Run, landscape: &Landscape, first: &Curve) -> String {
    let lanes = match landscape.lanes {
        1 => String::new(),
        lanes => format!(" Vertical lines are multiples of {lanes}, the accelerator's parallelism factor."),
    };
    format!(
        "<p class=\"soft\">{}What the layers of block {} of the chosen architecture are estimated to take with other {}, \
         everything else as it is. Of all blocks, its latency changed most.{lanes}</p>\n",
        first_target(run),
        escape(&first.block),
        first.width.name()
    )
}

/// The largest step of the staircase in words.
fn said(curve: &Curve) -> String {
    let Some((before, after)) = curve.steepest().filter(|(a, b)| b.latency_ms > STEP * a.latency_ms) else {
        return format!(
            "<p>No step: from one width to the next, the latency of {} never grows by 2 %.</p>\n",
            escape(&curve.block)
        );
    };
    let percent = |from: f64, to: f64| 100.0 * (to / from - 1.0);
    format!(
        "<p>The steepest step: from {} to {} channels the block takes <strong>{:.1} %</strong> longer, for {:.1} % \
         more MACs.</p>\n",
        before.channels,
        after.channels,
        percent(before.latency_ms, after.latency_ms),
        percent(before.macs.0 as f64, after.macs.0 as f64)
    )
}

/// The marked widths, and where there are few lanes, either side of each of them.
fn table(landscape: &Landscape, curve: &Curve) -> Table {
    const MOST_LANES: u32 = 24;
    let mut table = Table::new(&["channels", "latency ms", "MACs", ""]).left(3);
    let widest = curve.points.last().map_or(0, |point| point.channels);
    let lanes = landscape.lanes.max(8);
    let few = widest / lanes <= MOST_LANES;
    for (index, point) in curve.points.iter().enumerate() {
        let what = meaning(curve, point.channels);
        let before = index.checked_sub(1).and_then(|index| curve.points.get(index));
        let edge = few
            && (point.channels % lanes == 0
                || before.is_some_and(|point| landscape.lanes > 1 && point.channels % lanes == 0));
        if edge || !what.is_empty() {
            table.push([
                point.channels.to_string(),
                format!("{:.4}", point.latency_ms),
                si(point.macs.0),
                what,
            ]);
        }
    }
    table
}

fn meaning(curve: &Curve, channels: u32) -> String {
    let meanings = [
        (curve.chosen == channels, "found"),
        (curve.baseline == Some(channels), "baseline"),
        (curve.curated.contains(&channels), "offered"),
    ];
    let words: Vec<&str> = meanings.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect();
    words.join(", ")
}

/// The other blocks as small pictures with one table.
fn small_ones(landscape: &Landscape, others: &[Curve]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let shown = &others[..others.len().min(MOST_SMALL)];
    let pictures: String = shown.iter().map(|curve| small(landscape, curve)).collect();
    let mut table = Table::new(&["block", "varied", "channels", "latency ms", "MACs", ""]).left(1).left(5);
    for curve in shown {
        let marked = curve.points.iter().map(|point| (point, meaning(curve, point.channels)));
        for (point, what) in marked.filter(|(_, what)| !what.is_empty()) {
            table.push([
                curve.block.clone(),
                curve.width.name().to_owned(),
                point.channels.to_string(),
                format!("{:.4}", point.latency_ms),
                si(point.macs.0),
                what,
            ]);
        }
    }
    format!(
        "<details class=\"long\"><summary>{} other blocks</summary>\n<div class=\"pair\">\n{pictures}</div>\n\
         {}</details>\n",
        shown.len(),
        folded("Table: marked widths of the other blocks", &table)
    )
}

fn small(landscape: &Landscape, curve: &Curve) -> String {
    let (width, height) = SMALL;
    let plane = Plane::over(landscape, curve, SMALL);
    format!(
        "<div class=\"figure\"><svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Latency of block {} \
         against its {}\">\n{}</svg></div>\n",
        escape(&curve.block),
        curve.width.name(),
        plane.grid() + &plane.axes(curve) + &plane.lines(curve) + &plane.marks(curve)
    )
}
