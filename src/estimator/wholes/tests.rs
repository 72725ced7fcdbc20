//! A hundred networks of a real compiler's estimates, and nothing else.

use std::path::Path;

use rand::{SeedableRng as _, rngs::ChaCha8Rng, seq::index::sample};

use crate::{
    estimator::{FitOptions, fit, quality::spearman},
    measurement::{Profile, read_measurements},
    network::{Network, read_networks},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/estimators/ethos-u");

#[test]
fn a_hundred_networks_rank_the_others() {
    let mut measured = read_measurements(&Path::new(FOLDER).join("ethos-u65-512.csv.gz")).unwrap();
    let networks = read_networks(&Path::new(FOLDER).join("networks.jsonl.gz")).unwrap();
    measured.isolated.clear();
    measured.networks.iter_mut().for_each(|profile| profile.layers.clear());
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let chosen = sample(&mut random, measured.networks.len(), 100).into_vec();
    let (seen, unseen): (Vec<_>, Vec<_>) =
        std::mem::take(&mut measured.networks).into_iter().enumerate().partition(|(i, _)| chosen.contains(i));
    measured.networks = seen.into_iter().map(|(_, profile)| profile).collect();
    let options = FitOptions { folds: 3, learning_curve: false, ..FitOptions::default() };
    let fitted = fit(&[measured], &networks, &options).unwrap();

    let network = |profile: &Profile| -> &Network {
        networks.iter().find(|network| network.name() == profile.network).unwrap()
    };
    let estimates: Vec<_> = unseen
        .iter()
        .map(|(_, profile)| (fitted.estimator.estimate(network(profile)), profile.latency_us.unwrap()))
        .collect();
    let pairs: Vec<(f64, f64)> = estimates.iter().map(|(e, measured)| (e.latency_us, *measured)).collect();
    assert_eq!(pairs.len(), 500);
    assert!(spearman(&pairs) >= 0.95, "{}", spearman(&pairs));
    let covered = estimates.iter().filter(|(e, measured)| (e.low_us..=e.high_us).contains(measured)).count();
    assert!(covered >= 400, "{covered} of 500 in their interval");
    let reason = &estimates[0].0.layers[0].reason;
    assert!(reason.ends_with("never measured singly"), "{reason}");
    assert!(fitted.report.warnings.iter().any(|w| w.contains("no layer was measured singly")));
    assert!(fitted.report.worst.iter().all(|row| row.network.is_some() && row.layer.is_none()));
}
