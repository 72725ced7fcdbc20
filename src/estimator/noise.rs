//! What repeats say of a fit: no prediction is better than the measurements.

use serde::{Deserialize, Serialize};

use super::{calibration::Calibration, document::Document, training::Training};
use crate::{
    error::{Error, Result},
    measurement::{Measurements, Spread, Target},
};

/// A normal error lies within this many standard deviations in nine cases of ten.
const Z_90: f64 = 1.645;

/// Relative standard deviations of what was measured; none where there are no repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Of operators and layers.
    pub layers: Option<f64>,
    /// Of whole networks.
    pub networks: Option<f64>,
}

impl Floor {
    /// The noise of all `measurements` together.
    ///
    /// Networks that were measured as a whole have the noise of their own repeats. Where there are none, the
    /// noise of the layers tells the least that a network has: if each of n layers with times t has an error of
    /// its own of the share s, their sum has the error s * sqrt(sum t^2) / sum t, which is s / sqrt(n) for equal
    /// times. The median network counts.
    pub(super) fn of(measurements: &[Measurements], training: &Training) -> Self {
        let noises = || measurements.iter().filter_map(|file| file.noise.as_ref());
        let layers = together(noises().filter_map(|noise| noise.layers.as_ref()));
        let networks = together(noises().filter_map(|noise| noise.networks.as_ref()));
        let of_sum = || Some(layers? * training.noise_of_sum()?);
        Self { layers, networks: networks.or_else(of_sum) }
    }

    /// The calibration with an interval no narrower than the noise, which is that of networks where there are
    /// any, and of single operators otherwise.
    pub(super) fn widened(&self, calibration: Calibration, has_networks: bool) -> Calibration {
        let noise = if has_networks { self.networks } else { self.layers };
        let half = (Z_90 * noise.unwrap_or(0.0)).exp();
        let (low, high) = calibration.interval;
        Calibration { interval: (low.min(1.0 / half), high.max(half)), ..calibration }
    }
}

/// The noise of several files: the root of the mean square, each file by its repeats. Repeats that are all the
/// same, as of a simulator, say that there is none.
fn together<'s>(spreads: impl Iterator<Item = &'s Spread>) -> Option<f64> {
    let (mut squares, mut weight) = (0.0, 0.0);
    for spread in spreads {
        squares += spread.value.powi(2) * spread.rows as f64;
        weight += spread.rows as f64;
    }
    (squares > 0.0).then(|| (squares / weight).sqrt())
}

/// What all files were read for, if it is not the latency.
///
/// # Errors
/// They differ.
pub(super) fn target(measurements: &[Measurements]) -> Result<Option<&Target>> {
    let first = measurements.first().and_then(|file| file.target.as_ref());
    match measurements.iter().find(|file| file.target.as_ref() != first) {
        None => Ok(first),
        Some(other) => Err(Error::unusable(format!(
            "{} was read for another quantity than {}; fit one at a time",
            other.file,
            measurements.first().map_or("", |file| &file.file)
        ))),
    }
}

