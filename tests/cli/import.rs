//! From an ONNX model to a search.

use std::fs;

use crate::common::{ESTIMATOR, nas, refusal, stderr, stdout};

const MODEL: &str = "tests/models/mobilenet_v2-script17.onnx";
const OPEN: &str = "tests/models/mobilenet_v2-script13-open-sides.onnx";
const UNUSUAL: &str = "tests/models/unusual.onnx";

#[test]
fn a_model_becomes_a_space_that_can_be_searched() {
    let folder = tempfile::tempdir().unwrap();
    let space = folder.path().join("space.json");
    let (space, run) = (space.to_str().unwrap(), folder.path().join("run"));
    let said = nas(&["import", MODEL, "-o", space, "-e", ESTIMATOR, "--dtype", "int8", "--name", "mine"]);
    assert!(said.status.success(), "{}", stderr(&said));
    assert!(stdout(&said).contains("the baseline is the model"), "{}", stdout(&said));
    assert!(stdout(&nas(&["space", space, "--samples", "1"])).contains("300.8 M MACs"));
    let searched = nas(&["search", space, "--quiet", "-n", "300", "--out", run.to_str().unwrap()]);
    assert!(searched.status.success(), "the space names its estimator: {}", stderr(&searched));
    let report = nas::report::Report::load(&run.join("report.json")).unwrap();
    assert_eq!((report.baseline.macs.0, report.space.name.as_str()), (300_774_272, "mine"));
    assert!(refusal(&["import", MODEL, "-o", space]).contains("--force"));
    assert!(nas(&["import", MODEL, "-o", space, "--force"]).status.success());
}

#[test]
fn an_imported_space_is_laid_out_like_the_shipped_ones() {
    insta::assert_snapshot!(stdout(&nas(&["import", "tests/models/mobilenet_v3_small-script17.onnx"])));
}

#[test]
fn a_model_is_estimated_like_a_network() {
    let estimate = nas(&["estimate", MODEL, "-e", ESTIMATOR, "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&stdout(&estimate)).unwrap();
    assert_eq!(value["macs"], 300_774_272);
    assert_eq!(value["params"], 3_487_816);
    assert_eq!(value["peak_activation_bytes"], 6_021_120);
    assert_eq!(value["blocks"].as_array().unwrap().len(), 17);
    assert_eq!(value["blocks"][1], "b2 ibn k3 s2 x96 c24 relu6");
}

#[test]
fn sides_that_are_open_are_asked_for() {
    let said = refusal(&["estimate", OPEN, "-e", ESTIMATOR]);
    assert!(said.contains("batchx3xheightxwidth") && said.contains("--input-shape 1x3x224x224"), "{said}");
    let given = nas(&["estimate", OPEN, "-e", ESTIMATOR, "--input-shape", "1x3x224x224"]);
    assert!(stdout(&given).contains("300.8 M"), "{}", stdout(&given));
    assert!(
        refusal(&["estimate", OPEN, "-e", ESTIMATOR, "--input-shape", "224"]).contains("--input-shape 224")
    );
    assert!(refusal(&["estimate", OPEN, "-e", ESTIMATOR, "--input-shape", "1xx3"]).contains("1x3x224x224"));
}

#[test]
fn what_cannot_be_priced_is_named_and_the_rest_only_on_request() {
    let said = refusal(&["estimate", UNUSUAL, "-e", ESTIMATOR]);
    assert!(said.contains("(ConvTranspose)") && said.contains("--partial"), "{said}");
    let partial = nas(&["estimate", UNUSUAL, "-e", ESTIMATOR, "--partial", "--format", "json"]);
    assert!(stderr(&partial).contains("missing: ") && stderr(&partial).contains("missing with it"));
    let value: serde_json::Value = serde_json::from_str(&stdout(&partial)).unwrap();
    assert_eq!(value["macs"], 112 * 112 * 27 * 8);
    assert!(value["id"].as_str().unwrap().contains("partial"), "{}", value["id"]);
    assert!(refusal(&["import", UNUSUAL]).contains("(ConvTranspose)"));
}

#[test]
fn a_model_that_is_no_chain_of_blocks_is_refused_with_the_layer() {
    let said = refusal(&["import", "tests/models/shufflenet_v2_x0_5.onnx"]);
    assert!(said.contains("layer `") && said.contains("nas estimate"), "{said}");
}

#[test]
fn files_that_are_no_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let file = path.to_str().unwrap();
    for bytes in [&b""[..], b"not a model", b"\x08\x07"] {
        fs::write(&path, bytes).unwrap();
        assert!(refusal(&["estimate", file, "-e", ESTIMATOR]).contains("an ONNX model"));
        assert!(refusal(&["import", file]).contains("an ONNX model"));
    }
    assert!(refusal(&["import", "no/such.onnx"]).contains("no/such.onnx"));
    assert!(refusal(&["import", MODEL, "--parallelism", "estimator"]).contains("--estimator"));
}
