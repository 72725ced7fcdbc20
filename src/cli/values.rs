//! Values on the command line of `nas measure`.

use std::time::Duration;

use nas::measure::{ModelFormat, Parser};

/// How a program prints its times, by name.
pub(super) fn parser(text: &str) -> Result<Parser, String> {
    let known = Parser::NAMES.iter().find(|(name, _)| *name == text);
    known.map(|(_, parser)| *parser).ok_or_else(|| {
        let names = Parser::NAMES.map(|(name, _)| name);
        format!("expected {}", nas::error::one_of(text, &names))
    })
}

/// The form of a model file, by name.
pub(super) fn model_format(text: &str) -> Result<ModelFormat, String> {
    let known = ModelFormat::NAMES.iter().find(|(name, _)| *name == text);
    known.map(|(_, format)| *format).ok_or_else(|| {
        let names = ModelFormat::NAMES.map(|(name, _)| name);
        format!("expected {}", nas::error::one_of(text, &names))
    })
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
