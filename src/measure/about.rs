//! What was measured on, kept beside the table in `targets.json`.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use crate::{
    error::{Error, Problem, Result},
    io::{read_text, write_atomically},
    network::DType,
};

/// A device and how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// A name for the column `device`, which becomes the estimator's.
    pub device: String,
    /// The hardware, as it calls itself.
    pub accelerator: String,
    /// The runtime with its version and settings.
    pub runtime: String,
    /// Threads that it may use, if that is known.
    pub threads: Option<u32>,
    /// The number format that it computes in.
    pub dtype: DType,
}

impl About {
    fn system_config(&self) -> String {
        match self.threads {
            Some(1) => format!("{}, 1 thread", self.runtime),
            Some(threads) => format!("{}, {threads} threads", self.runtime),
            None => self.runtime.clone(),
        }
    }
}

/// Says in the `targets.json` beside `table` what its rows were measured on; other devices' entries stay, and so
/// does this one's from an earlier sweep.
///
/// # Errors
/// The file cannot be read or written, is not a JSON object, or says that the device of this name is another one.
pub fn note_device(table: &Path, about: &About, date: &str, command: &str) -> Result<()> {
    let path = table.with_file_name("targets.json");
    let mut targets: BTreeMap<String, Value> = BTreeMap::new();
    if path.exists() {
        targets = serde_json::from_str(&read_text(&path)?).map_err(|error| Problem {
            file: path.display().to_string(),
            position: Some((error.line(), error.column())),
            path: String::new(),
            found: error.to_string(),
            expected: "an object of devices by name; or measure into another folder".into(),
        })?;
    }
    let system_config = about.system_config();
    if let Some(known) = targets.get(&about.device) {
        for (field, now) in [("accelerator", &about.accelerator), ("system_config", &system_config)] {
            match known.get(field).and_then(Value::as_str) {
                Some(then) if then != now => return Err(another(&path, about, field, then, now)),
                _ => {}
            }
        }
        return Ok(());
    }
    let entry = json!({
        "statement": format!("measured with nas {} on {date}", env!("CARGO_PKG_VERSION")),
        "accelerator": about.accelerator,
        "system_config": system_config,
        "dtype": about.dtype.name(),
        "command": command,
    });
    targets.insert(about.device.clone(), entry);
    let text = serde_json::to_string_pretty(&targets).unwrap_or_default() + "\n";
    write_atomically(&path, text.as_bytes())
}

fn another(path: &Path, about: &About, field: &str, then: &str, now: &str) -> Error {
    Error::unusable(format!(
        "{}: `{}` was measured with {field} \"{then}\", and this is \"{now}\"; name this device with --device, or \
         measure into another folder",
        path.display(),
        about.device
    ))
}
