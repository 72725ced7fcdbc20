//! `nas measure`: a device becomes a table that `nas fit` takes.

use std::{fs, path::Path};

use crate::common::{TINY, nas, refusal, search, stderr, stdout};

fn measure(out: &Path, more: &[&str]) -> std::process::Output {
    nas(&[&["measure", TINY, "-q", "-o", out.to_str().unwrap()], more].concat())
}

#[test]
fn a_device_becomes_a_table_with_graphs_and_provenance_and_is_not_measured_twice() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("fake.csv");
    let options = ["--runner", "fake", "--samples", "5", "--sorts", "operators,networks"];
    let made = measure(&table, &options);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let said = stdout(&made);
    assert!(said.contains("all is measured"), "{said}");
    assert!(said.contains("fake.csv --networks") && said.contains("fake.networks.jsonl -o EST"), "{said}");
    let graphs = fs::read_to_string(folder.path().join("fake.networks.jsonl")).unwrap();
    assert_eq!(graphs.lines().count(), 6, "five networks and the baseline");
    let targets = fs::read_to_string(folder.path().join("targets.json")).unwrap();
    assert!(targets.contains("measured with nas") && targets.contains("16 x 16 lanes"), "{targets}");
    let before = fs::read(&table).unwrap();
    let again = stdout(&measure(&table, &options));
    assert!(again.contains(" 0 measurements made"), "{again}");
    assert_eq!(fs::read(&table).unwrap(), before);
}

#[test]
fn a_dry_run_tells_what_would_be_measured_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("fake.csv");
    let said = stdout(&measure(&table, &["--runner", "fake", "--dry-run"]));
    assert!(said.contains("pointwise_conv2d") && said.contains("network"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(not(feature = "tract"))]
#[test]
fn a_binary_without_tract_says_how_to_build_one_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("cpu.csv");
    let said = refusal(&["measure", TINY, "-o", table.to_str().unwrap(), "--runner", "tract"]);
    assert!(said.contains("cargo install --path . --features tract"), "{said}");
    assert!(!table.exists());
}

#[cfg(feature = "tract")]
#[test]
fn tract_measures_this_processor() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("cpu.csv");
    let options = ["--runner", "tract", "--sorts", "operators,networks", "--samples", "1", "--max", "4"];
    let made = measure(&table, &[&options[..], &["--repeats", "1"]].concat());
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(!stdout(&made).contains("left out"), "{}", stdout(&made));
    let text = fs::read_to_string(&table).unwrap();
    assert_eq!(text.lines().skip(1).filter(|line| line.contains(",cpu-tract-")).count(), 4, "{text}");
    let targets = fs::read_to_string(folder.path().join("targets.json")).unwrap();
    assert!(targets.contains("\"tract 0.") && targets.contains(", 1 thread"), "{targets}");
}

