//! Measurements that cannot be what they say, and what cannot be learnt from them.

use super::{
    content::Profile,
    csv_row::{Row, Subject},
    noted::{LISTED, problem},
    operation::{Kind, Operation},
    repeats::median,
};
use crate::error::Problem;

/// No chip does more multiply-adds in a microsecond: 10^6 GMAC/s.
pub(super) const MOST_MACS_PER_US: f64 = 1e9;
/// No inference takes longer, in microseconds: eleven days.
pub(super) const LONGEST_US: f64 = 1e12;

/// Two units in one column are about a thousand apart: the medians of both within these factors …
const APART: std::ops::RangeInclusive<f64> = 300.0..=3000.0;
/// … with nothing in a gap of at least this factor between them.
const GAP: f64 = 100.0;
/// Fewer rows than this say nothing of a gap, nor of what does not vary.
const LEAST_ROWS: usize = 6;

/// Rows whose latencies are a thousand times those of rows of similar work.
///
/// Only rows of one kind are compared, and only those whose work is within a factor of two.
pub(super) fn mixed_units(file: &str, rows: &[Row]) -> Option<Problem> {
    let mut mixed: Vec<usize> = Vec::new();
    let mut others = 0;
    for (_, kind) in Kind::NAMES {
        let of_kind = |row: &Row| Some((work(row, kind)?, row.latency_us, row.line));
        let mut alike: Vec<(u64, f64, usize)> = rows.iter().filter_map(of_kind).collect();
        alike.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        // Bins of two octaves which overlap by one, so that no pair within a factor of two is missed.
        for octave in 0..u64::BITS {
            let place = |limit: u32| alike.partition_point(|row| row.0.checked_ilog2().unwrap_or(0) < limit);
            let bin = &alike[place(octave)..place(octave + 2)];
            let (odd, rest) = minority(bin);
            others += rest;
            mixed.extend(odd);
        }
    }
    mixed.sort_unstable();
    mixed.dedup();
    let count = mixed.len();
    // In a sound file an odd row may be slow for a reason; two units show in many rows or in nearly all bins.
    if count == 0 || others < LEAST_ROWS {
        return None;
    }
    let lines: Vec<String> = mixed.iter().take(LISTED).map(ToString::to_string).collect();
    let more = if count > LISTED { format!(" and {} more", count - LISTED) } else { String::new() };
    let found = format!(
        "two units in one column: the rows in lines {}{more} are about a thousand times off rows of similar work",
        lines.join(", ")
    );
    Some(problem(file, found, "one unit throughout a file; mend these rows, or the others"))
}

/// Networks whose layers sum to a thousandth or a thousand times of what the whole was measured with.
pub(super) fn mixed_networks(file: &str, networks: &[Profile]) -> Vec<Problem> {
    let apart = |network: &&Profile| {
        let sum: f64 = network.layers.iter().map(|layer| layer.latency_us).sum();
        let ratio = network.latency_us.map_or(1.0, |whole| whole / sum);
        APART.contains(&ratio) || APART.contains(&(1.0 / ratio))
    };
    let said = |network: &Profile| {
        let found = format!("network `{}` about a thousand times off the sum of its layers", network.network);
        problem(file, found, "one unit throughout a file")
    };
    networks.iter().filter(apart).map(said).collect()
}

/// Multiply-adds of a single operator that was measured on its own, or bytes where it has none.
fn work(row: &Row, kind: Kind) -> Option<u64> {
    let Subject::Operations(operations) = &row.subject else { return None };
    let [operation] = operations[..] else { return None };
    let counts = row.network.is_none() && operation.kind == kind && row.latency_us > 0.0;
    let work = |o: &Operation| o.macs().max(o.input_bytes().saturating_add(o.output_bytes()));
    counts.then(|| work(&operation))
}

/// The lines of the smaller of two groups a thousand apart, and how many rows the larger one has.
fn minority(bin: &[(u64, f64, usize)]) -> (Vec<usize>, usize) {
    let mut sorted: Vec<(f64, usize)> = bin.iter().map(|(_, latency, line)| (*latency, *line)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let gap = |at: &usize| sorted[*at].0 / sorted[*at - 1].0;
    let Some(at) = (1..sorted.len()).max_by(|a, b| gap(a).total_cmp(&gap(b))) else {
        return (Vec::new(), 0);
    };
    let (low, high) = sorted.split_at(at);
    let middle = |rows: &[(f64, usize)]| median(&mut rows.iter().map(|row| row.0).collect::<Vec<f64>>());
    if gap(&at) < GAP || !APART.contains(&(middle(high) / middle(low))) {
        return (Vec::new(), 0);
    }
    let (odd, rest) = if high.len() <= low.len() { (high, low) } else { (low, high) };
    (odd.iter().map(|row| row.1).collect(), rest.len())
}

/// What never varies among the convolutions, and so cannot be learnt from these rows.
pub(super) fn constants(rows: &[Row]) -> Vec<String> {
    let operations = rows.iter().filter_map(|row| match &row.subject {
        Subject::Operations(operations) => Some(operations),
        Subject::Network => None,
    });
    let convs: Vec<&Operation> = operations.flatten().filter(|o| is_conv(o)).collect();
    if convs.len() < LEAST_ROWS {
        return Vec::new();
    }
    type Property = fn(&Operation) -> u64;
    let properties: [(&str, Property, &str); 5] = [
        ("stride", |o| u64::from(o.stride[0].max(o.stride[1])), "what a stride costs"),
        ("kernel", |o| o.taps(), "what a larger kernel costs"),
        ("cin", |o| u64::from(o.input.c), "what input channels cost"),
        ("cout", |o| u64::from(o.output.c), "what output channels cost"),
        ("in_h and in_w", |o| o.input.pixels(), "what a larger picture costs"),
    ];
    let constant = |(name, property, lesson): &(&str, Property, &str)| {
        let first = property(convs.first()?);
        let same = convs.iter().all(|operation| property(operation) == first);
        same.then(|| format!("warning: {name} is the same in every convolution: {lesson} cannot be learnt"))
    };
    properties.iter().filter_map(constant).collect()
}

fn is_conv(operation: &Operation) -> bool {
    operation.kind.is_standard_conv() || operation.kind == Kind::DepthwiseConv2d
}
