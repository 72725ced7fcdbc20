//! Datasheets as a whole.

use super::*;
use crate::{
    estimator::{Graph, physical::TERMS},
    measurement::{Kind, Operation, parse_measurements},
    network::{Activation, NetworkBuilder, Shape, Source, ops::*},
};

const CHIP: &str = r#"{
  "schema": "nas.datasheet/1", "name": "chip",
  "mac_array": { "rows": 16, "columns": 8, "macs_per_cycle": 128 }, "clock_mhz": 500,
  "on_chip_bytes": "384KiB", "on_chip_gb_per_s": 8, "off_chip_gb_per_s": 2, "operator_overhead_us": 2
}"#;

fn chip() -> Datasheet {
    Datasheet::parse("chip.json", CHIP).unwrap()
}

fn problems(from: &str, to: &str) -> String {
    assert!(CHIP.contains(from), "{from}");
    Datasheet::parse("chip.json", &CHIP.replace(from, to)).unwrap_err().to_string()
}

/// A convolution between two others, so that it neither reads nor writes off the chip.
fn middle(h: u32, cin: u32, cout: u32) -> Network {
    let mut b = NetworkBuilder::new("n", Shape::new(h, h, 3), DType::Int8);
    let x = b.add("first", Conv2d::square(cin, 1, 1), &[Source::Input], Activation::None).unwrap();
    let x = b.add("middle", Conv2d::square(cout, 3, 1), &[x], Activation::None).unwrap();
    b.add("last", Conv2d::square(8, 1, 1), &[x], Activation::None).unwrap();
    b.finish()
}

fn middle_us(estimator: &Estimator, h: u32, cin: u32, cout: u32) -> f64 {
    estimator.estimate(&middle(h, cin, cout)).layers[1].latency_us
}

#[test]
fn every_price_is_of_a_term_that_there_is() {
    let variants =
        [CHIP.to_owned(), CHIP.replace("\"clock_mhz\"", "\"network_io\": \"on_chip\", \"clock_mhz\"")];
    for text in variants {
        let sheet = Datasheet::parse("chip.json", &text).unwrap();
        for (name, kind) in Kind::NAMES {
            for (term, price) in sheet.prices(kind) {
                assert!(TERMS.iter().any(|(known, _)| *known == term), "{name}: no term `{term}`");
                assert!(price.is_finite() && price > 0.0, "{name}: {term} {price}");
            }
        }
        sheet.estimator(&FitOptions::default()).unwrap();
    }
}

#[test]
fn a_compute_bound_layer_takes_its_multiply_adds_and_the_overhead() {
    let estimator = chip().estimator(&FitOptions::default()).unwrap();
    let macs = 32.0 * 32.0 * 9.0 * 64.0 * 64.0;
    let (found, truth) = (middle_us(&estimator, 32, 64, 64), macs / 128.0 / 500.0 + 2.0);
    assert!((found / truth - 1.0).abs() < 0.01, "{found} for {truth}");
    let padded = middle_us(&estimator, 32, 64, 65);
    assert!((padded - 2.0) / (found - 2.0) > 1.12, "65 channels take nine columns of eight: {padded}");
}

#[test]
fn lanes_and_memory_are_those_of_the_sheet_and_nothing_is_out_of_range() {
    let estimator = chip().estimator(&FitOptions::default()).unwrap();
    assert_eq!((estimator.lanes().input, estimator.lanes().output, estimator.parallelism()), (16, 8, 16));
    let estimate = estimator.estimate(&middle(300, 1500, 2000));
    assert!(estimate.in_range() && estimator.is_analytic());
    assert!(estimator.provenance().contains("chip.json; nothing was measured"), "{}", estimator.provenance());
    assert_eq!(estimator.quality(), &crate::estimator::Quality::default());
    let again = Estimator::parse("e.json", &estimator.to_json().unwrap()).unwrap();
    assert_eq!((again.hash(), again.is_analytic()), (estimator.hash(), true));
}

#[test]
fn each_figure_changes_the_latency_of_what_it_speaks_of() {
    let us = |text: &str| {
        let estimator = Datasheet::parse("c", text).unwrap().estimator(&FitOptions::default()).unwrap();
        estimator.latency_us(&middle(32, 32, 128))
    };
    let base = us(CHIP);
    for (from, to) in [
        ("\"clock_mhz\": 500", "\"clock_mhz\": 250"),
        ("\"off_chip_gb_per_s\": 2", "\"off_chip_gb_per_s\": 0.1"),
        ("\"on_chip_gb_per_s\": 8", "\"on_chip_gb_per_s\": 0.1"),
        ("\"384KiB\"", "1024"),
        ("_us\": 2", "_us\": 20"),
        ("_us\": 2", "_us\": 2, \"network_overhead_us\": 5"),
        ("_us\": 2", "_us\": 2, \"off_chip_latency_us\": 5"),
        ("_us\": 2", "_us\": 2, \"results_per_cycle\": 0.1"),
        ("_us\": 2", "_us\": 2, \"burst_bytes\": 1024"),
        ("_us\": 2", "_us\": 2, \"dtypes\": { \"int8\": 0.5 }"),
    ] {
        let slower = us(&CHIP.replace(from, to));
        assert!(slower > 1.0001 * base, "{to}: {slower} after {base}");
    }
}

