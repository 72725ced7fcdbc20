//! One number for the latencies on several accelerators.

use super::Targets;
use crate::{
    error::{Error, Result},
    space::{Across, MOST_TARGETS},
};

/// Latencies in microseconds, one for each accelerator of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latencies {
    us: [f64; MOST_TARGETS],
    count: usize,
}

impl Latencies {
    /// Latencies in microseconds, in the order of the accelerators; those beyond [`MOST_TARGETS`] are left out, which
    /// [`Targets`] never has.
    #[must_use]
    pub fn of(all: impl IntoIterator<Item = f64>) -> Self {
        let mut latencies = Self::default();
        for (place, us) in latencies.us.iter_mut().zip(all) {
            *place = us;
            latencies.count += 1;
        }
        latencies
    }

    /// Them in microseconds.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        self.us.get(..self.count).unwrap_or_default()
    }
}

/// What makes one number of latencies on several accelerators.
#[derive(Clone, Debug)]
pub(super) struct Relative {
    across: Across,
    /// Each accelerator's share and the baseline's latency on it, in microseconds.
    parts: Vec<(f64, f64)>,
}

impl Relative {
    /// # Errors
    /// The baseline takes no time on one of them, so that nothing is relative to it.
    pub(super) fn to(targets: &Targets<'_>, baseline: &Latencies) -> Result<Self> {
        let parts: Vec<(f64, f64)> =
            targets.shares().into_iter().zip(baseline.as_slice().iter().copied()).collect();
        for ((_, us), target) in parts.iter().zip(targets.list()) {
            if !(us.is_finite() && *us > 0.0) {
                return Err(Error::unusable(format!(
                    "the baseline takes {us} µs on {}, so no latency there can be told relative to it; fit the \
                     estimator anew",
                    target.name
                )));
            }
        }
        Ok(Self { across: targets.across(), parts })
    }

    /// The relative latency: a ratio, 1 for the baseline.
    pub(super) fn of(&self, latencies: &Latencies) -> f64 {
        let ratios =
            self.parts.iter().zip(latencies.as_slice()).map(|((share, base), us)| (share, us / base));
        match self.across {
            // Not `f64::max`, which would hide what is not a number.
            Across::Worst => ratios.fold(
                0.0,
                |worst: f64, (_, ratio)| {
                    if worst.is_nan() || ratio <= worst { worst } else { ratio }
                },
            ),
            Across::Weighted => ratios.map(|(share, ratio)| share * ratio).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::targets::tests::{estimators, weighed};

    #[test]
    fn the_worst_ratio_counts_or_their_mean_by_weight() {
        let estimators = estimators();
        let of = |across, weights, us: [f64; 3]| {
            let targets = weighed(&estimators, across, weights).unwrap();
            Relative::to(&targets, &Latencies::of([10.0, 4.0, 2.0])).unwrap().of(&Latencies::of(us))
        };
        let us = [5.0, 3.0, 0.5];
        assert_eq!(of(Across::Worst, [1.0; 3], us), 0.75);
        // A third is no binary fraction.
        assert!((of(Across::Weighted, [1.0; 3], us) - 0.5).abs() < 1e-15);
        // 0.5 x 0.5 + 0.25 x 0.75 + 0.25 x 0.25, whatever the weights add up to.
        assert_eq!(of(Across::Weighted, [2.0, 1.0, 1.0], us), 0.5);
        assert_eq!(of(Across::Weighted, [0.0625, 0.125, 0.0625], us), 0.5625);
        for across in [Across::Worst, Across::Weighted] {
            assert_eq!(of(across, [1.0, 2.0, 1.0], [10.0, 4.0, 2.0]), 1.0, "the baseline itself");
            for place in 0..3 {
                let mut us = us;
                us[place] = f64::NAN;
                assert!(of(across, [1.0; 3], us).is_nan());
            }
        }
    }

    #[test]
    fn nothing_is_relative_to_no_time() {
        let estimators = estimators();
        let targets = weighed(&estimators, Across::Worst, [1.0; 3]).unwrap();
        let said = Relative::to(&targets, &Latencies::of([1.0, 0.0, 1.0])).unwrap_err().to_string();
        assert!(said.contains("ethos-u65-512"), "{said}");
    }
}
