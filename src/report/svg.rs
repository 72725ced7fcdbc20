//! The little that the figures need to be drawn: scales, ticks and short labels.

/// A value axis onto pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Axis {
    /// A linear axis over all of `values`, with a little room at both ends, from pixel `from` to pixel `to`.
    pub(super) fn linear(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        Self::linear_over(values, 0.0, from, to)
    }

    /// The same over at least `span`, with the values in its middle.
    pub(super) fn linear_over(values: impl IntoIterator<Item = f64>, span: f64, from: f64, to: f64) -> Self {
        let (low, high) = extent(values);
        let room = if high > low { 0.04 * (high - low) } else { low.abs().max(1.0) * 0.1 };
        let room = if span > 0.0 { (0.04 * (high - low)).max((span - (high - low)) / 2.0) } else { room };
        Self { low: low - room, high: high + room, from, to, log: false }
    }

    /// A linear axis from zero to the greatest of `values`.
    pub(super) fn from_zero(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (_, high) = extent(values);
        Self { low: 0.0, high: if high > 0.0 { high } else { 1.0 }, from, to, log: false }
    }

    /// A logarithmic axis over positive `values`.
    pub(super) fn log(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = extent(values.into_iter().map(|value| value.max(1.0).log10()));
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, from, to, log: true }
    }

    /// Where `value` lies in pixels.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = if self.log { value.max(1.0).log10() } else { value };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Whether `value` lies on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        let value = if self.log { value.max(1.0).log10() } else { value };
        (self.low..=self.high).contains(&value)
    }

    /// Round values along the axis with their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        if self.log {
            let (low, high) = (self.low.ceil() as i32, self.high.floor() as i32);
            let label =
                |power: i32| (10f64.powi(power), crate::units::si(10u64.pow(power.clamp(0, 18) as u32)));
            return (low..=high).map(label).collect();
        }
        let step = round_step((self.high - self.low) / 6.0);
        let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        // Adding zero turns a negative zero into zero.
        let tick = |index: i64| index as f64 * step + 0.0;
        (first..=last).map(|index| (tick(index), format!("{:.digits$}", tick(index)))).collect()
    }
}

/// A logarithmic axis of positive values onto pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogAxis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl LogAxis {
    /// From the lower to the higher of two values above zero, from one pixel to another.
    pub(super) fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        Self { low: low.log10(), high: high.log10(), from, to }
    }

    /// Where `value` lies in pixels.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Round values along the axis with their labels: powers of ten, and as many between as are needed for three.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        const FINER: [&[f64]; 4] = [
            &[1.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0],
        ];
        let ticks = FINER.map(|digits| self.multiples(digits));
        let found = ticks.iter().find(|ticks| ticks.len() >= 3).or(ticks.last());
        found.cloned().unwrap_or_default()
    }

    /// The products of `digits` and powers of ten on the axis.
    fn multiples(&self, digits: &[f64]) -> Vec<(f64, String)> {
        let powers = self.low.floor() as i32..=self.high.floor() as i32;
        // Read from text, so that a tenth is the nearest number to it and prints as 0.1.
        let value = |power: i32, digit: &f64| format!("{digit}e{power}").parse::<f64>().ok();
        let values = powers.flat_map(|power| digits.iter().filter_map(move |digit| value(power, digit)));
        let inside = values.filter(|value| (self.low..=self.high).contains(&value.log10()));
        inside.map(|value| (value, value.to_string())).collect()
    }
}

fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|factor| factor * power);
    steps.into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// `text` cut to `count` characters, with an ellipsis if something is missing.
pub(super) fn short(text: &str, count: usize) -> String {
    if text.chars().count() <= count {
        return text.to_owned();
    }
    text.chars().take(count.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_on_the_axis() {
        let labels = |axis: Axis| axis.ticks().into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(Axis::from_zero([2.0], 0.0, 100.0)), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(labels(Axis::log([48.0, 20_000.0], 0.0, 1.0)), ["100", "1.0 k", "10.0 k"]);
    }

    #[test]
    fn an_axis_over_one_value_or_none_is_still_an_axis() {
        for axis in [Axis::linear([3.0], 0.0, 9.0), Axis::linear([], 0.0, 9.0), Axis::log([5.0], 0.0, 9.0)] {
            assert!(axis.at(3.0).is_finite() && axis.ticks().len() < 20);
        }
    }

    #[test]
    fn values_closer_than_the_span_stand_in_its_middle() {
        let axis = Axis::linear_over([14.6734, 14.6752], 0.02, 0.0, 100.0);
        let labels: Vec<String> = axis.ticks().into_iter().map(|tick| tick.1).collect();
        assert_eq!(labels, ["14.665", "14.670", "14.675", "14.680"]);
        assert!((axis.at(14.6743) - 50.0).abs() < 1e-6);
        assert!(Axis::linear_over([1.0, 2.0], 0.02, 0.0, 100.0).holds(0.97));
    }

    #[test]
    fn a_logarithmic_axis_has_powers_of_ten_or_what_lies_between() {
        let labels = |low, high| {
            let axis = LogAxis::new((low, high), (0.0, 100.0));
            axis.ticks().into_iter().map(|tick| tick.1).collect::<Vec<_>>()
        };
        assert_eq!(labels(0.05, 40.0), ["0.1", "1", "10"]);
        assert_eq!(labels(0.9, 12.0), ["1", "2", "5", "10"]);
        assert_eq!(labels(2.6, 3.6), ["3", "3.5"], "a narrow range has at least two");
        assert_eq!(LogAxis::new((0.1, 10.0), (0.0, 100.0)).at(1.0), 50.0);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!((short("abcdef", 4).as_str(), short("abc", 4).as_str()), ("abc…", "abc"));
    }
}
