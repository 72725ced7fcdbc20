//! Profiles of TFLite.

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
    let result = r#"{"model":"/m/small.tflite","latency":{"avg_ms":1.51,"median_ms":0.14,"num_runs":50}}"#;
    let files = [given("small.csv", &text(&rows())), given("result.json", result)];
    let measured = read(ProfileFormat::Tflite, &files, &[small()]).unwrap();
    assert_eq!(measured[0].networks[0].latency_us.map(f64::round), Some(140.0));
    let files = [given("small.csv", &text(&rows())), given("result.json", r#"{"latency":{"median_ms":-1}}"#)];
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
