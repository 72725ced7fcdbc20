//! Random weights to start a training from.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// `count` numbers from a normal distribution of standard deviation sqrt(2 / `fan_in`) (He et al. 2015).
///
/// Each layer has a stream of random numbers of its own, so that its weights do not depend on other layers'.
pub(crate) fn he_normal(seed: u64, layer: usize, count: u64, fan_in: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(layer as u64);
    let deviation = (2.0 / fan_in.max(1) as f64).sqrt();
    let mut numbers = Vec::with_capacity(count as usize + 1);
    while (numbers.len() as u64) < count {
        // Two normal numbers of two uniform ones (Box & Muller 1958); the first is above zero.
        let (radius, angle) = (1.0 - rng.random::<f64>(), TAU * rng.random::<f64>());
        let radius = deviation * (-2.0 * radius.ln()).sqrt();
        numbers.extend([(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
    }
    numbers.truncate(count as usize);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_spread_that_keeps_signals_alive() {
        let weights = he_normal(7, 0, 20_001, 50);
        assert_eq!(weights.len(), 20_001);
        let mean = weights.iter().sum::<f32>() / 20_001.0;
        let square = weights.iter().map(|w| w * w).sum::<f32>() / 20_001.0;
        assert!(mean.abs() < 0.005, "{mean}");
        assert!((square / 0.04 - 1.0).abs() < 0.05, "{square}");
    }

    #[test]
    fn seed_and_layer_decide() {
        assert_eq!(he_normal(7, 3, 10, 9), he_normal(7, 3, 10, 9));
        assert_ne!(he_normal(7, 3, 10, 9), he_normal(7, 4, 10, 9));
        assert_ne!(he_normal(7, 3, 10, 9), he_normal(8, 3, 10, 9));
    }
}
