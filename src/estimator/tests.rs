//! The estimator as a whole, on a device whose true prices are known.

use super::*;
use crate::{
    measurement::{Measurements, parse_measurements},
    network::{Activation, DType, Network, NetworkBuilder, Shape, Source, ops::*},
};

const HEADER: &str = "op,in_h,in_w,cin,cout,kernel,stride,latency_us\n";

/// A device with 16 output lanes that does 100 padded multiply-adds a microsecond.
fn device_us(h: u32, cin: u32, cout: u32) -> f64 {
    let tiles = f64::from(cout.next_multiple_of(16) * cin);
    3.0 + f64::from(h * h) * 9.0 * tiles / 100.0
}

fn measured() -> Measurements {
    let mut text = HEADER.to_owned();
    for h in [4, 7, 14, 28] {
        for cin in [8, 24, 40] {
            for cout in [5, 16, 17, 40, 64, 100] {
                let latency = device_us(h, cin, cout);
                text += &format!("conv2d,{h},{h},{cin},{cout},3,1,{latency}\n");
            }
        }
    }
    parse_measurements("d.csv", &text).unwrap()
}

fn conv(h: u32, cin: u32, cout: u32) -> Network {
    let mut b = NetworkBuilder::new("n", Shape::new(h, h, cin), DType::Int8);
    b.add("a", Conv2d::square(cout, 3, 1), &[Source::Input], Activation::None).unwrap();
    b.finish()
}

#[test]
fn a_simple_device_is_learnt_from_isolated_rows() {
    let estimator = fit(&[measured()], &[], &FitOptions::default()).unwrap().estimator;
    for (h, cin, cout) in [(10, 16, 33), (20, 30, 64)] {
        let (found, truth) = (estimator.latency_us(&conv(h, cin, cout)), device_us(h, cin, cout));
        assert!((found / truth - 1.0).abs() < 0.1, "{found} for {truth}");
    }
}

#[test]
fn an_estimator_reads_back_as_it_was_written() {
    let estimator = fit(&[measured()], &[], &FitOptions::default()).unwrap().estimator;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.json");
    estimator.save(&path).unwrap();
    let again = Estimator::load(&path).unwrap();
    assert_eq!(again.hash(), estimator.hash());
    let network = conv(9, 8, 31);
    assert_eq!(again.estimate(&network), estimator.estimate(&network));
}

#[test]
fn what_was_never_measured_is_priced_and_flagged() {
    let estimator = fit(&[measured()], &[], &FitOptions::default()).unwrap().estimator;
    let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 16), DType::Int8);
    let x = b.add("big", Conv2d::square(4000, 3, 1), &[Source::Input], Activation::None).unwrap();
    b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    let estimate = estimator.estimate(&b.finish());
    assert!(!estimate.in_range() && estimate.latency_us.is_finite() && estimate.latency_us > 0.0);
    let said: Vec<String> = estimate.out_of_range.iter().map(ToString::to_string).collect();
    assert!(
        said[0].contains("`big`") && said[0].contains("cout 4000") && said[0].contains("5 to 100"),
        "{said:?}"
    );
    assert!(said.last().unwrap().contains("no global_avg_pool was measured"), "{said:?}");
}

/// Pairs of layers on a device where a tensor that stays on the chip is moved ten times as fast.
fn in_context(networks: usize) -> (Measurements, Vec<Network>) {
    let mut text = "op,in_h,in_w,cin,cout,kernel,stride,network,layer,latency_us\n".to_owned();
    let mut graphs = Vec::new();
    for number in 0..networks as u32 {
        let (h, c) = (6 + number % 13, 8 + number * 7 % 90);
        let mut b = NetworkBuilder::new(format!("n{number}"), Shape::new(h, h, c), DType::Int8);
        let x = b.add("a", Conv2d::square(c, 1, 1), &[Source::Input], Activation::None).unwrap();
        let x = b.add("b", Conv2d::square(c, 3, 1), &[x], Activation::None).unwrap();
        b.add("c", Conv2d::square(c, 1, 1), &[x], Activation::None).unwrap();
        let (pixels, bytes) = (f64::from(h * h), f64::from(h * h * c));
        let macs = |taps: f64| 0.5 + pixels * taps * f64::from(c * c.next_multiple_of(8)) / 3000.0;
        let (a, b_us, c_us) = (macs(1.0) + bytes / 50.0, macs(9.0), macs(1.0) + bytes / 50.0);
        for (layer, kernel, us) in [("a", 1, a), ("b", 3, b_us), ("c", 1, c_us)] {
            text += &format!("conv2d,{h},{h},{c},{c},{kernel},1,n{number},{layer},{us}\n");
        }
        text += &format!("network,,,,,,,n{number},,{}\n", a + b_us + c_us + 4.0);
        graphs.push(b.finish());
    }
    (parse_measurements("c.csv", &text).unwrap(), graphs)
}

