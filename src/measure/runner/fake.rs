//! A device that does not exist: deterministic, with lanes and noise, for tests and for trying things out.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{Runner, Times};
use crate::{
    error::Result,
    measure::{about::About, subject::Subject},
    measurement::{LayerTimes, Operation},
    network::{DType, Network},
    stable_hash::short_id,
};

/// A roofline of 16 x 16 lanes at 1 GHz with 8 GB/s; time passes on a clock of its own.
#[derive(Debug)]
pub struct Fake {
    about: About,
    seed: u64,
    elapsed_us: f64,
    measured: u64,
    /// The standard deviation of a run, as a share of its time.
    noise: f64,
}

const LANES: u64 = 16;
const RUNS: usize = 7;
/// Cycles in a microsecond.
const CYCLES: f64 = 1e3;
/// Bytes in a microsecond.
const BYTES: f64 = 8e3;
const LAYER_US: f64 = 1.5;
const NETWORK_US: f64 = 20.0;

impl Fake {
    /// A device whose noise follows from `seed`; runs differ by `noise`, as a share of their time.
    #[must_use]
    pub fn new(seed: u64, noise: f64) -> Self {
        let about = About {
            device: "fake".into(),
            accelerator: "none: a formula with 16 x 16 lanes".into(),
            runtime: format!("noise of {noise}, seed {seed}"),
            threads: None,
            dtype: DType::Int8,
        };
        Self { about, seed, elapsed_us: 0.0, measured: 0, noise }
    }

    /// What a layer takes without noise, in microseconds.
    #[must_use]
    pub fn layer_us(operation: &Operation) -> f64 {
        let whole = |count: u64| count.div_ceil(LANES) * LANES;
        let depth = operation.depth().saturating_mul(operation.taps());
        let macs = match operation.kind.has_macs() {
            true => operation.output.pixels() * whole(u64::from(operation.output.c)) * whole(depth),
            false => 0,
        };
        let bytes = operation.input_bytes() + operation.output_bytes() + operation.weight_bytes();
        LAYER_US + (macs as f64 / ((LANES * LANES) as f64 * CYCLES)).max(bytes as f64 / BYTES)
    }

    /// What a network takes without noise, in microseconds.
    #[must_use]
    pub fn network_us(network: &Network) -> f64 {
        let layers = network.layers().iter();
        NETWORK_US + layers.map(|layer| Self::layer_us(&Operation::of(network, layer))).sum::<f64>()
    }

    fn runs(&self, exact_us: f64, rng: &mut ChaCha8Rng) -> Vec<f64> {
        // The sum of twelve uniform numbers is as good as normal, and has no tails.
        let mut run = || {
            let normal = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            exact_us * (1.0 + self.noise * normal).max(0.1)
        };
        (0..RUNS).map(|_| run()).collect()
    }
}

impl Runner for Fake {
    fn about(&self) -> &About {
        &self.about
    }

    fn measure(&mut self, subject: &Subject) -> Result<Result<Times, String>> {
        let name = u64::from_str_radix(&short_id(subject.name().as_bytes()), 16).unwrap_or_default();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ name);
        rng.set_stream(self.measured);
        self.measured += 1;
        let network = &subject.network;
        let samples_us = match subject.operation() {
            Some(operation) => self.runs(Self::layer_us(&operation), &mut rng),
            None => self.runs(Self::network_us(network), &mut rng),
        };
        let times = |(layer, it): (usize, &crate::network::Layer)| LayerTimes {
            layer,
            samples_us: self.runs(Self::layer_us(&Operation::of(network, it)), &mut rng),
        };
        let layers = network.layers().iter().enumerate().map(times).collect();
        self.elapsed_us += 1000.0 + samples_us.iter().sum::<f64>();
        Ok(Ok(Times { samples_us, layers }))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.elapsed_us / 1e6)
    }
}
