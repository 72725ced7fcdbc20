//! `nas train`: the finalists of a run, trained by the user's own program.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Duration,
};

use anyhow::bail;
use nas::{
    measure::Spread,
    process::Template,
    report::{Entry, Report, Table, Trained, agreement, trained_table, verdict_text},
    trainer::{Answer, Failure, Form, Trainer},
};

use super::{
    Status, interrupt, output,
    report::{report_path, run_and_entry, save_report},
    values::{form, from_zero, positive, time},
};

/// Train the finalists of a run with a program of your own, and let their accuracy decide.
///
/// The program is given a model with fresh weights and prints a line of JSON such as {"accuracy": 0.73}; the last such
/// line counts, and more is better. The baseline is trained as well. What was trained is written into the report at
/// once, so a run that ended goes on where it was; the verdict is then the least latency at no less accuracy.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A run folder, of which the finalists are trained; or one entry, such as run#3.
    #[arg(value_name = "RUN|ENTRY")]
    subject: String,
    /// The program, without a shell, with {model} where the model's path goes and {seed} where a seed goes, as in
    /// 'python3 train.py {model} --seed {seed}'.
    #[arg(long, value_name = "COMMAND")]
    trainer_command: String,
    /// The form of the models: torch (Python source with a class Network) or onnx (batch-norm present, random weights).
    #[arg(long, value_name = "FORM", default_value = "torch", value_parser = form)]
    model_format: Form,
    /// How many architectures to train beside the baseline.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=100))]
    finalists: u8,
    /// How far apart the scores of two finalists are at least; what is closer the score cannot tell apart.
    #[arg(long, value_name = "SCORE", default_value = "0.1", value_parser = positive)]
    step: f64,
    /// How often to train each, with seeds from 0 on; the median counts.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=100))]
    repeats: u8,
    /// By how much less accurate than the baseline an architecture may be, in the program's unit.
    #[arg(long, value_name = "ACCURACY", default_value = "0", value_parser = from_zero)]
    tolerance: f64,
    /// The longest that one training may take, such as 90m or 12h.
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// Train again what this command has trained.
    #[arg(long)]
    again: bool,
    /// Show what would be trained, and train nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not repeat what the program prints.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let mut run = Run::open(args)?;
    if args.dry_run {
        output::print(&run.planned())?;
        return Ok(Status::Done);
    }
    let template = Template::parse("--trainer-command", &args.trainer_command)?;
    let trainer = Trainer::new(template, args.model_format, args.timeout)?;
    if args.repeats > 1 && !trainer.takes_seed() {
        bail!(
            "--repeats {} would train alike each time; say where the seed goes with {{seed}}",
            args.repeats
        );
    }
    let stopped = run.train(&trainer, args, interrupt::flag()?)?;
    output::print(&run.said()?)?;
    Ok(if stopped { Status::Interrupted } else { Status::Done })
}

/// A run whose finalists are trained.
struct Run {
    path: PathBuf,
    report: Report,
    /// The ids of what is to be trained, the baseline's first.
    ids: Vec<String>,
    /// What could not be trained, and why.
    failed: Vec<(String, String)>,
}

impl Run {
    fn open(args: &Args) -> anyhow::Result<Self> {
        let (run, entry) = run_and_entry(&args.subject);
        let path = report_path(Path::new(run))?;
        let mut report = Report::load(&path)?;
        let finalists: Vec<String> = match entry {
            Some(name) => vec![report.entry(name)?.id.clone()],
            None => {
                let finalists = report.finalists(args.finalists.into(), args.step);
                finalists.into_iter().map(|index| report.front[index].id.clone()).collect()
            }
        };
        if finalists.is_empty() {
            bail!("{}: nothing met the requirement, so there is nothing to train", path.display());
        }
        let mut ids = vec![report.baseline.id.clone()];
        ids.extend(finalists.into_iter().filter(|id| *id != report.baseline.id));
        report.accuracy_tolerance = Some(args.tolerance);
        if !args.again {
            let known = |id: &String| find(&report, id).is_some_and(|entry| is_trained(entry, args));
            ids.retain(|id| !known(id));
        }
        Ok(Self { path, report, ids, failed: Vec::new() })
    }

