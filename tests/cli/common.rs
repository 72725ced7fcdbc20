//! What the tests of the command line share.

use std::{path::Path, process::Output};

use assert_cmd::Command;

/// The shipped estimator that the tests use.
pub(crate) const ESTIMATOR: &str = "estimators/ethos-u55-128.json";
/// The shipped table of energies.
pub(crate) const ENERGY: &str = "energy/horowitz-2014-45nm.json";
/// A space of a few genes that names [`ESTIMATOR`].
pub(crate) const TINY: &str = "tests/data/tiny-space.json";

/// Runs `nas` in the repository root.
pub(crate) fn nas(args: &[&str]) -> Output {
    Command::cargo_bin("nas").unwrap().args(args).output().unwrap()
}

/// Searches the tiny space into `run`; more arguments may follow.
pub(crate) fn search(run: &Path, more: &[&str]) -> Output {
    let run = run.to_str().unwrap();
    nas(&[&["search", TINY, "--quiet", "--out", run, "-n", "1500"], more].concat())
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What a failing run says, which must be bad input and not a panic.
pub(crate) fn refusal(args: &[&str]) -> String {
    let output = nas(args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}
