//! What a space file says of its accelerators, before the rest of it can be read.

use std::path::{Path, PathBuf};

use crate::{error::Result, io};

/// The value of `parallelism` that leaves the factor to the estimator.
pub(super) const FROM_ESTIMATOR: &str = "estimator";

/// The target of a space file. Widths depend on the parallelism factor, so where that is the estimator's to
/// say, the estimator has to be known before the space is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Whether channels snap to the estimator's lanes; to the least common multiple of all where there are several.
    pub from_estimator: bool,
    /// The estimator files that the space names, relative to the space file: that of `estimator`, or all of
    /// `estimators`.
    pub estimators: Vec<PathBuf>,
    /// The energy model that the space names, relative to the space file.
    pub energy: Option<PathBuf>,
}

impl Target {
    /// Looks into a space file. What is wrong with it is left to [`super::Space::load_for`] to say.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(path: &Path) -> Result<Self> {
        let text = io::read_text(path)?;
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(Self::default()) };
        let target = &value["target"];
        let beside = |file: &str| path.parent().unwrap_or(Path::new("")).join(file);
        let several = target["estimators"].as_array().into_iter().flatten();
        let files = several.map(|one| &one["estimator"]).chain([&target["estimator"]]);
        Ok(Self {
            from_estimator: target["parallelism"] == FROM_ESTIMATOR,
            estimators: files.filter_map(|file| file.as_str().map(beside)).collect(),
            energy: target["energy"].as_str().map(beside),
        })
    }
}
