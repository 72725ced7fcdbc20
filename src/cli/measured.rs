//! Reading what people have measured, and telling what was made of it.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::bail;
use clap::ValueEnum;
use nas::{
    error::Result,
    measurement::{
        Measurements, ProfileFormat, ReadOptions, Spread, Target, read_measurements_with, read_profiles,
    },
    network::{Network, read_networks},
};

use super::output;

/// Where the files come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// A measurement CSV, one operator, layer or network a line.
    Csv,
    /// Vela's NET_per-layer.csv with its NET_summary_….csv; needs --model.
    Vela,
    /// The trace of an ONNX Runtime session with profiling enabled; --model joins fused nodes.
    Ort,
    /// TensorRT's trtexec --exportProfile; needs --model.
    Trtexec,
    /// TFLite's benchmark_model with operator profiling as CSV; needs --model.
    Tflite,
    /// The CSV of QNN's profile viewer; needs --model.
    Qnn,
    /// Kernels profiled by nn-Meter's builder, JSON or CSV.
    NnMeter,
}

impl From {
    fn profile(self) -> Option<ProfileFormat> {
        Some(match self {
            Self::Csv => return None,
            Self::Vela => ProfileFormat::Vela,
            Self::Ort => ProfileFormat::Ort,
            Self::Trtexec => ProfileFormat::Trtexec,
            Self::Tflite => ProfileFormat::Tflite,
            Self::Qnn => ProfileFormat::Qnn,
            Self::NnMeter => ProfileFormat::NnMeter,
        })
    }
}

/// How files of measurements are read.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// The tool that wrote the files.
    #[arg(long, value_enum, value_name = "TOOL", default_value_t = From::Csv)]
    from: From,
    /// The network that was profiled (nas.network/1, .json or .jsonl), for profiles without shapes; its layers are
    /// found by name. Of several, the one that the profile's file is named after.
    #[arg(long, value_name = "JSON")]
    model: Vec<PathBuf>,
    /// The clock that turns cycles into time, where a file does not say it.
    #[arg(long, value_name = "MHZ", value_parser = clock)]
    clock_mhz: Option<f64>,
    /// Leave out rows that cannot be used; they are counted, and the first 50 listed.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Predict this column in the place of the latency, such as energy_uj; its unit is the end of its name.
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// A column that is not known and not wanted.
    #[arg(long, value_name = "COLUMN")]
    ignore_column: Vec<String>,
}

fn clock(text: &str) -> std::result::Result<f64, String> {
    let clock = text.parse().ok().filter(|clock: &f64| (1e-3..=1e6).contains(clock));
    clock.ok_or_else(|| "expected a clock in MHz, such as 500".into())
}

impl Args {
    /// Reads `files`, tells what was made of them, and gives them with the models they were joined with.
    pub(super) fn read(&self, files: &[PathBuf]) -> anyhow::Result<(Vec<Measurements>, Vec<Network>)> {
        let models = self.models()?;
        let options = ReadOptions {
            skip_bad_rows: self.skip_bad_rows,
            target: self.target.as_deref().map(Target::new),
            ignored_columns: self.ignore_column.clone(),
            clock_mhz: self.clock_mhz,
        };
        let measurements = match self.from.profile() {
            Some(format) => read_profiles(format, files, &models, &options)?,
            None if !models.is_empty() => {
                bail!(
                    "--model joins profiles; a measurement CSV has shapes: name its networks with --networks"
                )
            }
            None => files.iter().map(|path| read_measurements_with(path, &options)).collect::<Result<_>>()?,
        };
        measurements.iter().for_each(tell);
        Ok((measurements, models))
    }

    fn models(&self) -> anyhow::Result<Vec<Network>> {
        let mut models = Vec::new();
        for path in &self.model {
            if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx")) {
                bail!(
                    "{}: ONNX models cannot be read yet; write the network as nas.network/1 JSON with layers named \
                     like the nodes, without the operator at their end",
                    path.display()
                );
            }
            models.extend(read_networks(Path::new(path))?);
        }
        Ok(models)
    }
}

/// What was read of a file, on stderr.
fn tell(file: &Measurements) {
    let what = file.target.as_ref().map_or("latency".into(), |target| format!("`{}`", target.name));
    let unit = file.target.as_ref().map_or_else(|| file.unit.to_string(), |target| target.unit.clone());
    output::tell(format_args!("{}: {} rows, {what} in {unit}", file.file, file.rows));
    for note in &file.notes {
        output::tell(format_args!("  {note}"));
    }
    if let Some(noise) = &file.noise {
        let all = [("layers", &noise.layers), ("networks", &noise.networks)];
        for (what, spread) in all.into_iter().filter_map(|(what, spread)| Some((what, spread.as_ref()?))) {
            output::tell(format_args!("  {}", noise_line(what, spread)));
        }
    }
    if file.skipped.count > 0 {
        output::tell(format_args!("  {}", skipped(file)));
    }
}

fn noise_line(what: &str, spread: &Spread) -> String {
    let Spread { single, value, repeated, rows } = spread;
    if *single == 0.0 {
        return format!("noise of {what}: none ({rows} repeats of {repeated} are alike)");
    }
    let (single, value) = (100.0 * single, 100.0 * value);
    format!(
        "noise of {what}: {single:.2} % a row, {value:.2} % of what is fitted ({rows} repeats of {repeated})"
    )
}

fn skipped(file: &Measurements) -> String {
    let mut text = format!("left out what cannot be used, for {} problems:", file.skipped.count);
    for problem in &file.skipped.problems {
        let _ = write!(text, "\n    {problem}");
    }
    let more = file.skipped.count - file.skipped.problems.len();
    if more > 0 {
        let _ = write!(text, "\n    and {more} more");
    }
    text
}
