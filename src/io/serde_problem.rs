//! What serde says of a file, as a problem with its place said once.

use serde_json::Error as JsonError;

use crate::error::Problem;

/// The problem that serde found in `file`, where `expected` says what the file ought to be. `path` is the place in the
/// structure, as serde_path_to_error gives it.
#[must_use]
pub fn serde_problem(file: &str, path: &str, error: &JsonError, expected: &str) -> Problem {
    let said = error.to_string();
    // serde_json ends its messages with the place, which stands in front already.
    let place = format!(" at line {} column {}", error.line(), error.column());
    Problem {
        file: file.to_owned(),
        position: Some((error.line(), error.column())),
        path: if path == "." { String::new() } else { path.to_owned() },
        found: said.strip_suffix(&place).unwrap_or(&said).to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_said_once() {
        let mut json = serde_json::Deserializer::from_str("{\n\"a\": [1, \"x\"]}");
        let error =
            serde_path_to_error::deserialize::<_, std::collections::BTreeMap<String, Vec<u32>>>(&mut json)
                .unwrap_err();
        let problem = serde_problem("f.json", &error.path().to_string(), error.inner(), "numbers");
        let said = problem.to_string();
        assert_eq!(
            said,
            "f.json:2:12: a[1]: found invalid type: string \"x\", expected u32, expected numbers"
        );
    }
}
