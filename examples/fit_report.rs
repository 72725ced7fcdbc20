//! Fits an estimator as a library user would and prints what it is worth.
//!
//! `cargo run --release --example fit_report -- MEASUREMENTS.csv.gz NETWORKS.jsonl.gz [OUT.json] [--physical]`
//!
//! With `--physical` the boosted correction is left out, to see what it is worth.

use std::{path::Path, time::Instant};

use nas::{
    estimator::{FitOptions, fit, read_measurements},
    network::read_networks,
};

fn main() -> nas::error::Result<()> {
    let (flags, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let correction = !flags.iter().any(|flag| flag == "--physical");
    let [csv, networks, out @ ..] = arguments.as_slice() else {
        return Err(nas::error::Error::unusable("give a measurement CSV and the networks behind it"));
    };
    let measurements = read_measurements(Path::new(csv))?;
    let networks = read_networks(Path::new(networks))?;
    let start = Instant::now();
    let fit = fit(&[measurements], &networks, &FitOptions { correction, ..FitOptions::default() })?;
    println!("{} ({}), fitted in {:.1?}", fit.estimator.name(), fit.estimator.provenance(), start.elapsed());
    print!("{}", fit.quality);
    let start = Instant::now();
    let total: f64 = networks.iter().map(|network| fit.estimator.latency_us(network)).sum();
    let layers: usize = networks.iter().map(|network| network.layers().len()).sum();
    let each = start.elapsed() / layers.max(1) as u32;
    println!("{total:.0} us over all networks; {each:?} to price a layer");
    match out.first() {
        Some(path) => fit.estimator.save(Path::new(path)),
        None => Ok(()),
    }
}
