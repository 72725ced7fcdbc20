//! One block's latency against its channels, with the widths that matter marked.

use std::fmt::Write;

use super::{WIDTH, escape, line::path};
use crate::{
    report::{Curve, CurvePrice, Landscape, svg::Axis},
    units::si,
};

const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 44.0;
const TOP: f64 = 14.0;
/// Lines of the lanes are at least this many pixels apart.
const LINES_APART: f64 = 8.0;

/// One picture.
pub(super) struct Plane {
    x: Axis,
    y: Axis,
    lanes: u32,
    widest: u32,
    width: f64,
    floor: f64,
    /// A line has at most so many corners, so that small pictures stay small.
    corners: usize,
    /// Labels below are at least this many pixels apart.
    labels_apart: f64,
}

impl Plane {
    pub(super) fn over(landscape: &Landscape, curve: &Curve, (width, height): (f64, f64)) -> Self {
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
            corners: if small { 100 } else { 800 },
            labels_apart: if small { 68.0 } else { 34.0 },
        }
    }

    fn place(&self, point: CurvePrice) -> (f64, f64) {
        (self.x.at(f64::from(point.channels)), self.y.at(point.latency_ms))
    }

    pub(super) fn grid(&self) -> String {
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

    pub(super) fn axes(&self, curve: &Curve) -> String {
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
    pub(super) fn lines(&self, curve: &Curve) -> String {
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
            path(&macs, self.corners),
            path(&every, self.corners)
        )
    }

    /// What the space offers, the baseline's width and the one that was found.
    pub(super) fn marks(&self, curve: &Curve) -> String {
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
