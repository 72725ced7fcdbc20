//! What entries took on a device, beside what was predicted.

use super::{Measured, Report, Table, finding::gain};

impl Report {
    /// Notes what the entry with this id took on a device, which is that of `target` where the run is for several;
    /// whether there is one. [`Report::choose`] then chooses anew.
    pub fn note_measured(&mut self, id: &str, target: Option<&str>, measured: &Measured) -> bool {
        let mut found = false;
        for entry in self.front.iter_mut().chain([&mut self.baseline]).filter(|entry| entry.id == id) {
            let place = match target {
                Some(name) => {
                    entry.latencies.iter_mut().find(|on| on.target == name).map(|on| &mut on.measured)
                }
                None => Some(&mut entry.measured),
            };
            if let Some(place) = place {
                *place = Some(measured.clone());
                found = true;
            }
        }
        found
    }
}

/// Predicted and measured latency of the entries that were measured; none if none was.
#[must_use]
pub fn measured_table(report: &Report) -> Option<Table> {
    let mut table = Table::new(&[
        "",
        "predicted ms",
        "90 % interval",
        "measured ms",
        "error",
        "reduction predicted",
        "measured",
    ]);
    let front = report.front.iter().enumerate().map(|(index, entry)| (format!("#{index}"), entry));
    let mut any = false;
    for (name, entry) in [("baseline".to_owned(), &report.baseline)].into_iter().chain(front) {
        let Some(measured) = entry.measured.as_ref().map(Measured::ms) else { continue };
        any = true;
        table.push([
            name,
            format!("{:.3}", entry.latency_ms),
            format!("{:.3} to {:.3}", entry.latency_ms_low, entry.latency_ms_high),
            format!("{measured:.3}"),
            format!("{:+.1} %", 100.0 * (entry.latency_ms / measured - 1.0)),
            entry.latency_reduction_pct.map_or(String::new(), |percent| format!("{percent:.1} %")),
            gain(&report.baseline, entry)
                .filter(|_| entry.id != report.baseline.id)
                .map_or(String::new(), |gain| format!("{:.1} %", gain.percent())),
        ]);
    }
    any.then_some(table)
}
