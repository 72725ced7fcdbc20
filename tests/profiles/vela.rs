//! Profiles of Vela, the compiler for Ethos-U.

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
    let files =
        [file("mobilenet-v2_per-layer.csv"), file("mobilenet-v2_summary_Ethos_U55_High_End_Embedded.csv")];
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
        let said = at_100_mhz(&rows().replacen(",100,", &format!(",{wrong},"), 1)).unwrap_err().to_string();
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