#[cfg(unix)]
#[test]
fn a_program_is_run_without_a_shell_for_each_model() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("board.csv");
    let options =
        ["--runner", "command", "--device", "board", "--parser", "ms", "--max", "3", "--repeats", "1"];
    let command = ["--runner-command", "sh -c 'test -s \"$0\" && echo 1.5' {model}"];
    let made = measure(&table, &[&options[..], &command].concat());
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let text = fs::read_to_string(&table).unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.lines().skip(1).all(|line| line.contains(",1500,") && line.ends_with(",board,fp32")),
        "{text}"
    );
    let failing = ["--runner-command", "sh -c 'echo out of memory >&2; exit 3' {model}", "--force"];
    let said = stdout(&measure(&table, &[&options[..], &failing].concat()));
    assert!(said.contains("left out") && said.contains("out of memory"), "{said}");
    let late = ["--runner-command", "sh -c 'sleep 60' {model}", "--timeout", "0.2s", "--force"];
    let said = stdout(&measure(&table, &[&options[..], &late].concat()));
    assert!(said.contains("--timeout"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_program_is_given_tflite_models_where_it_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("board.csv");
    let copy = folder.path().join("copy");
    let command = format!("sh -c 'cp \"$0\" {}; echo 1.5' {{model}}", copy.display());
    let options =
        ["--runner", "command", "--device", "board", "--parser", "ms", "--max", "2", "--repeats", "1"];
    let tflite = ["--model-format", "tflite", "--runner-command", &command];
    for (more, ending) in
        [(&["--force"][..], ",board,int8"), (&["--dtype", "fp32", "--force"], ",board,fp32")]
    {
        let made = measure(&table, &[&options[..], &tflite, more].concat());
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        let text = fs::read_to_string(&table).unwrap();
        assert!(text.lines().skip(1).all(|line| line.ends_with(ending)), "{text}");
        let model = fs::read(&copy).unwrap();
        assert_eq!(&model[4..8], b"TFL3");
        fs::remove_file(folder.path().join("targets.json")).unwrap();
    }
    let refused = |more: &[&str]| {
        refusal(&[&["measure", TINY, "-o", table.to_str().unwrap(), "--runner", "fake"], more].concat())
    };
    assert!(refused(&["--dtype", "int8"]).contains("--runner command"));
    assert!(refused(&["--model-format", "tfl"]).contains("one of onnx, tflite"));
    let half = [&options[..], &tflite, &["--dtype", "fp16", "--force"]].concat();
    let said = stdout(&measure(&table, &half));
    assert!(said.contains("left out") && said.contains("--dtype int8"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_server_names_its_device_and_answers_model_after_model() {
    const HELLO: &str =
        r#"{"device":"board","accelerator":"chip","runtime":"r 1","threads":2,"dtype":"fp16"}"#;
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("board.csv");
    let server = |answer: &str| {
        let script = folder.path().join("server.sh");
        fs::write(&script, format!("echo '{HELLO}'\nwhile read line; do {answer}; done\n")).unwrap();
        let command = format!("sh {}", script.display());
        let options = ["--runner", "server", "--max", "3", "--repeats", "1", "--timeout", "5s", "--force"];
        measure(&table, &[&options[..], &["--runner-command", &command]].concat())
    };
    let made = server(r#"echo '{"latency_us":[5,7,6]}'"#);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let text = fs::read_to_string(&table).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(",6,1,1,5;7;6,board,fp16")).count(), 3, "{text}");
    assert!(fs::read_to_string(folder.path().join("targets.json")).unwrap().contains("r 1, 2 threads"));
    let said = stdout(&server(r#"echo '{"error":"no kernel"}'"#));
    assert!(said.contains("no kernel"), "{said}");
    let said = stdout(&server(r#"echo '{"latency_us":[0]}'"#));
    assert!(said.contains("a time of 0 us"), "{said}");
    let ended = server("echo sad >&2; exit 1");
    assert_eq!(ended.status.code(), Some(2));
    assert!(stderr(&ended).contains("ended") && stderr(&ended).contains("sad"), "{}", stderr(&ended));
    let said =
        stdout(&server(r#"echo '{"latency_us":[5],"nodes":[{"name":"nobody","op":"Conv","us":[5]}]}'"#));
    assert!(said.contains("left out") && said.contains("nobody"), "{said}");
}

#[test]
fn a_runner_that_cannot_work_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("a.csv");
    let refused =
        |more: &[&str]| refusal(&[&["measure", TINY, "-o", table.to_str().unwrap()], more].concat());
    assert!(refused(&["--runner", "command"]).contains("--runner-command"));
    assert!(refused(&["--runner", "command", "--runner-command", "run {model}"]).contains("--device"));
    let no_place = ["--runner", "command", "--runner-command", "run", "--device", "d"];
    assert!(refused(&no_place).contains("{model}"));
    assert!(
        refused(&["--runner", "server", "--runner-command", "no-such-program"]).contains("no-such-program")
    );
    assert!(refused(&["--runner", "server", "--runner-command", "echo hello"]).contains("JSON"));
    assert!(refused(&["--runner", "fake", "--budget", "10"]).contains("10m"));
    assert!(!table.exists());
}

#[test]
fn what_was_found_is_measured_beside_what_was_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "300"]);
    let table = folder.path().join("verify.csv");
    let verify = |run: &str| {
        nas(&["measure", run, "--verify", "-q", "-o", table.to_str().unwrap(), "--runner", "fake"])
    };
    let made = verify(run.to_str().unwrap());
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let said = stdout(&made);
    assert!(said.contains("measured ms") && said.contains("baseline") && said.contains("#0"), "{said}");
    let report = |run: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(run.join("report.json")).unwrap()).unwrap()
    };
    let saved = report(&run);
    let measured = saved["baseline"]["measured"]["latency_ms"].as_f64().unwrap();
    assert!(measured > 0.0 && saved["front"][0]["measured"]["latency_ms"].as_f64().unwrap() < measured);
    assert!(saved["front"][1]["measured"].is_null());
    assert_eq!(
        fs::read_to_string(&table).unwrap().matches("network,,").count(),
        6,
        "two networks, three times"
    );
    let markdown = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(markdown.contains("less latency**, measured on fake by "), "{markdown}");
    assert!(said.contains("less latency, measured on fake by ") && said.contains("(predicted "), "{said}");
    let shown = stdout(&nas(&["report", run.to_str().unwrap()]));
    assert!(shown.contains("\nmeasured\n"), "{shown}");
    let other = verify(&format!("{}#1", run.to_str().unwrap()));
    assert_eq!(other.status.code(), Some(0), "{}", stderr(&other));
    assert!(report(&run)["front"][1]["measured"]["latency_ms"].as_f64().is_some());
    assert!(
        refusal(&["measure", TINY, "--verify", "-o", "no.csv", "--runner", "fake"]).contains("nas.report/1")
    );
}

#[test]
fn what_an_estimator_knows_least_about_is_measured_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (base, est, out) = (path("base.csv"), path("est.json"), path("more.csv"));
    let known = ["--runner", "fake", "--samples", "12", "--sorts", "operators,networks"];
    assert!(measure(Path::new(&base), &known).status.success());
    let graphs = path("base.networks.jsonl");
    let fitted = nas(&["fit", &base, "--networks", &graphs, "-o", &est, "--no-learning-curve"]);
    assert!(fitted.status.success(), "{}", stderr(&fitted));
    let model = "tests/data/profiles/mobilenet-v2.json";
    let options = ["--runner", "fake", "--sorts", "operators", "--where-uncertain", "-e", &est];
    let dry = nas(&[&["measure", model, "-o", &out, "--dry-run"], &options[..]].concat());
    let said = stdout(&dry);
    assert!(said.contains("in_h 112 is outside the measured range"), "{said}");
    assert!(stderr(&dry).contains("outside what fake was fitted to, and come first"), "{}", stderr(&dry));
    let more = ["--max", "3", "--repeats", "1", "-q"];
    assert!(nas(&[&["measure", model, "-o", &out], &options[..], &more].concat()).status.success());
    let text = fs::read_to_string(&out).unwrap();
    let sizes: Vec<&str> = text.lines().skip(1).map(|row| row.split(',').nth(1).unwrap()).collect();
    assert_eq!(sizes, ["112", "224", "56"], "what is larger than any picture of the tiny space: {text}");
    let own = ["-e", &est, "--where-uncertain", "--dry-run", "--runner", "fake", "--samples", "12"];
    let said = stderr(&measure(Path::new(&path("own.csv")), &own));
    assert!(said.contains("0 of "), "its own networks were all measured: {said}");
    let without = ["measure", model, "-o", &out, "--where-uncertain", "--runner", "fake"];
    assert!(refusal(&without).contains("--estimator"));
}
