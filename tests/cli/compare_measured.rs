//! `nas compare` where a device has spoken.

use std::process::Output;

use nas::report::{Measured, Report};

use crate::{
    common::{nas, refusal, stdout},
    fixture::{base, new, save},
};

/// Samples around `median_ms` that differ by a few parts of a thousand, each once.
fn samples(median_ms: f64, count: usize) -> Vec<f64> {
    let middle = (count as f64 - 1.0) / 2.0;
    (0..count).map(|index| median_ms * (1.0 + 0.002 * (index as f64 - middle))).collect()
}

/// `report` with its headline measured on `device`.
fn measured(mut report: Report, device: &str, samples_ms: Vec<f64>) -> Report {
    report.front[0].measured = Some(Measured {
        latency_ms: 0.2,
        mad_ms: Some(0.001),
        samples_ms,
        device: Some(device.to_owned()),
        runner: Some("bench v1".into()),
    });
    report
}

fn compared(base: &Report, new: &Report, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (base, new) = (save(base, &folder.path().join("base")), save(new, &folder.path().join("new")));
    nas(&[&["compare", base.to_str().unwrap(), new.to_str().unwrap()], more].concat())
}

fn version_free(output: &Output) -> String {
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    stdout(output).replace(version, "\"version\": \"VERSION\"")
}

#[test]
fn every_form_shows_medians_p_and_n() {
    let (base, new) =
        (measured(base(), "board", samples(0.2, 12)), measured(new(), "board", samples(0.205, 15)));
    for form in ["text", "md", "json", "junit", "github-benchmark"] {
        let output = compared(&base, &new, &["--max-regression", "2%", "--format", form]);
        assert_eq!(output.status.code(), Some(1), "{form}");
        insta::assert_snapshot!(format!("measured_{form}"), version_free(&output));
    }
}

#[test]
fn a_measured_change_gates_only_if_significant_and_over_the_limit() {
    let old = measured(base(), "board", samples(0.2, 12));
    let code = |median_ms: f64, count: usize, more: &[&str]| {
        let output = compared(&old, &measured(new(), "board", samples(median_ms, count)), more);
        (output.status.code(), stdout(&output))
    };
    // Significant, but within the limit; then over it; then over it, but from too few samples to tell.
    assert_eq!(code(0.205, 12, &["--max-regression", "5%"]).0, Some(0));
    assert_eq!(code(0.220, 12, &["--max-regression", "5%"]).0, Some(1));
    let (status, text) = code(0.220, 2, &["--max-regression", "5%", "--significance", "0.01"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("not significant, p = 0.0220, n = 12 and 2"), "{text}");
    assert!(text.contains("warning: NEW has 2 measured samples; take at least 10"), "{text}");
    // A limit on the value itself needs no test.
    assert_eq!(code(0.220, 2, &["--fail-if", "measured_latency_ms>0.21"]).0, Some(1));
    // Faster is no regression.
    assert_eq!(code(0.150, 12, &[]).0, Some(0));
}

#[test]
fn predicted_latencies_are_still_compared_exactly() {
    let (old, now) =
        (measured(new(), "board", samples(0.2, 12)), measured(base(), "board", samples(0.2, 12)));
    let output = compared(&old, &now, &["--max-regression", "2%"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("no change"), "{text}");
}

#[test]
fn a_limit_on_what_was_not_measured_is_no_pass() {
    let output = compared(&base(), &new(), &["--fail-if", "measured_latency_ms>+2%"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("NEW has no measured samples"), "{}", stdout(&output));
}

#[test]
fn another_device_or_runner_is_said() {
    let old = measured(base(), "board", samples(0.2, 12));
    let other = measured(new(), "phone", samples(0.1, 12));
    let output = compared(&old, &other, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("differs: device: board in BASE, phone in NEW"), "{}", stdout(&output));
    assert_eq!(compared(&old, &other, &["--allow", "device"]).status.code(), Some(0));
    let mut runner = measured(new(), "board", samples(0.1, 12));
    runner.front[0].measured.as_mut().unwrap().runner = Some("bench v2".into());
    let text = stdout(&compared(&old, &runner, &[]));
    assert!(
        text.contains("warning: measured by different runners: bench v1 in BASE, bench v2 in NEW"),
        "{text}"
    );
}

#[test]
fn measurements_may_lack_all_but_the_latency_and_none_may_be_nonsense() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&measured(base(), "board", vec![0.2]), folder.path());
    let file = run.join("report.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let begin = text.find("\"measured\": {").unwrap();
    let end = begin + text[begin..].find('}').unwrap() + 1;
    let with = |measured: &str| {
        std::fs::write(&file, format!("{}{measured}{}", &text[..begin], &text[end..])).unwrap();
        [run.to_str().unwrap(), run.to_str().unwrap()]
    };
    let [one, two] = with("\"measured\": {\"latency_ms\": 0.2}");
    assert_eq!(nas(&["compare", one, two]).status.code(), Some(0));
    let [one, two] = with("\"measured\": {\"latency_ms\": -1, \"samples_ms\": [0.2, 0.0]}");
    let said = refusal(&["compare", one, two]);
    for part in ["front[0].measured.latency_ms: found -1", "front[0].measured.samples_ms[1]: found 0"] {
        assert!(said.contains(part), "{said}");
    }
    let [one, two] = with("\"measured\": {\"latency_ms\": 0.2, \"sampels_ms\": []}");
    assert!(refusal(&["compare", one, two]).contains("sampels_ms"));
}

#[test]
fn a_significance_is_a_probability() {
    for value in ["0", "1", "5%", "-0.1", "nan"] {
        let said = refusal(&["compare", "a", "b", &format!("--significance={value}")]);
        assert!(said.contains("a probability between 0 and 1"), "{value}: {said}");
    }
}
