//! Problems of a JSON file, told in the order of the file and only as far as anybody reads.

use std::{
    cell::{Cell, RefCell},
    fmt::Display,
};

use crate::error::{Error, Problem};

/// What was found wrong so far.
pub struct Problems<'t> {
    file: &'t str,
    text: &'t str,
    /// With the offset in the text; the position is found for those that are told.
    list: RefCell<Vec<(usize, Problem)>>,
    /// How many were found; the list is cut.
    count: Cell<usize>,
}

/// At most so many problems of a file are told; the rest are counted.
pub(super) const TOLD: usize = 50;
/// At most so many are kept until they can be sorted: readers go through a file mostly, but not always, in order.
const KEPT: usize = 5_000;

impl<'t> Problems<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, list: RefCell::default(), count: Cell::new(0) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    pub(super) fn note(&self, offset: usize, path: &str, found: impl Display, expected: impl Display) {
        self.count.set(self.count.get() + 1);
        let mut list = self.list.borrow_mut();
        if list.len() >= KEPT {
            return;
        }
        let problem = Problem {
            file: self.file.to_owned(),
            position: None,
            path: path.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        };
        list.push((offset, problem));
    }

    pub(super) fn into_error(self) -> Error {
        let mut list = self.list.into_inner();
        let cut = self.count.get() - list.len();
        list.sort_by_key(|(offset, _)| *offset);
        list.dedup();
        let more = cut + list.len().saturating_sub(TOLD);
        let located = |(offset, problem): (usize, Problem)| Problem {
            position: Some(position(self.text, offset)),
            ..problem
        };
        let mut problems: Vec<Problem> = list.into_iter().take(TOLD).map(located).collect();
        if more > 0 {
            problems.push(Problem {
                file: self.file.to_owned(),
                position: None,
                path: String::new(),
                found: format!("{more} more problems"),
                expected: "none".into(),
            });
        }
        Error::Input(problems)
    }
}

/// Line and column, both from 1 and counted in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
