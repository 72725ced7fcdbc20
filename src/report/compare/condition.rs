//! Conditions under which a comparison fails: `latency_ms>+2%`, `peak_activation_bytes>512KiB`.

use std::str::FromStr;

use serde::Serialize;

use super::{
    MeasuredComparison,
    quantity::{Quantity, Unit, percent, show_percent},
    quantity_row::named,
};
use crate::{
    error::{Error, Result, one_of},
    report::Report,
};

/// Numbers this near to a limit, relative to it, have not passed it.
const TOLERANCE: f64 = 1e-9;

/// One condition; if it holds, the gate fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    quantity: Quantity,
    /// The accelerator that it is of; each where it names none, and runs are for several.
    target: Option<String>,
    side: Side,
    or_equal: bool,
    limit: Limit,
    /// Whether measured latencies have to keep to it too, where there are any.
    covers_measured: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// What the limit is set against.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// The value in NEW, in the quantity's own unit.
    Value(f64),
    /// NEW less BASE, in the quantity's own unit.
    Change(f64),
    /// NEW less BASE in percent of BASE.
    Percent(f64),
}

/// How one condition came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateResult {
    /// The condition as it was given.
    pub condition: String,
    /// Whether it holds, which fails the comparison.
    pub failed: bool,
    /// What was seen.
    pub observed: String,
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let refuse = |expected: String| Error::unusable(format!("condition `{text}`: expected {expected}"));
        let place = compact.find(['<', '>']).ok_or_else(|| refuse(FORM.into()))?;
        let (name, rest) = compact.split_at(place);
        let (name, target) = match name.split_once('[') {
            Some((name, rest)) => {
                let target = rest.strip_suffix(']').filter(|target| !target.is_empty());
                let target = target.ok_or_else(|| refuse(format!("the name of a target, `{name}[NAME]`")))?;
                (name, Some(target.to_owned()))
            }
            None => (name, None),
        };
        let names = Quantity::NAMES.map(|(name, _)| name);
        let found = Quantity::NAMES.iter().find(|(known, _)| *known == name);
        let (_, quantity) = *found.ok_or_else(|| refuse(format!("a quantity, {}", one_of(name, &names))))?;
        if target.is_some() && !quantity.is_by_target() {
            let by_target =
                "no name of a target: only latency_ms and latency_reduction_pct have one for each";
            return Err(refuse(by_target.into()));
        }
        let side = if rest.starts_with('>') { Side::Above } else { Side::Below };
        let value = rest[1..].strip_prefix('=');
        let limit = limit(quantity, value.unwrap_or(&rest[1..])).map_err(refuse)?;
        let or_equal = value.is_some();
        Ok(Self {
            text: text.trim().to_owned(),
            quantity,
            target,
            side,
            or_equal,
            limit,
            covers_measured: false,
        })
    }
}

const FORM: &str = "QUANTITY>LIMIT or QUANTITY<LIMIT, such as 'latency_ms>+2%' or 'params>3M'";

/// A number with a sign is a change from BASE, one without a value of NEW.
fn limit(quantity: Quantity, text: &str) -> Result<Limit, String> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let value = number.parse::<f64>().ok().filter(|value| value.is_finite());
    let value = value.ok_or_else(|| format!("a number where `{text}` stands; {FORM}"))?;
    let is_change = number.starts_with(['+', '-']);
    if unit == "%" && quantity.unit() != Unit::Percent {
        return match is_change {
            true => Ok(Limit::Percent(value)),
            false => Err(format!("a sign before `{text}`: a percentage is a change, `+{text}` or `-{text}`")),
        };
    }
    let value = value * scale(quantity, unit)?;
    Ok(if is_change { Limit::Change(value) } else { Limit::Value(value) })
}

/// The factor from `unit` to the quantity's own unit.
fn scale(quantity: Quantity, unit: &str) -> Result<f64, String> {
    let units: &[(&str, f64)] = match quantity.unit() {
        Unit::Time => &[("ms", 1.0), ("us", 1e-3), ("µs", 1e-3), ("s", 1e3)],
        Unit::Percent => &[("%", 1.0)],
        Unit::Bytes => &[
            ("B", 1.0),
            ("KiB", 1024.0),
            ("MiB", 1_048_576.0),
            ("GiB", 1_073_741_824.0),
            ("kB", 1e3),
            ("MB", 1e6),
            ("GB", 1e9),
        ],
        Unit::Energy => &[("uJ", 1.0), ("µJ", 1.0), ("pJ", 1e-6), ("nJ", 1e-3), ("mJ", 1e3), ("J", 1e6)],
        Unit::Count => &[("k", 1e3), ("M", 1e6), ("G", 1e9)],
        Unit::Plain => &[],
    };
    if unit.is_empty() {
        return Ok(1.0);
    }
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let known = units.iter().find(|(name, _)| *name == unit);
    known.map(|(_, scale)| *scale).ok_or_else(|| match names.is_empty() {
        true => format!("a number without a unit where `{unit}` stands; {} has none", quantity.name()),
        false => format!("a unit of {}, {}", quantity.name(), one_of(unit, &names)),
    })
}

