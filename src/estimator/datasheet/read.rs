//! Reading `nas.datasheet/1`.

use super::{Datasheet, Depthwise, MacArray, SCHEMA};
use crate::{
    error::Result,
    io::json::{Fields, Node, read_document},
    network::DType,
    units::{Bytes, binary_bytes, parse_bytes},
};

const FIELDS: [&str; 20] = [
    "schema",
    "name",
    "description",
    "mac_array",
    "clock_mhz",
    "on_chip_bytes",
    "on_chip_gb_per_s",
    "off_chip_gb_per_s",
    "burst_bytes",
    "network_io",
    "operator_overhead_us",
    "off_chip_latency_us",
    "network_overhead_us",
    "depthwise",
    "results_per_cycle",
    "element_wise",
    "tile_input_bytes",
    "tile_sum_bytes",
    "stripes",
    "dtypes",
];

/// Lanes beyond this are a slip.
const MOST_LANES: u32 = 4096;
/// Bytes that memory moves at once unless the file says otherwise.
const BURST_BYTES: u32 = 64;
/// Bytes for the inputs, and for the partial sums, of a tile unless the file says otherwise.
const TILE_BYTES: u32 = 8 << 10;

pub(super) fn datasheet(file: &str, text: &str) -> Result<Datasheet> {
    read_document(file, text, |root| read(file, root))
}

fn read(file: &str, root: &Node<'_>) -> Option<Datasheet> {
    let fields = root.fields(&FIELDS)?;
    fields.check_schema(SCHEMA);
    let described = fields.or("description", "", Node::string);
    let name = fields.required("name").and_then(name);
    let mac_array = fields.required("mac_array").and_then(mac_array);
    let clock_mhz = required(&fields, "clock_mhz", 1.0..=20_000.0);
    let on_chip_bytes = fields.required("on_chip_bytes").and_then(bytes);
    let on_chip_gb_per_s = required(&fields, "on_chip_gb_per_s", 1e-3..=1e6);
    let off_chip_gb_per_s = required(&fields, "off_chip_gb_per_s", 1e-3..=1e6);
    let burst_bytes = fields.or("burst_bytes", BURST_BYTES, |node| node.u32_in(1..=65_536));
    let io_on_chip =
        fields.or("network_io", false, |node| node.named(&[("off_chip", false), ("on_chip", true)]));
    let operator_overhead_us = required(&fields, "operator_overhead_us", 0.0..=1e6);
    let off_chip_latency_us = fields.or("off_chip_latency_us", 0.0, |node| node.f64_in(0.0..=1e6));
    let network_overhead_us = fields.or("network_overhead_us", 0.0, |node| node.f64_in(0.0..=1e9));
    let depthwise = fields.or("depthwise", Depthwise::AsConvolution, depthwise);
    let rates = rates(&fields, mac_array);
    let buffer = |field| fields.or(field, TILE_BYTES, buffer);
    let (tile_input_bytes, tile_sum_bytes) = (buffer("tile_input_bytes"), buffer("tile_sum_bytes"));
    let stripes = fields.or("stripes", false, Node::bool);
    let dtypes = fields.or("dtypes", vec![(DType::Int8, 1.0)], dtypes);
    described?;
    let Rates { results, element_wise, lookups } = rates?;
    Some(Datasheet {
        file: file.to_owned(),
        name: name?,
        mac_array: mac_array?,
        clock_mhz: clock_mhz?,
        on_chip_bytes: on_chip_bytes?,
        on_chip_gb_per_s: on_chip_gb_per_s?,
        off_chip_gb_per_s: off_chip_gb_per_s?,
        burst_bytes: burst_bytes?,
        io_on_chip: io_on_chip?,
        operator_overhead_us: operator_overhead_us?,
        off_chip_latency_us: off_chip_latency_us?,
        network_overhead_us: network_overhead_us?,
        depthwise: depthwise?,
        results_per_cycle: results,
        element_wise_per_cycle: element_wise,
        lookups_per_cycle: lookups,
        tile_bytes: (tile_input_bytes?, tile_sum_bytes?),
        stripes: stripes?,
        dtypes: dtypes?,
    })
}

fn required(fields: &Fields<'_>, name: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    fields.required(name).and_then(|node| node.f64_in(range))
}

fn name(node: &Node<'_>) -> Option<String> {
    let name = node.string()?;
    if name.trim().is_empty() {
        node.expected("the chip's name");
        return None;
    }
    Some(name.to_owned())
}

