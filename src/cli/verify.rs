//! `nas measure --verify`: what a run's entries take on the device, written into its report.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nas::{
    measure::{Spread, Subject, Table},
    network::Network,
    report::{Measured, Report, measured_table, targets_table, verdict_text},
};

use super::{
    report::{report_path, run_and_entry, save_report},
    targets,
};

/// A report with entries to be measured.
pub(super) struct Verified {
    path: PathBuf,
    report: Report,
    /// The ids of baseline and chosen entry.
    ids: Vec<String>,
    /// The accelerator that is measured, where the run is for several.
    target: Option<String>,
}

impl Verified {
    /// Opens the report of `run`, or of `run#entry`; of several accelerators, `target` is the one to be measured.
    pub(super) fn open(subject: &str, target: Option<&str>) -> anyhow::Result<Self> {
        let (run, entry) = run_and_entry(subject);
        let path = report_path(Path::new(run))?;
        let report = Report::load(&path)?;
        targets::number(&report, target, false)?;
        let chosen = match entry {
            Some(name) => report.entry(name)?.id.clone(),
            None => {
                let finding = report.finding();
                finding
                    .context("nothing met the requirement, so there is nothing to verify")?
                    .entry
                    .id
                    .clone()
            }
        };
        let ids = vec![report.baseline.id.clone(), chosen];
        Ok(Self { path, report, ids, target: target.map(str::to_owned) })
    }

    /// The networks to measure.
    pub(super) fn networks(&self) -> Vec<Network> {
        let entries = self.report.front.iter().chain([&self.report.baseline]);
        let wanted = entries.filter(|entry| self.ids.contains(&entry.id));
        wanted.map(|entry| entry.network.clone()).collect()
    }

    /// Writes what was measured of them into the report, and gives the table of it.
    pub(super) fn save(
        &mut self,
        plan: &[Subject],
        table: &Table,
        device: &str,
        runner: &str,
    ) -> anyhow::Result<String> {
        let mut any = false;
        for subject in plan {
            let repeats = table.repeats(subject);
            let Some(spread) = Spread::of(repeats) else { continue };
            let measured = Measured {
                latency_ms: spread.median / 1e3,
                mad_ms: Some(spread.mad / 1e3),
                samples_ms: repeats.iter().map(|us| us / 1e3).collect(),
                device: Some(device.to_owned()),
                runner: Some(runner.to_owned()),
            };
            any |= self.report.note_measured(subject.name(), self.target.as_deref(), &measured);
        }
        let rows = match self.target {
            Some(_) => targets_table(&self.report),
            None => measured_table(&self.report),
        };
        let Some(rows) = rows.filter(|_| any) else {
            bail!("nothing was measured, so {} is as it was", self.path.display());
        };
        self.report.choose();
        save_report(&self.report, &self.path)?;
        Ok(format!("{}\n{}", verdict_text(&self.report), rows.text()))
    }
}