#[test]
fn unseen_networks_are_predicted_from_their_layers_and_an_overhead() {
    let (measurements, networks) = in_context(90);
    let fit = fit(&[measurements], &networks, &FitOptions::default()).unwrap();
    let accuracy = fit.quality.networks.unwrap();
    assert!(accuracy.mape_pct < 5.0 && accuracy.spearman > 0.99, "{accuracy:?}");
    let coverage = fit.quality.interval_coverage_pct.unwrap();
    assert!((75.0..=100.0).contains(&coverage), "{coverage}");
}

#[test]
fn a_fit_does_not_depend_on_the_number_of_threads() {
    let (measurements, networks) = in_context(30);
    let text = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = FitOptions::default();
        let fit = pool.install(|| fit(std::slice::from_ref(&measurements), &networks, &options));
        fit.unwrap().estimator.to_json().unwrap()
    };
    assert_eq!(text(1), text(3));
}

#[test]
fn latencies_that_have_nothing_to_do_with_the_rows_are_refused() {
    let mut text = HEADER.to_owned();
    for i in 0..60_u32 {
        let noise = 1.0 + f64::from(i.wrapping_mul(2_654_435_761) >> 20) / 10.0;
        text += &format!("conv2d,{},8,8,{},3,1,{noise}\n", 4 + i % 5, 8 + i % 7);
    }
    let noise = parse_measurements("d.csv", &text).unwrap();
    let said = fit(&[noise], &[], &FitOptions::default()).unwrap_err().to_string();
    assert!(said.contains("no better than one constant"), "{said}");
    let few = parse_measurements("d.csv", &format!("{HEADER}conv2d,4,4,8,8,3,1,2.0\n")).unwrap();
    let said = fit(&[few], &[], &FitOptions::default()).unwrap_err().to_string();
    assert!(said.contains("too few"), "{said}");
}

#[test]
fn a_row_for_a_layer_that_the_network_does_not_have_is_refused() {
    let (mut measurements, networks) = in_context(12);
    measurements.networks[3].layers[0].layer = "aa".into();
    let said = fit(&[measurements], &networks, &FitOptions::default()).unwrap_err().to_string();
    assert!(said.contains("no layer `aa`; did you mean `a`?"), "{said}");
}

#[test]
fn idle_lanes_are_named() {
    let estimator = fit(&[measured()], &[], &FitOptions::default()).unwrap().estimator;
    assert_eq!(estimator.lanes().output, 16);
    let reason = &estimator.estimate(&conv(28, 40, 17)).layers[0].reason;
    assert!(reason.contains("lanes: 17 of 32 output channels used"), "{reason}");
}

#[test]
fn an_estimator_file_that_was_tampered_with_is_refused() {
    let text = fit(&[measured()], &[], &FitOptions::default()).unwrap().estimator.to_json().unwrap();
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Estimator::parse("e.json", &text.replacen(from, to, 1)).unwrap_err().to_string()
    };
    assert!(said("\"unit\"", "\"unitt\"").contains("e.json:5"), "line of an unknown field");
    assert!(said("nas.estimator/1", "nas.estimator/9").contains("nas.estimator/9"));
    assert!(
        said("\"kinds\": {", "\"kinds\": {\"conv9\": {\"rows\":1,\"prices\":{},\"range\":{}},")
            .contains("conv9")
    );
    assert!(said("macs_in_tiles\": ", "macs_in_tiles\": -").contains("not a price"));
    assert!(said("\"thresholds\": [", "\"thresholds\": [1.0,").contains("do not fit together"));
}

#[test]
fn a_network_of_another_number_format_is_out_of_range() {
    let estimator = fit(&[measured()], &[], &FitOptions::default()).unwrap().estimator;
    let of = |dtype: DType| {
        let mut b = NetworkBuilder::new("n", Shape::new(14, 14, 24), dtype);
        b.add("a", Conv2d::square(40, 3, 1), &[Source::Input], Activation::None).unwrap();
        estimator.estimate(&b.finish())
    };
    let (int8, fp32) = (of(DType::Int8), of(DType::Fp32));
    assert!(int8.out_of_range.is_empty());
    assert!(fp32.out_of_range.iter().any(|found| found.feature == "bytes_per_value"));
    assert!(fp32.high_us / fp32.latency_us > int8.high_us / int8.latency_us);
}
