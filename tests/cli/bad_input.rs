//! Bad input gets a clear word and exit code 2; nothing half-written stays behind.

use std::fs;

use crate::common::{ESTIMATOR, TINY, nas, refusal, search};

/// Writes `text` into a fresh folder and hands its path to `check`.
fn with_file(name: &str, text: &str, check: impl FnOnce(&str)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    check(path.to_str().unwrap());
}

#[test]
fn a_missing_file_is_named() {
    for command in [&["search", "no.json"][..], &["space", "no.json"], &["report", "no"]] {
        assert!(refusal(command).contains("cannot read no"), "{command:?}");
    }
    let said = refusal(&["estimate", "no.json", "-e", ESTIMATOR]);
    assert!(said.contains("cannot read no.json"), "{said}");
    let said = refusal(&["search", TINY, "-e", "no.json"]);
    assert!(said.contains("cannot read no.json"), "{said}");
}

#[test]
fn wrong_json_is_refused_with_its_place() {
    for (text, place) in
        [("", "valid"), ("{", ":1:1"), ("[1,2", ":1:1"), ("{}\n{}", ":2:1"), ("nonsense", ":1:1")]
    {
        with_file("space.json", text, |path| {
            let said = refusal(&["space", path]);
            assert!(said.contains(path), "{said}");
            assert!(text.is_empty() || said.contains(place), "{text:?}: {said}");
        });
    }
}

#[test]
fn a_network_is_no_space_and_an_estimator_no_network() {
    let said = refusal(&["space", ESTIMATOR]);
    assert!(said.contains("nas.space/1"), "{said}");
    let said = refusal(&["estimate", TINY, "-e", ESTIMATOR]);
    assert!(said.contains("nas.network/1"), "{said}");
    let said = refusal(&["search", TINY, "-e", TINY]);
    assert!(said.contains("nas.estimator/1") || said.contains("unknown field"), "{said}");
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_name() {
    let text = fs::read_to_string(TINY).unwrap().replace("\"repeats\"", "\"repeat\"");
    with_file("space.json", &text, |path| {
        let said = refusal(&["space", path]);
        assert!(said.contains("unknown field `repeat`") && said.contains("`repeats`"), "{said}");
        assert!(said.matches("unknown field").count() >= 3, "all at once: {said}");
    });
}

#[test]
fn an_unwritable_run_folder_is_refused_before_the_search() {
    with_file("file", "", |path| {
        let said = refusal(&["search", TINY, "-q", "--out", &format!("{path}/run")]);
        assert!(said.contains("cannot create"), "{said}");
    });
}

#[test]
fn an_entry_that_is_not_there_is_refused_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "200"]);
    let run = run.to_str().unwrap();
    let said = refusal(&["estimate", &format!("{run}#99")]);
    assert!(said.contains("no entry `99`") && said.contains("baseline"), "{said}");
    assert!(refusal(&["estimate", run]).contains("#baseline"));
    assert_eq!(nas(&["estimate", &format!("{run}#baseline")]).status.code(), Some(0));
}

#[test]
fn a_checkpoint_of_another_search_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["--seed", "1", "-n", "200"]);
    let said = refusal(&["search", TINY, "-q", "--resume", run.to_str().unwrap(), "--seed", "2"]);
    assert!(said.contains("checkpoint.json"), "{said}");
}

#[test]
fn a_refused_resume_leaves_the_run_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "200"]);
    let before = fs::read(run.join("estimator.json")).unwrap();
    let other = "search-spaces/robot-segmenter.json";
    refusal(&["search", other, "-q", "--resume", run.to_str().unwrap(), "-n", "300"]);
    assert_eq!(fs::read(run.join("estimator.json")).unwrap(), before);
}

#[test]
fn a_checkpoint_with_a_gene_out_of_range_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "200"]);
    let path = run.join("checkpoint.json");
    let sound: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for place in ["/archive/0/genotype/0", "/algorithm/members/0/genotype/0"] {
        let mut checkpoint = sound.clone();
        *checkpoint.pointer_mut(place).unwrap() = 250.into();
        fs::write(&path, checkpoint.to_string()).unwrap();
        let said = refusal(&["search", TINY, "-q", "--resume", run.to_str().unwrap(), "-n", "300"]);
        assert!(said.contains("checkpoint.json"), "{said}");
    }
}

#[test]
fn a_resume_without_a_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(&["search", TINY, "-q", "--resume", folder.path().to_str().unwrap()]);
    assert!(said.contains("no checkpoint.json"), "{said}");
}

const HEADER: &str = "op,in_h,in_w,cin,cout,kernel,stride,latency_us\n";

fn bad_measurements(csv: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("m.csv"), folder.path().join("e.json"));
    fs::write(&data, csv).unwrap();
    let said = refusal(&["fit", data.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert!(!out.exists(), "a failed fit leaves no file");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nor a temporary one");
    said
}

#[test]
fn impossible_measurements_are_refused_with_line_and_column() {
    for latency in ["NaN", "-1", "inf", "", "0", "fast"] {
        let said = bad_measurements(&format!("{HEADER}conv2d,8,8,3,8,3,1,5\nconv2d,8,8,3,8,3,1,{latency}\n"));
        assert!(said.contains("m.csv:3"), "{latency}: {said}");
    }
    let said = bad_measurements(&format!("{HEADER}conv3d,8,8,3,8,3,1,5\n"));
    assert!(said.contains("conv3d") && said.contains("conv2d"), "{said}");
    let said = bad_measurements(&format!("{HEADER}conv2d,0,8,3,8,3,1,5\n"));
    assert!(said.contains("in_h"), "{said}");
}

#[test]
fn empty_and_mixed_measurements_are_refused() {
    assert!(bad_measurements("").contains("m.csv"));
    assert!(bad_measurements(HEADER).contains("m.csv"));
    let said = bad_measurements("op,in_h,in_w,cin,cout,kernel,stride\nconv2d,8,8,3,8,3,1\n");
    assert!(said.contains("latency_us"), "{said}");
    let said = bad_measurements(
        "op,in_h,in_w,cin,cout,kernel,stride,latency_us,latency_ms\nconv2d,8,8,3,8,3,1,5,0.005\n",
    );
    assert!(said.contains("latency_us") && said.contains("latency_ms"), "{said}");
}

#[test]
fn a_fit_never_overwrites_unless_asked() {
    with_file("e.json", "precious", |path| {
        let said = refusal(&["fit", "m.csv", "-o", path]);
        assert!(said.contains("--force"), "{said}");
        assert_eq!(fs::read_to_string(path).unwrap(), "precious");
    });
}

#[test]
fn senseless_numbers_on_the_command_line_are_refused() {
    for args in
        [&["-n", "0"][..], &["--time", "0"], &["--time", "NaN"], &["--front", "0"], &["--algorithm", "best"]]
    {
        refusal(&[&["search", TINY, "-q"], args].concat());
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("nas"))
        .args(["space", "search-spaces/presence-detector.json", "--samples", "2000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
