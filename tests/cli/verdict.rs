//! What a run comes to once a device has spoken: in its text, its Markdown, its page and in a comparison.

use nas::report::{Measured, Report, Run, report_markdown, report_text};

use crate::{
    common::{nas, stdout},
    fixture::{base, new, save},
    page::checked,
};

fn measured(latency_ms: f64, device: &str) -> Measured {
    Measured {
        latency_ms,
        mad_ms: Some(0.001),
        samples_ms: vec![latency_ms - 0.001, latency_ms, latency_ms + 0.001],
        device: Some(device.into()),
        runner: Some("bench v1".into()),
    }
}

/// The fixture's run with its baseline and entries measured on one board, and chosen anew.
fn verified(mut report: Report, baseline_ms: f64, entries_ms: &[f64]) -> Report {
    report.baseline.measured = Some(measured(baseline_ms, "board 7"));
    for (entry, ms) in report.front.iter_mut().zip(entries_ms) {
        entry.measured = Some(measured(*ms, "board 7"));
    }
    report.choose();
    report
}

#[test]
fn a_prediction_is_called_one() {
    let text = report_text(&base());
    let line = text.lines().nth(1).unwrap();
    assert!(line.ends_with("% less latency, predicted"), "{line}");
    assert!(report_markdown(&base()).contains("% less latency**, predicted.\n"));
}

#[test]
fn text_and_markdown_tell_the_measured_gain_with_the_prediction_beside() {
    let report = verified(base(), 0.4, &[0.3]);
    insta::assert_snapshot!("verdict_text", report_text(&report));
    insta::assert_snapshot!("verdict_md", report_markdown(&report));
    let text = report_text(&report);
    assert!(
        text.contains("0.400 → 0.300 ms, 25.0 % less latency, measured on board 7 by bench v1 (predicted ")
    );
}

#[test]
fn the_card_tells_the_measured_gain_and_shows_both() {
    let report = verified(base(), 0.4, &[0.3]);
    let page = checked(&Run::of(report));
    assert!(page.contains(
        "0.400 → 0.300 ms <span class=\"better\">25.0 % less</span> <small>measured on board 7 by bench v1</small>"
    ));
    assert!(page.contains("<p class=\"soft\">Predicted ") && page.contains("0.300 ± 0.001 ms"));
    assert!(page.contains("Table: predicted and measured latencies"));
    assert!(!checked(&Run::of(base())).contains("measured latencies"));
}

#[test]
fn the_least_measured_is_chosen_where_the_device_disagrees() {
    let report = verified(base(), 0.4, &[0.35, 0.31]);
    assert_eq!(report.chosen, Some(1));
    let text = report_text(&report);
    assert!(text.contains("0.400 → 0.310 ms, 22.5 % less latency, measured on board 7"), "{text}");
    assert!(text.contains("  #0 was predicted to take least"), "{text}");
    assert!(text.contains("but took 0.350 ms; #1 took 0.310 ms\n"), "{text}");
    assert!(text.contains("least measured latency, #1: bbbb\n"), "{text}");
    let page = checked(&Run::of(report.clone()));
    assert!(page.contains("<p class=\"warning\">#0 was predicted to take least"));
    let again = {
        let mut again = report.clone();
        again.choose();
        again
    };
    assert_eq!(again, report, "choosing twice changes nothing");
}

#[test]
fn what_was_measured_elsewhere_or_not_at_all_decides_nothing() {
    let mut elsewhere = verified(base(), 0.4, &[0.35]);
    elsewhere.front[1].measured = Some(measured(0.1, "phone"));
    elsewhere.choose();
    assert_eq!(elsewhere.chosen, Some(0));
    let mut alone = base();
    alone.front[1].measured = Some(measured(0.1, "board 7"));
    alone.choose();
    assert_eq!(alone.chosen, Some(0), "nobody knows what #0 takes");
    let mut no_baseline = verified(base(), 0.4, &[0.3]);
    no_baseline.baseline.measured = Some(measured(0.4, "phone"));
    assert!(report_text(&no_baseline).lines().nth(1).unwrap().ends_with("predicted"));
}

#[test]
fn a_limit_on_the_latency_holds_for_what_was_measured() {
    let limited = |requirement: &str, entries_ms: &[f64]| {
        let mut report = base();
        report.requirement = format!("trainability >= baseline; {requirement}");
        let report = verified(report, 0.4, entries_ms);
        let text = report_text(&report);
        (report.chosen, text.contains("no entry keeps to the limit of 0.320 ms"))
    };
    assert_eq!(limited("latency_ms <= 0.32", &[0.35, 0.31]), (Some(1), false));
    assert_eq!(limited("latency_ms <= 0.32", &[0.35, 0.36]), (Some(0), true));
    assert_eq!(limited("latency_ms <= 0.8 x baseline", &[0.35, 0.36]), (Some(0), true));
    assert_eq!(limited("latency_ms <= baseline", &[0.35, 0.36]), (Some(0), false));
}

#[test]
fn a_comparison_is_headed_by_what_was_measured_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let compared = |old: &Report, now: &Report, form: &str| {
        let (old, now) = (save(old, &folder.path().join("old")), save(now, &folder.path().join("now")));
        stdout(&nas(&["compare", old.to_str().unwrap(), now.to_str().unwrap(), "--format", form]))
    };
    let (old, now) = (verified(base(), 0.4, &[0.35, 0.31]), verified(new(), 0.4, &[0.28, 0.29]));
    let text = compared(&old, &now, "text");
    let line = text.lines().next().unwrap();
    assert!(
        line.contains("latency 0.310 → 0.280 ms (−9.7 %), measured on board 7 by bench v1; predicted "),
        "{line}"
    );
    let json: serde_json::Value = serde_json::from_str(&compared(&old, &now, "json")).unwrap();
    assert_eq!(
        (&json["headline"][0]["id"], &json["headline"][0]["measured"]["latency_ms"]),
        (&"bbbb".into(), &0.31.into())
    );
    let text = compared(&old, &new(), "text");
    let line = text.lines().next().unwrap();
    assert!(!line.contains("measured"), "one side alone is no comparison: {line}");
    let json: serde_json::Value = serde_json::from_str(&compared(&old, &new(), "json")).unwrap();
    assert_eq!(json["headline"][0]["id"], "aaaa", "predicted numbers are set against predicted ones");
}
