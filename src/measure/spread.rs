//! The middle and the spread of raw times.

/// Median and median distance from the median: outliers, as from another program on the same core, move neither.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The median distance from the median.
    pub mad: f64,
}

impl Spread {
    /// Of at least one number.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        let middle = median(samples)?;
        let distances: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs()).collect();
        Some(Self { median: middle, mad: median(&distances)? })
    }

    /// What the standard deviation would be of normal numbers with this spread, as a share of the median.
    #[must_use]
    pub fn relative(&self) -> f64 {
        /// From median distance to standard deviation, for normal numbers.
        const NORMAL: f64 = 1.4826;
        if self.median > 0.0 { NORMAL * self.mad / self.median } else { 0.0 }
    }
}

fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = if sorted.len().is_multiple_of(2) { *sorted.get(sorted.len() / 2 - 1)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn an_outlier_moves_neither_median_nor_spread() {
        let spread = Spread::of(&[10.0, 11.0, 9.0, 10.0, 900.0]).unwrap();
        assert_eq!((spread.median, spread.mad), (10.0, 1.0));
        assert!((spread.relative() - 0.148_26).abs() < 1e-12);
        assert_eq!(Spread::of(&[3.0, 5.0]).unwrap().median, 4.0);
        assert_eq!(Spread::of(&[]), None);
    }
}
