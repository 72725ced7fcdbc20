//! Run folders: where a search leaves its results.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nas::{report::estimator_file, space::MOST_TARGETS};

/// The files of one search.
pub(super) struct RunFolder(PathBuf);

impl RunFolder {
    /// A folder for a new search: the one that was asked for, or the next free one below `runs`.
    pub(super) fn create(asked: Option<&Path>, space: &str, force: bool) -> anyhow::Result<Self> {
        let folder = asked.map_or_else(|| next_free(space), Path::to_owned);
        let run = Self(folder);
        if (run.report().exists() || run.checkpoint().exists()) && !force {
            bail!(
                "{} already holds a search; choose another --out, go on with --resume {0}, or --force to replace it",
                run.0.display()
            );
        }
        std::fs::create_dir_all(&run.0).with_context(|| format!("cannot create {}", run.0.display()))?;
        run.clear()?;
        Ok(run)
    }

    /// Removes an earlier search, so that the files of two never lie side by side.
    fn clear(&self) -> anyhow::Result<()> {
        let results = [self.report(), self.markdown(), self.front(), self.checkpoint()];
        let copies = [self.energy(), self.space()];
        let estimators: Vec<PathBuf> = (0..MOST_TARGETS).map(|number| self.estimator(number)).collect();
        for file in results.iter().chain(&copies).chain(&estimators).filter(|file| file.exists()) {
            std::fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(())
    }

    /// The folder of a search that is to go on.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let run = Self(folder.to_owned());
        if !run.checkpoint().exists() {
            bail!("{} holds no checkpoint.json to resume from; start without --resume", folder.display());
        }
        Ok(run)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn report(&self) -> PathBuf {
        self.0.join("report.json")
    }

    pub(super) fn markdown(&self) -> PathBuf {
        self.0.join("report.md")
    }

    pub(super) fn front(&self) -> PathBuf {
        self.0.join("front.csv")
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.json")
    }

    /// A copy of the estimator with this number, so that the run explains itself.
    pub(super) fn estimator(&self, number: usize) -> PathBuf {
        estimator_file(&self.0, number)
    }

    /// A copy of the energy model, for the same reason.
    pub(super) fn energy(&self) -> PathBuf {
        self.0.join("energy.json")
    }

    /// A copy of the space, for the same reason.
    pub(super) fn space(&self) -> PathBuf {
        self.0.join("space.json")
    }
}

/// `name` as a file may be called.
pub(super) fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// The first of `runs/SPACE-1`, `runs/SPACE-2` … that is not there.
pub(super) fn next_free(space: &str) -> PathBuf {
    let safe = safe(space);
    let numbered = |number: u32| Path::new("runs").join(format!("{safe}-{number}"));
    let first_free = (1..).map(numbered).find(|folder| !folder.exists());
    first_free.unwrap_or_else(|| Path::new("runs").join(safe))
}
