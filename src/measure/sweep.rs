//! The loop that measures a plan.
//!
//! Subjects are measured in rounds of a few dozen: all once, then all again, so that the repeats of one subject
//! lie apart in time and what disturbed one does not disturb the others. Subjects whose repeats disagree are
//! measured again at the end of their round. When a sweep ends early, earlier rounds are complete.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    runner::{Runner, Times},
    spread::Spread,
    subject::Subject,
    table::Table,
};
use crate::error::{Error, Result};

/// How a plan is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepOptions {
    /// How often each subject is measured.
    pub repeats: usize,
    /// How often a noisy subject is measured beyond that, at most.
    pub extra: usize,
    /// The spread of repeats, as a share of their median, beyond which a subject is noisy.
    pub noise: f64,
    /// Time on the runner's clock.
    pub budget: Option<Duration>,
    /// Subjects in a round.
    pub round: usize,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self { repeats: 3, extra: 2, noise: 0.05, budget: None, round: 40 }
    }
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// Everything in the plan is measured.
    Complete,
    /// The time is spent.
    Budget,
    /// Somebody asked it to stop.
    Interrupted,
}

/// What became of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Why it ended.
    pub termination: Termination,
    /// Measurements made, repeats counted.
    pub measured: usize,
    /// Subjects of the plan with all their repeats, now or from an earlier sweep.
    pub complete: usize,
    /// Subjects whose repeats still disagree, with their spread.
    pub noisy: Vec<(String, f64)>,
    /// Subjects that the device could not run, with what it said.
    pub failed: Vec<(String, String)>,
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// What was just measured.
    pub subject: &'p Subject,
    /// Its median, in microseconds.
    pub median_us: f64,
    /// Measurements made.
    pub measured: usize,
    /// Measurements that the plan asks for, those of noisy subjects apart.
    pub planned: usize,
}

/// Measures `plan` on `runner` into `table`; `cancel` stops it after the measurement that is under way.
///
/// # Errors
/// The runner ended or the table cannot be written. What one subject does wrong is noted and no error, unless
/// the first ten of them fail, one and all.
pub fn sweep(
    plan: &[Subject],
    runner: &mut dyn Runner,
    table: &mut Table,
    options: &SweepOptions,
    cancel: &AtomicBool,
    observe: &mut dyn FnMut(&Progress<'_>),
) -> Result<Summary> {
    // A sweep that was killed may have left rows without a graph.
    for subject in plan.iter().filter(|subject| !table.repeats(subject).is_empty()).collect::<Vec<_>>() {
        table.keep_graph(subject)?;
    }
    let missing = |subject: &Subject| options.repeats.saturating_sub(table.repeats(subject).len());
    let planned = plan.iter().map(missing).sum();
    let mut sweep = Sweep {
        runner,
        table,
        options,
        cancel,
        observe,
        planned,
        measured: 0,
        failed: Vec::new(),
        ended: None,
    };
    for round in plan.chunks(options.round.max(1)) {
        sweep.round(round)?;
    }
    let (termination, measured, failed) =
        (sweep.ended.unwrap_or(Termination::Complete), sweep.measured, sweep.failed);
    let complete = plan.iter().filter(|subject| table.repeats(subject).len() >= options.repeats).count();
    let noisy = plan.iter().filter_map(|subject| {
        let spread = disagreement(table, subject);
        (spread > options.noise).then(|| (subject.name().to_owned(), spread))
    });
    Ok(Summary { termination, measured, complete, noisy: noisy.collect(), failed })
}

/// How far the repeats of a subject are apart, as a share of their median.
fn disagreement(table: &Table, subject: &Subject) -> f64 {
    Spread::of(table.repeats(subject)).map_or(0.0, |spread| spread.relative())
}

struct Sweep<'s> {
    runner: &'s mut dyn Runner,
    table: &'s mut Table,
    options: &'s SweepOptions,
    cancel: &'s AtomicBool,
    observe: &'s mut dyn FnMut(&Progress<'_>),
    planned: usize,
    measured: usize,
    failed: Vec<(String, String)>,
    ended: Option<Termination>,
}

impl Sweep<'_> {
    fn round(&mut self, subjects: &[Subject]) -> Result<()> {
        let SweepOptions { repeats, extra, noise, .. } = *self.options;
        for pass in 1..=repeats + extra {
            for subject in subjects {
                let there = self.table.repeats(subject).len();
                let wanted = pass <= repeats || disagreement(self.table, subject) > noise;
                if there >= pass || !wanted || self.has_failed(subject) {
                    continue;
                }
                if self.is_over() {
                    return Ok(());
                }
                self.measure(subject)?;
            }
        }
        Ok(())
    }

    fn has_failed(&self, subject: &Subject) -> bool {
        self.failed.iter().any(|(name, _)| name == subject.name())
    }

    fn is_over(&mut self) -> bool {
        if self.ended.is_none() {
            if self.cancel.load(Ordering::Relaxed) {
                self.ended = Some(Termination::Interrupted);
            } else if self.options.budget.is_some_and(|budget| self.runner.elapsed() >= budget) {
                self.ended = Some(Termination::Budget);
            }
        }
        self.ended.is_some()
    }

    fn measure(&mut self, subject: &Subject) -> Result<()> {
        /// A runner that can do none of so many cannot do any.
        const HOPELESS: usize = 10;
        let times = match self.runner.measure(subject) {
            Ok(Ok(times)) => times,
            // Ctrl-C reaches the runner too.
            _ if self.cancel.load(Ordering::Relaxed) => return Ok(()),
            Ok(Err(said)) => {
                self.failed.push((subject.name().to_owned(), said));
                if self.measured == 0 && self.failed.len() == HOPELESS {
                    return Err(self.hopeless());
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.table.write(subject, &times, self.options.noise)?;
        self.measured += 1;
        let Times { samples_us, .. } = &times;
        let median_us = Spread::of(samples_us).map_or(0.0, |spread| spread.median);
        let (measured, planned) = (self.measured, self.planned);
        (self.observe)(&Progress { subject, median_us, measured, planned });
        Ok(())
    }

    fn hopeless(&self) -> Error {
        let said = self.failed.iter().take(3).map(|(name, said)| format!("\n  {name}: {said}"));
        let said: String = said.collect();
        Error::unusable(format!("the runner could measure none of the first {}:{said}", self.failed.len()))
    }
}
