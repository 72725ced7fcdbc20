//! The Pareto front: latency against expected trainability, with the baseline as a cross-hair.

use std::fmt::Write;

use super::{Drawing, Sign, WIDTH, chosen, entries, escape, folded_list, section as titled};
use crate::report::{
    BoundAt, Entry, FrontPoint, Run, Table,
    svg::{Axis, short},
};

const HEIGHT: f64 = 360.0;
const LEFT: f64 = 72.0;
const BOTTOM: f64 = 44.0;
const TOP: f64 = 12.0;
/// The axis of scores spans at least this: smaller differences say nothing, and their labels have no room.
const LEAST_SPAN: f64 = 0.02;

const SIGNS: [Sign; 4] = [
    ("<path class=\"mark\" d=\"M2 2L10 10M10 2L2 10\"/>", "baseline"),
    ("<path class=\"best\" d=\"M6 0L12 6L6 12L0 6Z\"/>", "chosen"),
    ("<circle class=\"dot\" cx=\"6\" cy=\"6\" r=\"5\"/>", "reported, with 90 % interval"),
    ("<path class=\"every\" d=\"M6 6h0\"/>", "the rest of the front"),
];

const BARRED: Sign = (
    "<rect class=\"barred\" width=\"12\" height=\"12\"/>",
    "nothing that meets the requirement lies here, by the bounds",
);

/// A relative latency has no interval.
fn signs(run: &Run) -> Vec<Sign> {
    let relative = run.report.across.is_some();
    let words =
        |word: &'static str| if relative { word.trim_end_matches(", with 90 % interval") } else { word };
    let signs = SIGNS.into_iter().map(|(sign, word)| (sign, words(word)));
    signs.chain((!bounds(run).is_empty()).then_some(BARRED)).collect()
}

/// What nothing is faster than, at one score after another.
fn bounds(run: &Run) -> &[BoundAt] {
    let front = run.report.bound.as_ref().and_then(|bound| bound.front.as_ref());
    front.map_or(&[], |front| &front.bounds)
}

pub(super) fn section(run: &Run) -> String {
    let Some(drawing) = drawing(run, true) else { return String::new() };
    let (points, shown) = (run.points(), entries::shown(run));
    let html = drawing.figure()
        + &drawing.legend()
        + &caption(&Plane::over(run, &shown), &points)
        + &entries::table_and_details(run, &shown)
        + &every_table(run, &points);
    titled("Pareto front", &html)
}

/// The front; with `links`, its points lead to their details in the page.
pub(super) fn drawing(run: &Run, links: bool) -> Option<Drawing> {
    let points = run.points();
    if points.is_empty() {
        return None;
    }
    let shown = entries::shown(run);
    let plane = Plane::over(run, &shown);
    let mut content = plane.barred(bounds(run))
        + &plane.grid()
        + &plane.cross_hair(&run.report.baseline)
        + &plane.every(&points);
    // The chosen one last, so that nothing covers it.
    for &(index, entry) in shown.iter().rev() {
        let mark = plane.entry(entry, chosen(run).is_some_and(|best| best.id == entry.id));
        let said = escape(&said(&format!("#{index}"), entry));
        content += &match links {
            true => {
                format!("<a href=\"#e{index}\" aria-label=\"{said}\"><title>{said}</title>{mark}</a>\n")
            }
            false => format!("<g><title>{said}</title>{mark}</g>\n"),
        };
    }
    let says = format!(
        "Scatter plot of {} architectures, latency against trainability; the baseline is a cross.",
        points.len()
    );
    Some(Drawing { id: "scatter", height: HEIGHT, says, content, signs: signs(run) })
}

fn caption(plane: &Plane, points: &[FrontPoint]) -> String {
    let beyond = points.iter().filter(|point| !plane.x.holds(point.cost())).count();
    let slower =
        if beyond == 0 { String::new() } else { format!(" {beyond} slower ones lie beyond the edges.") };
    format!(
        "<p class=\"soft\" id=\"said\" aria-live=\"polite\">Further left is faster, further up is better. \
         Select a point for its details.{slower}</p>\n"
    )
}

/// The whole front where it has more than the entries that are shown.
fn every_table(run: &Run, points: &[FrontPoint]) -> String {
    if points.len() <= run.report.front.len().min(entries::MOST) {
        return String::new();
    }
    let mut table = Table::new(&["id", x_name(run), "trainability"]);
    for point in points {
        table.push([point.id.clone(), format!("{:.3}", point.cost()), format!("{:.3}", point.trainability)]);
    }
    let title = format!("List: all {} architectures of the front", points.len());
    folded_list(&title, &table)
}

/// What the axis of latencies shows.
fn x_name(run: &Run) -> &'static str {
    if run.report.across.is_some() { "relative latency" } else { "latency ms" }
}

/// The two axes.
struct Plane {
    x: Axis,
    x_name: &'static str,
    y: Axis,
}

