//! How far repeats of a measurement are apart: what no fit can be better than.

use serde::{Deserialize, Serialize};

use super::repeats::median;

/// The values of rows that say the same.
pub(super) type Group = Vec<f64>;

/// Fewer differences than this say nothing of a spread.
const LEAST_FREEDOM: usize = 3;

/// Relative spread of repeats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Of isolated operators and of layers in context.
    pub layers: Option<Spread>,
    /// Of whole networks.
    pub networks: Option<Spread>,
}

/// The noise of one group of measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Relative standard deviation of a single measurement.
    pub single: f64,
    /// The same of what is fitted: the medians of the repeats, and single rows where there are none.
    pub value: f64,
    /// Configurations that were measured more than once.
    pub repeated: usize,
    /// Rows of those.
    pub rows: usize,
}

impl Spread {
    /// The robust spread of groups of repeats; none where there are too few.
    ///
    /// It is 1.4826 times the median of |ln(value / median of its group)|, which for normal errors is their
    /// standard deviation (Rousseeuw & Croux 1993); before that each difference is corrected for the size
    /// of its group, since a median of few lies too near to its own values.
    pub(super) fn of(groups: Vec<Group>) -> Option<Self> {
        let costly = |group: &Group| group.iter().all(|value| *value > 0.0) && !group.is_empty();
        let groups: Vec<Group> = groups.into_iter().filter(costly).collect();
        let repeated: Vec<&Group> = groups.iter().filter(|group| group.len() > 1).collect();
        let rows: usize = repeated.iter().map(|group| group.len()).sum();
        if rows - repeated.len() < LEAST_FREEDOM {
            return None;
        }
        let mut differences: Vec<f64> = repeated.iter().flat_map(|group| differences(group)).collect();
        let single = 1.4826 * median(&mut differences);
        let variance = groups.iter().map(|group| of_median(group.len()).powi(2)).sum::<f64>();
        let value = single * (variance / groups.len() as f64).sqrt();
        Some(Self { single, value, repeated: repeated.len(), rows })
    }
}

/// Corrected distances from the group's median, in logarithms; the middle one of an odd group is no
/// distance but zero by construction, and left out.
fn differences(group: &[f64]) -> Vec<f64> {
    let mut logs: Vec<f64> = group.iter().map(|value| value.ln()).collect();
    let centre = median(&mut logs);
    let middle = logs.len() / 2;
    let odd = logs.len() % 2 == 1;
    let telling = logs.iter().enumerate().filter(|(index, _)| !(odd && *index == middle));
    telling.map(|(_, log)| (log - centre).abs() * correction(group.len())).collect()
}

/// Makes the median distance within groups of `n` normal values right; from 400,000 draws for each `n`,
/// beyond 10 from a curve through the draws of 15, 20 and 30.
fn correction(n: usize) -> f64 {
    const OF: [f64; 9] = [1.414, 0.978, 1.393, 0.987, 1.275, 0.990, 1.199, 0.995, 1.146];
    match n {
        2..=10 => OF[n - 2],
        even if even % 2 == 0 => 1.0 + 1.28 / even as f64,
        _ => 1.0,
    }
}

/// Standard deviation of the median of `n` normal values of deviation one; beyond 6 the limit for many.
fn of_median(n: usize) -> f64 {
    const OF: [f64; 6] = [1.0, 0.707, 0.672, 0.545, 0.536, 0.462];
    match n {
        1..=6 => OF[n - 1],
        _ => (std::f64::consts::FRAC_PI_2 / n.max(1) as f64).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of twelve uniform numbers are nearly normal with deviation one.
    fn normal(state: &mut u64) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (*state >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum
    }

    fn groups(size: usize, count: usize, noise: f64) -> Vec<Group> {
        let mut state = 7;
        let mut group = |index: usize| -> Group {
            (0..size).map(|_| (1.0 + index as f64) * (noise * normal(&mut state)).exp()).collect()
        };
        (0..count).map(&mut group).collect()
    }

    #[test]
    fn a_known_noise_is_found_whatever_the_number_of_repeats() {
        for size in [2, 3, 4, 5, 7, 10, 11, 16] {
            let spread = Spread::of(groups(size, 4000 / size, 0.05)).unwrap();
            assert!((spread.single / 0.05 - 1.0).abs() < 0.08, "{size} repeats: {spread:?}");
            assert!(size == 2 || spread.value < 0.75 * spread.single, "{size} repeats: {spread:?}");
        }
    }

    #[test]
    fn one_wild_repeat_changes_little() {
        let mut groups = groups(3, 300, 0.02);
        groups[5][1] *= 50.0;
        assert!(Spread::of(groups).unwrap().single < 0.025);
    }

    #[test]
    fn single_rows_say_nothing_of_noise_but_weigh_in_what_is_fitted() {
        assert_eq!(Spread::of(groups(1, 100, 0.1)), None);
        assert_eq!(Spread::of(groups(3, 1, 0.1)), None, "two differences are too few");
        let mut mixed = groups(5, 100, 0.1);
        mixed.extend(groups(1, 900, 0.1));
        let spread = Spread::of(mixed).unwrap();
        assert_eq!((spread.repeated, spread.rows), (100, 500));
        assert!(spread.value > 0.94 * spread.single);
    }
}
