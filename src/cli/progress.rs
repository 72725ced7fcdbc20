//! Progress of a search: a bar on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nas::{
    search::{Observer, Progress},
    units::si,
};

const BETWEEN_LINES: Duration = Duration::from_secs(2);

/// Shows how far a search is and how much latency it has saved.
pub(super) struct Reporter {
    baseline_us: f64,
    bar: Option<ProgressBar>,
    quiet: bool,
    last_line: Instant,
}

impl Reporter {
    pub(super) fn new(baseline_us: f64, budget: Option<u64>, quiet: bool) -> anyhow::Result<Self> {
        let bar = (stderr().is_terminal() && !quiet).then(|| bar(budget)).transpose()?;
        Ok(Self { baseline_us, bar, quiet, last_line: Instant::now() })
    }

    /// Leaves the terminal clean.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn words(&self, progress: &Progress<'_>) -> String {
        let best = match progress.best {
            Some(best) => format!("best {:+.1} %", 100.0 * (best[0] / self.baseline_us - 1.0)),
            None => "nothing feasible yet".into(),
        };
        format!("{} /s, {best}, front {}", si(progress.rate as u64), progress.front.len())
    }
}

fn bar(budget: Option<u64>) -> anyhow::Result<ProgressBar> {
    let style = match budget {
        Some(_) => "{bar:30} {human_pos}/{human_len} architectures, {msg}, {eta} left",
        None => "{spinner} {human_pos} architectures, {msg}, {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(budget, ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(ProgressStyle::with_template(style)?);
    Ok(bar)
}

impl Observer for Reporter {
    fn generation(&mut self, progress: &Progress<'_>) {
        if let Some(bar) = &self.bar {
            bar.set_position(progress.evaluations);
            bar.set_message(self.words(progress));
        } else if !self.quiet && self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            super::output::tell(format_args!(
                "{} architectures, {}",
                progress.evaluations,
                self.words(progress)
            ));
        }
    }
}

/// Shows how far a sweep of measurements is.
pub(super) struct Measured {
    bar: Option<ProgressBar>,
    quiet: bool,
    last_line: Instant,
}

impl Measured {
    pub(super) fn new(quiet: bool) -> anyhow::Result<Self> {
        let style = "{bar:30} {human_pos}/{human_len} measurements, {msg}, {eta} left";
        let bar = (stderr().is_terminal() && !quiet)
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)));
        if let Some(bar) = &bar {
            bar.set_style(ProgressStyle::with_template(style)?);
        }
        Ok(Self { bar, quiet, last_line: Instant::now() })
    }

    /// What was measured last.
    pub(super) fn update(&mut self, progress: &nas::measure::Progress<'_>) {
        let sort = progress.subject.kind.name();
        if let Some(bar) = &self.bar {
            bar.set_length(progress.planned.max(progress.measured) as u64);
            bar.set_position(progress.measured as u64);
            bar.set_message(format!("{sort} {:.1} us", progress.median_us));
        } else if !self.quiet && self.last_line.elapsed() >= 5 * BETWEEN_LINES {
            self.last_line = Instant::now();
            let (measured, planned) = (progress.measured, progress.planned);
            super::output::tell(format_args!(
                "{measured} of {planned} measurements, {sort} {:.1} us",
                progress.median_us
            ));
        }
    }

    /// Leaves the terminal clean.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
