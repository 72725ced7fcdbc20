//! One search for several accelerators, from the space file to reports, gates and devices.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nas::{
    estimator::Estimator,
    report::{Report, Run, report_markdown, report_text},
};
use serde_json::{Value, json};

use crate::{
    common::{ENERGY, TINY, nas, refusal, stderr, stdout},
    fixture::{across, base, landscape, new, save},
    page::checked,
};

const CHIPS: [&str; 3] =
    ["estimators/ethos-u55-128.json", "estimators/ethos-u65-512.json", "estimators/ethos-u85-2048.json"];
const NAMES: [&str; 3] = ["ethos-u55-128", "ethos-u65-512", "ethos-u85-2048"];

/// The tiny space with another target, and its path.
fn space(folder: &Path, name: &str, target: &Value) -> PathBuf {
    let mut space: Value = serde_json::from_str(&fs::read_to_string(TINY).unwrap()).unwrap();
    space["target"] = target.clone();
    let file = folder.join(name);
    fs::write(&file, space.to_string()).unwrap();
    file
}

/// The path of a chip's estimator as it stands in a space in another folder.
fn chip(number: usize) -> String {
    fs::canonicalize(CHIPS[number]).unwrap().display().to_string()
}

/// Searches for all three chips; more arguments may follow.
fn search(run: &Path, more: &[&str]) -> std::process::Output {
    let estimators = CHIPS.iter().flat_map(|chip| ["-e", *chip]);
    let args: Vec<&str> = ["search", TINY, "-q", "-n", "400", "-o", run.to_str().unwrap()]
        .into_iter()
        .chain(estimators)
        .chain(more.iter().copied())
        .collect();
    nas(&args)
}

fn report(run: &Path) -> Report {
    Report::load(&run.join("report.json")).unwrap()
}

#[test]
fn the_worst_relative_latency_goes_down_and_all_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = search(&run, &["--across", "worst", "--ablate", "-j", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("relative latency 1 → 0.") && text.contains("(worst of 3 targets)"), "{text}");
    assert!(text.contains("by target") && text.contains("unseen networks"), "{text}");
    let found = report(&run);
    let row = found.across.as_ref().unwrap();
    assert_eq!(row.definition(), format!("worst of {}", NAMES.join(", ")));
    let estimators = CHIPS.map(|chip| Estimator::load(Path::new(chip)).unwrap());
    for entry in found.front.iter().chain([&found.baseline]) {
        let mut worst: f64 = 0.0;
        for ((on, estimator), name) in entry.latencies.iter().zip(&estimators).zip(NAMES) {
            assert_eq!(on.target, name);
            let (us, base) =
                (estimator.latency_us(&entry.network), estimator.latency_us(&found.baseline.network));
            assert!((on.latency_ms - us / 1e3).abs() < 1e-6);
            assert!(text.contains(name));
            worst = worst.max(us / base);
        }
        assert!((entry.relative_latency.unwrap() - worst).abs() < 1e-6);
        assert_eq!(entry.latency_ms, entry.latencies[0].latency_ms);
    }
    assert_eq!(found.baseline.relative_latency, Some(1.0));
    assert!((found.hypervolume_reference[0] - 1.1).abs() < 1e-12);
    let costs: Vec<f64> = found.front.iter().map(nas::report::Entry::cost).collect();
    assert!(costs.is_sorted() && costs[0] < 1.0, "{costs:?}");
    assert_eq!(found.ablation.last().unwrap().relative_latency, Some(costs[0]));
    let csv = fs::read_to_string(run.join("front.csv")).unwrap();
    let header = "id,relative_latency,latency_ms,latency_ms[ethos-u55-128],latency_ms[ethos-u65-512],";
    assert!(csv.starts_with(header), "{csv:.200}");
    // Threads change nothing, and weights of 1 make the mean.
    let other = folder.path().join("other");
    assert!(search(&other, &["--across", "worst", "--ablate", "-j", "2"]).status.success());
    let bytes = |run: &Path| fs::read(run.join("report.json")).unwrap();
    assert!(bytes(&run) == bytes(&other));
    let mean = folder.path().join("mean");
    assert!(search(&mean, &["--across", "weighted"]).status.success());
    let best = &report(&mean).front[0];
    let base = report(&mean).baseline;
    let ratios = best.latencies.iter().zip(&base.latencies).map(|(on, base)| on.latency_ms / base.latency_ms);
    assert!((best.cost() - ratios.sum::<f64>() / 3.0).abs() < 1e-5);
    // The page, with all that the folder holds.
    let page = folder.path().join("page.html");
    let written = nas(&["report", run.to_str().unwrap(), "-o", page.to_str().unwrap(), "--random-line"]);
    assert!(written.status.success(), "{}", stderr(&written));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("relative latency") && page.contains("On ethos-u55-128. "));
}

