//! The statement beside the data of where the numbers come from.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::{error::Result, io::read_text};

/// The file beside a measurement CSV that says what was measured and how, by device.
const SIDECAR: &str = "targets.json";

/// What is read of an entry; the rest is for people.
#[derive(Deserialize)]
struct Target {
    statement: Option<String>,
    accelerator: Option<String>,
    system_config: Option<String>,
    memory_mode: Option<String>,
}

/// The statement about `device` in the `targets.json` beside `path`, if there is one.
///
/// # Errors
/// The file is there but cannot be read.
pub(super) fn beside(path: &Path, device: Option<&str>) -> Result<Option<String>> {
    let sidecar = path.with_file_name(SIDECAR);
    let Some(device) = device.filter(|_| sidecar.is_file()) else { return Ok(None) };
    let targets: BTreeMap<String, Target> = match serde_json::from_str(&read_text(&sidecar)?) {
        Ok(targets) => targets,
        // Another tool's file of the same name says nothing about ours.
        Err(_) => return Ok(None),
    };
    Ok(targets.get(device).and_then(sentence))
}

fn sentence(target: &Target) -> Option<String> {
    let statement = target.statement.as_ref()?;
    let details = [&target.accelerator, &target.system_config, &target.memory_mode];
    let details: Vec<&str> = details.into_iter().flatten().map(String::as_str).collect();
    Some(if details.is_empty() { statement.clone() } else { format!("{statement} ({})", details.join(", ")) })
}
