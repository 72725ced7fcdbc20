//! Profiles of ONNX Runtime.

use super::*;

#[test]
fn a_real_profile_with_fused_sums_joins_by_tensor_names() {
    let network = model("mobilenet-v2.json");
    let read = read(ProfileFormat::Ort, &[file("ort-all.json")], std::slice::from_ref(&network)).unwrap();
    let profile = &read[0].networks[0];
    assert_eq!(profile.layers.len(), network.layers().len());
    let adds: Vec<f64> =
        profile.layers.iter().filter(|l| l.layer.ends_with(".add")).map(|l| l.latency_us).collect();
    assert_eq!(adds, [0.0; 3], "sums are taken in by convolutions");
    // The blocked layout pads 24 channels to 32; the model knows better.
    let project = profile.layers.iter().find(|layer| layer.layer == "s1.b1.project").unwrap();
    assert_eq!(project.operation.output.c, 24);
    // The runs took 3072, 2352 and 6888 us; the first warms up.
    assert_eq!(profile.latency_us, Some(4620.0));
    assert!(read[0].notes.iter().any(|note| note.contains("`ReorderOutput`")), "{:?}", read[0].notes);
}

#[test]
fn without_a_model_operators_are_made_from_the_shapes() {
    let read = read(ProfileFormat::Ort, &[file("ort-basic.json")], &[]).unwrap();
    let network = model("mobilenet-v2.json");
    let layers = &read[0].networks[0].layers;
    assert_eq!(layers.len(), network.layers().len());
    for (found, layer) in layers.iter().zip(network.layers()) {
        let truth = nas::measurement::Operation::of(&network, layer).isolated();
        let o = found.operation;
        assert_eq!((o.kind, o.macs(), o.output), (truth.kind, truth.macs(), truth.output), "{}", layer.name);
        assert_eq!(
            (o.kernel, o.stride, o.groups),
            (truth.kernel, truth.stride, truth.groups),
            "{}",
            layer.name
        );
        assert_eq!((o.activation, o.bytes), (truth.activation, 4), "{}", layer.name);
    }
}

fn event(name: &str, op: &str, dur: &str) -> String {
    let shape = r#"[{"float":[1,8,8,8]}]"#;
    format!(
        r#"{{"cat":"Node","name":"{name}_kernel_time","dur":{dur},"args":{{"op_name":"{op}","input_type_shape":{shape},"output_type_shape":{shape}}}}}"#
    )
}

fn run(dur: &str) -> String {
    let names =
        ["/stem/Conv", "/b1/dw/Conv", "/b1/pw/Conv", "/b1/add/Add", "/pool/GlobalAveragePool", "/fc/Gemm"];
    let events = names.map(|name| event(name, "Conv", dur)).join(",\n");
    format!("{events},\n{{\"cat\":\"Session\",\"name\":\"model_run\",\"dur\":1000}}")
}

#[test]
fn the_first_run_is_dropped_and_the_others_give_median_and_noise() {
    let runs = ["999", "10", "12", "11"].map(run).join(",\n");
    let read = profile(ProfileFormat::Ort, &format!("[{runs}]"));
    assert!(times(&read.networks[0]).iter().all(|(_, us)| *us == 11.0));
    let noise = read.noise.unwrap();
    assert!((0.05..0.15).contains(&noise.layers.unwrap().single));
    assert_eq!(noise.networks, None, "two differences tell nothing");
    let one = profile(ProfileFormat::Ort, &format!("[{}]", run("5")));
    assert!(one.notes[0].contains("one run only"), "{:?}", one.notes);
}

#[test]
fn times_that_are_none_are_named_with_line_and_column() {
    for wrong in ["-1", "1e999", "\"7\"", "null", "1e300"] {
        let said =
            refused(ProfileFormat::Ort, &format!("[{}]", run("5").replacen(":5,", &format!(":{wrong},"), 1)));
        assert!(said.contains("small.txt:1:2"), "{wrong}: {said}");
    }
    assert!(refused(ProfileFormat::Ort, "[{\"dur\":NaN}]").contains("small.txt:1:9"));
    for nothing in ["[]", "{}", "", "[1,2]"] {
        assert!(refused(ProfileFormat::Ort, nothing).contains("small.txt"), "{nothing}");
    }
}

#[test]
fn operators_that_nobody_knows_are_listed_without_a_model() {
    let events = [event("/a/Conv", "LayerNormalization", "5"), event("/b/R", "ReorderInput", "1")].join(",");
    let files = [given("n.json", &format!("[{events}]"))];
    let said = read(ProfileFormat::Ort, &files, &[]).unwrap_err().to_string();
    assert!(
        said.contains("`LayerNormalization` in row `/a/Conv`") && !said.contains("ReorderInput"),
        "{said}"
    );
}
