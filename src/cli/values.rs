//! Values on the command lines of `nas measure` and `nas train`.

use std::time::Duration;

use nas::{
    measure::{ModelFormat, Parser},
    trainer::Form,
};

/// How a program prints its times, by name.
pub(super) fn parser(text: &str) -> Result<Parser, String> {
    named(&Parser::NAMES, text)
}

/// The form of a model file, by name.
pub(super) fn model_format(text: &str) -> Result<ModelFormat, String> {
    named(&ModelFormat::NAMES, text)
}

/// The form of a model that is to be trained, by name.
pub(super) fn form(text: &str) -> Result<Form, String> {
    named(&Form::NAMES, text)
}

fn named<T: Copy>(names: &[(&'static str, T)], text: &str) -> Result<T, String> {
    let known = names.iter().find(|(name, _)| *name == text);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("expected {}", nas::error::one_of(text, &names))
    })
}

/// A number above zero.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected a number above zero".into())
}

/// A number from zero on.
pub(super) fn from_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "expected a number from zero on".into())
}

/// A percentage as a share.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.parse().ok());
    let number = number.filter(|number: &f64| (0.1..=100.0).contains(number));
    number.map(|number| number / 100.0).ok_or_else(|| "expected a percentage, such as 5%".into())
}

/// A time with its unit.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let unit =
        |(suffix, seconds): (&str, f64)| Some(text.strip_suffix(suffix)?.parse::<f64>().ok()? * seconds);
    let seconds = [("s", 1.0), ("m", 60.0), ("h", 3600.0)].into_iter().find_map(unit);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "expected a time such as 90s, 10m or 2h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_percentages_need_their_unit() {
        assert_eq!(time("1.5m"), Ok(Duration::from_secs(90)));
        assert!(time("10").is_err() && time("-1s").is_err() && time("0s").is_err() && time("NaNs").is_err());
        assert_eq!(percent("5%"), Ok(0.05));
        assert!(percent("5").is_err() && percent("0%").is_err());
    }
}
