//! `nas report`: a finished run again, in another form.

use std::path::{Path, PathBuf};

use nas::report::{Report, report_markdown, report_text};

use super::{
    Status,
    output::{self, Format},
};

/// Show the report of a run.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The run folder, or its report.json.
    run: PathBuf,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let report = Report::load(&report_path(&args.run))?;
    output::print(&rendered(&report, args.format))?;
    Ok(Status::Done)
}

/// A run folder stands for its report.
pub(super) fn report_path(run: &Path) -> PathBuf {
    if run.is_dir() { run.join("report.json") } else { run.to_owned() }
}

pub(super) fn rendered(report: &Report, format: Format) -> String {
    match format {
        Format::Text => report_text(report),
        Format::Json => report.to_json(),
        Format::Md => report_markdown(report),
    }
}