impl Plane {
    /// Wide enough for the baseline and the shown entries with their intervals.
    fn over(run: &Run, shown: &[(usize, &Entry)]) -> Self {
        let entries = || shown.iter().map(|(_, entry)| *entry).chain([&run.report.baseline]);
        let latencies = entries().flat_map(interval);
        let scores = entries().map(|entry| entry.trainability);
        let x_name = if run.report.across.is_some() { "relative latency" } else { "latency in ms" };
        Self {
            x_name,
            x: Axis::linear(latencies, LEFT, WIDTH - 12.0),
            y: Axis::linear_over(scores, LEAST_SPAN, HEIGHT - BOTTOM, 12.0),
        }
    }

    fn grid(&self) -> String {
        let (floor, right) = (HEIGHT - BOTTOM, WIDTH - 12.0);
        let mut svg = String::new();
        // Writing to a string cannot fail.
        for (value, label) in self.x.ticks() {
            let x = self.x.at(value);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} 12V{floor}\"/><text class=\"soft\" x=\"{x:.1}\" y=\"{}\" \
                 text-anchor=\"middle\">{label}</text>",
                floor + 16.0
            );
        }
        for (value, label) in self.y.ticks() {
            let y = self.y.at(value);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text class=\"soft\" x=\"{}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{label}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        svg + &format!(
            "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
             <text transform=\"translate(14 {:.0}) rotate(-90)\" text-anchor=\"middle\">trainability</text>\n",
            (LEFT + right) / 2.0,
            HEIGHT - 8.0,
            self.x_name,
            (12.0 + floor) / 2.0
        )
    }

    /// What lies left of all bounds.
    fn barred(&self, bounds: &[BoundAt]) -> String {
        let Some(first) = bounds.first() else { return String::new() };
        let y = |at: &BoundAt| self.y.at(at.trainability).clamp(TOP, HEIGHT - BOTTOM);
        let x = |at: &BoundAt| self.x.at(at.latency_ms).clamp(LEFT, WIDTH - 12.0);
        let steps: String = bounds.iter().map(|at| format!("V{:.1}H{:.1}", y(at), x(at))).collect();
        format!("<path class=\"barred\" d=\"M{LEFT} {:.1}{steps}V{TOP}H{LEFT}Z\"/>\n", y(first))
    }

    fn cross_hair(&self, baseline: &Entry) -> String {
        let (x, y) = (self.x.at(baseline.cost()), self.y.at(baseline.trainability));
        format!(
            "<path class=\"cross\" d=\"M{x:.1} 12V{}M{LEFT} {y:.1}H{}\"/>\n\
             <path class=\"mark\" d=\"M{:.1} {:.1}l12 12m0 -12l-12 12\"><title>{}</title></path>\n\
             <text class=\"base\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">baseline</text>\n",
            HEIGHT - BOTTOM,
            WIDTH - 12.0,
            x - 6.0,
            y - 6.0,
            escape(&said("baseline", baseline)),
            x - 9.0,
            y - 8.0
        )
    }

    /// All points of the front in one path, as round strokes of no length.
    fn every(&self, points: &[FrontPoint]) -> String {
        let inside = points.iter().filter(|p| self.x.holds(p.cost()) && self.y.holds(p.trainability));
        let marks: String = inside
            .map(|p| format!("M{:.1} {:.1}h0", self.x.at(p.cost()), self.y.at(p.trainability)))
            .collect();
        if marks.is_empty() { marks } else { format!("<path class=\"every\" d=\"{marks}\"/>\n") }
    }

    fn entry(&self, entry: &Entry, best: bool) -> String {
        let (x, y) = (self.x.at(entry.cost()), self.y.at(entry.trainability));
        let [low, high] = interval(entry).map(|end| self.x.at(end));
        let mark = match best {
            true => format!("<path class=\"best\" d=\"M{:.1} {y:.1}l8 -8l8 8l-8 8Z\"/>", x - 8.0),
            false => format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"),
        };
        format!("<path class=\"bar\" d=\"M{low:.1} {y:.1}H{high:.1}\"/>{mark}")
    }
}

/// The 90 % interval of the latency; a relative latency has none.
fn interval(entry: &Entry) -> [f64; 2] {
    match entry.relative_latency {
        Some(ratio) => [ratio; 2],
        None => [entry.latency_ms_low, entry.latency_ms_high],
    }
}

fn said(name: &str, entry: &Entry) -> String {
    if entry.relative_latency.is_some() {
        let on = entry.latencies.iter().map(|on| format!("{} {:.3} ms", on.target, on.latency_ms));
        let (cost, on) = (entry.cost_text(), on.collect::<Vec<_>>().join(", "));
        let id = short(&entry.id, 40);
        return format!("{name}: {cost} ({on}), trainability {:.3}, {id}", entry.trainability);
    }
    format!(
        "{name}: {:.3} ms ({:.3} to {:.3}), trainability {:.3}, {}",
        entry.latency_ms,
        entry.latency_ms_low,
        entry.latency_ms_high,
        entry.trainability,
        short(&entry.id, 40)
    )
}
