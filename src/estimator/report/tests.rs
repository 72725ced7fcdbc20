//! What a report says of devices that are known.

use std::fmt::Write as _;

use crate::{
    estimator::{Fit, FitOptions, fit},
    measurement::{Measurements, parse_measurements},
    network::{Activation, DType, Network, NetworkBuilder, Shape, Source, ops::*},
};

const HEADER: &str = "op,in_h,in_w,cin,cout,kernel,stride,network,layer,latency_us\n";

fn isolated(count: u32) -> String {
    isolated_at(count, 1e4)
}

/// Convolutions at a speed in multiply-adds a microsecond; where the picture is large and cout small, half of
/// them take three times as long as they should.
fn isolated_at(count: u32, speed: f64) -> String {
    let mut text = HEADER.to_owned();
    for row in 0..count {
        let (side, cin, cout) = (4 + row * 7 % 60, 3 + row * 13 % 90, 3 + row * 29 % 150);
        // Odd rows of the region only, so that nothing in the row tells.
        let odd = side >= 32 && cout < 16 && (row / 3) % 2 == 0;
        let us = (3.0 + f64::from(side * side * cin * cout) / speed) * if odd { 3.0 } else { 1.0 };
        writeln!(text, "conv2d,{side},{side},{cin},{cout},1,1,,,{us}").unwrap();
    }
    text
}

fn fitted(text: &str, networks: &[Network], options: &FitOptions) -> Fit {
    fit(&[parse_measurements("d.csv", text).unwrap()], networks, options).unwrap()
}

/// Networks of three layers that take `times` as long as their layers alone.
fn networks(count: u32, times: f64) -> (String, Vec<Network>) {
    let (mut text, mut graphs) = (String::new(), Vec::new());
    for number in 0..count {
        let (side, c) = (6 + number % 23, 8 + number * 7 % 60);
        let mut b = NetworkBuilder::new(format!("n{number}"), Shape::new(side, side, c), DType::Int8);
        let mut x = Source::Input;
        for layer in ["a", "b", "c"] {
            x = b.add(layer, Conv2d::square(c, 1, 1), &[x], Activation::None).unwrap();
        }
        graphs.push(b.finish());
        let us = 3.0 * (3.0 + f64::from(side * side * c * c) / 1e4) * times;
        writeln!(text, "network,,,,,,,n{number},,{us}").unwrap();
    }
    (text, graphs)
}

#[test]
fn the_worst_rows_and_the_region_to_measure_are_where_the_noise_is() {
    let report = fitted(&isolated(900), &[], &FitOptions::default()).report;
    assert_eq!(report.worst.len(), 10);
    for row in &report.worst {
        assert!((row.error_pct - 100.0 * (row.predicted_us / row.measured_us - 1.0)).abs() < 1e-9);
        assert!(row.file == "d.csv" && row.network.is_none() && row.operation.is_some(), "{row:?}");
    }
    let factor = |row: &super::WorstRow| (row.predicted_us / row.measured_us).ln().abs();
    assert!(report.worst.windows(2).all(|pair| factor(&pair[0]) >= factor(&pair[1])));
    let next = report.measure_next.unwrap();
    assert!(next.error_pct > next.rows_pct && next.region.contains("cout 1-15"), "{next:?}");
    assert_eq!(next.bounds["cout"], (1, Some(15)));
}

#[test]
fn the_learning_curve_ends_with_all_the_data() {
    let report = fitted(&isolated(600), &[], &FitOptions::default()).report;
    let curve = report.learning_curve.unwrap();
    assert_eq!(curve.unit, "isolated operators");
    let rows: Vec<usize> = curve.points.iter().map(|point| point.rows).collect();
    assert_eq!(rows, [60, 120, 240, 480]);
    let all = report.quality.isolated.unwrap().mape_pct;
    assert!((curve.points[3].mape_pct / all - 1.0).abs() < 1e-9, "{curve:?}, {all}");
    let options = FitOptions { learning_curve: false, ..FitOptions::default() };
    assert!(fitted(&isolated(600), &[], &options).report.learning_curve.is_none());
}

#[test]
fn without_networks_additivity_is_unknown() {
    let report = fitted(&isolated(200), &[], &FitOptions::default()).report;
    assert!(report.quality.additivity.is_none());
    assert!(report.warnings[0].starts_with("additivity is unknown"), "{:?}", report.warnings);
}

#[test]
fn isolated_rows_that_do_not_add_up_are_told() {
    let (rows, graphs) = networks(60, 0.25);
    let report = fitted(&(isolated(300) + &rows), &graphs, &FitOptions::default()).report;
    let additivity = report.quality.additivity.as_ref().unwrap();
    assert!((3.0..5.0).contains(&additivity.median_ratio), "{additivity:?}");
    let said = report.to_string();
    assert!(said.contains("isolated operators only") && said.contains("layer by layer"), "{said}");
    let (rows, graphs) = networks(60, 1.0);
    let report = fitted(&(isolated(300) + &rows), &graphs, &FitOptions::default()).report;
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn an_old_estimator_is_compared_on_the_same_rows_and_must_not_have_seen_them() {
    let old = fitted(&isolated(40), &[], &FitOptions::default()).estimator;
    let compared = |text: &str| {
        let options = FitOptions { old: Some(old.clone()), ..FitOptions::default() };
        let report = fitted(text, &[], &options).report;
        (report.old.clone().unwrap(), report)
    };
    let (both, report) = compared(&isolated_at(600, 3e4));
    let isolated_rows = both.isolated.unwrap();
    assert_eq!(Some(&isolated_rows.new), report.quality.isolated.as_ref());
    assert!(isolated_rows.old.mape_pct > isolated_rows.new.mape_pct, "{isolated_rows:?}");
    assert!(both.seen.is_empty() && both.networks.is_none());
    let (both, report) = compared(&isolated(40));
    assert_eq!(both.seen, ["d.csv"]);
    assert!(report.warnings.iter().any(|warning| warning.contains("has seen these rows")));
}

#[test]
fn too_few_networks_alone_are_refused_with_what_would_do() {
    let (rows, graphs) = networks(10, 1.0);
    let measured: Measurements = parse_measurements("n.csv", &(HEADER.to_owned() + &rows)).unwrap();
    let said = fit(&[measured], &graphs, &FitOptions::default()).unwrap_err().to_string();
    assert!(said.contains("at least 20 whole networks") && said.contains("here 10"), "{said}");
}
