//! Predicted against measured: every kept point that the estimator had not seen, on logarithmic axes.

use std::fmt::Write;

use super::{Drawing, Sign, WIDTH, escape, folded_long};
use crate::{
    estimator::{HeldOutPoint, HeldOutPoints, Quality},
    report::{
        Run, Table,
        svg::{LogAxis, short},
    },
};

const LEFT: f64 = 72.0;
const TOP: f64 = 12.0;
const FLOOR: f64 = 366.0;
const RIGHT: f64 = WIDTH - 12.0;
/// The list of the worst begins here.
const LIST: f64 = FLOOR + 62.0;
const ROW: f64 = 17.0;
/// How many are named.
const NAMED: usize = 5;
/// Room beyond the outermost points, as a factor.
const ROOM: f64 = 1.15;
/// Half the width of the band, as a share.
const BAND: f64 = 0.1;

const SIGNS: [Sign; 4] = [
    ("<path class=\"every\" d=\"M6 6h0\"/>", "held out from the fit"),
    ("<path class=\"grid diagonal\" d=\"M0 12L12 0\"/>", "as measured"),
    ("<rect class=\"band\" width=\"12\" height=\"12\"/>", "±10 %"),
    ("<path class=\"mark\" d=\"M2 2L10 10M10 2L2 10\"/>", "the worst, numbered"),
];

/// The picture with its legend and table; empty where the estimator's file holds no points.
pub(super) fn part(run: &Run) -> String {
    let (Some(drawing), Some(quality)) = (drawing(run), &run.quality) else { return String::new() };
    let Some(points) = &quality.held_out else { return String::new() };
    format!(
        "<h3>Predicted against measured</h3>\n<p class=\"soft\">{}</p>\n{}{}{}",
        caption(quality, points),
        drawing.figure(),
        drawing.legend(),
        folded_long("Table: predicted against measured", &table(points))
    )
}

/// The picture alone.
pub(super) fn drawing(run: &Run) -> Option<Drawing> {
    let points = run.quality.as_ref()?.held_out.as_ref()?;
    let plane = Plane::over(&points.points)?;
    let worst = points.worst(NAMED);
    let content = plane.band() + &plane.grid() + &plane.dots(&points.points) + &plane.worst(&worst);
    Some(Drawing {
        id: "predicted",
        height: LIST + ROW * worst.len() as f64,
        says: format!(
            "Scatter plot of {} {}: predicted against measured latency, with a band of ±10 %; the worst are named below",
            points.points.len(),
            points.of.words()
        ),
        content,
        signs: SIGNS.to_vec(),
    })
}

/// What is shown of how many.
fn caption(quality: &Quality, points: &HeldOutPoints) -> String {
    use crate::estimator::Unseen;
    let group = match points.of {
        Unseen::Networks => &quality.networks,
        Unseen::IsolatedOperators => &quality.isolated,
        Unseen::Layers => &quality.layers,
    };
    let (shown, words) = (points.points.len(), points.of.words());
    match group.as_ref().map(|accuracy| accuracy.n).filter(|all| *all > shown) {
        Some(all) => format!(
            "{shown} of {all} {words}, spread evenly from the fastest to the slowest, and the ten that were predicted \
             worst; each was predicted by a fit that had not seen it."
        ),
        None => format!("{shown} {words}, each predicted by a fit that had not seen it."),
    }
}

/// Both axes have the same range, so that the diagonal is where predictions are right.
struct Plane {
    x: LogAxis,
    y: LogAxis,
    low: f64,
    high: f64,
}

impl Plane {
    /// None where there are no points.
    fn over(points: &[HeldOutPoint]) -> Option<Self> {
        let values = || points.iter().flat_map(|point| [ms(point.measured), ms(point.predicted)]);
        let low = values().reduce(f64::min)? / ROOM;
        let high = values().reduce(f64::max)? * ROOM;
        let usable = low > 0.0 && high.is_finite();
        usable.then(|| Self {
            x: LogAxis::new((low, high), (LEFT, RIGHT)),
            y: LogAxis::new((low, high), (FLOOR, TOP)),
            low,
            high,
        })
    }

    fn place(&self, point: &HeldOutPoint) -> (f64, f64) {
        (self.x.at(ms(point.measured)), self.y.at(ms(point.predicted)))
    }

