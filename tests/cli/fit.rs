//! `nas fit` as a user sees it: the report on stdout, talk on stderr.

use std::{fmt::Write as _, fs, path::Path};

use crate::common::{ESTIMATOR, nas, refusal, stderr, stdout};

/// Measurements of a device with 8 output lanes, at a speed in multiply-adds a microsecond.
fn measure(path: &Path, rows: u32, speed: f64) {
    let mut text = "op,in_h,in_w,cin,cout,kernel,stride,latency_us,device\n".to_owned();
    for row in 0..rows {
        let (side, cin, cout) = (4 + row * 7 % 29, 3 + row * 13 % 90, 3 + row * 29 % 150);
        let us = 2.0 + f64::from(side * side * cin * cout.next_multiple_of(8)) / speed;
        writeln!(text, "conv2d,{side},{side},{cin},{cout},1,1,{us:.3},toy").unwrap();
    }
    fs::write(path, text).unwrap();
}

/// Runs `nas fit` on `rows` rows in a fresh folder; more arguments may follow.
fn fit(rows: u32, more: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (csv, out) = (folder.path().join("m.csv"), folder.path().join("e.json"));
    measure(&csv, rows, 1e4);
    let output = nas(&[&["fit", csv.to_str().unwrap(), "-o", out.to_str().unwrap()], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (stdout(&output), stderr(&output))
}

#[test]
fn the_report_has_lanes_worst_rows_a_curve_and_what_it_cannot_know() {
    let (said, talk) = fit(400, &[]);
    assert!(said.contains("lanes: 8 output channels (certainty"), "{said}");
    assert!(said.contains("none found on input channels"), "{said}");
    assert!(said.contains("learning curve") && said.contains("twice as many"), "{said}");
    assert!(said.contains("worst rows, held out") && said.contains("m.csv"), "{said}");
    assert!(said.contains("warning: additivity is unknown"), "{said}");
    assert!(talk.contains("wrote") && !said.contains("wrote"), "{talk}");
}

#[test]
fn json_says_the_same() {
    let (said, _) = fit(400, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["schema"], "nas.fit-report/1");
    assert_eq!(report["lanes"]["output"]["lanes"], 8);
    assert_eq!(report["worst"].as_array().unwrap().len(), 10);
    assert_eq!(report["learning_curve"]["points"].as_array().unwrap().len(), 4);
    assert!(report["warnings"][0].as_str().unwrap().contains("additivity is unknown"));
    assert!(report["old"].is_null());
    let (said, _) = fit(400, &["--format", "json", "--no-learning-curve"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(report["learning_curve"].is_null() && report["quality"]["isolated"]["n"] == 400);
}

#[test]
fn an_old_estimator_is_compared_on_the_same_rows() {
    let (said, _) = fit(200, &["--no-learning-curve", "--old", ESTIMATOR]);
    assert!(said.contains("old (ethos-u55-128) to new"), "{said}");
    assert!(said.contains(" -> ") && !said.contains("has seen these rows"), "{said}");
}

#[test]
fn an_old_estimator_that_is_none_is_refused_before_the_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, out) = (folder.path().join("m.csv"), folder.path().join("e.json"));
    measure(&csv, 50, 1e4);
    let (csv, out_name) = (csv.to_str().unwrap(), out.to_str().unwrap());
    let said = refusal(&["fit", csv, "-o", out_name, "--old", csv]);
    assert!(said.contains("nas.estimator/1") && !out.exists(), "{said}");
}

#[test]
fn lanes_and_their_certainty_are_kept_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, out) = (folder.path().join("m.csv"), folder.path().join("e.json"));
    measure(&csv, 400, 1e4);
    nas(&["fit", csv.to_str().unwrap(), "-o", out.to_str().unwrap(), "--no-learning-curve"]);
    let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(file["lanes"]["output"]["lanes"], 8);
    let certainty = file["lanes"]["output"]["certainty"].as_f64().unwrap();
    assert!((0.9..=1.0).contains(&certainty), "{certainty}");
}
