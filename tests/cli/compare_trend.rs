//! `nas compare` with more than two runs.

use std::{path::Path, process::Output};

use assert_cmd::Command;
use nas::report::Report;

use crate::{
    common::stdout,
    fixture::{base, new, report, save},
};

/// Compares `runs` in folders `run-1`, `run-2` …
fn followed(runs: &[Report], more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (1..=runs.len()).map(|number| format!("run-{number}")).collect();
    for (name, run) in names.iter().zip(runs) {
        save(run, &folder.path().join(name));
    }
    in_folder(folder.path(), &names, more)
}

fn in_folder(folder: &Path, names: &[String], more: &[&str]) -> Output {
    let mut command = Command::cargo_bin("nas").unwrap();
    command.current_dir(folder).arg("compare").args(names).args(more).output().unwrap()
}

/// `base` with a headline that takes `factor` times as long.
fn slower(factor: f64) -> Report {
    let mut run = base();
    run.front[0].latency_ms = (run.front[0].latency_ms * factor * 1e6).round() / 1e6;
    run
}

#[test]
fn every_form_of_a_trend_is_as_it_was() {
    for form in ["text", "md", "json", "junit", "github-benchmark"] {
        let runs = [base(), slower(1.01), slower(1.03), new()];
        let output = followed(&runs, &["--max-regression", "2%", "--format", form]);
        assert_eq!(output.status.code(), Some(0), "{form}");
        let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
        insta::assert_snapshot!(
            format!("trend_{form}"),
            stdout(&output).replace(version, "\"version\": \"VERSION\"")
        );
    }
}

#[test]
fn slow_drift_fails_against_the_first_and_passes_against_the_previous() {
    let runs = [base(), slower(1.015), slower(1.03)];
    assert_eq!(followed(&runs, &["--max-regression", "2%"]).status.code(), Some(1));
    let output = followed(&runs, &["--max-regression", "2%", "--against", "previous"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("BASE is run-2, NEW is run-3"), "{}", stdout(&output));
}

#[test]
fn one_run_that_is_unlike_the_others_makes_all_incomparable() {
    let mut other = new();
    other.space.hash = "0ther".into();
    for form in ["text", "md", "json", "junit", "github-benchmark"] {
        let output = followed(&[base(), other.clone(), new()], &["--format", form]);
        assert_eq!(output.status.code(), Some(3), "{form}");
        insta::assert_snapshot!(format!("trend_not_comparable_{form}"), {
            let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
            stdout(&output).replace(version, "\"version\": \"VERSION\"")
        });
    }
    let output = followed(&[base(), other, new()], &["--allow", "space"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("allowed to differ: space"), "{}", stdout(&output));
}

#[test]
fn a_run_that_found_nothing_hides_no_difference_between_the_others() {
    let mut nothing = report(Vec::new());
    nothing.hypervolume_reference.clear();
    let mut other = new();
    other.hypervolume_reference = vec![2100.0, -3.5];
    let output = followed(&[nothing.clone(), base(), other], &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert!(stdout(&output).contains("in run-2"), "{}", stdout(&output));
    let output = followed(&[base(), nothing, new()], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn no_report_is_overwritten_and_no_file_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a".to_owned(), "b".to_owned()];
    save(&base(), &folder.path().join("a"));
    save(&new(), &folder.path().join("b"));
    for (outputs, word) in [
        (&["--out", "json=a/report.json"][..], "what is compared"),
        (&["--output", "md=x.md", "--output", "text=./x.md"][..], "given twice"),
    ] {
        let output = in_folder(folder.path(), &names, outputs);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(word), "{said}");
    }
    let output = in_folder(folder.path(), &names, &["--output", "md=x.md", "--output", "junit=y.xml"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(folder.path().join("x.md").exists() && folder.path().join("y.xml").exists());
}