#[test]
fn a_space_names_its_targets_with_weights_and_limits() {
    let folder = tempfile::tempdir().unwrap();
    let target = json!({ "parallelism": "estimator", "objective": "weighted", "estimators": [
        { "estimator": chip(0), "name": "small", "weight": 3, "latency_ms": { "max_of_baseline": 0.9 } },
        { "estimator": chip(2) }
    ] });
    let file = space(folder.path(), "s.json", &target);
    let file = file.to_str().unwrap();
    let run = folder.path().join("run");
    let run_name = run.to_str().unwrap();
    let output = nas(&["search", file, "-q", "-n", "400", "-o", run_name]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lanes = [0, 2].map(|number| Estimator::load(Path::new(&chip(number))).unwrap().parallelism());
    let common = (1..).find(|factor| lanes.iter().all(|lanes| factor % lanes == 0)).unwrap();
    assert!(stderr(&output).contains(&format!("multiples of {common}, the least common multiple")));
    let found = report(&run);
    assert_eq!(found.parallelism, Some(common));
    assert!(found.requirement.contains("latency_ms[small] <= 0.9 x baseline"), "{}", found.requirement);
    assert_eq!(found.across.as_ref().unwrap().definition(), "weighted of small x 3, ethos-u85-2048 x 1");
    let base = &found.baseline.latencies;
    for entry in &found.front {
        let ratio = |place: usize| entry.latencies[place].latency_ms / base[place].latency_ms;
        assert!(ratio(0) <= 0.9 + 1e-6);
        assert!((entry.cost() - (0.75 * ratio(0) + 0.25 * ratio(1))).abs() < 1e-5);
    }
    let shown = stdout(&nas(&["space", file]));
    assert!(
        shown.contains(&format!("multiples of {common}\n")) && shown.contains("latency_ms[small] <= 0.9")
    );
    // The random line restores weights and limits of the run.
    let page = folder.path().join("p.html");
    assert!(nas(&["report", run_name, "-o", page.to_str().unwrap(), "--random-line"]).status.success());
    // Going on needs the same targets.
    let resumed = nas(&["search", file, "-q", "-n", "400", "--resume", run_name]);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    assert_eq!(report(&run), found);
    for other in [&["--across", "worst"][..], &["--weight", "1,1"], &["-e", CHIPS[0], "-e", CHIPS[1]]] {
        let said = refusal(&[&["search", file, "-q", "-n", "400", "--resume", run_name], other].concat());
        assert!(said.contains("checkpoint"), "{said}");
    }
    // Each chip by itself, if that is asked for, with its limit.
    let each = folder.path().join("each");
    let args = ["search", file, "-q", "-n", "200", "--across", "each", "-o", each.to_str().unwrap()];
    let output = nas(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    let alone = report(&each.join("ethos-u55-128"));
    assert!(alone.across.is_none() && alone.requirement.contains("latency_ms <= 0.9 x baseline"));
}

#[test]
fn a_limit_without_a_name_holds_on_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut text: Value = serde_json::from_str(&fs::read_to_string(TINY).unwrap()).unwrap();
    text["constraints"] = json!({ "latency_ms": { "max": 1e-6 } });
    let file = folder.path().join("s.json");
    fs::write(&file, text.to_string()).unwrap();
    let run = folder.path().join("run");
    let args = ["search", file.to_str().unwrap(), "-q", "-n", "50", "-e", CHIPS[0], "-e", CHIPS[2]];
    let output = nas(&[&args[..], &["--across", "worst", "-o", run.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for name in [NAMES[0], NAMES[2]] {
        assert!(
            stderr(&output).contains(&format!("latency_ms[{name}] <= 0.000001: ")),
            "{}",
            stderr(&output)
        );
    }
    let page = folder.path().join("p.html");
    assert!(nas(&["report", run.to_str().unwrap(), "-o", page.to_str().unwrap()]).status.success());
    assert!(fs::read_to_string(page).unwrap().contains(&format!("ms on {}", NAMES[2])));
}

#[test]
fn what_no_search_can_be_for_is_refused() {
    let two = ["search", TINY, "-q", "-n", "10", "-e", CHIPS[0], "-e"];
    for (more, word) in [
        (&[CHIPS[0], "--across", "worst"][..], "are one estimator"),
        (&["no.json", "--across", "worst"], "cannot read no.json"),
        (&[CHIPS[1], "--across", "best"], "worst"),
        (&[CHIPS[1], "--across", "weighted", "--weight", "1,0"], "expected a number from"),
        (&[CHIPS[1], "--across", "weighted", "--weight", "1,-2"], "expected a number from"),
        (&[CHIPS[1], "--across", "weighted", "--weight", "NaN,1"], "expected a number from"),
        (&[CHIPS[1], "--across", "weighted", "--weight", "1"], "1 numbers for 2 estimators"),
        (&[CHIPS[1], "--across", "worst", "--weight", "1,2"], "only with --across weighted"),
        (&[CHIPS[1], "--weight", "1,2"], "only with --across weighted"),
        (&[CHIPS[1], "--across", "worst", "--energy", ENERGY], "--across each"),
    ] {
        let said = refusal(&[&two[..], more].concat());
        assert!(said.contains(word), "{more:?}: {said}");
    }
    let said = refusal(&["search", TINY, "-q", "-n", "10", "--across", "worst"]);
    assert!(said.contains("needs several estimators"), "{said}");
}

#[test]
fn what_a_space_cannot_mean_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let of = |list: Value| json!({ "parallelism": 8, "estimators": list });
    let pair = |own: Value| of(json!([{ "estimator": chip(0) }, own]));
    let weighted = |weight: Value| {
        let mut target = pair(json!({ "estimator": chip(1), "weight": weight }));
        target["objective"] = "weighted".into();
        target
    };
    for (target, word) in [
        (of(json!([])), "2 to 8"),
        (of(json!([{ "estimator": chip(0) }])), "2 to 8"),
        (of(json!("x")), "a list"),
        (pair(json!({ "name": "a" })), "no field `estimator`"),
        (pair(json!({ "estimator": chip(0) })), "a second time"),
        (pair(json!({ "estimator": chip(1), "name": "a b" })), "letters, digits"),
        (pair(json!({ "estimator": chip(1), "weigth": 1 })), "expected `weight`"),
        (pair(json!({ "estimator": chip(1), "weight": 2 })), "\"objective\": \"weighted\""),
        (weighted(json!(0)), "a number from"),
        (weighted(json!(-1)), "a number from"),
        (weighted(json!("1")), "a number from"),
        (pair(json!({ "estimator": chip(1), "latency_ms": { "max": 1, "min": 2 } })), "above the greatest"),
        (json!({ "parallelism": 8, "estimator": chip(0), "objective": "worst" }), "only one"),
        (json!({ "parallelism": 8, "estimator": "x", "estimators": [] }), "beside `estimators`"),
    ] {
        let file = space(folder.path(), "s.json", &target);
        let said = refusal(&["space", file.to_str().unwrap()]);
        assert!(said.contains("s.json:1:") && said.contains(word), "{target}: {said}");
    }
}

#[test]
fn text_markdown_and_page_tell_each_target() {
    let report = across(base());
    insta::assert_snapshot!("across_text", report_text(&report));
    insta::assert_snapshot!("across_md", report_markdown(&report));
    let mut run = Run::of(report);
    run.landscape = Some(landscape());
    let page = checked(&run);
    for word in ["worst of 2 targets", "relative latency</text>", "On small. ", "not known"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains(" ms <span class=\"better\">"), "a ratio is no time");
}

#[test]
fn gates_hold_for_the_headline_and_for_each_target() {
    let folder = tempfile::tempdir().unwrap();
    let [old, now] = [("old", base()), ("now", new())].map(|(name, report)| {
        let run = save(&across(report), &folder.path().join(name));
        run.to_str().unwrap().to_owned()
    });
    let same = nas(&["compare", &old, &old]);
    assert_eq!(same.status.code(), Some(0), "{}", stdout(&same));
    insta::assert_snapshot!("across_compare", stdout(&nas(&["compare", &old, &now])));
    let trend = stdout(&nas(&["compare", &old, &old, &now, "--fail-if", "latency_ms>+0%"]));
    for word in
        ["latency on small", "latency on large", "relative latency 0.999 → 0.927", "latency_ms[large]>+0%"]
    {
        assert!(trend.contains(word), "{word}: {trend}");
    }
    let code = |condition: &str| nas(&["compare", &old, &now, "--fail-if", condition]).status.code();
    let [before, after] = [base(), new()].map(|report| across(report).front[0].clone());
    let change =
        |place: usize| 100.0 * (after.latencies[place].latency_ms / before.latencies[place].latency_ms - 1.0);
    for (place, name) in ["small", "large"].iter().enumerate() {
        let above = format!("latency_ms[{name}]>{:+}%", change(place) - 0.1);
        let below = format!("latency_ms[{name}]>{:+}%", change(place) + 0.1);
        assert_eq!((code(&above), code(&below)), (Some(1), Some(0)), "{name}");
    }
    let worst = change(0).max(change(1));
    assert_eq!(code(&format!("latency_ms>{:+}%", worst - 0.1)), Some(1), "no name: each");
    assert_eq!(code(&format!("latency_ms>{:+}%", worst + 0.1)), Some(0));
    let ratio = 100.0 * (after.cost() / before.cost() - 1.0);
    assert_eq!(code(&format!("relative_latency>{:+}%", ratio - 0.1)), Some(1));
    for (condition, word) in [
        ("latency_ms[smal]>+2%", "did you mean `small`"),
        ("latency_ms[>+2%", "latency_ms[NAME]"),
        ("macs[small]>+2%", "only latency_ms"),
    ] {
        let said = refusal(&["compare", &old, &now, "--fail-if", condition]);
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn runs_for_other_targets_cannot_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let saved =
        |name: &str, report: &Report| save(report, &folder.path().join(name)).to_str().unwrap().to_owned();
    let several = saved("several", &across(base()));
    let one = saved("one", &base());
    let mut weighed = across(base());
    weighed.across.as_mut().unwrap().objective = "weighted".into();
    let weighed = saved("weighed", &weighed);
    let allow = ["--allow", "estimator,requirement,reference,across"];
    for (other, more, word) in [
        (&one, &[][..], "one accelerator"),
        (&one, &allow, "a ratio of latencies"),
        (&weighed, &[], "across: "),
    ] {
        let output = nas(&[&["compare", &several, other][..], more].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
        assert!(stdout(&output).contains(word), "{}", stdout(&output));
    }
    assert_eq!(nas(&["compare", &several, &weighed, "--allow", "across"]).status.code(), Some(0));
    let said = refusal(&["compare", &one, &one, "--fail-if", "latency_ms[small]>+2%"]);
    assert!(said.contains("for one accelerator"), "{said}");
    let said = refusal(&["compare", &one, &one, "--fail-if", "relative_latency>+2%"]);
    assert!(said.contains("expected latency_ms"), "{said}");
}

#[test]
fn a_report_that_does_not_fit_its_targets_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let good: Value = serde_json::from_str(&across(base()).to_json()).unwrap();
    for (pointer, value, place) in [
        ("/front/0/latencies/1/target", json!("other"), "front[0].latencies"),
        ("/front/1/relative_latency", Value::Null, "front[1].relative_latency"),
        ("/across/objective", json!("best"), "across.objective"),
        ("/across", Value::Null, "baseline.latencies"),
        ("/baseline/measured", json!({ "latency_ms": 1 }), "baseline.measured"),
        ("/baseline/latencies/0/measured", json!({ "latency_ms": -1 }), "baseline.latencies[0].measured"),
    ] {
        let mut bad = good.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[field] = value;
        fs::write(&file, bad.to_string()).unwrap();
        let said = refusal(&["report", file.to_str().unwrap()]);
        assert!(said.contains(place), "{pointer}: {said}");
    }
}

#[test]
fn one_target_of_a_run_is_estimated_and_measured_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    assert!(search(&run, &["--across", "worst"]).status.success());
    let found = report(&run);
    let entry = format!("{}#0", run.display());
    let first = nas(&["estimate", &entry, "--format", "json"]);
    assert!(stderr(&first).contains("note: on ethos-u55-128; the others with --target ethos-u65-512"));
    for (place, name) in NAMES.iter().enumerate() {
        let told = nas(&["estimate", &entry, "--format", "json", "--target", name]);
        let told: Value = serde_json::from_str(&stdout(&told)).unwrap();
        assert_eq!(told["latency_ms"].as_f64(), Some(found.front[0].latencies[place].latency_ms));
    }
    assert!(refusal(&["estimate", &entry, "--target", "x"]).contains("--target x: expected one of ethos"));
    let said = refusal(&["estimate", "tests/models/unusual.onnx", "--target", "x", "-e", CHIPS[0]]);
    assert!(said.contains("--target"), "{said}");

    let csv = folder.path().join("m.csv");
    let measure = ["measure", run.to_str().unwrap(), "--verify", "-q", "--runner", "fake", "-o"];
    let measure = [&measure[..], &[csv.to_str().unwrap()]].concat();
    let said = refusal(&measure);
    assert!(said.contains("say which with --target: ethos-u55-128, ethos-u65-512"), "{said}");
    let output = nas(&[&measure[..], &["--target", NAMES[1]]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("reduction measured"), "{}", stdout(&output));
    let measured = report(&run);
    let on = |place: usize| measured.front[0].latencies[place].measured.is_some();
    assert_eq!([on(0), on(1), on(2)], [false, true, false]);
    assert!(measured.front[0].measured.is_none());
    let said = refusal(&[
        "measure",
        run.to_str().unwrap(),
        "--where-uncertain",
        "--runner",
        "fake",
        "-o",
        csv.to_str().unwrap(),
    ]);
    assert!(said.contains("--target"), "{said}");
    // An exported model is the same on every chip.
    let model = folder.path().join("m.onnx");
    assert!(nas(&["export", &entry, "-o", model.to_str().unwrap()]).status.success());
}