    /// What would be trained.
    fn planned(&self) -> String {
        let mut rows = Table::new(&["to train", "latency ms", "trainability", "MACs", "params"]);
        for entry in self.ids.iter().filter_map(|id| find(&self.report, id)) {
            rows.push([
                name(&self.report, &entry.id),
                format!("{:.3}", entry.latency_ms),
                format!("{:.3}", entry.trainability),
                nas::units::si(entry.macs.0),
                nas::units::si(entry.params.0),
            ]);
        }
        rows.text()
    }

    /// Trains one after the other and keeps each in the report; whether the user stopped it.
    fn train(&mut self, trainer: &Trainer, args: &Args, stop: &AtomicBool) -> anyhow::Result<bool> {
        let ids = self.ids.clone();
        for (index, id) in ids.iter().enumerate() {
            let name = name(&self.report, id);
            output::tell(format_args!("training {name} ({} of {})", index + 1, ids.len()));
            let Some(network) = find(&self.report, id).map(|entry| entry.network.clone()) else { continue };
            let mut answers = Vec::new();
            for seed in 0..args.repeats.into() {
                let mut hear = |line: &str| {
                    if !args.quiet {
                        output::tell(format_args!("  {line}"));
                    }
                };
                match trainer.train(&network, seed, stop, &mut hear)? {
                    Ok(answer) => answers.push(answer),
                    Err(Failure::Stopped) => return Ok(true),
                    Err(Failure::Said(said)) => {
                        self.failed.push((name, said));
                        answers.clear();
                        break;
                    }
                }
            }
            if let Some(trained) = trained(&answers, args) {
                self.report.note_trained(id, &trained);
                self.save()?;
            }
        }
        Ok(false)
    }

    fn save(&mut self) -> anyhow::Result<()> {
        self.report.choose();
        save_report(&self.report, &self.path)
    }

    /// What came out.
    fn said(&mut self) -> anyhow::Result<String> {
        let left_out = self.failed.iter().map(|(name, said)| format!("left out: {name}: {said:.300}\n"));
        let left_out: String = left_out.collect();
        let Some(rows) = trained_table(&self.report) else {
            bail!("nothing was trained, so {} is as it was\n{left_out}", self.path.display());
        };
        // The tolerance may be another than before.
        self.save()?;
        let agreed = agreement(&self.report).map_or(String::new(), |line| format!("{line}\n"));
        Ok(format!("{}\n{}{agreed}{left_out}", verdict_text(&self.report), rows.text()))
    }
}

fn find<'r>(report: &'r Report, id: &str) -> Option<&'r Entry> {
    [&report.baseline].into_iter().chain(&report.front).find(|entry| entry.id == id)
}

fn name(report: &Report, id: &str) -> String {
    let index = report.front.iter().position(|entry| entry.id == id);
    index.map_or_else(|| "baseline".to_owned(), |index| format!("#{index}"))
}

/// Whether this command has trained it as often.
fn is_trained(entry: &Entry, args: &Args) -> bool {
    entry.trained.as_ref().is_some_and(|trained| {
        trained.trainer.as_ref() == Some(&args.trainer_command)
            && trained.samples.len() >= args.repeats.into()
    })
}

fn trained(answers: &[Answer], args: &Args) -> Option<Trained> {
    let samples: Vec<f64> = answers.iter().map(|answer| answer.accuracy).collect();
    Some(Trained {
        accuracy: Spread::of(&samples)?.median,
        samples,
        metric: answers.last()?.metric.clone(),
        trainer: Some(args.trainer_command.clone()),
    })
}
