//! What can go wrong with a user's input, said so that the user can mend it.
//!
//! Every error names the file, the place, what was found and what was
//! expected. A file's problems are collected and reported together, since
//! mending one only to be told of the next is the slowest way to get it right.

use crate::io::plain;

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Anything that stops the library from doing what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's word for it.
        source: std::io::Error,
    },
    /// A file was readable but its content is not acceptable.
    #[error("{}", join_lines(.0))]
    Input(Vec<Problem>),
    /// A request that cannot be carried out, with what to do instead.
    #[error("{0}")]
    Unusable(String),
}

impl Error {
    /// The operating system refused to `action` (a verb) `path`.
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// A request that cannot be carried out; `message` says why and what to do instead.
    pub fn unusable(message: impl Into<String>) -> Self {
        Self::Unusable(message.into())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Input(vec![problem])
    }
}

fn join_lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it.
    pub file: String,
    /// Line and column, both from 1, where they are known.
    pub position: Option<(usize, usize)>,
    /// Where in the structure: `stages[2].channels`; empty for the whole file.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What may stand there, and how to mend it.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": found {}, expected {}", Excerpt(&self.found), Excerpt(&self.expected))
    }
}

/// Text that is cut where it grows too long for a message, such as a file without line breaks.
struct Excerpt<'t>(&'t str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 600;
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{}… ({} bytes)", plain(&self.0[..end]), self.0.len()),
            None => f.write_str(&plain(self.0)),
        }
    }
}

/// The known name nearest to `name`, if it is near enough to be a slip.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    /// A slip is made in a name, not in a text; the distance of long ones takes long to find.
    const LONGEST: usize = 100;
    if name.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `one of a, b, c`, with the nearest name to `found` as a hint.
pub fn one_of(found: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    match nearest(found, known.iter().copied()) {
        Some(near) => format!("one of {list}; did you mean `{near}`?"),
        None => format!("one of {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_file_place_found_and_expected() {
        let problem = Problem {
            file: "space.json".into(),
            position: Some((3, 7)),
            path: "stem.kernel".into(),
            found: "0".into(),
            expected: "an odd number from 1 to 31".into(),
        };
        assert_eq!(
            problem.to_string(),
            "space.json:3:7: stem.kernel: found 0, expected an odd number from 1 to 31"
        );
    }

    #[test]
    fn only_a_near_name_is_offered() {
        assert_eq!(nearest("chanels", ["channels", "kernel"]), Some("channels"));
        assert_eq!(nearest("zebra", ["channels", "kernel"]), None);
    }

    #[test]
    fn a_name_as_long_as_a_text_is_no_slip() {
        // Some 10^12 steps if distances were computed.
        let huge = "channels".repeat(200_000);
        assert_eq!(nearest(&huge, ["channels", &huge]), None);
        assert_eq!(nearest("chanels", [&huge, "channels"]), Some("channels"));
    }

    #[test]
    fn what_is_quoted_of_a_file_commands_no_terminal() {
        let problem = Problem {
            file: "s.json".into(),
            position: None,
            path: "name".into(),
            found: "\"a\u{1b}[2J\"".into(),
            expected: "a name".into(),
        };
        assert_eq!(problem.to_string(), "s.json: name: found \"a?[2J\", expected a name");
    }
}
