//! The datasheets that come with the project, and what they are worth with few measurements.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::HashSet, path::Path};

use nas::{
    estimator::{Accuracy, Datasheet, Estimator, FitOptions, fit},
    io::read_text,
    measurement::{Measurements, parse_measurements},
    network::{Network, read_networks},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const NPU: &str = "ethos-u55-128";

fn sheet(name: &str) -> Datasheet {
    Datasheet::load(Path::new(&format!("estimators/datasheets/{name}.json"))).unwrap()
}

#[test]
fn every_shipped_datasheet_gives_an_estimator() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir("estimators/datasheets").unwrap() {
        let sheet = Datasheet::load(&entry.unwrap().path()).unwrap();
        let estimator = sheet.estimator(&FitOptions::default()).unwrap();
        assert!(estimator.is_analytic() && estimator.parallelism() > 1, "{}", sheet.name());
        names.push(sheet.name().to_owned());
    }
    assert_eq!(names.len(), 7, "{names:?}");
}

/// 50 rows drawn at random, as `examples/calibrate_datasheet.rs` draws them.
fn few(text: &str, seed: u64) -> Measurements {
    let mut lines = text.lines();
    let mut drawn = vec![lines.next().unwrap()];
    let mut left: Vec<&str> = lines.collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    drawn.extend((0..50).map(|_| left.swap_remove(rng.random_range(0..left.len()))));
    parse_measurements("few.csv", &(drawn.join("\n") + "\n")).unwrap()
}

/// Mean errors of networks and of layers, in percent, of networks that `few` does not name.
fn errors(estimator: &Estimator, all: &Measurements, few: &Measurements, networks: &[Network]) -> [f64; 2] {
    let known: HashSet<&str> = few.networks.iter().map(|profile| profile.network.as_str()).collect();
    let (mut wholes, mut layers) = (Vec::new(), Vec::new());
    for profile in all.networks.iter().filter(|profile| !known.contains(profile.network.as_str())).step_by(10)
    {
        let network = networks.iter().find(|network| network.name() == profile.network).unwrap();
        let graph = estimator.graph(network);
        let predicted: Vec<f64> = graph.layers().map(|layer| estimator.layer_us(layer)).collect();
        wholes.push((estimator.overhead_us() + predicted.iter().sum::<f64>(), profile.latency_us.unwrap()));
        assert_eq!(profile.layers.len(), predicted.len());
        layers.extend(predicted.into_iter().zip(profile.layers.iter().map(|layer| layer.latency_us)));
    }
    [wholes, layers].map(|pairs| Accuracy::of(&pairs).unwrap().mape_pct)
}

#[test]
fn a_datasheet_with_fifty_rows_beats_the_datasheet_and_the_rows() {
    let text = read_text(Path::new(&format!("estimators/ethos-u/{NPU}.csv.gz"))).unwrap();
    let networks = read_networks(Path::new("estimators/ethos-u/networks.jsonl.gz")).unwrap();
    let (all, sheet, options) =
        (parse_measurements("all.csv", &text).unwrap(), sheet(NPU), FitOptions::default());
    let mut sums = [[0.0; 2]; 3];
    for seed in 0..3 {
        let rows = [few(&text, seed)];
        let estimators = [
            sheet.estimator(&options).unwrap(),
            fit(&rows, &networks, &options).unwrap().estimator,
            sheet.calibrate(&rows, &networks, &options).unwrap().estimator,
        ];
        for (sums, estimator) in sums.iter_mut().zip(estimators) {
            let errors = errors(&estimator, &all, &rows[0], &networks);
            sums.iter_mut().zip(errors).for_each(|(sum, error)| *sum += error / 3.0);
        }
    }
    let [alone, rows, both] = sums;
    assert!(both[0] < 0.95 * alone[0].min(rows[0]), "networks: {alone:?} {rows:?} {both:?}");
    assert!(both[1] < 0.85 * alone[1].min(rows[1]), "layers: {alone:?} {rows:?} {both:?}");
}
