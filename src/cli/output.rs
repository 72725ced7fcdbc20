//! The result on stdout, everything else on stderr.

use std::{
    fmt::Display,
    io::{self, Write},
};

use clap::ValueEnum;
use nas::io::plain;

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Markdown, for pull requests.
    Md,
}

/// Writes `text` to stdout; what a terminal would obey is shown as `?`.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    print_coloured(&plain(text))
}

/// Writes `text` with colours to stdout, as it is; names in it were checked when they were read.
pub(super) fn print_coloured(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Writes a line to stderr; that nobody reads it is no reason to fail.
pub(super) fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", plain(&line.to_string()));
}

/// Whether `error` only means that nobody reads our output any more.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
