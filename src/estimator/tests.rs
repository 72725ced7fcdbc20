//! The estimator as a whole, on a device whose true prices are known.

use super::*;
use crate::network::{Activation, DType, Network, NetworkBuilder, Shape, Source, ops::*};

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
