//! The command line: one subcommand is one file with its arguments and a `run`.

mod codesign;
mod compare;
mod completions;
mod estimate;
mod export;
mod fit;
mod import;
mod interrupt;
mod man;
mod measure;
mod measured;
mod model;
mod output;
mod progress;
mod report;
mod run_folder;
mod schema;
mod search;
mod space;
mod targets;
mod train;
mod uncertain;
mod values;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Search for the neural network with the least latency on your accelerator.
///
/// A search space goes in, a Pareto front of architectures with less latency at no less expected accuracy
/// comes out. Latency comes from a regressor that was fitted on measurements; no device and no compiler is
/// needed to search.
#[derive(Parser)]
#[command(name = "nas", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 ok, 1 nothing feasible found or a gate failed, 2 bad usage or input, \
                        3 not comparable, 130 interrupted.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Search(search::Args),
    Space(space::Args),
    Estimate(estimate::Args),
    Import(import::Args),
    Export(export::Args),
    Fit(fit::Args),
    Measure(measure::Args),
    Train(train::Args),
    Report(report::Args),
    Compare(compare::Args),
    Completions(completions::Args),
    Man(man::Args),
    Schema(schema::Args),
}

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Done,
    NothingFeasible,
    GateFailed,
    NotComparable,
    Interrupted,
}

pub(crate) fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::NothingFeasible | Status::GateFailed) => ExitCode::from(1),
        Ok(Status::NotComparable) => ExitCode::from(3),
        Ok(Status::Interrupted) => ExitCode::from(130),
        // The reader of our output has seen enough.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<Status> {
    match command {
        Command::Search(args) => search::run(&args),
        Command::Space(args) => space::run(&args),
        Command::Estimate(args) => estimate::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Fit(args) => fit::run(args),
        Command::Measure(args) => measure::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
        Command::Schema(args) => schema::run(&args),
    }
}
