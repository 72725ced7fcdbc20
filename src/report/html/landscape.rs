//! Latency against channels: the staircase, and the few widths of it that a curated space offers.

use std::fmt::Write;

use super::{Drawing, Sign, WIDTH, escape, folded, section as titled};
use crate::{
    report::{Curve, CurvePrice, Landscape, Run, Table, svg::Axis},
    units::si,
};

const HEIGHT: f64 = 300.0;
const SMALL: (f64, f64) = (420.0, 190.0);
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 44.0;
const TOP: f64 = 14.0;
/// Lines of the lanes are at least this many pixels apart.
const LINES_APART: f64 = 8.0;
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
    let html = intro(landscape, first)
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

fn intro(landscape: &Landscape, first: &Curve) -> String {
    let lanes = match landscape.lanes {
        1 => String::new(),
        lanes => format!(" Vertical lines are multiples of {lanes}, the lanes of the accelerator."),
    };
    format!(
        "<p class=\"soft\">What the layers of block {} of the chosen architecture are estimated to take with other {}, \
         everything else as it is. Of all blocks, its latency changed most.{lanes}</p>\n",
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

/// One picture.
struct Plane {
    x: Axis,
    y: Axis,
    lanes: u32,
    widest: u32,
    width: f64,
    floor: f64,
    /// How many pixels a line may be off, so that small pictures stay small.
    off: f64,
    /// Labels below are at least this many pixels apart.
    labels_apart: f64,
}

impl Plane {
    fn over(landscape: &Landscape, curve: &Curve, (width, height): (f64, f64)) -> Self {
        let small = width < WIDTH;
        let floor = height - BOTTOM;
        let widest = curve.points.last().map_or(1, |point| point.channels);
        let latencies = curve.points.iter().map(|point| point.latency_ms);
        Self {
            x: Axis::from_zero([f64::from(widest)], LEFT, width - RIGHT),
            y: Axis::from_zero(latencies, floor, TOP),
            lanes: landscape.lanes,
            widest,
            width,
            floor,
            off: if small { 0.5 } else { 0.1 },
            labels_apart: if small { 68.0 } else { 34.0 },
        }
    }

    fn place(&self, point: CurvePrice) -> (f64, f64) {
        (self.x.at(f64::from(point.channels)), self.y.at(point.latency_ms))
    }

    fn grid(&self) -> String {
        let (right, floor) = (self.width - RIGHT, self.floor);
        let ticks: Vec<(f64, String)> =
            self.y.ticks().into_iter().map(|(value, label)| (self.y.at(value), label)).collect();
        let across: String = ticks.iter().map(|(y, _)| format!("M{LEFT} {y:.1}H{right}")).collect();
        let up: String = self.every(LINES_APART).map(|(x, _)| format!("M{x:.1} {TOP}V{floor}")).collect();
        let left: String = ticks
            .iter()
            .map(|(y, label)| format!("<text x=\"{}\" y=\"{:.0}\">{label}</text>", LEFT - 6.0, y + 4.0))
            .collect();
        let below: String = self
            .every(self.labels_apart)
            .map(|(x, channels)| format!("<text x=\"{x:.0}\" y=\"{:.0}\">{channels}</text>", floor + 16.0))
            .collect();
        format!(
            "<path class=\"grid\" d=\"{across}{up}\"/>\n<g class=\"labels\" text-anchor=\"end\">{left}</g>\n\
             <g class=\"labels\" text-anchor=\"middle\">{below}</g>\n"
        )
    }

    /// Multiples of the lanes that are at least so many pixels apart.
    fn every(&self, apart: f64) -> impl Iterator<Item = (f64, u32)> {
        let pixel = self.x.at(1.0) - self.x.at(0.0);
        // Without a staircase there are no lanes to show, only round numbers.
        let unit = if self.lanes > 1 { self.lanes } else { 8 };
        let mut step = unit;
        while f64::from(step) * pixel < apart {
            step = step.saturating_mul(2);
        }
        (0..=self.widest).step_by(step as usize).map(|channels| (self.x.at(f64::from(channels)), channels))
    }

    fn axes(&self, curve: &Curve) -> String {
        format!(
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{} of {}</text>\n\
             <text transform=\"translate(14 {:.0}) rotate(-90)\" text-anchor=\"middle\">latency in ms</text>\n",
            (LEFT + self.width - RIGHT) / 2.0,
            self.floor + 36.0,
            curve.width.name(),
            escape(&curve.block),
            (TOP + self.floor) / 2.0
        )
    }

    /// Every width, and the MACs beside it.
    fn lines(&self, curve: &Curve) -> String {
        let every: Vec<(f64, f64)> = curve.points.iter().map(|point| self.place(*point)).collect();
        let scale = curve.at(curve.chosen).map_or(0.0, |point| point.latency_ms / point.macs.0.max(1) as f64);
        let macs: Vec<(f64, f64)> = curve
            .points
            .iter()
            .map(|point| (self.x.at(f64::from(point.channels)), self.y.at(scale * point.macs.0 as f64)))
            .take_while(|(_, y)| *y >= TOP - 1.0)
            .collect();
        format!(
            "<path class=\"macs\" d=\"{}\"/>\n<path class=\"faint\" d=\"{}\"/>\n",
            path(&macs, self.off),
            path(&every, self.off)
        )
    }

    /// What the space offers, the baseline's width and the one that was found.
    fn marks(&self, curve: &Curve) -> String {
        let mut svg = String::new();
        // Writing to a string cannot fail.
        for point in curve.curated.iter().filter_map(|channels| curve.at(*channels)) {
            let (x, y) = self.place(point);
            let _ = writeln!(
                svg,
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"><title>{}</title></circle>",
                words("offered", point)
            );
        }
        if let Some(point) = curve.baseline.and_then(|channels| curve.at(channels)) {
            let (x, y) = self.place(point);
            let _ = writeln!(
                svg,
                "<path class=\"cross\" d=\"M{x:.1} {TOP}V{}\"/><path class=\"mark\" d=\"M{:.1} {:.1}l12 12m0 -12l-12 \
                 12\"><title>{}</title></path>",
                self.floor,
                x - 6.0,
                y - 6.0,
                words("baseline's width", point)
            );
        }
        if let Some(point) = curve.at(curve.chosen) {
            let (x, y) = self.place(point);
            let _ = writeln!(
                svg,
                "<path class=\"best\" d=\"M{:.1} {y:.1}l8 -8l8 8l-8 8Z\"><title>{}</title></path>",
                x - 8.0,
                words("found", point)
            );
        }
        svg
    }
}

fn words(what: &str, point: CurvePrice) -> String {
    format!("{what}: {} channels, {:.4} ms, {} MACs", point.channels, point.latency_ms, si(point.macs.0))
}

/// A line through `places` without those that lie within `off` pixels of it anyway; in steps of a tenth.
fn path(places: &[(f64, f64)], off: f64) -> String {
    let mut from = (0, 0);
    let mut text = String::new();
    for (index, (x, y)) in corners(places, off).into_iter().enumerate() {
        let to = ((x * 10.0).round() as i64, (y * 10.0).round() as i64);
        text += ["M", "l"].get(index).copied().unwrap_or(" ");
        text += &format!("{} {}", tenths(to.0 - from.0), tenths(to.1 - from.1));
        from = to;
    }
    text
}

fn corners(places: &[(f64, f64)], off: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut skipped: Vec<(f64, f64)> = Vec::new();
    for &(x, y) in places {
        let straight = kept.last().is_some_and(|&(x0, y0)| {
            skipped.iter().all(|(sx, sy)| (y0 + (y - y0) * (sx - x0) / (x - x0) - sy).abs() <= off)
        });
        if !straight {
            kept.extend(skipped.last());
            skipped.clear();
        }
        match kept.is_empty() {
            true => kept.push((x, y)),
            false => skipped.push((x, y)),
        }
    }
    kept.extend(skipped.last());
    kept
}

/// So many tenths as a number, as short as it can be.
fn tenths(count: i64) -> String {
    let sign = if count < 0 { "-" } else { "" };
    match (count.unsigned_abs() / 10, count.unsigned_abs() % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, tenths) => format!("{sign}.{tenths}"),
        (whole, tenths) => format!("{sign}{whole}.{tenths}"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_corners_only() {
        let stairs = [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 5.5), (4.0, 5.5), (5.0, 5.5)];
        assert_eq!(path(&stairs, 0.1), "M0 1l2 0 1 4.5 2 0");
        assert_eq!(path(&[(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)], 0.1), "M0 0l2 4");
        assert_eq!(
            path(&[(0.0, 0.5), (1.0, 0.75), (2.0, 0.25)], 0.5),
            "M0 .5l2 -.2",
            "rounding adds no drift"
        );
        assert_eq!(path(&[], 0.1), "");
    }
}
