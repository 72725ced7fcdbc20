//! Asking what networks cost.

use std::fs;

use crate::common::{ESTIMATOR, TINY, nas, search, stderr, stdout};

#[test]
fn a_jsonl_of_drawn_networks_gives_one_estimate_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nets.jsonl");
    let drawn = nas(&["space", TINY, "--samples", "3", "--format", "jsonl"]);
    fs::write(&path, &drawn.stdout).unwrap();
    let text = stdout(&nas(&["estimate", path.to_str().unwrap(), "-e", ESTIMATOR, "--format", "json"]));
    assert_eq!(text.lines().count(), 3);
    for line in text.lines() {
        let estimate: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(estimate["schema"], "nas.estimate/1");
        let layers = estimate["layers"].as_array().unwrap();
        let sum: f64 = layers.iter().map(|layer| layer["latency_ms"].as_f64().unwrap()).sum();
        let total = estimate["latency_ms"].as_f64().unwrap();
        assert!(sum <= total + 1e-3 && total > 0.0, "layers {sum}, network {total}");
        assert!(layers.iter().all(|layer| !layer["reason"].as_str().unwrap().is_empty()));
    }
}

#[test]
fn an_entry_of_a_run_costs_what_the_report_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &[]);
    let report = nas::report::Report::load(&run.join("report.json")).unwrap();
    let model = format!("{}/report.json#0", run.display());
    let estimate: serde_json::Value =
        serde_json::from_str(&stdout(&nas(&["estimate", &model, "--format", "json"]))).unwrap();
    assert_eq!(estimate["latency_ms"], report.front[0].latency_ms);
    assert_eq!(estimate["trainability"], report.front[0].trainability);
    let table = stdout(&nas(&["estimate", &model]));
    assert!(table.contains("stem") && table.contains("why"), "{table}");
}

#[test]
fn a_model_in_another_number_format_than_the_estimator_gets_a_hint_that_helps() {
    let model = "tests/models/mobilenet_v2-script17.onnx";
    let estimator = ["-e", "estimators/ethos-u55-128.json"];
    let plain = nas(&[&["estimate", model], &estimator[..]].concat());
    assert!(
        stderr(&plain).contains("is fp32, and the estimator was fitted to int8; --dtype int8"),
        "{}",
        stderr(&plain)
    );
    let helped = nas(&[&["estimate", model, "--dtype", "int8"], &estimator[..]].concat());
    assert!(helped.status.success() && !stderr(&helped).contains("hint"), "{}", stderr(&helped));
    assert_ne!(stdout(&plain), stdout(&helped));
    let onto = nas(&[&["estimate", model], &["-e", "estimators/cpu-ort-x86.json"][..]].concat());
    assert!(!stderr(&onto).contains("hint"), "fp32 on fp32: {}", stderr(&onto));
    let folder = tempfile::tempdir().unwrap();
    let space = folder.path().join("space.json");
    let import = |more: &[&str]| {
        let space = space.to_str().unwrap();
        stderr(&nas(&[&["import", model, "-o", space, "--force"], &estimator[..], more].concat()))
    };
    assert!(import(&[]).contains("--dtype int8"));
    assert!(!import(&["--dtype", "int8"]).contains("hint"));
}
