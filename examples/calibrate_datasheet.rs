//! What a datasheet is worth, what few measurements are worth, and what both are worth together.
//!
//! Draws rows at random from the measurements of an NPU whose datasheet is public, and predicts the networks
//! that no drawn row comes from: by the datasheet alone, by a fit to the rows alone, by the datasheet
//! corrected by the rows.
//!
//! ```sh
//! cargo run --release --example calibrate_datasheet -- [ROWS] [DRAWS] [NPU...]
//! ```

use std::{collections::HashSet, error::Error, path::Path};

use nas::{
    estimator::{Accuracy, Datasheet, Estimator, FitOptions, fit},
    io::read_text,
    measurement::{Measurements, Profile, parse_measurements},
    network::{Network, read_networks},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const NPUS: [&str; 3] = ["ethos-u55-128", "ethos-u65-512", "ethos-u85-2048"];
const WAYS: [&str; 3] = ["datasheet", "rows", "both"];

/// Error figures of one way: of networks and of layers in context, summed over draws.
#[derive(Clone, Copy, Default)]
struct Sums {
    draws: f64,
    networks: [f64; 3],
    layers: [f64; 3],
    /// Networks inside the interval.
    inside: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(50), |rows| rows.parse())?;
    let draws: u64 = arguments.next().map_or(Ok(10), |draws| draws.parse())?;
    let named: Vec<String> = arguments.collect();
    let npus = if named.is_empty() { NPUS.map(str::to_owned).to_vec() } else { named };
    println!(
        "{rows} rows drawn at random, mean of {draws} draws; networks and layers that no row comes from"
    );
    println!(
        "| NPU | fitted to | networks: MAPE | within ±10 % | Spearman | in the interval | layers: MAPE | within ±10 % | Spearman |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for npu in npus {
        let folder = Path::new("estimators");
        let text = read_text(&folder.join(format!("ethos-u/{npu}.csv.gz")))?;
        let networks = read_networks(&folder.join("ethos-u/networks.jsonl.gz"))?;
        let sheet = Datasheet::load(&folder.join(format!("datasheets/{npu}.json")))?;
        let sums = compare(&text, &networks, &sheet, rows, draws)?;
        for (way, sums) in WAYS.iter().zip(sums) {
            println!("{}", line(&npu, way, sums));
        }
    }
    Ok(())
}

fn line(npu: &str, way: &str, sums: Sums) -> String {
    if sums.draws == 0.0 {
        return format!("| {npu} | {way} | no fit | | | | | | |");
    }
    let cells = |[mape, within, spearman]: [f64; 3]| {
        format!("{:.1} % | {:.0} % | {:.3}", mape / sums.draws, within / sums.draws, spearman / sums.draws)
    };
    let inside = 100.0 * sums.inside / sums.draws;
    let (networks, layers) = (cells(sums.networks), cells(sums.layers));
    format!("| {npu} | {way} | {networks} | {inside:.0} % | {layers} |")
}

fn compare(
    text: &str,
    networks: &[Network],
    sheet: &Datasheet,
    rows: usize,
    draws: u64,
) -> Result<[Sums; 3], Box<dyn Error>> {
    let all = parse_measurements("all.csv", text)?;
    let options = FitOptions::default();
    let mut sums = [Sums::default(); 3];
    for seed in 0..draws {
        let drawn = parse_measurements("drawn.csv", &draw(text, rows, seed))?;
        let known: HashSet<&str> = drawn.networks.iter().map(|profile| profile.network.as_str()).collect();
        let unseen: Vec<&Profile> =
            all.networks.iter().filter(|profile| !known.contains(profile.network.as_str())).collect();
        let drawn: [Measurements; 1] = [drawn];
        let fitted = [
            Ok(sheet.estimator(&options)?),
            fit(&drawn, networks, &options).map(|fit| fit.estimator),
            sheet.calibrate(&drawn, networks, &options).map(|fit| fit.estimator),
        ];
        for (sums, estimator) in sums.iter_mut().zip(fitted) {
            match estimator {
                Ok(estimator) => add(sums, &estimator, &unseen, networks),
                Err(error) => eprintln!("draw {seed}: {error}"),
            }
        }
    }
    Ok(sums)
}

/// The header and `rows` other lines.
fn draw(text: &str, rows: usize, seed: u64) -> String {
    let mut lines = text.lines();
    let mut drawn = lines.next().map_or(String::new(), |header| header.to_owned() + "\n");
    let mut left: Vec<&str> = lines.collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..rows.min(left.len()) {
        let line = left.swap_remove(rng.random_range(0..left.len()));
        drawn += line;
        drawn += "\n";
    }
    drawn
}

/// Adds the errors of `estimator` on the networks of `profiles`.
fn add(sums: &mut Sums, estimator: &Estimator, profiles: &[&Profile], networks: &[Network]) {
    let (mut wholes, mut layers, mut inside) = (Vec::new(), Vec::new(), 0);
    let (low, high) = estimator.interval();
    for profile in profiles {
        let Some(network) = networks.iter().find(|network| network.name() == profile.network) else {
            continue;
        };
        let Some(measured) = profile.latency_us else { continue };
        let graph = estimator.graph(network);
        let predicted: Vec<f64> = graph.layers().map(|layer| estimator.layer_us(layer)).collect();
        let whole = estimator.overhead_us() + predicted.iter().sum::<f64>();
        inside += usize::from((low * whole..=high * whole).contains(&measured));
        wholes.push((whole, measured));
        for (layer, predicted) in network.layers().iter().zip(predicted) {
            let measured = profile.layers.iter().find(|time| time.layer == layer.name);
            layers.extend(measured.map(|time| (predicted, time.latency_us)));
        }
    }
    let (Some(whole), Some(layer)) = (Accuracy::of(&wholes), Accuracy::of(&layers)) else { return };
    sums.draws += 1.0;
    sums.inside += inside as f64 / wholes.len().max(1) as f64;
    for (sums, accuracy) in [(&mut sums.networks, whole), (&mut sums.layers, layer)] {
        let figures = [accuracy.mape_pct, accuracy.within_10_pct, accuracy.spearman];
        sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
    }
}
