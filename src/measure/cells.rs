//! The cells of a measurement CSV.

use super::{runner::Times, spread::Spread, subject::Subject};
use crate::{
    error::{Error, Result},
    measurement::{Kind, LayerTimes, Operation},
    network::DType,
};

/// The columns, in order.
const HEADER: [&str; 20] = [
    "op",
    "in_h",
    "in_w",
    "cin",
    "cout",
    "kernel",
    "stride",
    "groups",
    "activation",
    "out_h",
    "out_w",
    "network",
    "layer",
    "repeat",
    "latency_us",
    "mad_us",
    "noisy",
    "samples_us",
    "device",
    "dtype",
];
/// How many of the columns say what an operation is.
const OPERATION: usize = 11;
/// Where some of the columns stand.
pub(super) const NETWORK: usize = 11;
pub(super) const LATENCY: usize = 14;
pub(super) const DEVICE: usize = 18;

/// What tells one subject's rows from another's.
pub(super) fn key(cells: &[&str]) -> Option<String> {
    match cells.first()? {
        &"network" => Some(format!("network {}", cells.get(NETWORK)?)),
        _ if cells.get(NETWORK)?.is_empty() => Some(cells.get(..OPERATION)?.join(",")),
        // A layer is part of its network's measurement.
        _ => None,
    }
}

/// The key of a subject's own row.
pub(super) fn subject_key(subject: &Subject) -> String {
    match subject.operation() {
        Some(operation) => operation_cells(&operation).join(","),
        None => format!("network {}", subject.name()),
    }
}

/// What all rows of one measurement share.
pub(super) struct Place<'p> {
    pub(super) device: &'p str,
    pub(super) dtype: DType,
    /// Which repeat this is, from one.
    pub(super) repeat: usize,
    /// Times apart by more than this share of the median are noisy.
    pub(super) noise: f64,
}

/// The lines for what was measured of a subject, its own row last.
///
/// # Errors
/// There are no times.
pub(super) fn lines(subject: &Subject, times: &Times, place: &Place<'_>) -> Result<String> {
    let name = if subject.operation().is_some() { "" } else { subject.name() };
    let mut rows = Vec::new();
    if !name.is_empty() {
        for LayerTimes { layer, samples_us } in &times.layers {
            let Some(layer) = subject.network.layers().get(*layer) else { continue };
            let operation = operation_cells(&Operation::of(&subject.network, layer));
            rows.push(row(operation.into(), (name, &layer.name), samples_us, place)?);
        }
    }
    let own = match subject.operation() {
        Some(operation) => operation_cells(&operation).into(),
        None => {
            ["network"].into_iter().map(str::to_owned).chain(vec![String::new(); OPERATION - 1]).collect()
        }
    };
    rows.push(row(own, (name, ""), &times.samples_us, place)?);
    text(rows)
}

/// The header line.
///
/// # Errors
/// None.
pub(super) fn header() -> Result<String> {
    text(vec![HEADER.map(str::to_owned).into()])
}

fn text(rows: Vec<Vec<String>>) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::unusable(format!("cannot write a row: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn row(
    mut cells: Vec<String>,
    (network, layer): (&str, &str),
    samples: &[f64],
    place: &Place<'_>,
) -> Result<Vec<String>> {
    let Some(spread) = Spread::of(samples) else {
        return Err(Error::unusable(format!("no times for `{network}` {layer}")));
    };
    // Whether a single layer is noisy says little: a trace counts whole microseconds.
    let noisy = layer.is_empty() && spread.relative() > place.noise;
    let samples: Vec<String> = samples.iter().map(|sample| number(*sample)).collect();
    cells.extend([network.to_owned(), layer.to_owned(), place.repeat.to_string(), number(spread.median)]);
    cells.extend([number(spread.mad), if noisy { "1" } else { "" }.into(), samples.join(";")]);
    cells.extend([place.device.to_owned(), place.dtype.name().to_owned()]);
    Ok(cells)
}

/// Nanoseconds are enough, and zeros at the end say nothing.
fn number(value: f64) -> String {
    ((value * 1e3).round() / 1e3).to_string()
}

fn operation_cells(operation: &Operation) -> [String; OPERATION] {
    let op = match operation.kind {
        Kind::PointwiseConv2d | Kind::InputConv2d => "conv2d",
        kind => kind.name(),
    };
    let cin = match operation.kind {
        // All inputs together.
        Kind::Concat => operation.input_elements / operation.input.pixels().max(1),
        _ => u64::from(operation.input.c),
    };
    let window = |[h, w]: [u32; 2]| if h == w { h.to_string() } else { format!("{h}x{w}") };
    let kernel = if operation.kind == Kind::GlobalAvgPool { [1; 2] } else { operation.kernel };
    let groups = if operation.kind.is_standard_conv() { operation.groups } else { 1 };
    [
        op.to_owned(),
        operation.input.h.to_string(),
        operation.input.w.to_string(),
        cin.to_string(),
        operation.output.c.to_string(),
        window(kernel),
        window(operation.stride),
        groups.to_string(),
        operation.activation.name().to_owned(),
        operation.output.h.to_string(),
        operation.output.w.to_string(),
    ]
}