#[test]
fn nonsense_is_refused_with_its_place() {
    for (from, to, expected) in [
        (
            "\"rows\": 16",
            "\"rows\": 0",
            "chip.json:3:26: mac_array.rows: found 0, expected a whole number from 1",
        ),
        ("\"macs_per_cycle\": 128", "\"macs_per_cycle\": 256", "found 256, expected 128, which is 16 rows"),
        ("\"clock_mhz\": 500", "\"clock_mhz\": -5", "clock_mhz: found -5"),
        ("\"384KiB\"", "\"384 KB\"", "on_chip_bytes: found \"384 KB\", expected bytes, such as 393216"),
        ("\"384KiB\"", "0", "on_chip_bytes: found 0"),
        ("\"on_chip_gb_per_s\": 8", "\"on_chip_gbps\": 8", "unknown field `on_chip_gbps`"),
        ("_us\": 2", "_us\": -1", "operator_overhead_us: found -1"),
        (
            "_us\": 2",
            "_us\": 2, \"depthwise\": \"fast\"",
            "depthwise: found \"fast\", expected \"as_convolution\"",
        ),
        ("_us\": 2", "_us\": 2, \"dtypes\": {}", "at least one, such as"),
        ("_us\": 2", "_us\": 2, \"dtypes\": { \"int4\": 2 }", "unknown field `int4`"),
        ("nas.datasheet/1", "nas.space/1", "expected \"nas.datasheet/1\""),
    ] {
        let said = problems(from, to);
        assert!(said.contains(expected), "{said}");
    }
    let said = Datasheet::parse("c.json", "{}").unwrap_err().to_string();
    assert_eq!(said.lines().count(), 8, "every required field is named: {said}");
}

#[test]
fn a_number_format_has_its_own_throughput() {
    let sheet = || {
        Datasheet::parse(
            "c",
            &CHIP.replace("_us\": 2", "_us\": 2, \"dtypes\": { \"int8\": 1, \"fp16\": 0.5 }"),
        )
    };
    let us = |dtype| {
        let sheet = sheet().unwrap().with_dtype(dtype).unwrap();
        middle_us(&sheet.estimator(&FitOptions::default()).unwrap(), 32, 64, 64) - 2.0
    };
    assert!((us(DType::Fp16) / us(DType::Int8) - 2.0).abs() < 0.05);
    let said = sheet().unwrap().with_dtype(DType::Fp32).unwrap_err().to_string();
    assert!(said.contains("no throughput for fp32; it has int8, fp16"), "{said}");
}

/// Isolated convolutions as a chip measures them that is what the sheet says, but for `slower`.
fn measured(count: u32, slower: f64, dtype: &str) -> Measurements {
    let estimator = chip().estimator(&FitOptions::default()).unwrap();
    let mut text = "op,in_h,in_w,cin,cout,kernel,stride,dtype,latency_us\n".to_owned();
    for i in 0..count {
        let (h, cin, cout) = (8 + i % 25, 16 + 7 * i % 50, 16 + 11 * i % 90);
        let network = conv(h, cin, cout);
        let graph = Graph::chain([Operation::of(&network, &network.layers()[0])]);
        let us = slower * estimator.layer_us(graph.layer(0));
        text += &format!("conv2d,{h},{h},{cin},{cout},3,1,{dtype},{us}\n");
    }
    parse_measurements("few.csv", &text).unwrap()
}

fn conv(h: u32, cin: u32, cout: u32) -> Network {
    let mut b = NetworkBuilder::new("n", Shape::new(h, h, cin), DType::Int8);
    b.add("a", Conv2d::square(cout, 3, 1), &[Source::Input], Activation::None).unwrap();
    b.finish()
}

#[test]
fn few_rows_correct_what_the_sheet_gets_wrong() {
    let options = FitOptions::default();
    let sheet = chip().estimator(&options).unwrap();
    let corrected = chip().calibrate(&[measured(20, 1.7, "int8")], &[], &options).unwrap().estimator;
    let ratio = middle_us(&corrected, 20, 40, 72) / middle_us(&sheet, 20, 40, 72);
    assert!((ratio - 1.7).abs() < 0.1, "{ratio}");
    assert!(!corrected.is_analytic());
    assert!(corrected.provenance().contains("corrected by 20 rows of few.csv"), "{}", corrected.provenance());
}

#[test]
fn rows_that_agree_with_the_sheet_leave_it_as_it_is() {
    let options = FitOptions::default();
    let sheet = chip().estimator(&options).unwrap();
    let corrected = chip().calibrate(&[measured(20, 1.0, "int8")], &[], &options).unwrap().estimator;
    let ratio = middle_us(&corrected, 20, 40, 72) / middle_us(&sheet, 20, 40, 72);
    assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
}

#[test]
fn too_few_rows_and_rows_of_another_number_format_are_refused() {
    let refused = |rows| chip().calibrate(&[rows], &[], &FitOptions::default()).unwrap_err().to_string();
    assert!(refused(measured(4, 1.0, "int8")).contains("4 measured rows are too few"));
    assert!(refused(measured(20, 1.0, "fp16")).contains("2 bytes an activation"));
}
