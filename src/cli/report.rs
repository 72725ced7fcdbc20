//! `nas report`: a finished run again, in another form.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nas::{
    io::write_atomically,
    report::{
        CoDesign, Figure, Landscape, RandomLine, Report, Run, check_run_folder, figure_svg, report_html,
        report_markdown, report_text,
    },
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
    /// Write a single figure as an SVG file; its name says which: front.svg, layers.svg, ablation.svg,
    /// convergence.svg, landscape.svg or quality.svg, in any folder. May be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    plot: Vec<PathBuf>,
    /// Also run a random search with the same seed, of up to 5,000 evaluations, and draw its line into the
    /// convergence.
    #[arg(long)]
    random_line: bool,
    /// Reckon the energy of so many devices in a year, for a run that was searched with --energy.
    #[arg(long, value_name = "DEVICES", requires = "inferences_per_day")]
    fleet: Option<u64>,
    /// How often a day each device of the fleet runs the network.
    #[arg(long, value_name = "N", requires = "fleet", allow_negative_numbers = true)]
    inferences_per_day: Option<f64>,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What a file that is asked for shows.
enum Form {
    Html,
    Markdown,
    Json,
    Text,
    Figure(Figure),
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let files = files(args)?;
    check_fleet(args, &files)?;
    if !files.is_empty() {
        write(args, &files)?;
    } else if args.force || args.random_line {
        bail!("--force and --random-line are for files; name one with --out or --plot");
    } else if args.run.join(codesign::FILE).exists() {
        if args.fleet.is_some() {
            bail!("{} holds searches for several chips; give the folder of one of them", args.run.display());
        }
        let table = CoDesign::load(&args.run.join(codesign::FILE))?;
        output::print(&codesign::rendered(&table, args.format))?;
    } else {
        let mut report = Report::load(&report_path(&args.run)?)?;
        set_fleet(args, &mut report)?;
        output::print(&rendered(&report, args.format))?;
    }
    Ok(Status::Done)
}

/// Every file to write, checked before any work.
fn files(args: &Args) -> anyhow::Result<Vec<(&Path, Form)>> {
    let pages = args.out.iter().map(|file| Ok((file.as_path(), form(file)?)));
    let plots = args.plot.iter().map(|file| Ok((file.as_path(), Form::Figure(figure(file)?))));
    let files: Vec<(&Path, Form)> = pages.chain(plots).collect::<anyhow::Result<_>>()?;
    for (index, (file, form)) in files.iter().enumerate() {
        if files[..index].iter().any(|(other, _)| other == file) {
            bail!("{} is asked for twice", file.display());
        }
        if file.exists() && !args.force {
            let option = if matches!(form, Form::Figure(_)) { "--plot" } else { "--out" };
            bail!(
                "{} is there already; name another with {option}, or --force to replace it",
                file.display()
            );
        }
        if args.random_line
            && !files.iter().any(|(_, form)| matches!(form, Form::Html | Form::Figure(Figure::Convergence)))
        {
            bail!("--random-line is drawn into a page or convergence.svg; ask for one with --out or --plot");
        }
    }
    Ok(files)
}

/// A figure shows no energies, so a fleet needs a report.
fn check_fleet(args: &Args, files: &[(&Path, Form)]) -> anyhow::Result<()> {
    let figures = !files.is_empty() && files.iter().all(|(_, form)| matches!(form, Form::Figure(_)));
    if args.fleet.is_some() && figures {
        bail!("--fleet is told in a report, not in a figure; ask for one with --out");
    }
    Ok(())
}

fn form(file: &Path) -> anyhow::Result<Form> {
    Ok(match file.extension().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => Form::Html,
        Some("md") => Form::Markdown,
        Some("json") => Form::Json,
        Some("txt") => Form::Text,
        _ => bail!("--out {}: expected a file ending in .html, .md, .json or .txt", file.display()),
    })
}

fn figure(file: &Path) -> anyhow::Result<Figure> {
    if file.extension().is_none_or(|ending| ending != "svg") {
        bail!("--plot {}: expected a file ending in .svg, such as front.svg", file.display());
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Figure::named(&name).with_context(|| format!("--plot {}", file.display()))
}

fn write(args: &Args, files: &[(&Path, Form)]) -> anyhow::Result<()> {
    if args.run.join(codesign::FILE).exists() {
        bail!("{} holds searches for several chips; give the folder of one of them", args.run.display());
    }
    let mut run = Run::load(&args.run)?;
    set_fleet(args, &mut run.report)?;
    if files.iter().any(|(_, form)| matches!(form, Form::Html | Form::Figure(Figure::Landscape))) {
        run.landscape = Landscape::of(&run)?;
    }
    if args.random_line {
        run.random = Some(RandomLine::of(&run)?);
    }
    // What cannot be drawn is known before anything is written.
    let texts = files.iter().map(|(file, form)| Ok((file, text(&run, form)?)));
    for (file, text) in texts.collect::<anyhow::Result<Vec<_>>>()? {
        write_atomically(file, text.as_bytes())?;
        output::tell(format_args!("wrote {}", file.display()));
    }
    Ok(())
}

/// Reckons the energy of the fleet, if there is one.
fn set_fleet(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    if let Some((devices, inferences)) = args.fleet.zip(args.inferences_per_day) {
        report.set_fleet(devices, inferences).with_context(|| args.run.display().to_string())?;
    }
    Ok(())
}

fn text(run: &Run, form: &Form) -> anyhow::Result<String> {
    Ok(match form {
        Form::Html => report_html(run),
        Form::Markdown => report_markdown(&run.report),
        Form::Json => run.report.to_json(),
        Form::Text => report_text(&run.report),
        Form::Figure(figure) => figure_svg(run, *figure)?,
    })
}

/// A run folder stands for its report.
///
/// # Errors
/// It is a folder without one; what a run folder needs is said.
pub(super) fn report_path(run: &Path) -> anyhow::Result<PathBuf> {
    if !run.is_dir() {
        return Ok(run.to_owned());
    }
    check_run_folder(run)?;
    Ok(run.join("report.json"))
}

/// The run and, behind a `#`, one of its entries.
pub(super) fn run_and_entry(subject: &str) -> (&str, Option<&str>) {
    subject.rsplit_once('#').map_or((subject, None), |(run, entry)| (run, Some(entry)))
}

/// Writes a report that has learnt something, and what the search has left beside it.
pub(super) fn save_report(report: &Report, path: &Path) -> anyhow::Result<()> {
    report.save(path)?;
    let markdown = path.with_file_name("report.md");
    if markdown.exists() {
        write_atomically(&markdown, report_markdown(report).as_bytes())?;
    }
    Ok(())
}

pub(super) fn rendered(report: &Report, format: Format) -> String {
    match format {
        Format::Text => report_text(report),
        Format::Json => report.to_json(),
        Format::Md => report_markdown(report),
    }
}
