//! `nas export`: an entry of a report becomes a model file, and nothing is replaced unasked.

use std::fs;

use crate::common::{nas, refusal, search, stderr};

#[test]
fn an_entry_is_written_as_onnx_and_as_pytorch_with_its_origin() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    search(&run, &["-n", "300"]);
    let entry = format!("{}#0", run.to_str().unwrap());
    let onnx = folder.path().join("found.onnx");
    let wrote = nas(&["export", &entry, "-o", onnx.to_str().unwrap(), "--seed", "3"]);
    assert_eq!(wrote.status.code(), Some(0), "{}", stderr(&wrote));
    let bytes = fs::read(&onnx).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("report.json")).unwrap()).unwrap();
    for text in [
        "nas_architecture_id",
        report["front"][0]["id"].as_str().unwrap(),
        "nas_space",
        "tiny",
        "head.classes",
    ] {
        assert!(holds(text), "{text}");
    }
    let tflite = folder.path().join("found.tflite");
    assert!(nas(&["export", &entry, "-o", tflite.to_str().unwrap()]).status.success());
    let bytes = fs::read(&tflite).unwrap();
    assert_eq!(&bytes[4..8], b"TFL3");
    let id = report["front"][0]["id"].as_str().unwrap();
    for text in ["nas_architecture_id", id, "nas_space", "head.classes"] {
        assert!(bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
    }
    let torch = folder.path().join("found.py");
    assert!(nas(&["export", &entry, "-o", torch.to_str().unwrap()]).status.success());
    let text = fs::read_to_string(&torch).unwrap();
    assert!(text.contains("class Network(nn.Module)") && text.contains("architecture_id: "), "{text}");
    assert!(text.contains("\nstem conv k3"), "the blocks in the docstring: {text}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_nothing_is_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let model = "tests/data/profiles/mobilenet-v2.json";
    for ending in ["onnx", "tflite"] {
        let path = |name: &str| folder.path().join(format!("{name}.{ending}")).to_str().unwrap().to_owned();
        replaces_nothing_unasked(model, &path("a"), &path("b"));
    }
}

fn replaces_nothing_unasked(model: &str, a: &str, b: &str) {
    assert!(nas(&["export", model, "-o", a]).status.success());
    assert!(nas(&["export", model, "-o", b]).status.success());
    assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap());
    assert!(refusal(&["export", model, "-o", a, "--seed", "1"]).contains("--force"));
    assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap());
    assert!(nas(&["export", model, "-o", a, "--seed", "1", "--force"]).status.success());
    assert_ne!(fs::read(a).unwrap(), fs::read(b).unwrap());
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = "tests/data/profiles/mobilenet-v2.json";
    let out = folder.path().join("a.pt");
    let out = out.to_str().unwrap();
    assert!(refusal(&["export", model, "-o", out]).contains(".onnx, .tflite or .py"));
    assert!(refusal(&["export", model, "-o", "no/where/a.onnx"]).contains("mkdir"));
    let onnx = folder.path().join("a.onnx");
    let onnx = onnx.to_str().unwrap();
    assert!(refusal(&["export", model, "-o", onnx, "--opset", "9"]).contains("11..=23"));
    assert!(refusal(&["export", "no.json", "-o", onnx]).contains("cannot read no.json"));
    assert!(refusal(&["export", "tests/data", "-o", onnx]).contains("run folder"));
    let tflite = folder.path().join("a.tflite");
    let tflite = tflite.to_str().unwrap();
    assert!(refusal(&["export", model, "-o", tflite, "--batch-norm", "present"]).contains("no batch-norm"));
    assert!(refusal(&["export", model, "-o", tflite, "--dtype", "fp16"]).contains("--dtype int8"));
    assert!(refusal(&["export", model, "-o", onnx, "--dtype", "int8"]).contains("--dtype is for TFLite"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_tflite_model_has_the_networks_number_format_or_the_one_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let size = |more: &[&str]| {
        let out = folder.path().join("a.tflite");
        let (model, out) = ("tests/models/mobilenet_v2-script17.onnx", out.to_str().unwrap());
        let made = nas(&[&["export", model, "--force", "-o", out], more].concat());
        assert!(made.status.success(), "{}", stderr(&made));
        fs::metadata(out).unwrap().len() as f64
    };
    let params = 3_487_816.0;
    assert!((size(&[]) / (4.0 * params) - 1.0).abs() < 0.01, "the model is fp32");
    assert!((size(&["--dtype", "int8"]) / params - 1.0).abs() < 0.15, "a byte a weight, and scales");
}
