//! Names that a terminal would obey, folders that are no runs, and places that are said once.

use std::{fs, path::Path};

use crate::{
    common::{ESTIMATOR, TINY, nas, refusal, stderr, stdout},
    fixture::{base, save},
};

/// What clears a screen, and the same as it stands in JSON.
const CLEAR: &str = "\u{1b}[2J";
const CLEAR_JSON: &str = "\\u001b[2J";

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn assert_harmless(said: &str) {
    assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "{said:?}");
}

#[test]
fn names_with_control_characters_are_refused_where_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let space = fs::read_to_string(TINY).unwrap().replace("\"tiny\"", &format!("\"ti{CLEAR_JSON}ny\""));
    let said = refusal(&["space", &written(folder.path(), "space.json", &space)]);
    assert!(
        said.contains("name: found \"ti\\u{1b}[2Jny\", expected a name without control characters"),
        "{said}"
    );
    let estimator = fs::read_to_string(ESTIMATOR).unwrap();
    let estimator = estimator.replace("\"name\": \"", &format!("\"name\": \"{CLEAR_JSON}"));
    let said = refusal(&["search", TINY, "-e", &written(folder.path(), "e.json", &estimator)]);
    assert!(said.contains("name: found \"\\u{1b}[2Jethos-u55-128\" with control characters"), "{said}");
    let network = "{\"schema\":\"nas.network/1\",\"name\":\"n\",\"input\":{\"h\":8,\"w\":8,\"c\":3},\"layers\":[{\"name\":\"a\\nb\",\
                   \"op\":\"conv2d\",\"inputs\":[\"input\"],\"cout\":8,\"kernel\":3,\"stride\":1}]}";
    let said = refusal(&["estimate", &written(folder.path(), "n.json", network), "-e", ESTIMATOR]);
    assert!(said.contains("layers[0].name: found \"a\\nb\""), "{said}");
    let mut report = base();
    report.front[0].layers[1].name = format!("x{CLEAR}");
    report.space.name = "door\u{202e}bell".into();
    let run = save(&report, &folder.path().join("run"));
    let said = refusal(&["report", run.to_str().unwrap()]);
    assert!(
        said.contains("space.name: found \"door\\u{202e}bell\"") && said.contains("front[0].layers[1].name"),
        "{said}"
    );
    assert_harmless(&said);
}

#[test]
fn what_else_is_shown_commands_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut report = base();
    report.provenance = format!("measured{CLEAR} at home\u{7}");
    report.front[0].layers[0].reason = format!("slow{CLEAR}");
    let run = save(&report, folder.path());
    let run = run.to_str().unwrap();
    let text = stdout(&nas(&["report", run]));
    assert!(text.contains("latency: measured?[2J at home?\n"), "{text:?}");
    assert_harmless(&text);
    for name in ["page.html", "page.md", "page.txt"] {
        let page = folder.path().join(name);
        assert!(nas(&["report", run, "-o", page.to_str().unwrap()]).status.success());
        assert_harmless(&fs::read_to_string(&page).unwrap());
    }
    let said = refusal(&["estimate", &format!("{run}#{CLEAR}")]);
    assert!(said.contains("no entry `?[2J`"), "{said:?}");
    assert_harmless(&said);
}

#[test]
fn a_folder_that_is_no_run_is_called_so_with_what_a_run_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let entry = format!("{path}#0");
    for command in
        [&["estimate", path][..], &["estimate", &entry], &["report", path], &["compare", path, path]]
    {
        let said = refusal(command);
        assert!(said.contains("is no run folder, since it holds no report.json"), "{command:?}: {said}");
        assert!(said.contains("`nas search --out`"), "{said}");
    }
    written(folder.path(), "codesign.json", "{}");
    assert!(refusal(&["estimate", path]).contains("searches for several chips"));
}

#[test]
fn a_place_in_a_report_or_estimator_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&base(), folder.path());
    let file = run.join("report.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"seed\": 3", "\"seed\": \"three\"", 1)).unwrap();
    let said = refusal(&["report", run.to_str().unwrap()]);
    assert!(
        said.contains("seed: found invalid type: string \"three\", expected u64, expected a nas.report/1"),
        "{said}"
    );
    fs::write(&file, text.replacen("\"dtype\": \"int8\"", "\"dtype\": \"int9\"", 1)).unwrap();
    let network = refusal(&["report", run.to_str().unwrap()]);
    assert!(network.contains("baseline.network: found network: dtype: found \"int9\""), "{network}");
    let estimator = fs::read_to_string(ESTIMATOR).unwrap().replace("\"nominal\": 0.9", "\"nominal\": true");
    let estimator = refusal(&["search", TINY, "-e", &written(folder.path(), "e.json", &estimator)]);
    assert!(estimator.contains("network.nominal: found invalid type: boolean `true`"), "{estimator}");
    for said in [said, network, estimator] {
        assert!(!said.contains(" at line "), "{said}");
    }
}

#[test]
fn a_least_value_above_the_greatest_is_refused_with_both() {
    let folder = tempfile::tempdir().unwrap();
    let space = |bounds: &str| {
        let constraints = format!("\"constraints\": {{ \"params\": {{ {bounds} }} }}, \"baseline\"");
        let text = fs::read_to_string(TINY).unwrap().replacen("\"baseline\"", &constraints, 1);
        nas(&["space", &written(folder.path(), "space.json", &text)])
    };
    for (bounds, both) in [
        ("\"min\": 200, \"max\": 100", "`params >= 200` and `params <= 100`"),
        (
            "\"min_of_baseline\": 0.9, \"max_of_baseline\": 0.5",
            "`params >= 0.9 x baseline` and `params <= 0.5 x baseline`",
        ),
    ] {
        let output = space(bounds);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("constraints.params: found a least value above the greatest")
                && said.contains(both),
            "{said}"
        );
    }
    for bounds in ["\"min\": 100, \"max\": 100", "\"min\": 200, \"max_of_baseline\": 0.5"] {
        assert!(space(bounds).status.success(), "{bounds}");
    }
}
