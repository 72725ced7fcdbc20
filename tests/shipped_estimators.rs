//! The estimators that come with the project.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use nas::{
    estimator::{Estimator, Unseen},
    network::{Activation, Block, BlockKind, DType, Network, NetworkBuilder, Shape, Source, ops::*},
};

/// Those of NPUs, which were fitted to what a compiler says.
fn all() -> Vec<Estimator> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("estimators");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    let npu =
        |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ethos"));
    let estimators: Vec<Estimator> =
        files.iter().filter(npu).map(|path| Estimator::load(path).unwrap()).collect();
    assert!(!estimators.is_empty());
    estimators
}

/// MobileNetV2-like: stem, inverted bottlenecks, classifier.
fn network(size: u32, width: u32) -> Network {
    let mut b = NetworkBuilder::new("n", Shape::new(size, size, 3), DType::Int8);
    let stem = Conv2d::square(2 * width, 3, 2);
    let mut x = b.add("stem", stem, &[Source::Input], Activation::Relu6).unwrap();
    for index in 0..12_u32 {
        let stride = if index % 3 == 1 && index < 9 { 2 } else { 1 };
        let cout = width * (1 + index / 3);
        let hidden = 6 * b.shape(x).c;
        let activation = Activation::Relu6;
        let kind = BlockKind::Ibn;
        let block = Block {
            kind,
            fused: index < 2,
            kernel: 3,
            stride,
            hidden,
            cout,
            activation,
            groups: 1,
            se: None,
        };
        x = block.build(&mut b, format!("b{index}"), x).unwrap();
    }
    x = b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    b.add("classes", Dense { cout: 100, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

#[test]
fn they_say_that_they_are_not_silicon() {
    for estimator in all() {
        assert!(estimator.provenance().contains("compiler cycle estimates, not silicon"));
    }
}

/// What a page draws is a fair sample of what the table counts, with the worst beside it.
#[test]
fn they_carry_points_that_agree_with_their_quality() {
    for estimator in all() {
        let quality = estimator.quality();
        let (counted, held_out) = (quality.networks.as_ref().unwrap(), quality.held_out.as_ref().unwrap());
        assert_eq!(held_out.of, Unseen::Networks);
        let points = &held_out.points;
        assert!((200..=210).contains(&points.len()) && counted.n > points.len());
        assert!(points.is_sorted_by(|a, b| a.measured <= b.measured));
        let worst = held_out.worst(10);
        let others = points.iter().filter(|point| !worst.iter().any(|bad| std::ptr::eq(*bad, *point)));
        let errors: Vec<f64> = others.map(|point| point.error_pct().abs()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!((0.5..1.5).contains(&(mean / counted.mape_pct)), "{mean} for {}", counted.mape_pct);
        assert!(worst.iter().all(|point| point.distance() >= worst[9].distance() && !point.name.is_empty()));
    }
}

/// As files of older versions are.
#[test]
fn one_without_points_loads_and_predicts_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("estimators/ethos-u55-128.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(file["quality"].as_object_mut().unwrap().remove("held_out").is_some());
    let (old, new) =
        (Estimator::parse("old.json", &file.to_string()).unwrap(), Estimator::load(&path).unwrap());
    assert_eq!(old.quality().held_out, None);
    assert_eq!(old.estimate(&network(128, 8)), new.estimate(&network(128, 8)));
}

#[test]
fn they_price_a_mobile_network_in_range_and_with_reasons() {
    for estimator in all() {
        let network = network(192, 16);
        let estimate = estimator.estimate(&network);
        let said: Vec<String> = estimate.out_of_range.iter().map(ToString::to_string).collect();
        assert!(estimate.in_range(), "{}: {said:?}", estimator.name());
        assert!(estimate.low_us < estimate.latency_us && estimate.latency_us < estimate.high_us);
        assert!(estimate.layers.iter().all(|layer| layer.latency_us > 0.0 && !layer.reason.is_empty()));
        let fast = estimator.latency_us(&network);
        assert!((fast / estimate.latency_us - 1.0).abs() < 1e-12);
    }
}

#[test]
fn more_of_everything_costs_more() {
    for estimator in all() {
        let us = |size, width| estimator.latency_us(&network(size, width));
        for (size, width) in [(96, 8), (128, 16), (160, 24)] {
            assert!(us(size, width) < us(2 * size, width), "{} at {size}", estimator.name());
            assert!(us(size, width) < us(size, 2 * width), "{} at width {width}", estimator.name());
        }
    }
}

#[test]
fn far_from_the_measurements_they_stay_physical_and_say_so() {
    for estimator in all() {
        let small = estimator.estimate(&network(192, 16));
        let large = estimator.estimate(&network(2048, 64));
        assert!(large.latency_us > 100.0 * small.latency_us && large.latency_us.is_finite());
        assert!(!large.in_range());
        assert!(large.high_us / large.low_us > small.high_us / small.low_us);
    }
}

#[test]
fn the_one_of_a_cpu_says_what_it_was_measured_on() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("estimators/cpu-ort-x86.json");
    let estimator = Estimator::load(&path).unwrap();
    let said = estimator.provenance();
    assert!(said.contains("measured with nas") && said.contains("onnxruntime 1.31.1"), "{said}");
    let us = |size, width| estimator.latency_us(&network(size, width).relabelled("n", DType::Fp32));
    assert!(us(128, 8) < us(256, 8) && us(128, 8) < us(128, 32));
}
