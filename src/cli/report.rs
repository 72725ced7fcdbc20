//! `nas report`: a finished run again, in another form.

use std::path::{Path, PathBuf};

use anyhow::bail;
use nas::{
    io::write_atomically,
    report::{CoDesign, Report, Run, report_html, report_markdown, report_text},
};

use super::{
    Status, codesign,
    output::{self, Format},
};

/// Show the report of a run, or write it as one self-contained HTML page.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The run folder, or its report.json; a folder also gives the page the whole front. The folder of a
    /// search for several chips gives their table.
    run: PathBuf,
    /// Write to this file instead; its ending gives the form: .html, .md, .json or .txt.
    #[arg(long, short, value_name = "FILE", conflicts_with = "format")]
    out: Option<PathBuf>,
    /// Replace that file if there is one.
    #[arg(long, requires = "out")]
    force: bool,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    match &args.out {
        Some(file) => write(args, file)?,
        None if args.run.join(codesign::FILE).exists() => {
            let table = CoDesign::load(&args.run.join(codesign::FILE))?;
            output::print(&codesign::rendered(&table, args.format))?;
        }
        None => output::print(&rendered(&Report::load(&report_path(&args.run))?, args.format))?,
    }
    Ok(Status::Done)
}

fn write(args: &Args, file: &Path) -> anyhow::Result<()> {
    if file.exists() && !args.force {
        bail!("{} is there already; name another with --out, or --force to replace it", file.display());
    }
    if args.run.join(codesign::FILE).exists() {
        bail!("{} holds searches for several chips; give the folder of one of them", args.run.display());
    }
    let run = Run::load(&args.run)?;
    let text = match file.extension().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => report_html(&run),
        Some("md") => report_markdown(&run.report),
        Some("json") => run.report.to_json(),
        Some("txt") => report_text(&run.report),
        _ => bail!("--out {}: expected a file ending in .html, .md, .json or .txt", file.display()),
    };
    write_atomically(file, text.as_bytes())?;
    output::tell(format_args!("wrote {}", file.display()));
    Ok(())
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