/// The document with what it predicts.
pub(super) fn with_target(document: Document, target: Option<&Target>) -> Document {
    match target {
        None => document,
        Some(target) => Document { target: Some(target.name.clone()), unit: target.unit.clone(), ..document },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        estimator::{Accuracy, Estimator, FitOptions, Quality, fit},
        measurement::{ReadOptions, parse_measurements, parse_measurements_with},
    };

    const HEADER: &str = "op,in_h,in_w,cin,cout,kernel,stride,network,layer,latency_us\n";

    /// Noise that is nearly normal with deviation one.
    fn normal(state: &mut u64) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (*state >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum
    }

    /// Isolated convolutions, each measured `repeats` times with a relative error of `noise`.
    fn repeated(repeats: usize, noise: f64) -> String {
        let mut text = HEADER.to_owned();
        let mut state = 3;
        for (h, cin, cout) in [4, 7, 14, 28, 56].into_iter().flat_map(|h| {
            [8, 24, 40].into_iter().flat_map(move |cin| [8, 16, 32, 48, 64].map(|cout| (h, cin, cout)))
        }) {
            for _ in 0..repeats {
                let us =
                    (3.0 + f64::from(h * h * 9 * cin * cout) / 100.0) * (noise * normal(&mut state)).exp();
                text += &format!("conv2d,{h},{h},{cin},{cout},3,1,,,{us}\n");
            }
        }
        text
    }

    #[test]
    fn an_interval_is_never_narrower_than_the_noise() {
        let floor = Floor { layers: Some(0.2), networks: Some(0.1) };
        let exact = Calibration { interval: (0.99, 1.01), ..Calibration::default() };
        let (low, high) = floor.widened(exact, true).interval;
        assert!((high - (0.1645_f64).exp()).abs() < 1e-12 && (low * high - 1.0).abs() < 1e-12);
        let (_, single) = floor.widened(exact, false).interval;
        assert!((single - (0.329_f64).exp()).abs() < 1e-12);
        let wide = Calibration { interval: (0.5, 2.0), ..exact };
        assert_eq!(floor.widened(wide, true), wide);
        assert_eq!(Floor::default().widened(exact, true), exact);
    }

    #[test]
    fn errors_of_layers_average_out_in_a_network_as_far_as_the_layers_are_alike() {
        let of = |times: [f64; 4]| {
            let row = |(i, us): (usize, f64)| format!("conv2d,8,8,8,{},3,1,n,l{i},{us}\n", 8 + i);
            let text = HEADER.to_owned() + &times.into_iter().enumerate().map(row).collect::<String>();
            Training::join(&[parse_measurements("m.csv", &text).unwrap()], &[])
                .unwrap()
                .noise_of_sum()
                .unwrap()
        };
        assert!((of([5.0; 4]) - 0.5).abs() < 1e-12, "a half for four equal layers");
        assert!((of([1000.0, 0.1, 0.1, 0.1]) - 1.0).abs() < 1e-3, "one layer is all");
    }

    #[test]
    fn a_fit_to_noisy_repeats_finds_the_noise_and_claims_no_more() {
        let measurements = parse_measurements("m.csv", &repeated(3, 0.08)).unwrap();
        let fit = fit(&[measurements], &[], &FitOptions::default()).unwrap();
        let noise = fit.quality.noise.unwrap().layers.unwrap();
        // The median of three has 0.67 times the noise of one.
        assert!((0.04..0.07).contains(&noise), "{noise}");
        let (low, high) = fit.estimator.interval();
        assert!(
            high >= (1.645 * noise).exp() && low <= (-1.645 * noise).exp(),
            "{low} to {high} for {noise}"
        );
    }

    #[test]
    fn an_error_below_the_noise_is_said_to_be_at_the_floor() {
        let accuracy = |mape_pct| Accuracy { n: 9, mape_pct, within_10_pct: 90.0, spearman: 0.9 };
        let quality = |mape| Quality {
            networks: Some(accuracy(mape)),
            noise: Some(Floor { layers: None, networks: Some(0.03) }),
            ..Quality::default()
        };
        assert!(quality(2.0).to_string().contains("0.9000  at the noise floor\n"));
        assert!(!quality(4.0).to_string().contains("noise floor"));
        assert!(quality(4.0).to_string().contains("repeats of networks differ by 3.00 %"));
    }

    #[test]
    fn another_target_stays_with_the_estimator() {
        let options = ReadOptions { target: Some(Target::new("energy_uj")), ..ReadOptions::default() };
        let text = repeated(1, 0.0).replace("latency_us", "energy_uj");
        let energy = parse_measurements_with("m.csv", &text, &options).unwrap();
        let estimator = fit(std::slice::from_ref(&energy), &[], &FitOptions::default()).unwrap().estimator;
        let again = Estimator::parse("e.json", &estimator.to_json().unwrap()).unwrap();
        assert_eq!(again.target(), Some(Target::new("energy_uj")));
        let latency = parse_measurements("l.csv", &repeated(1, 0.0)).unwrap();
        let said = fit(&[energy, latency], &[], &FitOptions::default()).unwrap_err().to_string();
        assert!(said.contains("l.csv was read for another quantity than m.csv"), "{said}");
    }
}
