//! Bounds on the latency as functions of the score.

/// What nothing in a region is faster than where so much is asked for, or more: the cheapest path at one price of the score is a
/// bound at every score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The bound, in microseconds; infinite if nothing scores as much.
    pub(super) us: f64,
    /// What a unit of the score adds to it.
    pub(super) rise: f64,
}

impl Line {
    /// Of a region in which nothing scores as much.
    pub(super) const EMPTY: Self = Self { us: f64::INFINITY, rise: 0.0 };
}

/// What nothing in any of these regions is faster than where so much more is asked for.
pub(super) fn us_above(regions: &[Line], more: f64) -> f64 {
    regions.iter().map(|line| line.us + line.rise * more).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_region_counts_wherever_it_is_the_lowest() {
        let regions = [Line { us: 10.0, rise: 0.5 }, Line { us: 4.0, rise: 2.0 }, Line::EMPTY];
        for (more, us) in [(0.0, 4.0), (1.0, 6.0), (4.0, 12.0), (6.0, 13.0)] {
            assert!((us_above(&regions, more) - us).abs() < 1e-9, "{more}");
        }
        assert_eq!(us_above(&regions[2..], 1.0), f64::INFINITY);
    }
}
