//! The main job, as a user sees it.

use std::{fs, path::Path};

use crate::common::{TINY, nas, refusal, search, stderr, stdout};
use nas::{report::Report, space::Architecture};

fn report(run: &Path) -> Report {
    Report::load(&run.join("report.json")).unwrap()
}

#[test]
fn a_search_finds_faster_architectures_that_are_no_less_trainable() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = search(&run, &["--ablate"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = report(&run);
    assert!(report.front.len() >= 5, "{} entries", report.front.len());
    assert!(report.front[0].latency_ms < report.baseline.latency_ms);
    for entry in &report.front {
        assert!(entry.trainability >= report.baseline.trainability);
        assert!(entry.latency_ms_low <= entry.latency_ms && entry.latency_ms <= entry.latency_ms_high);
        let architecture = Architecture::parse(&entry.blocks).unwrap();
        assert_eq!(architecture.network(&entry.id).unwrap(), entry.network);
    }
    let names: Vec<&str> = report.ablation.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["baseline", "depth multiplier only", "fusion only", "both", "all genes"]);
    let latencies: Vec<f64> = report.ablation.iter().filter_map(|row| row.latency_ms).collect();
    assert!(latencies.windows(2).all(|pair| pair[0] >= pair[1] || latencies[3] <= pair[0]), "{latencies:?}");
    for file in ["report.md", "front.csv", "checkpoint.json", "estimator.json"] {
        assert!(run.join(file).exists(), "{file}");
    }
}

#[test]
fn entries_of_the_front_differ_and_are_sorted_by_latency() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &[]);
    let report = report(&run);
    for pair in report.front.windows(2) {
        assert!(pair[0].latency_ms < pair[1].latency_ms && pair[0].trainability < pair[1].trainability);
        assert_ne!(pair[0].blocks, pair[1].blocks);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |threads: &str| {
        let run = folder.path().join(threads);
        assert!(search(&run, &["-j", threads, "--seed", "7", "--ablate"]).status.success());
        ["report.json", "report.md", "front.csv"].map(|file| fs::read(run.join(file)).unwrap())
    };
    let one = bytes("1");
    assert_eq!(bytes("2"), one);
    assert_eq!(bytes("8"), one);
}

#[test]
fn another_seed_gives_another_search() {
    let folder = tempfile::tempdir().unwrap();
    let front = |seed: &str| {
        let run = folder.path().join(seed);
        search(&run, &["--seed", seed, "-n", "200"]);
        fs::read(run.join("front.csv")).unwrap()
    };
    assert_ne!(front("1"), front("2"));
}

#[test]
fn a_resumed_search_ends_like_one_that_was_never_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    for algorithm in ["nsga2", "regularized-evolution", "random"] {
        search(&whole, &["--algorithm", algorithm, "-n", "1200", "--force"]);
        search(&parts, &["--algorithm", algorithm, "-n", "1200", "--time", "0.000001", "--force"]);
        assert!(report(&parts).evaluations < 1200, "it was interrupted");
        let resume = ["search", TINY, "-q", "--resume", parts.to_str().unwrap()];
        let output = nas(&[&resume[..], &["--algorithm", algorithm, "-n", "1200"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let front = |run: &Path| fs::read_to_string(run.join("front.csv")).unwrap();
        assert_eq!(front(&whole), front(&parts), "{algorithm}");
    }
}

#[test]
fn results_are_not_overwritten_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &[]);
    let before = fs::read(run.join("report.json")).unwrap();
    let said = refusal(&["search", TINY, "-q", "--out", run.to_str().unwrap(), "-n", "50"]);
    assert!(said.contains("--force") && said.contains("--resume"), "{said}");
    assert_eq!(fs::read(run.join("report.json")).unwrap(), before);
}

fn tiny_with(folder: &Path, from: &str, to: &str) -> String {
    let text = fs::read_to_string(TINY).unwrap();
    assert!(text.contains(from));
    let estimator = fs::canonicalize(crate::common::ESTIMATOR).unwrap();
    let text = text.replace("../../estimators/ethos-u55-128.json", estimator.to_str().unwrap());
    let path = folder.join("space.json");
    fs::write(&path, text.replace(from, to)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn nothing_feasible_is_a_result_with_exit_code_1_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let space = tiny_with(
        folder.path(),
        "\"baseline\"",
        "\"constraints\": { \"params\": { \"max\": 10 } }, \"baseline\"",
    );
    let run = folder.path().join("run");
    let output = nas(&["search", &space, "-q", "--out", run.to_str().unwrap(), "-n", "300"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("params <= 10"), "{}", stderr(&output));
    let report = report(&run);
    assert_eq!((report.front.len(), report.chosen), (0, None));
}

#[test]
fn constraints_hold_for_every_entry() {
    let folder = tempfile::tempdir().unwrap();
    let constraints = "\"constraints\": { \"peak_activation_bytes\": { \"max_of_baseline\": 0.8 },
        \"trainability\": { \"min\": 0 } }, \"baseline\"";
    let space = tiny_with(folder.path(), "\"baseline\"", constraints);
    let run = folder.path().join("run");
    let output = nas(&["search", &space, "-q", "--out", run.to_str().unwrap(), "-n", "500"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = report(&run);
    let limit = 0.8 * report.baseline.peak_activation_bytes.0 as f64;
    assert!(report.front.iter().all(|entry| entry.peak_activation_bytes.0 as f64 <= limit));
}

#[test]
fn a_small_space_is_searched_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(TINY).unwrap();
    let small = text
        .replace("[64, 96]", "64")
        .replace("\"kernel\": [3, 5]", "\"kernel\": 3")
        .replace("\"expansion\": [2, 4, 6]", "\"expansion\": 6")
        .replace("\"fused\": [false, true]", "\"fused\": false")
        .replace("../../", &format!("{}/", std::env::current_dir().unwrap().display()));
    let path = folder.path().join("small.json");
    fs::write(&path, small).unwrap();
    let run = folder.path().join("run");
    let output = nas(&["search", path.to_str().unwrap(), "-q", "--out", run.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(report(&run).termination, "space exhausted");
}

#[test]
fn the_result_is_on_stdout_in_the_form_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let json = stdout(&search(&run, &["--format", "json"]));
    assert_eq!(json, fs::read_to_string(run.join("report.json")).unwrap());
    let path = run.to_str().unwrap();
    let markdown = stdout(&nas(&["report", path, "--format", "md"]));
    assert_eq!(markdown, fs::read_to_string(run.join("report.md")).unwrap());
    assert!(stdout(&nas(&["report", path])).contains("baseline"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_reports() {
    use std::{process::Stdio, thread::sleep, time::Duration};
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let nas = assert_cmd::cargo::cargo_bin("nas");
    let mut child = std::process::Command::new(nas)
        .args(["search", "search-spaces/presence-detector.json", "-n", "1000000000", "--out"])
        .arg(&run)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !run.join("checkpoint.json").exists() {
        sleep(Duration::from_millis(20));
        assert!(child.try_wait().unwrap().is_none(), "ended before it was interrupted");
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(report(&run).termination, "cancelled");
}
