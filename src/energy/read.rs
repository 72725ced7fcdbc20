//! Reading `nas.energy/1`.

use super::table::{EnergyTable, Lies};
use crate::{
    error::Result,
    io::json::{Fields, Node, read_document},
    network::DType,
    stable_hash::short_id,
};

const SCHEMA: &str = "nas.energy/1";
const FIELDS: [&str; 11] = [
    "schema",
    "name",
    "description",
    "source",
    "relative",
    "pj_per_mac",
    "pj_per_operation",
    "pj_per_byte",
    "static_mw",
    "weights",
    "network_io",
];
/// Prices of operations and bytes, in picojoules; what is free or negative is a slip.
const PRICES: std::ops::RangeInclusive<f64> = 1e-6..=1e9;
/// Milliwatts: up to a kilowatt.
const MOST_MW: f64 = 1e6;

/// Whether a file calls itself an estimator.
pub(super) fn says_estimator(text: &str) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let schema = value.as_ref().and_then(|value| value.get("schema")?.as_str());
    schema.is_some_and(|schema| schema.starts_with("nas.estimator/"))
}

/// # Errors
/// The text is no valid `nas.energy/1` object; all its problems are returned together.
pub(super) fn table(file: &str, text: &str) -> Result<EnergyTable> {
    read_document(file, text, |root| {
        let table = read(root)?;
        let hash = short_id(text.as_bytes());
        Some(EnergyTable { file: file.to_owned(), text: text.to_owned(), hash, ..table })
    })
}

fn read(root: &Node<'_>) -> Option<EnergyTable> {
    let fields = root.fields(&FIELDS)?;
    fields.check_schema(SCHEMA);
    let name = fields.required("name").and_then(Node::name);
    let described = fields.or("description", "", Node::string);
    let source = fields.required("source").and_then(source);
    let relative = fields.or("relative", false, Node::bool);
    let macs = fields.required("pj_per_mac").and_then(by_dtype);
    let others = fields.required("pj_per_operation").and_then(by_dtype);
    let operations = both(&fields, macs, others);
    let bytes = fields.required("pj_per_byte").and_then(bytes);
    let static_mw = fields.required("static_mw").and_then(|node| node.f64_in(0.0..=MOST_MW));
    let weights = lies(&fields, "weights");
    let network_io = lies(&fields, "network_io");
    described?;
    let (pj_per_byte_on_chip, pj_per_byte_off_chip) = bytes?;
    Some(EnergyTable {
        file: String::new(),
        text: String::new(),
        hash: String::new(),
        name: name?.to_owned(),
        source: source?,
        relative: relative?,
        operations: operations?,
        pj_per_byte_on_chip,
        pj_per_byte_off_chip,
        static_mw: static_mw?,
        weights: weights?,
        network_io: network_io?,
    })
}

/// Numbers that come from nowhere help nobody.
fn source(node: &Node<'_>) -> Option<String> {
    let source = node.string()?;
    if source.trim().is_empty() {
        node.expected("where the figures come from");
        return None;
    }
    Some(source.to_owned())
}

fn by_dtype(node: &Node<'_>) -> Option<Vec<(DType, f64)>> {
    let fields = node.fields(&DType::NAMES.map(|(name, _)| name))?;
    let mut prices = Vec::new();
    let mut sound = true;
    for (name, dtype) in DType::NAMES {
        let Some(node) = fields.optional(name) else { continue };
        match node.f64_in(PRICES) {
            Some(price) => prices.push((dtype, price)),
            None => sound = false,
        }
    }
    if sound && prices.is_empty() {
        node.problem("no number format", "at least one, such as { \"int8\": 0.3 }");
        return None;
    }
    sound.then_some(prices)
}

/// The prices of both kinds of operation, which have to know the same number formats.
fn both(
    fields: &Fields<'_>,
    macs: Option<Vec<(DType, f64)>>,
    others: Option<Vec<(DType, f64)>>,
) -> Option<Vec<(DType, [f64; 2])>> {
    let (macs, others) = (macs?, others?);
    let names =
        |prices: &[(DType, f64)]| prices.iter().map(|(dtype, _)| dtype.name()).collect::<Vec<_>>().join(", ");
    let (of_macs, of_others) = (names(&macs), names(&others));
    if of_macs != of_others {
        fields.required("pj_per_operation")?.problem(of_others, format_args!("{of_macs} as in pj_per_mac"));
        return None;
    }
    Some(macs.into_iter().zip(others).map(|((dtype, mac), (_, other))| (dtype, [mac, other])).collect())
}

fn bytes(node: &Node<'_>) -> Option<(f64, f64)> {
    let fields = node.fields(&["on_chip", "off_chip"])?;
    let price = |name| fields.required(name).and_then(|node| node.f64_in(PRICES));
    let (on_chip, off_chip) = (price("on_chip"), price("off_chip"));
    Some((on_chip?, off_chip?))
}

fn lies(fields: &Fields<'_>, name: &str) -> Option<Lies> {
    let names = [("off_chip", Lies::OffChip), ("on_chip", Lies::OnChip)];
    fields.or(name, Lies::OffChip, |node| node.named(&names))
}
