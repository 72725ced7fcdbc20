//! NEW's numbers in the form that github-action-benchmark calls `customSmallerIsBetter`.

use serde::Serialize;

use super::{Comparison, Quantity, QuantityRow, quantity::Unit};

/// One series of the benchmark page.
#[derive(Serialize)]
struct Series {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// Those quantities of NEW of which less is better, as a JSON array; empty if the runs cannot be compared.
#[must_use]
pub fn comparison_benchmark(comparison: &Comparison) -> String {
    let less = comparison.quantities.iter().filter(|row| row.quantity.smaller_is_better());
    let series: Vec<Series> = less.filter_map(|row| Some(series(comparison, row, row.new?))).collect();
    // Maps with non-string keys are the only thing that could fail, and there are none.
    serde_json::to_string_pretty(&series).unwrap_or_default() + "\n"
}

fn series(comparison: &Comparison, row: &QuantityRow, value: f64) -> Series {
    let quantity = row.quantity;
    let unit = match quantity.unit() {
        Unit::Time => "ms",
        Unit::Bytes => "bytes",
        Unit::Energy => "uJ",
        _ if quantity == Quantity::Macs => "MACs",
        _ if quantity == Quantity::RelativeLatency => "of the baseline",
        _ => "params",
    };
    let headline = comparison.headline[1].as_ref();
    let half = headline.map(|h| format!("± {:.3}", (h.latency_ms_high - h.latency_ms_low) / 2.0));
    Series {
        name: format!("{}: {}", comparison.subject, row.name),
        unit,
        value,
        range: half.filter(|_| quantity == Quantity::LatencyMs && row.target.is_none()),
        extra: headline.map_or(String::new(), |headline| format!("architecture {}", headline.id)),
    }
}
