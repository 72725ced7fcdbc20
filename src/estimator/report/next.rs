//! Which region of operators to measure next.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    estimator::held_out::HeldOut,
    measurement::{Kind, Operation},
};

/// A region with fewer rows than this, or this share of the error, is not worth a measurement campaign.
const LEAST_ROWS: usize = 10;
const LEAST_SHARE: f64 = 0.05;
/// Where the ranges of a property end; the last has no end.
const SIDES: [u32; 6] = [1, 8, 16, 32, 64, 128];
const CHANNELS: [u32; 6] = [1, 16, 64, 128, 256, 512];
const KERNELS: [u32; 4] = [1, 2, 4, 6];
const STRIDES: [u32; 2] = [1, 2];

/// A property with the ends of its ranges.
struct Property {
    name: &'static str,
    of: fn(&Operation) -> u32,
    ends: &'static [u32],
}

const PROPERTIES: [Property; 5] = [
    Property { name: "px", of: |o| o.output.h.max(o.output.w), ends: &SIDES },
    Property { name: "cin", of: |o| o.input.c, ends: &CHANNELS },
    Property { name: "cout", of: |o| o.output.c, ends: &CHANNELS },
    Property { name: "kernel", of: |o| o.kernel[0].max(o.kernel[1]), ends: &KERNELS },
    Property { name: "stride", of: |o| o.stride[0].max(o.stride[1]), ends: &STRIDES },
];

/// A range of a property: its place in [`PROPERTIES`] and in the property's ends.
type Band = (usize, usize);

/// The region where the fit errs most for the rows that it has there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasureNext {
    /// The region in words: `pointwise_conv2d, 64-127 px, cout >= 512`.
    pub region: String,
    /// The kind of operator.
    pub kind: &'static str,
    /// Least and largest value of each property that bounds the region; null where there is no largest.
    pub bounds: BTreeMap<&'static str, (u32, Option<u32>)>,
    /// Rows measured there.
    pub rows: usize,
    /// Its share of all rows, in percent.
    pub rows_pct: f64,
    /// Its share of the held-out squared error (of logarithms), in percent.
    pub error_pct: f64,
}

/// Rows and squared error of a region.
#[derive(Clone, Copy, Default)]
struct Tally {
    rows: usize,
    error: f64,
}

/// The region of one kind, within a range of one or two properties, whose share of the error exceeds its share of
/// the rows most; none where the error is spread as the rows are.
pub(super) fn measure_next(held_out: &HeldOut<'_>) -> Option<MeasureNext> {
    let training = held_out.training();
    let mut all = Tally::default();
    let mut regions: BTreeMap<(Kind, Option<Band>, Option<Band>), Tally> = BTreeMap::new();
    for (sample, predicted) in training.samples.iter().zip(held_out.layers()) {
        let error = (predicted / sample.latency_us).ln().powi(2);
        if !(sample.latency_us > 0.0 && error.is_finite()) {
            continue;
        }
        all.add(error);
        let operation = training.placed(sample).operation();
        let bands: Vec<Option<Band>> = std::iter::once(None)
            .chain(PROPERTIES.iter().enumerate().map(|(index, p)| Some((index, p.band(operation)))))
            .collect();
        for (index, first) in bands.iter().enumerate() {
            // Two properties, or one beside none; two nones are the kind as a whole.
            for second in bands[index..].iter().filter(|second| *second != first || first.is_none()) {
                regions.entry((operation.kind, *first, *second)).or_default().add(error);
            }
        }
    }
    let gain = |tally: &Tally| tally.share_of(all).1 / tally.share_of(all).0;
    let large = |tally: &Tally| tally.rows >= LEAST_ROWS && tally.share_of(all).1 >= LEAST_SHARE;
    let stands_out = regions.iter().filter(|(_, tally)| large(tally) && gain(tally) > 1.5);
    // Of regions that are the same rows, the first is said in the fewest words.
    let (&(kind, first, second), tally) =
        stands_out.reduce(|best, next| if gain(next.1) > gain(best.1) { next } else { best })?;
    let (rows, error) = tally.share_of(all);
    let bands: Vec<Band> = [first, second].into_iter().flatten().collect();
    let words = bands.iter().map(|(property, band)| PROPERTIES[*property].words(*band));
    Some(MeasureNext {
        region: std::iter::once(kind.name().to_owned()).chain(words).collect::<Vec<_>>().join(", "),
        kind: kind.name(),
        bounds: bands.iter().map(|(p, band)| (PROPERTIES[*p].name, PROPERTIES[*p].bounds(*band))).collect(),
        rows: tally.rows,
        rows_pct: 100.0 * rows,
        error_pct: 100.0 * error,
    })
}

impl Tally {
    fn add(&mut self, error: f64) {
        self.rows += 1;
        self.error += error;
    }

    /// Shares of the rows and of the error.
    fn share_of(&self, all: Self) -> (f64, f64) {
        (self.rows as f64 / all.rows.max(1) as f64, self.error / all.error.max(f64::MIN_POSITIVE))
    }
}

impl Property {
    fn band(&self, operation: &Operation) -> usize {
        let value = (self.of)(operation);
        self.ends.partition_point(|end| *end <= value).saturating_sub(1)
    }

    /// Least and largest value of a range.
    fn bounds(&self, band: usize) -> (u32, Option<u32>) {
        (self.ends[band], self.ends.get(band + 1).map(|end| end - 1))
    }

    fn words(&self, band: usize) -> String {
        let name = self.name;
        match (self.bounds(band), name) {
            ((low, Some(high)), "px") => format!("{low}-{high} px"),
            ((low, None), "px") => format!("{low} px or more"),
            ((low, Some(high)), _) if low == high => format!("{name} {low}"),
            ((low, Some(high)), _) => format!("{name} {low}-{high}"),
            ((low, None), _) => format!("{name} >= {low}"),
        }
    }
}
