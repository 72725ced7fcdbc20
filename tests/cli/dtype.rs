//! A number format that is chosen like anything else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nas::report::Report;
use serde_json::{Value, json};

use crate::common::{ENERGY, ESTIMATOR, TINY, nas, refusal, stderr, stdout};

fn file(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn written(folder: &Path, name: &str, value: &Value) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, value.to_string()).unwrap();
    file
}

/// The tiny space with these formats.
fn space(folder: &Path, dtypes: &[&str], baseline: &str) -> PathBuf {
    let mut space = file(TINY);
    space["dtype"] = json!(dtypes);
    space["baseline"]["dtype"] = json!(baseline);
    space["target"].as_object_mut().unwrap().remove("estimator");
    written(folder, "space.json", &space)
}

/// The shipped estimator as if fp32 had been measured too, twice as slow.
fn two_formats(folder: &Path) -> PathBuf {
    let mut estimator = file(ESTIMATOR);
    let mut kinds = estimator["kinds"].clone();
    for model in kinds.as_object_mut().unwrap().values_mut() {
        model["range"]["bytes_per_value"] = json!([4.0, 4.0]);
        for price in model["prices"].as_object_mut().unwrap().values_mut() {
            *price = json!(2.0 * price.as_f64().unwrap());
        }
    }
    estimator["by_dtype"] = json!({ "fp32": { "kinds": kinds, "corrections": estimator["corrections"] } });
    estimator["name"] = json!("two-formats");
    written(folder, "two.json", &estimator)
}

#[test]
fn a_free_number_format_is_told_in_every_form_with_what_the_score_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let (space, estimator) = (space(folder.path(), &["int8", "fp32"], "fp32"), two_formats(folder.path()));
    let run = folder.path().join("run");
    let [space, estimator, run] = [&space, &estimator, &run].map(|path| path.to_str().unwrap());
    let output =
        nas(&["search", space, "-e", estimator, "--energy", ENERGY, "-q", "--out", run, "-n", "1500"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let told = "the trainability score knows nothing of it";
    let text = stdout(&output);
    assert!(
        text.contains("number format fp32 → int8: it was free (int8, fp32)") && text.contains(told),
        "{text}"
    );
    assert!(text.contains("post-training quantisation"), "{text}");
    let header = text.lines().find(|line| line.contains("trainability  energy")).unwrap();
    assert!(header.contains("dtype"), "{header}");
    for form in ["md", "json"] {
        let said = stdout(&nas(&["report", run, "--format", form]));
        assert!(form == "json" || said.contains(told), "{said}");
    }
    let page = folder.path().join("page.html");
    assert!(nas(&["report", run, "-o", page.to_str().unwrap()]).status.success());
    assert!(fs::read_to_string(page).unwrap().contains(told));
    let csv = fs::read_to_string(format!("{run}/front.csv")).unwrap();
    assert!(csv.starts_with("id,latency_ms,trainability,energy_uj,dtype,genotype\n"), "{csv:.200}");
    assert!(csv.lines().skip(1).all(|line| line.contains(",int8,")), "the narrowest format wins everywhere");
    let report = Report::load(&Path::new(run).join("report.json")).unwrap();
    assert_eq!(report.dtypes, ["int8", "fp32"]);
    let (best, base) = (&report.front[0], &report.baseline);
    assert_eq!(best.blocks[0].rsplit(' ').next(), Some("int8"));
    assert!(best.latency_ms < base.latency_ms && best.energy_uj < base.energy_uj);
    assert!(best.model_bytes < base.model_bytes);
}

#[test]
fn the_number_format_may_be_the_only_gene_that_is_free_or_not_be_free_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (space, estimator) = (space(folder.path(), &["int8", "fp32"], "fp32"), two_formats(folder.path()));
    let [space, estimator] = [&space, &estimator].map(|path| path.to_str().unwrap());
    let searched = |free: &str| {
        let run = folder.path().join(free);
        let run = run.to_str().unwrap();
        let output =
            nas(&["search", space, "-e", estimator, "-q", "--out", run, "-n", "300", "--free", free]);
        assert!(output.status.success(), "{}", stderr(&output));
        Report::load(&Path::new(run).join("report.json")).unwrap()
    };
    let only = searched("dtype");
    assert_eq!((only.evaluations, only.front.len()), (2, 1));
    assert_eq!(only.front[0].macs, only.baseline.macs);
    assert_eq!(only.front[0].network.dtype().name(), "int8");
    let without = searched("fused");
    assert!(
        without.dtypes.is_empty() && without.front.iter().all(|one| one.network.dtype().name() == "fp32")
    );
    let listed = stdout(&nas(&["space", space]));
    assert!(listed.contains("dtype") && listed.contains("int8 fp32"), "{listed}");
}

#[test]
fn what_an_estimator_has_not_measured_is_refused_and_never_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let open = space(folder.path(), &["int8", "fp16"], "int8");
    let open = open.to_str().unwrap();
    let said =
        refusal(&["search", open, "-e", ESTIMATOR, "-q", "--out", folder.path().join("r").to_str().unwrap()]);
    for word in [
        "space.json",
        ESTIMATOR,
        "fp16",
        "was measured in int8 only",
        "nas fit A.csv B.csv",
        "\"dtype\": \"int8\"",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // fp16 lies between what was measured, and is not measured all the same.
    let two = two_formats(folder.path());
    let said = refusal(&["search", open, "-e", two.to_str().unwrap(), "-q"]);
    assert!(said.contains("fp16 among others") && said.contains("was measured in int8, fp32"), "{said}");
    let sheet = folder.path().join("sheet.json");
    let sheet = sheet.to_str().unwrap();
    assert!(nas(&["fit", "--datasheet", "estimators/datasheets/lanes-8.json", "-o", sheet]).status.success());
    let said = refusal(&["search", open, "-e", sheet, "-q"]);
    assert!(said.contains("no measurements in any number format"), "{said}");
}

#[test]
fn a_kind_of_operator_that_was_measured_in_one_format_only_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = space(folder.path(), &["int8", "fp32"], "int8");
    let mut estimator: Value = file(two_formats(folder.path()).to_str().unwrap());
    estimator["by_dtype"]["fp32"]["kinds"].as_object_mut().unwrap().remove("depthwise_conv2d");
    let lacking = written(folder.path(), "lacking.json", &estimator);
    let said = refusal(&["search", open.to_str().unwrap(), "-e", lacking.to_str().unwrap(), "-q"]);
    assert!(said.contains("measured in fp32, but not for depthwise_conv2d"), "{said}");
}

#[test]
fn a_baseline_names_its_format_and_only_one_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let other = space(folder.path(), &["int8", "fp32"], "fp16");
    let said = refusal(&["space", other.to_str().unwrap()]);
    assert!(said.contains("baseline.dtype") && said.contains("int8, fp32"), "{said}");
    let mut none = file(TINY);
    none["dtype"] = json!(["int8", "fp32"]);
    let none = written(folder.path(), "none.json", &none);
    let said = refusal(&["space", none.to_str().unwrap()]);
    assert!(said.contains("dtype"), "{said}");
}