    /// Within a tenth of the measurement, and the diagonal.
    fn band(&self) -> String {
        let Self { low, high, .. } = *self;
        let corners = [
            (low, low),
            (low, (1.0 + BAND) * low),
            (high / (1.0 + BAND), high),
            (high, high),
            (high, (1.0 - BAND) * high),
            (low / (1.0 - BAND), low),
        ];
        let corners = corners.map(|(x, y)| format!("{:.1} {:.1}", self.x.at(x), self.y.at(y)));
        format!(
            "<path class=\"band\" d=\"M{}Z\"/>\n<path class=\"grid diagonal\" d=\"M{LEFT} {FLOOR}L{RIGHT} {TOP}\"/>\n",
            corners.join("L")
        )
    }

    fn grid(&self) -> String {
        let mut svg = String::new();
        // Writing to a string cannot fail.
        for (value, label) in self.x.ticks() {
            let (x, y) = (self.x.at(value), self.y.at(value));
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{FLOOR}M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text class=\"soft\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\
                 <text class=\"soft\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                FLOOR + 16.0,
                LEFT - 6.0,
                y + 4.0
            );
        }
        svg + &format!(
            "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"middle\">measured latency in ms</text>\n\
             <text transform=\"translate(14 {:.0}) rotate(-90)\" text-anchor=\"middle\">predicted latency in ms</text>\n",
            (LEFT + RIGHT) / 2.0,
            FLOOR + 36.0,
            (TOP + FLOOR) / 2.0
        )
    }

    /// All points in one path, as round strokes of no length.
    fn dots(&self, points: &[HeldOutPoint]) -> String {
        let places = points.iter().map(|point| self.place(point));
        let marks: String = places.map(|(x, y)| format!("M{x:.1} {y:.1}h0")).collect();
        format!("<path class=\"every\" d=\"{marks}\"/>\n")
    }

    /// The worst as numbered crosses, and below the picture what they are.
    fn worst(&self, worst: &[&HeldOutPoint]) -> String {
        let mut svg = String::new();
        for (index, point) in worst.iter().enumerate() {
            let (x, y) = self.place(point);
            let number = index + 1;
            let (words, name) = (escape(&errors(point)), escape(&point.name));
            // A prediction too high stands above the band, so its number does too.
            let beside = if point.predicted > point.measured { (x - 8.0, "end") } else { (x + 8.0, "start") };
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<path class=\"mark\" d=\"M{:.1} {:.1}l8 8m0 -8l-8 8\"><title>{number}: {name}: {words}</title></path>\
                 <text class=\"base\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{number}</text>\
                 <text class=\"small\" x=\"{LEFT}\" y=\"{:.0}\"><title>{name}</title>{number}: {}</text>\
                 <text class=\"soft small\" x=\"{RIGHT}\" y=\"{:.0}\" text-anchor=\"end\">{words}</text>",
                x - 4.0,
                y - 4.0,
                beside.0,
                y + 4.0,
                beside.1,
                LIST + ROW * index as f64,
                escape(&short(&point.name, 38)),
                LIST + ROW * index as f64,
            );
        }
        svg
    }
}

/// Milliseconds of a time in an estimator's file.
fn ms(us: f64) -> f64 {
    us / 1e3
}

fn errors(point: &HeldOutPoint) -> String {
    format!(
        "{} → {} ms, {:+.1} %",
        figures(ms(point.measured)),
        figures(ms(point.predicted)),
        point.error_pct()
    )
}

/// Four digits that count, since latencies go from microseconds to seconds.
fn figures(value: f64) -> String {
    let decimals = (3.0 - value.max(1e-9).log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.decimals$}")
}

fn table(points: &HeldOutPoints) -> Table {
    let worst = points.worst(NAMED);
    let mut table = Table::new(&["held out", "measured ms", "predicted ms", "error", "worst"]);
    for point in &points.points {
        let place = worst.iter().position(|other| std::ptr::eq(*other, point));
        table.push([
            point.name.clone(),
            figures(ms(point.measured)),
            figures(ms(point.predicted)),
            format!("{:+.1} %", point.error_pct()),
            place.map_or(String::new(), |place| format!("{}.", place + 1)),
        ]);
    }
    table
}