impl Condition {
    /// The gate on the headline: latency may grow by no more than `limit`, such as `2%` or `50us`; where both
    /// runs were measured, the measured latency as well.
    ///
    /// # Errors
    /// `limit` is no percentage or time from zero.
    pub fn max_regression(limit: &str) -> Result<Self> {
        let limit = limit.trim().trim_start_matches('+');
        let condition = format!("latency_ms>+{limit}").parse::<Self>().ok();
        let condition = condition.map(|condition| Self { covers_measured: true, ..condition });
        condition.filter(|_| !limit.ends_with(|c: char| c.is_ascii_digit() || c == '.')).ok_or_else(|| {
            Error::unusable(format!(
                "--max-regression {limit}: expected a percentage or a time from zero, such as 2% or 50us"
            ))
        })
    }

    pub(super) fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// The accelerator that it names.
    pub(super) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Whether it holds for runs for several accelerators only.
    pub(super) fn needs_targets(&self) -> bool {
        self.target.is_some() || self.quantity == Quantity::RelativeLatency
    }

    /// What comes out where runs have no such accelerator: that cannot pass.
    pub(super) fn without_target(&self) -> GateResult {
        let observed = match &self.target {
            Some(target) => format!("NEW has no target `{target}`"),
            None => "NEW is for one accelerator, which has no relative latency".to_owned(),
        };
        GateResult { condition: self.text.clone(), failed: true, observed }
    }

    /// Whether the accelerator that the condition names is one of the run's.
    ///
    /// # Errors
    /// It is not; those that the run is for are named.
    pub fn check_target(&self, report: &Report) -> Result<()> {
        let names: Vec<&str> = report
            .across
            .iter()
            .flat_map(|across| &across.targets)
            .map(|target| target.name.as_str())
            .collect();
        let refuse = |what: String| Err(Error::unusable(format!("condition `{}`: {what}", self.text)));
        match &self.target {
            Some(name) if !names.contains(&name.as_str()) && names.is_empty() => {
                refuse(format!("the run is for one accelerator, expected no `[{name}]`"))
            }
            Some(name) if !names.contains(&name.as_str()) => {
                refuse(format!("found the target `{name}`, expected {}", one_of(name, &names)))
            }
            None if names.is_empty() && self.quantity == Quantity::RelativeLatency => {
                refuse("the run is for one accelerator, expected latency_ms".into())
            }
            _ => Ok(()),
        }
    }

    /// The same condition in runs for these accelerators: on each where it names none, and the headline's on the relative
    /// latency.
    pub(super) fn in_runs_for(&self, targets: &[&str]) -> Vec<Self> {
        if targets.is_empty() || self.target.is_some() || !self.quantity.is_by_target() {
            return vec![self.clone()];
        }
        let name = self.quantity.name();
        if self.covers_measured && matches!(self.limit, Limit::Percent(_)) {
            let text = self.text.replacen(name, Quantity::RelativeLatency.name(), 1);
            return vec![Self { text, quantity: Quantity::RelativeLatency, ..self.clone() }];
        }
        let on = |target: &&str| Self {
            text: self.text.replacen(name, &named(name, Some(target)), 1),
            target: Some((*target).to_owned()),
            ..self.clone()
        };
        targets.iter().map(on).collect()
    }

    /// The same condition on the measured latency, if it covers that too.
    pub(super) fn on_measured(&self) -> Option<Self> {
        let text = format!("measured_{}", self.text);
        self.covers_measured.then(|| Self { text, quantity: Quantity::MeasuredLatencyMs, ..self.clone() })
    }

    /// As [`Self::check`] for measured latencies: a change holds only if the rank test finds it significant.
    pub(super) fn check_measured(
        &self,
        base: Option<f64>,
        new: Option<f64>,
        measured: Option<&MeasuredComparison>,
    ) -> GateResult {
        if new.is_none() {
            let observed = "NEW has no measured samples; measure it, or set the limit on latency_ms".into();
            return GateResult { condition: self.text.clone(), failed: true, observed };
        }
        let result = self.check(base, new);
        let Some(measured) = measured.filter(|_| !matches!(self.limit, Limit::Value(_))) else {
            return result;
        };
        let significant = measured.significant;
        let word = if result.failed && !significant { "not significant, " } else { "" };
        let observed = format!("{}; {word}{}", result.observed, measured.evidence());
        GateResult { failed: result.failed && significant, observed, ..result }
    }

