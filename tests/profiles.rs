//! Profiles that other tools write, and what they do to names and numbers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use nas::{
    error::Result,
    measurement::{Kind, Measurements, Profile, ProfileFormat, ReadOptions, parse_profiles},
    network::{Activation, DType, Network, NetworkBuilder, Shape, Source, ops::*, read_network},
};

const FOLDER: &str = "tests/data/profiles";

fn file(name: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(name);
    (name.to_owned(), fs::read_to_string(path).unwrap())
}

fn model(name: &str) -> Network {
    let (file, text) = file(name);
    read_network(&file, &text).unwrap()
}

fn given(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

/// A stem, a depthwise and a pointwise convolution, their sum with the stem, a pool and a classifier.
fn small() -> Network {
    let mut b = NetworkBuilder::new("small", Shape::new(8, 8, 3), DType::Fp32);
    let relu = Activation::Relu6;
    let stem = b.add("stem", Conv2d::square(8, 3, 1), &[Source::Input], relu).unwrap();
    let x = b.add("b1.dw", DepthwiseConv2d::square(3, 1), &[stem], relu).unwrap();
    let x = b.add("b1.pw", Conv2d::square(8, 1, 1), &[x], Activation::None).unwrap();
    let x = b.add("b1.add", Add, &[x, stem], Activation::None).unwrap();
    let x = b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    b.add("fc", Dense { cout: 10, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

fn read(format: ProfileFormat, files: &[(String, String)], models: &[Network]) -> Result<Vec<Measurements>> {
    parse_profiles(format, files, models, &ReadOptions::default())
}

fn profile(format: ProfileFormat, text: &str) -> Measurements {
    read(format, &[given("small.txt", text)], &[small()]).unwrap().remove(0)
}

fn refused(format: ProfileFormat, text: &str) -> String {
    read(format, &[given("small.txt", text)], &[small()]).unwrap_err().to_string()
}

/// Times by layer.
fn times(profile: &Profile) -> Vec<(&str, f64)> {
    profile
        .layers
        .iter()
        .map(|layer| (layer.layer.as_str(), (layer.latency_us * 1e6).round() / 1e6))
        .collect()
}

mod vela {
    use super::*;

    const HEAD: &str = "Original Operator,NNG Operator,Target,Staging Usage,Peak% (Staging),Op Cycles,Network% (cycles),\
                        NPU,SRAM AC,DRAM AC,OnFlash AC,OffFlash AC,MAC Count,Network% (MAC),Util% (MAC),Name\n";

    fn row(target: &str, cycles: &str, name: &str) -> String {
        format!("Conv2D,Conv2D,{target},1,1.0,{cycles},1.0,1,1,0,0,1,1,1.0,1.0,{name}\n")
    }

    fn rows() -> String {
        let names = ["stem", "b1.dw", "b1.pw", "b1.add", "pool", "fc"];
        HEAD.to_owned() + &names.map(|name| row("NPU", "100", name)).concat()
    }

    fn at_100_mhz(text: &str) -> Result<Vec<Measurements>> {
        let options = ReadOptions { clock_mhz: Some(100.0), ..ReadOptions::default() };
        parse_profiles(ProfileFormat::Vela, &[given("small_per-layer.csv", text)], &[small()], &options)
    }

    #[test]
    fn a_real_profile_joins_and_sums_to_the_networks_cycles() {
        for name in ["mobilenet-v2", "mobilenet-v3"] {
            let summary = format!("{name}_summary_Ethos_U55_High_End_Embedded.csv");
            let files = [file(&format!("{name}_per-layer.csv")), file(&summary)];
            let network = model(&format!("{name}.json"));
            let read = read(ProfileFormat::Vela, &files, std::slice::from_ref(&network)).unwrap();
            let profile = &read[0].networks[0];
            assert_eq!(profile.layers.len(), network.layers().len());
            let sum: f64 = profile.layers.iter().map(|layer| layer.latency_us).sum();
            assert!((sum / profile.latency_us.unwrap() - 1.0).abs() < 1e-9);
        }
        let files = [
            file("mobilenet-v2_per-layer.csv"),
            file("mobilenet-v2_summary_Ethos_U55_High_End_Embedded.csv"),
        ];
        let read = read(ProfileFormat::Vela, &files, &[model("mobilenet-v2.json")]).unwrap();
        // 1,592,291 cycles at 500 MHz.
        assert_eq!(read[0].networks[0].latency_us, Some(3184.582));
        // A mean is two rows: 6,119 and 100 cycles.
        let pool = read[0].networks[0].layers.iter().find(|layer| layer.layer == "head.pool").unwrap();
        assert!((pool.latency_us - 12.438).abs() < 1e-9);
    }

    #[test]
    fn files_of_several_networks_find_their_models_and_clocks_by_name() {
        let names = ["mobilenet-v3", "mobilenet-v2"];
        let summaries = names.map(|name| file(&format!("{name}_summary_Ethos_U55_High_End_Embedded.csv")));
        let layers = names.map(|name| file(&format!("{name}_per-layer.csv")));
        let models = [model("mobilenet-v2.json"), model("mobilenet-v3.json")];
        let read = read(ProfileFormat::Vela, &[summaries, layers].concat(), &models).unwrap();
        let found: Vec<&str> = read.iter().map(|file| file.networks[0].network.as_str()).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn fused_activations_and_many_rows_of_one_name_are_summed() {
        let softmax =
            [row("NPU", "7", "fc_max"), row("NPU", "0", "stem")].concat().replace("fc_max", "fc/softmax");
        let read = at_100_mhz(&(rows() + &softmax + &row("NPU", "3", "pool_intermediate"))).unwrap();
        let times = times(&read[0].networks[0]);
        assert_eq!(
            times,
            [("stem", 1.0), ("b1.dw", 1.0), ("b1.pw", 1.0), ("b1.add", 1.0), ("pool", 1.03), ("fc", 1.07)]
        );
        assert_eq!(read[0].networks[0].latency_us.map(|us| (us * 100.0).round()), Some(610.0));
    }

    #[test]
    fn the_first_column_of_older_releases_is_known_and_other_tables_are_not() {
        assert!(at_100_mhz(&rows().replace("Original Operator", "TFLite_operator")).is_ok());
        let said = at_100_mhz("op,in_h\nconv2d,8\n").unwrap_err().to_string();
        assert!(said.contains("no column `Original Operator`") && said.contains("--from"), "{said}");
    }

    #[test]
    fn operators_on_the_cpu_have_no_time() {
        let text = rows() + &row("CPU", "0", "fc/argmax");
        let said = at_100_mhz(&text).unwrap_err().to_string();
        assert!(said.contains("small_per-layer.csv:8") && said.contains("on the CPU"), "{said}");
    }

    #[test]
    fn cycles_need_a_clock_and_must_be_numbers() {
        let said = read(ProfileFormat::Vela, &[given("small_per-layer.csv", &rows())], &[small()]);
        assert!(said.unwrap_err().to_string().contains("--clock-mhz"));
        for wrong in ["-1", "NaN", "inf", "1e400", "many", ""] {
            let said =
                at_100_mhz(&rows().replacen(",100,", &format!(",{wrong},"), 1)).unwrap_err().to_string();
            assert!(said.contains("small_per-layer.csv:2:6"), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_summary_of_another_compilation_is_refused() {
        let summary = "network,core_clock,cycles_total\nsmall,1e8,999\n";
        let files = [given("small_per-layer.csv", &rows()), given("s.csv", summary)];
        let said = read(ProfileFormat::Vela, &files, &[small()]).unwrap_err().to_string();
        assert!(said.contains("600 cycles in all rows") && said.contains("999"), "{said}");
    }

    #[test]
    fn rows_without_a_layer_and_layers_without_a_row_are_listed() {
        let said = at_100_mhz(&rows().replace("b1.dw", "b1.dwise")).unwrap_err().to_string();
        assert!(said.contains("small_per-layer.csv:3:1: found row `b1.dwise`"), "{said}");
        assert!(said.contains("no row for layer `b1.dw` of network `small`"), "{said}");
        let options = ReadOptions { skip_bad_rows: true, clock_mhz: Some(100.0), ..ReadOptions::default() };
        let files = [given("small_per-layer.csv", &rows().replace("b1.dw", "b1.dwise"))];
        let read = parse_profiles(ProfileFormat::Vela, &files, &[small()], &options).unwrap();
        assert_eq!((read[0].skipped.count, read[0].networks[0].layers.len()), (2, 5));
    }

    #[test]
    fn a_profile_without_its_model_says_what_to_type() {
        let options = ReadOptions { clock_mhz: Some(100.0), ..ReadOptions::default() };
        let files = [given("small_per-layer.csv", &rows())];
        let said = parse_profiles(ProfileFormat::Vela, &files, &[], &options).unwrap_err().to_string();
        assert!(said.contains("--model"), "{said}");
    }
}

mod ort {
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
            assert_eq!(
                (o.kind, o.macs(), o.output),
                (truth.kind, truth.macs(), truth.output),
                "{}",
                layer.name
            );
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
        let names = [
            "/stem/Conv",
            "/b1/dw/Conv",
            "/b1/pw/Conv",
            "/b1/add/Add",
            "/pool/GlobalAveragePool",
            "/fc/Gemm",
        ];
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
            let said = refused(
                ProfileFormat::Ort,
                &format!("[{}]", run("5").replacen(":5,", &format!(":{wrong},"), 1)),
            );
            assert!(said.contains("small.txt:1:2"), "{wrong}: {said}");
        }
        assert!(refused(ProfileFormat::Ort, "[{\"dur\":NaN}]").contains("small.txt:1:9"));
        for nothing in ["[]", "{}", "", "[1,2]"] {
            assert!(refused(ProfileFormat::Ort, nothing).contains("small.txt"), "{nothing}");
        }
    }

    #[test]
    fn operators_that_nobody_knows_are_listed_without_a_model() {
        let events =
            [event("/a/Conv", "LayerNormalization", "5"), event("/b/R", "ReorderInput", "1")].join(",");
        let files = [given("n.json", &format!("[{events}]"))];
        let said = read(ProfileFormat::Ort, &files, &[]).unwrap_err().to_string();
        assert!(
            said.contains("`LayerNormalization` in row `/a/Conv`") && !said.contains("ReorderInput"),
            "{said}"
        );
    }
}

mod trtexec {
    use super::*;

    fn text(rows: &[(&str, &str)]) -> String {
        let row =
            |(name, times): &(&str, &str)| format!(r#"{{ "name" : "{name}", {times}, "percentage" : 1 }}"#);
        format!("[\n{{ \"count\" : 100 }},\n{}\n]", rows.iter().map(row).collect::<Vec<_>>().join(",\n"))
    }

    const MEDIAN: &str = r#""timeMs" : 500, "averageMs" : 5, "medianMs" : 0.002"#;

    #[test]
    fn the_median_of_a_run_is_taken_and_fused_rows_belong_to_the_largest_layer() {
        let read = profile(
            ProfileFormat::Trtexec,
            &text(&[
                ("Reformatting CopyNode for Input Tensor 0 to stem", MEDIAN),
                ("stem + PWN(PWN(stem/act), b1.dw)", MEDIAN),
                ("b1.pw + b1.add", MEDIAN),
                ("pool || fc input reformatter 0", MEDIAN),
            ]),
        );
        let expected =
            [("stem", 4.0), ("b1.dw", 0.0), ("b1.pw", 2.0), ("b1.add", 0.0), ("pool", 0.0), ("fc", 2.0)];
        assert_eq!(times(&read.networks[0]), expected);
        assert_eq!(read.networks[0].latency_us, Some(8.0));
    }

    #[test]
    fn older_releases_without_a_median_give_the_mean() {
        let names = ["stem", "b1.dw", "b1.pw", "b1.add", "pool", "fc"];
        let read = profile(
            ProfileFormat::Trtexec,
            &text(&names.map(|name| (name, r#""timeMs" : 500, "averageMs" : 0.005"#))),
        );
        assert!(times(&read.networks[0]).iter().all(|(_, us)| *us == 5.0));
        assert!(read.notes.iter().any(|note| note.contains("6 rows without a median")), "{:?}", read.notes);
        let total = profile(ProfileFormat::Trtexec, &text(&names.map(|name| (name, r#""timeMs" : 500"#))));
        assert!(times(&total.networks[0]).iter().all(|(_, us)| *us == 5000.0), "the total of 100 runs");
    }

    #[test]
    fn what_fits_two_layers_is_refused_with_both() {
        let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 3), DType::Int8);
        for name in ["a.conv", "a_conv"] {
            b.add(name, Conv2d::square(8, 3, 1), &[Source::Input], Activation::None).unwrap();
        }
        let files = [given("n.json", &text(&[("/a/conv/Conv", MEDIAN)]))];
        let said = read(ProfileFormat::Trtexec, &files, &[b.finish()]).unwrap_err().to_string();
        assert!(said.starts_with("n.json:3:1: ") && said.contains("`a.conv` and `a_conv`"), "{said}");
        assert_eq!(said.lines().count(), 1, "said once: {said}");
        let scopes = text(&[("x/stem", MEDIAN), ("y/stem", MEDIAN)]);
        let said = refused(ProfileFormat::Trtexec, &scopes);
        assert!(said.contains("`x/stem` and `y/stem`, which both fit layer `stem`"), "{said}");
        let said = refused(ProfileFormat::Trtexec, &text(&[("stem + fc", MEDIAN), ("pool + fc", MEDIAN)]));
        assert!(said.contains("layer `fc` in both rows `stem + fc` and `pool + fc`"), "{said}");
    }

    #[test]
    fn names_that_differ_from_a_layers_are_not_guessed() {
        let said = refused(ProfileFormat::Trtexec, &text(&[("stem_2", MEDIAN)]));
        assert!(said.contains("found row `stem_2`") && said.contains("did you mean `stem`?"), "{said}");
    }

    #[test]
    fn a_row_without_name_or_time_is_named_with_its_place() {
        let said = refused(ProfileFormat::Trtexec, "[{\"count\":3},\n{\"name\":\"stem\"},{\"averageMs\":1}]");
        assert!(said.contains("small.txt:2:1") && said.contains("small.txt:2:17"), "{said}");
        let said = refused(ProfileFormat::Trtexec, &text(&[("stem", "\"medianMs\" : -2")]));
        assert!(said.contains("small.txt:3:33: found -2"), "{said}");
    }
}

mod tflite {
    use super::*;

    const HEAD: &str = "node type, start, first, avg_ms, %, cdf%, mem KB, times called, name";

    fn text(rows: &[&str]) -> String {
        format!(
            "Profiling Info for Benchmark Initialization:\n\
             ============================== Run Order ==============================\n{HEAD}\n\
             AllocateTensors, 0, 0.3, 0.3, 100%, 100%, 0, 1, AllocateTensors/0\n\n\
             Operator-wise Profiling Info for Regular Benchmark Runs:\n\
             ============================== Run Order ==============================\n{HEAD}\n{}\n\n\
             ============================== Top by Computation Time ==============================\n{HEAD}\n{}\n",
            rows.join("\n"),
            rows.join("\n")
        )
    }

    fn rows() -> Vec<&'static str> {
        vec![
            "CONV_2D, 0, 0.11, 0.004, 44.8994%, 44.8994%, 0, 1, [small/stem/Relu6;small/stem_bn/Fused, x;small/stem/Conv2D]:0",
            "DEPTHWISE_CONV_2D, 0.1, 0.1, 0.003, 1%, 45%, 0, 1, [small/b1/dw/depthwise;small/stem/Conv2D]:1",
            "CONV_2D, 0.1, 0.1, 0.002, 1%, 46%, 0, 2, [small/b1/pw/BiasAdd]:2",
            "ADD, 0.1, 0.1, 0.001, 1%, 46%, 0, 1, [small/b1/add/add]:3",
            "MEAN, 0.1, 0.1, 0.001, 1%, 46%, 0, 1, [small/pool/Mean]:4",
            "FULLY_CONNECTED, 0.1, 0.1, 0.001, 1%, 46%, 0, 1, [StatefulPartitionedCall:0]:5",
        ]
    }

    #[test]
    fn only_the_run_order_of_the_regular_runs_is_read() {
        let read = profile(ProfileFormat::Tflite, &text(&rows()));
        let expected =
            [("stem", 4.0), ("b1.dw", 3.0), ("b1.pw", 4.0), ("b1.add", 1.0), ("pool", 1.0), ("fc", 1.0)];
        assert_eq!(times(&read.networks[0]), expected, "twice called is twice the time");
        assert_eq!(read.networks[0].latency_us.map(f64::round), Some(14.0));
        let note = "row `[StatefulPartitionedCall:0]:5` read as layer `fc`, the only one left";
        assert!(read.notes.iter().any(|said| said == note), "{:?}", read.notes);
    }

    #[test]
    fn the_median_of_a_result_file_is_the_networks_time() {
        let result =
            r#"{"model":"/m/small.tflite","latency":{"avg_ms":1.51,"median_ms":0.14,"num_runs":50}}"#;
        let files = [given("small.csv", &text(&rows())), given("result.json", result)];
        let measured = read(ProfileFormat::Tflite, &files, &[small()]).unwrap();
        assert_eq!(measured[0].networks[0].latency_us.map(f64::round), Some(140.0));
        let files =
            [given("small.csv", &text(&rows())), given("result.json", r#"{"latency":{"median_ms":-1}}"#)];
        let said = read(ProfileFormat::Tflite, &files, &[small()]).unwrap_err().to_string();
        assert!(said.contains("result.json:1:25: found -1"), "{said}");
    }

    #[test]
    fn a_file_without_the_table_or_with_another_is_refused() {
        assert!(refused(ProfileFormat::Tflite, "node type, start\n").contains("no table `Run Order`"));
        let said = refused(ProfileFormat::Tflite, &text(&rows()).replace(", times called", ""));
        assert!(said.contains("small.txt:8:1") && said.contains("times called"), "{said}");
        let broken = text(&rows()).replacen("0.003", "slow", 1);
        assert!(refused(ProfileFormat::Tflite, &broken).contains("small.txt:10:4: found slow"));
        let few = text(&["CONV_2D, 1, 2"]);
        assert!(refused(ProfileFormat::Tflite, &few).contains("small.txt:9:1: found CONV_2D, 1, 2"));
    }
}

mod qnn {
    use super::*;

    const HEAD: &str =
        "Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier";

    fn run(cycles: u32) -> String {
        let names = ["stem", "b1_dw", "b1_pw", "b1_add", "pool", "fc"];
        let node = |(id, name): (usize, &str)| {
            format!("0,NODE,{cycles},CYCLES,BACKEND,SUB-EVENT,/{name}/Conv_token_1:OpId_{id} (cycles)\n")
        };
        let nodes: String = names.into_iter().enumerate().map(node).collect();
        format!(
            "0,EXECUTE,90,US,BACKEND,ROOT,NULL\n0,BACKEND,4,COUNT,BACKEND,SUB-EVENT,Number of HVX threads used\n\
             0,BACKEND,60,US,BACKEND,SUB-EVENT,Accelerator (execute) time\n\
             0,BACKEND,60000,CYCLES,BACKEND,SUB-EVENT,Accelerator (execute) time (cycles)\n\
             0,NODE,50,CYCLES,BACKEND,SUB-EVENT,Input OpId_2 (cycles)\n{nodes}"
        )
    }

    #[test]
    fn cycles_become_time_by_the_accelerators_own_and_the_first_run_is_dropped() {
        let runs = run(90_000) + &run(9000) + &run(11_000) + &run(10_000);
        let read = profile(ProfileFormat::Qnn, &format!("{HEAD}\n{runs}"));
        assert!(times(&read.networks[0]).iter().all(|(_, us)| *us == 10.0), "{:?}", times(&read.networks[0]));
        assert_eq!(read.networks[0].latency_us, Some(60.0));
        assert!(read.notes.iter().any(|note| note.contains("clock: 1000.0 MHz")), "{:?}", read.notes);
    }

    #[test]
    fn a_newer_column_and_a_header_in_the_middle_are_no_trouble() {
        let lines: Vec<String> = run(10_000).lines().map(|line| format!("{line},\n")).collect();
        let head = format!("{HEAD},ONNX Source Ops\n");
        let text = [head.clone(), lines.concat(), head, lines.concat()].concat();
        assert_eq!(profile(ProfileFormat::Qnn, &text).networks[0].layers.len(), 6);
    }

    #[test]
    fn without_the_accelerators_time_a_clock_must_be_given() {
        let text = format!("{HEAD}\n{}", run(10_000).replace("Accelerator (execute)", "Something"));
        assert!(refused(ProfileFormat::Qnn, &text).contains("--clock-mhz"));
        let options = ReadOptions { clock_mhz: Some(500.0), ..ReadOptions::default() };
        let read =
            parse_profiles(ProfileFormat::Qnn, &[given("small.csv", &text)], &[small()], &options).unwrap();
        assert!(times(&read[0].networks[0]).iter().all(|(_, us)| *us == 20.0));
    }

    #[test]
    fn another_unit_is_refused() {
        let text = format!("{HEAD}\n{}", run(10_000).replacen("10000,CYCLES", "10000,TICKS", 1));
        assert!(refused(ProfileFormat::Qnn, &text).contains("small.txt:7:4: found TICKS"));
    }
}

mod nn_meter {
    use super::*;

    const CONFIG: &str = r#"{"conv-bn-relu":{"a1":{"config":{"HW":56,"CIN":24,"COUT":64,"KERNEL_SIZE":3,"STRIDES":2}}},
        "dwconv-bn-relu6":{"b2":{"config":{"HW":14,"CIN":32,"COUT":32,"KERNEL_SIZE":5,"STRIDES":1}}},
        "fc":{"c3":{"config":{"CIN":128,"COUT":10}}}}"#;
    const RESULTS: &str = r#"{"conv-bn-relu":{"a1":{"latency":"12.5 +- 0.3"}},
        "dwconv-bn-relu6":{"b2":{"latency":"1.5 +- 0.1"}},"fc":{"c3":{"latency":0.25}}}"#;

    #[test]
    fn configurations_and_results_join_across_files() {
        let files = [given("c.json", CONFIG), given("r.json", RESULTS)];
        let measured = read(ProfileFormat::NnMeter, &files, &[]).unwrap();
        let rows: Vec<(Kind, u64, f64)> = measured[0]
            .isolated
            .iter()
            .map(|row| (row.operations[0].kind, row.operations[0].macs(), row.latency_us))
            .collect();
        assert_eq!(
            rows,
            [
                (Kind::Conv2d, 28 * 28 * 9 * 24 * 64, 12_500.0),
                (Kind::DepthwiseConv2d, 14 * 14 * 25 * 32, 1500.0),
                (Kind::Dense, 1280, 250.0),
            ]
        );
        let said = read(ProfileFormat::NnMeter, &files[..1], &[]).unwrap_err().to_string();
        assert!(said.contains("c.json:1:") && said.contains("conv-bn-relu.a1: found no `latency`"), "{said}");
    }

    #[test]
    fn kernels_that_are_no_operators_and_wrong_numbers_are_listed() {
        for (from, to, said) in [
            ("\"fc\"", "\"channelshuffle\"", "kernel `channelshuffle`"),
            ("\"HW\":56", "\"HW\":-56", "found -56, expected HW"),
            ("\"HW\":56", "\"HW\":1e99", "found 1e99"),
            ("\"STRIDES\":2", "\"X\":2", "`STRIDES`"),
        ] {
            let files =
                [given("c.json", &CONFIG.replace(from, to)), given("r.json", &RESULTS.replace(from, to))];
            let found = read(ProfileFormat::NnMeter, &files, &[]).unwrap_err().to_string();
            assert!(found.contains(said), "{to}: {found}");
        }
        for wrong in ["\"-1 +- 0\"", "\"NaN +- 1\"", "\"inf\"", "null", "1e999"] {
            let files =
                [given("c.json", CONFIG), given("r.json", &RESULTS.replace("\"12.5 +- 0.3\"", wrong))];
            let found = read(ProfileFormat::NnMeter, &files, &[]).unwrap_err().to_string();
            assert!(found.contains("r.json:1:34"), "{wrong}: {found}");
        }
    }

    #[test]
    fn the_csv_tells_depthwise_by_its_groups() {
        let text = "model,input_h,input_w,cin,cout,ks,stride,groups,latency_ms\n\
                    m1,56,28,24,24,3,1,24,1\nm2,56,28,24,24,3,1,1,2\nmaxpool_7,56,56,8,8,2,2,1,0.5\n";
        let measured = read(ProfileFormat::NnMeter, &[given("k.csv", text)], &[]).unwrap();
        let kinds: Vec<Kind> = measured[0].isolated.iter().map(|row| row.operations[0].kind).collect();
        assert_eq!(kinds, [Kind::DepthwiseConv2d, Kind::Conv2d, Kind::MaxPool]);
        assert_eq!(measured[0].isolated[0].latency_us, 1000.0);
        let said =
            read(ProfileFormat::NnMeter, &[given("k.csv", &text.replace("m2,56", "m2,0"))], &[]).unwrap_err();
        assert!(said.to_string().contains("k.csv:3:2: found 0"), "{said}");
    }
}
