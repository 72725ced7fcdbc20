//! Fitting to what people have.

use std::fs;

use crate::common::{TINY, nas, refusal, stderr, stdout};

const PROFILES: &str = "tests/data/profiles";

fn profile(name: &str) -> String {
    format!("{PROFILES}/{name}")
}

/// Convolutions whose energy is a sum of work and a constant.
fn energies() -> String {
    let mut text = "op,hw,cin,cout,k,stride,energy_uj,room\n".to_owned();
    for h in [7, 14, 28, 56] {
        for (cin, cout, k) in [(8, 16, 1), (16, 8, 3), (24, 24, 3), (32, 64, 1), (40, 10, 5)] {
            let energy = 2.0 + f64::from(h * h * cin * cout * k * k) / 1e5;
            text += &format!("conv2d,{h},{cin},{cout},{k},1,{energy},north\n");
        }
    }
    text
}

#[test]
fn compiler_profiles_of_two_networks_are_fitted() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("e.json");
    let mut args = vec!["fit".to_owned(), "--from".into(), "vela".into()];
    for name in ["mobilenet-v2", "mobilenet-v3"] {
        args.push(profile(&format!("{name}_per-layer.csv")));
        args.push(profile(&format!("{name}_summary_Ethos_U55_High_End_Embedded.csv")));
        args.extend(["--model".into(), profile(&format!("{name}.json"))]);
    }
    args.extend(["-o".into(), out.display().to_string()]);
    let output = nas(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("54 rows, latency in cycles\n  clock: 500 MHz"), "{}", stderr(&output));
    assert!(stdout(&output).contains("layers in context                    75"), "{}", stdout(&output));
    let estimate = nas(&["estimate", &profile("mobilenet-v2.json"), "-e", out.to_str().unwrap()]);
    assert!(stdout(&estimate).contains("head.dense"));
}

#[test]
fn a_single_network_and_an_onnx_model_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("e.json");
    let fit =
        ["fit", "--from", "ort", "tests/data/profiles/ort-all.json", "-o", out.to_str().unwrap(), "--model"];
    let said = refusal(&[&fit[..], &[&profile("mobilenet-v2.json")]].concat());
    assert!(said.contains("all rows are of one network") && said.contains("ReorderOutput"), "{said}");
    let said = refusal(&[&fit[..], &["net.onnx"]].concat());
    assert!(said.contains("ONNX models cannot be read yet") && said.contains("nas.network/1"), "{said}");
}

#[test]
fn a_missing_output_folder_is_noticed_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("no/e.json");
    let said = refusal(&["fit", "no.csv", "-o", out.to_str().unwrap()]);
    assert!(said.contains("there is no folder") && said.contains("mkdir -p"), "{said}");
    assert!(!said.contains(".nas-") && !said.contains("no.csv"), "{said}");
    let said = refusal(&["fit", "no.csv", "--force", "-o", folder.path().to_str().unwrap()]);
    assert!(said.contains("is a folder"), "{said}");
}

#[test]
fn another_quantity_is_fitted_and_estimated_but_not_searched() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("m.csv"), folder.path().join("e.json"));
    fs::write(&data, energies()).unwrap();
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fit = ["fit", data, "-o", out, "--target", "energy_uj"];
    assert!(refusal(&fit).contains("unknown column `room`"));
    let output = nas(&[&fit[..], &["--ignore-column", "room"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("20 rows, `energy_uj` in uJ\n  column `hw` read as `in_h`"),
        "{}",
        stderr(&output)
    );
    let model = profile("mobilenet-v2.json");
    let text = stdout(&nas(&["estimate", &model, "-e", out]));
    assert!(text.contains("energy_uj uJ") && !text.contains("latency"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&nas(&["estimate", &model, "-e", out, "--format", "json"]))).unwrap();
    assert_eq!((&json["target"], &json["unit"]), (&"energy_uj".into(), &"uJ".into()));
    let layers = json["layers"].as_array().unwrap();
    let sum: f64 = layers.iter().map(|layer| layer["value"].as_f64().unwrap()).sum();
    assert!((sum / json["value"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    let run = folder.path().join("run");
    let said = refusal(&["search", TINY, "-q", "-e", out, "--out", run.to_str().unwrap()]);
    assert!(said.contains("predicts `energy_uj` in uJ") && !run.exists(), "{said}");
}

#[test]
fn bad_rows_are_left_out_and_listed_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("m.csv"), folder.path().join("e.json"));
    let text = energies().replace("energy_uj,room", "latency_us,device");
    fs::write(&data, text + "conv2d,0,8,8,3,1,5,north\nconv2d,8,8,8,3,1,-5,north\n").unwrap();
    let fit = ["fit", data.to_str().unwrap(), "-o", out.to_str().unwrap()];
    assert!(refusal(&fit).contains("m.csv:22:2"));
    let output = nas(&[&fit[..], &["--skip-bad-rows"]].concat());
    assert!(output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("left out what cannot be used, for 2 problems")
            && said.contains("m.csv:23:7: latency_us: found -5"),
        "{said}"
    );
}

#[test]
fn help_names_every_tool() {
    let help = stdout(&nas(&["fit", "--help"]));
    for tool in ["csv", "vela", "ort", "trtexec", "tflite", "qnn", "nn-meter", "--skip-bad-rows", "--target"]
    {
        assert!(help.contains(tool), "{tool}");
    }
}
