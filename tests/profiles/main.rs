//! Profiles that other tools write, and what they do to names and numbers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod mutations;
mod nn_meter;
mod ort;
mod qnn;
mod tflite;
mod trtexec;
mod vela;

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
