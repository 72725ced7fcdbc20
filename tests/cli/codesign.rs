//! Several chips, some of them on paper only.

use std::{fs, path::Path};

use crate::common::{TINY, nas, refusal, stderr, stdout};
use nas::{
    estimator::Estimator,
    report::{CoDesign, Report},
    space::Space,
};

const SHEETS: &str = "estimators/datasheets";

/// The estimator of a shipped datasheet.
fn estimator(folder: &Path, name: &str) -> String {
    let (sheet, out) = (format!("{SHEETS}/{name}.json"), folder.join(format!("{name}.json")));
    let output = nas(&["fit", "--datasheet", &sheet, "-o", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    out.to_str().unwrap().to_owned()
}

/// The tiny space with channels that follow the estimator's lanes, and no estimator of its own.
fn space(folder: &Path) -> String {
    let mut value: serde_json::Value = serde_json::from_str(&fs::read_to_string(TINY).unwrap()).unwrap();
    value["target"] = serde_json::json!({ "parallelism": "estimator" });
    let path = folder.join("space.json");
    fs::write(&path, value.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_datasheet_gives_an_estimator_that_says_that_nothing_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let path = estimator(folder.path(), "lanes-16");
    let estimator = Estimator::load(Path::new(&path)).unwrap();
    assert_eq!((estimator.name(), estimator.parallelism()), ("lanes-16", 16));
    let said = refusal(&["fit", "--datasheet", "estimators/datasheets/lanes-16.json", "-o", &path]);
    assert!(said.contains("--force"), "{said}");
    let run = folder.path().join("run");
    let output = nas(&["search", TINY, "-q", "-e", &path, "-n", "200", "-o", run.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("analytic, from the datasheet lanes-16.json; nothing was measured"));
    let output = nas(&["estimate", &format!("{}#0", run.display())]);
    assert!(stderr(&output).contains("nothing was measured"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("outside the measured range"));
}

#[test]
fn a_wrong_datasheet_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (sheet, out) = (folder.path().join("chip.json"), folder.path().join("e.json"));
    let text = fs::read_to_string(format!("{SHEETS}/lanes-16.json")).unwrap();
    fs::write(&sheet, text.replace("\"rows\": 16", "\"rows\": 0")).unwrap();
    let (sheet, out) = (sheet.to_str().unwrap(), out.to_str().unwrap());
    let said = refusal(&["fit", "--datasheet", sheet, "-o", out]);
    assert!(said.contains("mac_array.rows: found 0"), "{said}");
    assert!(!Path::new(out).exists());
    refusal(&["fit", "-o", out]);
    let said = refusal(&["fit", "--datasheet", sheet, "--dtype", "int4", "-o", out]);
    assert!(said.contains("int8, fp16, fp32"), "{said}");
}

#[test]
fn channels_follow_the_lanes_of_the_estimator() {
    let folder = tempfile::tempdir().unwrap();
    let space = space(folder.path());
    for said in [refusal(&["space", &space]), refusal(&["search", &space, "-q", "-n", "10"])] {
        assert!(said.contains("--estimator"), "{said}");
    }
    let path = estimator(folder.path(), "lanes-32");
    let shown = stdout(&nas(&["space", &space, "-e", &path]));
    assert!(shown.contains("channels snap to multiples of 32"), "{shown}");
    let run = folder.path().join("run");
    let output = nas(&["search", &space, "-q", "-e", &path, "-n", "100", "-o", run.to_str().unwrap()]);
    assert!(stderr(&output).contains("multiples of 32, the lanes of lanes-32"), "{}", stderr(&output));
    let report = Report::load(&run.join("report.json")).unwrap();
    assert_eq!(report.parallelism, Some(32));
    assert_eq!(report.space.hash, Space::load_for(Path::new(&space), Some(32)).unwrap().hash());
    assert!(stdout(&output).contains("channels in multiples of 32"));
}

#[test]
fn an_estimator_without_a_staircase_snaps_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let space = space(folder.path());
    let sheet = folder.path().join("chip.json");
    let text = fs::read_to_string(format!("{SHEETS}/lanes-16.json")).unwrap();
    fs::write(&sheet, text.replace("\"rows\": 16, \"columns\": 16", "\"rows\": 1, \"columns\": 1")).unwrap();
    let path = folder.path().join("e.json");
    nas(&["fit", "--datasheet", sheet.to_str().unwrap(), "-o", path.to_str().unwrap()]);
    let output = nas(&["space", &space, "-e", path.to_str().unwrap()]);
    assert!(stderr(&output).contains("no staircase"), "{}", stderr(&output));
    assert!(stdout(&output).contains("multiples of 1\n"), "{}", stdout(&output));
}

#[test]
fn several_chips_are_compared_at_one_trainability() {
    let folder = tempfile::tempdir().unwrap();
    let space = space(folder.path());
    let chips = ["lanes-8", "lanes-32"].map(|name| estimator(folder.path(), name));
    let run = folder.path().join("run");
    let run_path = run.to_str().unwrap();
    let search = ["search", &space, "-q", "-e", &chips[0], "-e", &chips[1]];
    let output = nas(&[&search[..], &["-n", "600", "-o", run_path]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = CoDesign::load(&run.join("codesign.json")).unwrap();
    assert_eq!(table.chips.iter().map(|chip| chip.parallelism).collect::<Vec<_>>(), [8, 32]);
    assert_eq!(table.winner, Some(1), "{}", stdout(&output));
    let baselines = table.chips.iter().map(|chip| chip.baseline.trainability);
    assert!((table.trainability - baselines.fold(0.0, f64::max)).abs() < 1e-6);
    for chip in &table.chips {
        let best = chip.best.as_ref().unwrap();
        assert!(best.trainability >= table.trainability - 1e-5 && best.latency_ms < chip.baseline.latency_ms);
        // Each part is the search that it would be alone.
        let alone = folder.path().join("alone");
        let estimator = folder.path().join(format!("{}.json", chip.estimator.name));
        let options = ["-n", "600", "--force", "-o", alone.to_str().unwrap()];
        nas(&[&["search", &space, "-q", "-e", estimator.to_str().unwrap()][..], &options].concat());
        let bytes = |run: &Path| fs::read(run.join("report.json")).unwrap();
        assert_eq!(bytes(&alone), bytes(&run.join(&chip.estimator.name)));
    }
    let text = stdout(&output);
    assert_eq!(stdout(&nas(&["report", run_path])), text);
    assert!(text.contains("least latency"), "{text}");
    // A run that was interrupted before its second chip ends like one that was not.
    fs::remove_dir_all(run.join("lanes-32")).unwrap();
    let resumed = nas(&[&search[..], &["-n", "600", "--resume", run_path]].concat());
    assert_eq!(stdout(&resumed), text, "{}", stderr(&resumed));
    let said = refusal(&[&search[..], &["-n", "600", "-o", run_path]].concat());
    assert!(said.contains("--resume"), "{said}");
    let said = refusal(&["search", &space, "-q", "-e", &chips[0], "--resume", run_path]);
    assert!(said.contains("repeat all of its --estimator"), "{said}");
    let said = refusal(&["search", &space, "-q", "-e", &chips[0], "-e", &chips[0], "-n", "10"]);
    assert!(said.contains("two estimators are called lanes-8"), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_found_and_names_what_is_left() {
    use std::{process::Stdio, thread::sleep, time::Duration};
    let folder = tempfile::tempdir().unwrap();
    let chips = ["lanes-8", "lanes-32"].map(|name| estimator(folder.path(), name));
    let run = folder.path().join("run");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("nas"))
        .args(["search", "search-spaces/presence-detector.json", "-n", "1000000000", "-e", &chips[0], "-e"])
        .arg(&chips[1])
        .arg("--out")
        .arg(&run)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !run.join("lanes-8/checkpoint.json").exists() {
        sleep(Duration::from_millis(20));
        assert!(child.try_wait().unwrap().is_none(), "ended before it was interrupted");
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let table = CoDesign::load(&run.join("codesign.json")).unwrap();
    assert_eq!((table.chips.len(), table.unfinished), (1, vec!["lanes-8".to_owned(), "lanes-32".to_owned()]));
    assert!(run.join("lanes-8/report.json").exists() && !run.join("lanes-32").exists());
}
