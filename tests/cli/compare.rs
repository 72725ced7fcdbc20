//! `nas compare` as a CI job sees it.

use std::{fs, path::Path, process::Output};

use nas::report::{Report, Run, compare};

use crate::{
    common::{nas, refusal, stderr, stdout},
    fixture::{base, new, report, save},
};

/// What a form says, whatever version says it.
fn said(output: &Output) -> String {
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    stdout(output).replace(version, "\"version\": \"VERSION\"")
}

/// Compares two reports in run folders of their own.
fn compared(base: &Report, new: &Report, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (base, new) = (save(base, &folder.path().join("base")), save(new, &folder.path().join("new")));
    nas(&[&["compare", base.to_str().unwrap(), new.to_str().unwrap()], more].concat())
}

fn code(output: &Output) -> i32 {
    let code = output.status.code().unwrap();
    assert_ne!(code, 2, "{}", stderr(output));
    code
}

#[test]
fn every_form_is_as_it_was() {
    let gates = ["--max-regression", "2%", "--fail-if", "peak_activation_bytes>16KiB"];
    for form in ["text", "md", "json", "junit", "github-benchmark"] {
        let output = compared(&base(), &new(), &[&gates[..], &["--format", form]].concat());
        assert_eq!(code(&output), 1, "{form}");
        insta::assert_snapshot!(form, said(&output));
    }
}

#[test]
fn every_form_says_why_runs_cannot_be_compared() {
    let mut other = new();
    other.space.hash = "0ther".into();
    other.estimators[0].name = "another-<npu>".into();
    for form in ["text", "md", "json", "junit", "github-benchmark"] {
        let output = compared(&base(), &other, &["--format", form]);
        assert_eq!(code(&output), 3, "{form}");
        insta::assert_snapshot!(format!("not_comparable_{form}"), said(&output));
    }
}

#[test]
fn a_run_equals_itself() {
    let output = compared(&base(), &base(), &[]);
    assert_eq!(code(&output), 0);
    insta::assert_snapshot!(said(&output));
}

#[test]
fn more_latency_fails_unless_it_is_within_the_limit() {
    assert_eq!(code(&compared(&base(), &new(), &[])), 0, "less latency is no regression");
    assert_eq!(code(&compared(&new(), &base(), &[])), 1);
    assert_eq!(code(&compared(&new(), &base(), &["--max-regression", "2%"])), 1);
    assert_eq!(code(&compared(&new(), &base(), &["--max-regression", "80%"])), 0);
    assert_eq!(code(&compared(&new(), &base(), &["--max-regression", "1s"])), 0);
}

#[test]
fn each_condition_fails_on_its_own() {
    for (condition, failed) in [
        ("latency_ms>+80%", 0),
        ("trainability<-0.05", 1),
        ("trainability<-0.2", 0),
        ("params>1k", 1),
        ("hypervolume<-0.5%", 1),
        ("latency_reduction_pct<1%", 0),
    ] {
        let output = compared(&new(), &base(), &["--fail-if", condition]);
        assert_eq!(code(&output), failed, "{condition}: {}", stdout(&output));
    }
}

#[test]
fn what_may_differ_is_compared_nevertheless_and_said() {
    let mut other = new();
    other.estimators[0].hash = "0ther".into();
    other.hypervolume_reference = vec![2100.0, -3.5];
    assert_eq!(code(&compared(&base(), &other, &["--allow", "estimator"])), 3);
    let output = compared(&base(), &other, &["--allow", "estimator,reference"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("allowed to differ: estimator"), "{}", stdout(&output));
}

#[test]
fn a_search_that_found_nothing_is_a_regression_and_no_incomparable_run() {
    let mut nothing = report(Vec::new());
    nothing.hypervolume_reference.clear();
    let output = compared(&base(), &nothing, &["--max-regression", "90%"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("no architecture that meets the requirement"), "{}", stdout(&output));
    let output = compared(&nothing, &new(), &[]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("where BASE found nothing"), "{}", stdout(&output));
}

#[test]
fn several_forms_are_written_in_one_call() {
    let folder = tempfile::tempdir().unwrap();
    let (md, xml) = (folder.path().join("summary.md"), folder.path().join("gate.xml"));
    let (md_out, xml_out) = (format!("md={}", md.display()), format!("junit={}", xml.display()));
    let output = compared(&base(), &new(), &["--out", &md_out, "-o", &xml_out]);
    assert!(stdout(&output).starts_with("PASS"));
    assert!(fs::read_to_string(md).unwrap().contains("| latency"));
    assert!(fs::read_to_string(xml).unwrap().starts_with("<?xml"));
}

#[test]
fn reports_without_folders_are_compared_by_their_entries() {
    let folder = tempfile::tempdir().unwrap();
    let base = save(&base(), &folder.path().join("base")).join("report.json");
    let new = save(&new(), &folder.path().join("new"));
    let output = nas(&["compare", base.to_str().unwrap(), new.to_str().unwrap()]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("entries of the reports"), "{}", stdout(&output));
}

#[test]
fn a_front_of_another_search_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&base(), folder.path());
    fs::write(run.join("front.csv"), "id,latency_ms,trainability,genotype\naaaa,1,2,0\n").unwrap();
    let run = run.to_str().unwrap();
    assert!(refusal(&["compare", run, run]).contains("1 architectures where report.json counts 2"));
}

#[test]
fn wrong_conditions_are_refused_with_what_is_possible() {
    let compare = ["compare", "a", "b"];
    for (option, value, word) in [
        ("--fail-if", "latncy_ms>1", "did you mean `latency_ms`"),
        ("--fail-if", "latency_ms>2%", "a sign"),
        ("--max-regression", "2", "such as 2% or 50us"),
        ("--allow", "estimators", "did you mean `estimator`"),
        ("--out", "summary.md", "FORMAT=FILE"),
    ] {
        let said = refusal(&[&compare[..], &[option, value]].concat());
        assert!(said.contains(word), "{option} {value}: {said}");
    }
}

#[test]
fn a_difference_below_the_held_out_error_is_called_so_and_still_gates() {
    let folder = tempfile::tempdir().unwrap();
    let mut slower = base();
    slower.front[0].latency_ms *= 1.03;
    let load = |report: &Report, name: &str| Run::load(&save(report, &folder.path().join(name))).unwrap();
    let (base, new) = (load(&base(), "base"), load(&slower, "new"));
    let gate = compare::Condition::max_regression("2%").unwrap();
    let rules = compare::Rules { conditions: vec![gate], ..compare::Rules::default() };
    let comparison = compare::compare(&base, &new, &rules);
    assert_eq!((comparison.verdict, comparison.below_estimator_error), (compare::Verdict::Fail, Some(true)));
    let text = compare::comparison_text(&comparison, true);
    assert!(text.contains("is below the estimator's error of"), "{text}");
    assert!(text.contains("\u{1b}[1;31mFAIL\u{1b}[0m  door-bell"), "{text:?}");
    assert!(!compare::comparison_text(&comparison, false).contains('\u{1b}'));
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&base(), folder.path());
    assert_eq!(closed_pipe(&["compare", run.to_str().unwrap(), run.to_str().unwrap()]), Some(0));
}

/// Runs `nas` with a stdout whose reader is gone.
fn closed_pipe(args: &[&str]) -> Option<i32> {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("nas"))
        .args(args)
        .current_dir(Path::new("."))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait().unwrap().code()
}
