//! Estimators on disk.

use std::{
    io::{self, Write},
    path::Path,
};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::{
    Estimator,
    document::{Document, SCHEMA, UNIT},
};
use crate::{
    error::{Error, Problem, Result},
    io::{read_text, serde_problem, write_atomically},
    stable_hash::short_id,
};

impl Estimator {
    /// Reads an estimator file.
    ///
    /// # Errors
    /// The file cannot be read, or is not a `nas.estimator/1` object; line, column and field are named.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&path.display().to_string(), &read_text(path)?)
    }

    /// Reads an estimator from `text`, which came from `file`.
    ///
    /// # Errors
    /// As [`Estimator::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let document: Document = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| problem(file, &error.path().to_string(), error.inner()))?;
        reader.end().map_err(|error| problem(file, "", &error))?;
        let wrong = |path: &str, found: String, expected: &str| Problem {
            file: file.to_owned(),
            position: None,
            path: path.to_owned(),
            found,
            expected: expected.to_owned(),
        };
        if document.schema != SCHEMA {
            return Err(wrong("schema", format!("\"{}\"", document.schema), SCHEMA).into());
        }
        if document.target.is_none() && document.unit != UNIT {
            return Err(wrong("unit", format!("\"{}\"", document.unit), UNIT).into());
        }
        Self::from_document(document, short_id(text.as_bytes()))
            .map_err(|(path, found)| wrong(&path, found, "what `nas fit` writes; fit the file anew").into())
    }

    /// Writes the estimator, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_json()?.as_bytes())
    }

    /// The estimator as it stands in a file.
    ///
    /// # Errors
    /// The JSON writer fails, which it never does for numbers that are finite.
    pub fn to_json(&self) -> Result<String> {
        to_text(self.document())
    }
}

/// The text of a file and thereby what its hash is taken of.
pub(super) fn to_text(document: &Document) -> Result<String> {
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut text, Layout::default());
    let fail =
        |error: &dyn std::fmt::Display| Error::unusable(format!("cannot write the estimator: {error}"));
    document.serialize(&mut writer).map_err(|error| fail(&error))?;
    text.push(b'\n');
    String::from_utf8(text).map_err(|error| fail(&error))
}

/// One field a line, but lists on one line: an estimator has thousands of numbers in lists.
#[derive(Default)]
struct Layout(PrettyFormatter<'static>);

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

fn problem(file: &str, path: &str, error: &serde_json::Error) -> Error {
    serde_problem(file, path, error, &format!("a {SCHEMA} file as `nas fit` writes it")).into()
}
