//! Names in a report that would not show what they are.

use super::{Entry, Report};
use crate::{error::Problem, io::is_hidden};

/// Every name of the report that holds a character which nobody sees.
pub(super) fn problems(report: &Report, file: &str) -> Vec<Problem> {
    let mut names = vec![("space.name".to_owned(), &report.space.name)];
    let estimators = report.estimators.iter().enumerate();
    names.extend(estimators.map(|(index, origin)| (format!("estimators[{index}].name"), &origin.name)));
    let targets = report.across.iter().flat_map(|across| &across.targets).enumerate();
    names.extend(targets.map(|(index, target)| (format!("across.targets[{index}].name"), &target.name)));
    let words = [&report.algorithm, &report.termination, &report.requirement];
    names.extend(["algorithm", "termination", "requirement"].map(str::to_owned).into_iter().zip(words));
    names.extend(report.goal.iter().map(|goal| ("goal".to_owned(), goal)));
    if let Some(energy) = &report.energy {
        names.push(("energy.name".to_owned(), &energy.name));
        names.push(("energy.source".to_owned(), &energy.source));
    }
    names.extend(of_entry("baseline", &report.baseline));
    let front = report.front.iter().enumerate();
    names.extend(front.flat_map(|(index, entry)| of_entry(&format!("front[{index}]"), entry)));
    let bad = names.into_iter().filter(|(_, name)| name.contains(is_hidden));
    bad.map(|(place, name)| problem(file, place, name)).collect()
}

/// What an entry is called, and what its parts are.
fn of_entry<'e>(place: &str, entry: &'e Entry) -> Vec<(String, &'e String)> {
    let mut names = vec![(format!("{place}.id"), &entry.id)];
    let blocks = entry.blocks.iter().enumerate();
    names.extend(blocks.map(|(index, block)| (format!("{place}.blocks[{index}]"), block)));
    for (index, layer) in entry.layers.iter().enumerate() {
        names.push((format!("{place}.layers[{index}].name"), &layer.name));
        names.push((format!("{place}.layers[{index}].op"), &layer.op));
    }
    names.extend(entry.energy.iter().map(|energy| (format!("{place}.energy.model"), &energy.model)));
    let on = entry.latencies.iter().enumerate();
    let on = on.map(|(index, latency)| (format!("{place}.latencies[{index}]"), latency.measured.as_ref()));
    for (place, measured) in std::iter::once((place.to_owned(), entry.measured.as_ref())).chain(on) {
        let Some(measured) = measured else { continue };
        names.extend(measured.device.iter().map(|device| (format!("{place}.measured.device"), device)));
        names.extend(measured.runner.iter().map(|runner| (format!("{place}.measured.runner"), runner)));
    }
    names
}

fn problem(file: &str, path: String, name: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        position: None,
        path,
        found: format!("{name:?}"),
        expected: "text without control characters".into(),
    }
}
