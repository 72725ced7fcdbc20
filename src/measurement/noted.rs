//! Problems of a file, counted without end but kept only as far as they are listed.

use std::cell::{Cell, RefCell};

use crate::error::{Error, Problem, Result};

/// More problems than this are counted, not listed.
pub(super) const LISTED: usize = 50;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Noted {
    count: Cell<usize>,
    listed: RefCell<Vec<Problem>>,
}

/// What was left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Skipped {
    /// How many problems made rows unusable; a row may have more than one.
    pub count: usize,
    /// The first fifty of them.
    pub problems: Vec<Problem>,
}

impl Noted {
    pub(super) fn push(&self, problem: Problem) {
        self.count.set(self.count.get() + 1);
        let mut listed = self.listed.borrow_mut();
        if listed.len() < LISTED {
            listed.push(problem);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count.get()
    }

    /// What was left out, if rows may be left out.
    ///
    /// # Errors
    /// There are problems, and rows may not be left out.
    pub(super) fn settle(self, file: &str, skip: bool) -> Result<Skipped> {
        let (count, problems) = (self.count.get(), self.listed.into_inner());
        if count == 0 || skip {
            return Ok(Skipped { count, problems });
        }
        Err(listed(file, count, problems))
    }

    /// All problems as an error.
    pub(super) fn into_error(self, file: &str) -> Error {
        listed(file, self.count.get(), self.listed.into_inner())
    }
}

fn listed(file: &str, count: usize, mut problems: Vec<Problem>) -> Error {
    if count > problems.len() {
        problems.push(problem(file, format!("{} more problems", count - problems.len()), "none"));
    }
    Error::Input(problems)
}

/// A problem of the file as a whole.
pub(super) fn problem(file: &str, found: impl Into<String>, expected: impl Into<String>) -> Problem {
    let (found, expected) = (found.into(), expected.into());
    Problem { file: file.to_owned(), position: None, path: String::new(), found, expected }
}

/// A problem at a line and column.
pub(super) fn problem_at(
    file: &str,
    position: (usize, usize),
    found: impl Into<String>,
    expected: impl Into<String>,
) -> Problem {
    Problem { position: Some(position), ..problem(file, found, expected) }
}