    /// As [`Self::check`] for what a run knows only if it was asked for: what is not known cannot pass. `remedy` says
    /// what is lacking and how to get it; `found` says which run has a headline architecture at all.
    pub(super) fn check_known(
        &self,
        base: Option<f64>,
        new: Option<f64>,
        found: [bool; 2],
        remedy: &str,
    ) -> GateResult {
        let is_change = !matches!(self.limit, Limit::Value(_));
        let missing = match (base, new, found) {
            (_, None, [_, true]) => "NEW",
            (None, Some(_), [true, _]) if is_change => "BASE",
            _ => return self.check(base, new),
        };
        let observed = format!("{missing} has no {remedy}");
        GateResult { condition: self.text.clone(), failed: true, observed }
    }

    /// Whether the condition holds; where there is no NEW it does, where there is no BASE no change does.
    pub(super) fn check(&self, base: Option<f64>, new: Option<f64>) -> GateResult {
        let result = |failed, observed| GateResult { condition: self.text.clone(), failed, observed };
        let Some(new) = new else {
            return result(true, "NEW has no architecture that meets the requirement".into());
        };
        let show = |value| self.quantity.show(value);
        if let Limit::Value(limit) = self.limit {
            return result(
                self.passes(new, limit),
                format!("{} where the limit is {}", show(new), show(limit)),
            );
        }
        let Some(base) = base else {
            return result(false, format!("{}, and BASE has nothing to compare it with", show(new)));
        };
        let change = format!("{} → {}", show(base), show(new));
        match self.limit {
            Limit::Percent(limit) => {
                let seen = percent(base, new);
                result(self.passes(seen, limit), format!("{} ({change})", show_percent(seen)))
            }
            Limit::Change(limit) | Limit::Value(limit) => {
                let seen = self.quantity.show_change(new - base);
                result(self.passes(new - base, limit), format!("{seen} ({change})"))
            }
        }
    }

    /// Whether `value` lies on the failing side of `limit`.
    fn passes(&self, value: f64, limit: f64) -> bool {
        let excess = match self.side {
            Side::Above => value - limit,
            Side::Below => limit - value,
        };
        let slack = TOLERANCE * limit.abs().max(1e-3);
        if self.or_equal { excess >= -slack } else { excess > slack }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(condition: &str, base: f64, new: f64) -> bool {
        condition.parse::<Condition>().unwrap().check(Some(base), Some(new)).failed
    }

    #[test]
    fn a_sign_makes_the_limit_a_change() {
        assert!(failed("latency_ms > +2%", 100.0, 102.1) && !failed("latency_ms>+2%", 100.0, 102.0));
        assert!(failed("latency_ms>+500us", 1.0, 1.6) && !failed("latency_ms>+500us", 1.0, 1.4));
        assert!(failed("trainability<-0.5", -3.0, -3.6) && !failed("trainability<-0.5", -3.0, -3.4));
        assert!(failed("trainability<-10%", -3.0, -3.4), "a score may be negative");
    }

    #[test]
    fn without_a_sign_it_is_a_value() {
        assert!(failed("peak_activation_bytes>512KiB", 0.0, 524_289.0));
        assert!(!failed("peak_activation_bytes>512KiB", 0.0, 524_288.0));
        assert!(failed("peak_activation_bytes>=512KiB", 0.0, 524_288.0));
        assert!(failed("energy_uj>1mJ", 0.0, 1001.0) && !failed("energy_uj>1mJ", 0.0, 999.0));
        assert!(failed("latency_reduction_pct<30%", 0.0, 29.0) && failed("params>3M", 0.0, 3.1e6));
    }

    #[test]
    fn an_energy_that_is_not_known_passes_nothing() {
        let check = |condition: &str, base, new, found| {
            condition.parse::<Condition>().unwrap().check_known(base, new, found, "energy; try this")
        };
        let both = [true, true];
        assert!(check("energy_uj>+2%", Some(1.0), None, both).observed.starts_with("NEW has no energy"));
        assert!(check("energy_uj>+2%", None, Some(1.0), both).failed);
        assert!(!check("energy_uj>+2%", None, Some(1.0), [false, true]).failed, "BASE found nothing");
        assert!(!check("energy_uj>2uJ", None, Some(1.0), both).failed, "the limit is on NEW alone");
        assert!(check("energy_uj>+2%", Some(1.0), None, [true, false]).observed.contains("no architecture"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_can() {
        for (text, word) in [
            ("latency>+2%", "did you mean `latency_ms`"),
            ("latency_ms=2", "QUANTITY>LIMIT"),
            ("latency_ms>2%", "a sign"),
            ("latency_ms>2KiB", "one of ms, us"),
            ("trainability<1ms", "without a unit"),
            ("energy_uj<1kB", "one of uJ"),
            ("latency_ms>", "a number"),
        ] {
            let said = text.parse::<Condition>().unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
        }
        assert!(Condition::max_regression("-2%").is_err() && Condition::max_regression("2%").is_ok());
        assert!(Condition::max_regression("2").is_err(), "2 of what?");
    }

    #[test]
    fn no_architecture_fails_and_no_base_does_not() {
        let condition = Condition::max_regression("2%").unwrap();
        assert!(condition.check(Some(1.0), None).failed);
        assert!(!condition.check(None, Some(1.0)).failed);
    }
}
