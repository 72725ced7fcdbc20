//! `nas train`, with shell scripts in the place of a trainer.

use std::{fs, path::Path};

use serde_json::Value;

use crate::common::{nas, refusal, search, stderr, stdout};

fn report(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("report.json")).unwrap()).unwrap()
}

/// A trainer that gives the baseline 0.7, the fastest architecture 0.65, and all others 0.75.
fn trainer(run: &Path) -> String {
    let report = report(run);
    let id = |entry: &Value| entry["id"].as_str().unwrap().to_owned();
    let (baseline, fastest) = (id(&report["baseline"]), id(&report["front"][0]));
    format!(
        "sh -c 'case \"$(head -1 \"$0\")\" in *{baseline}*) a=0.7;; *{fastest}*) a=0.65;; *) a=0.75;; esac; \
         echo epoch 1; echo \"{{\\\"accuracy\\\": $a, \\\"metric\\\": \\\"top-1\\\"}}\"' {{model}}"
    )
}

#[test]
#[cfg(unix)]
fn accuracy_decides_which_finalist_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "300"]);
    let (path, command) = (run.to_str().unwrap(), trainer(&run));
    let train = |more: &[&str]| {
        let args = ["train", path, "--trainer-command", &command, "--finalists", "3", "--step", "0.02"];
        let made = nas(&[&args[..], more].concat());
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        (stdout(&made), stderr(&made))
    };
    assert_eq!(report(&run)["chosen"], 0);
    assert_eq!(train(&["--dry-run"]).0.lines().count(), 5, "a header, the baseline and three finalists");

    let (said, talk) = train(&[]);
    assert!(talk.contains("training baseline (1 of 4)\n  epoch 1\n"), "{talk}");
    assert!(said.contains("top-1 0.7000 → 0.7500, trained by sh -c") && said.contains("-0.0500"), "{said}");
    let chosen = report(&run)["chosen"].as_u64().unwrap();
    assert!(chosen > 0, "the fastest lost accuracy");
    assert_eq!(report(&run)["front"][chosen as usize]["trained"]["samples"], serde_json::json!([0.75]));
    let markdown = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(markdown.contains("## Trained\n") && markdown.contains("pairs.\n"), "{markdown}");
    let shown = stdout(&nas(&["report", path]));
    assert!(shown.contains(&format!("least latency at no less accuracy, #{chosen}")), "{shown}");
    let page = folder.path().join("page.html");
    assert!(nas(&["report", path, "-o", page.to_str().unwrap()]).status.success());
    assert!(fs::read_to_string(page).unwrap().contains("accuracy, trained"));

    let gate = |new: &Path, condition: &str| {
        let made = nas(&["compare", path, new.to_str().unwrap(), "--fail-if", condition]);
        (made.status.code(), stdout(&made))
    };
    let (code, said) = gate(&run, "accuracy<-1%");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("accuracy, trained") && said.contains("0.7500"), "by accuracy: {said}");
    let untrained = folder.path().join("untrained");
    search(&untrained, &["-n", "300"]);
    let (code, said) = gate(&untrained, "accuracy<-1%");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("NEW has no accuracy; train it with `nas train`"), "{said}");

    let (said, talk) = train(&["--tolerance", "0.05"]);
    assert!(!talk.contains("training"), "what was trained is not trained again: {talk}");
    assert!(said.contains("top-1 0.7000 → 0.6500"), "{said}");
    assert_eq!(report(&run)["chosen"], 0);
    assert!(train(&["--again", "-q"]).1.contains("training baseline (1 of 4)\ntraining #0"));
}

#[test]
#[cfg(unix)]
fn where_none_is_accurate_enough_the_verdict_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "300"]);
    let made = nas(&["train", &format!("{}#0", run.display()), "--trainer-command", &trainer(&run)]);
    let said = stdout(&made);
    assert!(said.contains("no entry is as accurate as the baseline; #0 lacks least, 0.0500"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_trainer_that_fails_leaves_the_run_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "300"]);
    let (path, before) = (run.to_str().unwrap(), report(&run));
    let refused = |command: &str, more: &[&str]| {
        refusal(&[&["train", path, "--trainer-command", command], more].concat())
    };
    let said = refused("sh -c 'echo out of memory >&2; exit 1' {model}", &[]);
    assert!(said.contains("nothing was trained") && said.contains("out of memory"), "{said}");
    assert!(refused("sh -c 'echo done' {model}", &[]).contains("{\"accuracy\": 0.73}"));
    assert!(refused("no-such-trainer {model}", &[]).contains("no-such-trainer"));
    assert!(refused("sh -c true", &[]).contains("{model}"));
    assert!(refused("sh -c true {model}", &["--repeats", "2"]).contains("{seed}"));
    assert!(refused("sh -c true {model}", &["--step", "0"]).contains("above zero"));
    assert!(refusal(&["train", "no-such-run", "--trainer-command", "sh {model}"]).contains("no-such-run"));
    assert_eq!(report(&run), before);
}
