//! CSV files that tools write, with the columns found by name.

use csv::StringRecord;

use super::Text;
use crate::{
    error::Result,
    measurement::noted::{Noted, problem, problem_at},
};

/// A table with its header.
pub(super) struct Table {
    header: StringRecord,
    /// Lines with their number.
    pub(super) rows: Vec<(usize, StringRecord)>,
}

impl Table {
    /// Reads a table; rows with too few or too many cells are noted and left out.
    ///
    /// # Errors
    /// The file is empty or no CSV.
    pub(super) fn read(text: Text<'_>, noted: &Noted) -> Result<Self> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.text.as_bytes());
        let broken = |error: csv::Error| problem(text.file, error.to_string(), "a CSV file");
        let header = reader.headers().map_err(broken)?.clone();
        if header.is_empty() {
            return Err(problem(text.file, "an empty file", "a header line with columns").into());
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, |position| position.line() as usize);
            if record.len() == header.len() {
                rows.push((line, record));
            } else if record != header {
                let expected = format!("{} cells, as many as the header has", header.len());
                noted.push(problem_at(text.file, (line, 1), format!("{} cells", record.len()), expected));
            }
        }
        Ok(Self { header, rows })
    }

    /// Where the first column with one of these names stands.
    pub(super) fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|known| known.eq_ignore_ascii_case(name)))
    }

    /// Where the column stands.
    ///
    /// # Errors
    /// There is none; the message says what the file should be.
    pub(super) fn place(&self, file: &str, names: &[&str], what: &str) -> Result<usize> {
        self.find(names).ok_or_else(|| {
            let name = names.first().copied().unwrap_or_default();
            problem_at(file, (1, 1), format!("no column `{name}`"), format!("{what}; is --from right?"))
                .into()
        })
    }
}