fn mac_array(node: &Node<'_>) -> Option<MacArray> {
    let fields = node.fields(&["rows", "columns", "pixels", "macs_per_cycle"])?;
    let lanes = |node: &Node<'_>| node.u32_in(1..=MOST_LANES);
    let rows = fields.required("rows").and_then(lanes);
    let columns = fields.required("columns").and_then(lanes);
    let pixels = fields.or("pixels", 1, lanes);
    let stated = fields
        .or("macs_per_cycle", None, |node| node.f64_in(1.0..=1e12).map(|macs| Some((node.clone(), macs))));
    let array = MacArray { rows: rows?, columns: columns?, pixels: pixels? };
    if let Some((node, macs)) = stated?.filter(|(_, macs)| *macs != array.macs_per_cycle()) {
        let MacArray { rows, columns, pixels } = array;
        let product = array.macs_per_cycle();
        node.problem(
            macs,
            format_args!("{product}, which is {rows} rows x {columns} columns x {pixels} pixels"),
        );
        return None;
    }
    Some(array)
}

/// Bytes of a buffer beside the multipliers.
fn buffer(node: &Node<'_>) -> Option<u32> {
    const LEAST: u64 = 256;
    const MOST: u64 = 1 << 26;
    let found = bytes(node)?;
    if !(LEAST..=MOST).contains(&found) {
        node.expected(format_args!("{LEAST} bytes to 64MiB"));
        return None;
    }
    u32::try_from(found).ok()
}

/// A number of bytes, or a string with a unit.
fn bytes(node: &Node<'_>) -> Option<u64> {
    const MOST: u64 = 1 << 48;
    let expected = || format!("bytes, such as 393216 or \"384KiB\", from 1 to {}", binary_bytes(Bytes(MOST)));
    if !node.is_string() {
        // A number in any other form is described by the reader of numbers.
        return node.f64_in(1.0..=MOST as f64).and_then(|bytes| whole(node, bytes));
    }
    let found = parse_bytes(node.string()?).map(|bytes| bytes.0).filter(|bytes| (1..=MOST).contains(bytes));
    if found.is_none() {
        node.expected(expected());
    }
    found
}

fn whole(node: &Node<'_>, bytes: f64) -> Option<u64> {
    if bytes.fract() != 0.0 {
        node.expected("a whole number of bytes");
        return None;
    }
    Some(bytes as u64)
}

fn depthwise(node: &Node<'_>) -> Option<Depthwise> {
    if node.is_object() {
        let fields = node.fields(&["channels_per_cycle"])?;
        let rate = fields.required("channels_per_cycle").and_then(rate)?;
        return Some(Depthwise::ChannelsPerCycle(rate));
    }
    let found = node.is_string() && node.string()? == "as_convolution";
    if !found {
        node.expected("\"as_convolution\", or an object with channels_per_cycle");
        return None;
    }
    Some(Depthwise::AsConvolution)
}

/// What is done to results, so many a cycle.
struct Rates {
    results: f64,
    element_wise: f64,
    lookups: f64,
}

/// By default every output of the MAC array is finished at once, and the other work is done as fast.
fn rates(fields: &Fields<'_>, array: Option<MacArray>) -> Option<Rates> {
    let outputs = array.map_or(1.0, |array| f64::from(array.columns) * f64::from(array.pixels));
    let results = fields.or("results_per_cycle", outputs, rate);
    let default = results.unwrap_or(outputs);
    let Some(node) = fields.optional("element_wise") else {
        return Some(Rates { results: results?, element_wise: default, lookups: default });
    };
    let fields = node.fields(&["results_per_cycle", "lookups_per_cycle"])?;
    let element_wise = fields.or("results_per_cycle", default, rate);
    let lookups = fields.or("lookups_per_cycle", default, rate);
    Some(Rates { results: results?, element_wise: element_wise?, lookups: lookups? })
}

fn rate(node: &Node<'_>) -> Option<f64> {
    node.f64_in(1e-3..=1e9)
}

/// Number formats with their throughput, int8 first.
fn dtypes(node: &Node<'_>) -> Option<Vec<(DType, f64)>> {
    let fields = node.fields(&DType::NAMES.map(|(name, _)| name))?;
    let mut dtypes = Vec::new();
    let mut sound = true;
    for (name, dtype) in DType::NAMES {
        let Some(node) = fields.optional(name) else { continue };
        match node.f64_in(1e-3..=1e3) {
            Some(factor) => dtypes.push((dtype, factor)),
            None => sound = false,
        }
    }
    if sound && dtypes.is_empty() {
        node.problem("no number format", "at least one, such as { \"int8\": 1 }");
        return None;
    }
    sound.then_some(dtypes)
}
