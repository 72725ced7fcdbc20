//! Profiles of TensorRT: `trtexec --exportProfile`.
//!
//! The first element of the list has no name but the number of runs. `timeMs` is the total of all runs, so the
//! median of a run is taken, or the mean where the release writes no median. Fused layers are joined by ` + `.

use super::{Named, Profiled, Text, Timed, joined, lines::Lines, model, time};
use crate::{
    error::Result,
    io::json::{Node, read_document},
    measurement::{
        content::{Measurements, Unit},
        noted::{Noted, problem_at},
        options::ReadOptions,
    },
    network::Network,
};

/// Reads one file.
pub(super) fn read(text: Text<'_>, models: &[Network], options: &ReadOptions) -> Result<Measurements> {
    let noted = Noted::default();
    let profiled = read_document(text.file, text.text, |root| rows(text, root, &noted))?;
    joined(text, model(text.file, text.stem(&[]), models)?, profiled, noted, options)
}

fn rows(text: Text<'_>, root: &Node<'_>, noted: &Noted) -> Option<Profiled> {
    let lines = Lines::of(text.text);
    let elements = root.list()?;
    let count =
        elements.iter().find_map(|element| element.field("count")?.as_f64()).filter(|count| *count > 0.0);
    let mut profiled = Profiled { unit: Some(Unit::Milliseconds), ..Profiled::default() };
    let mut means = 0_usize;
    for element in elements.iter().filter(|element| element.field("count").is_none()) {
        let position = lines.position(element.offset());
        let name = element.field("name").and_then(|name| name.as_str());
        let (median, mean) = (element.field("medianMs"), element.field("averageMs"));
        means += usize::from(median.is_none());
        let total = || Some((element.field("timeMs")?, count?));
        let time_ms = median.or(mean).map(|node| (node, 1.0)).or_else(total);
        let (Some(name), Some((node, runs))) = (name, time_ms) else {
            let expected = "`name` and `medianMs` or `averageMs`, as `trtexec --exportProfile` writes";
            noted.push(problem_at(text.file, position, element.describe(), expected));
            continue;
        };
        let place = lines.position(node.offset());
        let number = node.as_f64().map(|number| number / runs);
        let Some(latency_us) = time(noted, text.file, place, &node.describe(), number, 1e3) else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        let helper = latency_us == 0.0 || lower.contains("reformat") || lower.contains("copynode");
        let name = Named { name: name.to_owned(), position, helper, adds: false };
        profiled.rows.push(Timed { name, run: 0, latency_us });
    }
    if means > 0 {
        profiled.notes.push(format!("{means} rows without a median: their mean over the runs is taken"));
    }
    Some(profiled)
}
