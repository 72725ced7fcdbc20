//! Energies in a report: of an inference, and of a fleet over a year.

use serde::{Deserialize, Serialize};

use super::{Entry, Report, entry::rounded, finding::Gain, target::digits};
use crate::{
    energy::{EnergyEstimate, EnergyModel, EnergyParts},
    error::{Error, Result},
    units::{energy, grouped},
};

/// Days of a year.
const DAYS: f64 = 365.0;
/// Microjoules in a kilowatt-hour.
const UJ_PER_KWH: f64 = 3.6e12;
/// Milliseconds of a day.
const MS_PER_DAY: f64 = 86_400_000.0;
/// Devices beyond this are a slip.
const MOST_DEVICES: u64 = 1_000_000_000_000;

/// What told the energies of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyOrigin {
    /// The model's name.
    pub name: String,
    /// A hash of its content.
    pub hash: String,
    /// Where its figures come from.
    pub source: String,
    /// Whether only ratios of the energies mean something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relative: bool,
}

/// What is known of an entry's energy beside the number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryEnergy {
    /// The model that told it.
    pub model: String,
    /// Whether only ratios of its energies mean something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relative: bool,
    /// Whether a layer lies outside the range that an estimator has seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_range: bool,
    /// What it is spent on, by a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<EnergyParts>,
    /// Ends of the 90 % interval in microjoules, by an estimator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_uj: Option<[f64; 2]>,
}

/// What a fleet spends in a year on baseline and chosen architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// How many devices there are.
    pub devices: u64,
    /// How often a day each of them runs the network.
    pub inferences_per_day: f64,
    /// Kilowatt-hours a year with the baseline.
    pub baseline_kwh: f64,
    /// Kilowatt-hours a year with the chosen architecture.
    pub chosen_kwh: f64,
    /// Kilowatt-hours a year that are saved; negative if more are spent.
    pub saved_kwh: f64,
}

impl EnergyOrigin {
    /// Where energies of `model` come from.
    #[must_use]
    pub fn of(model: &EnergyModel) -> Self {
        Self {
            name: model.name().to_owned(),
            hash: model.hash().to_owned(),
            source: model.source().to_owned(),
            relative: model.is_relative(),
        }
    }

    /// The source in a line, and how far it can be trusted.
    #[must_use]
    pub fn line(&self) -> String {
        let doubt = "; a relative comparison, absolute joules are an order of magnitude";
        format!("{} ({})", self.source, self.name) + if self.relative { doubt } else { "" }
    }
}

impl Entry {
    /// The same entry with its energy.
    #[must_use]
    pub fn with_energy(mut self, model: &EnergyModel, estimate: &EnergyEstimate) -> Self {
        let parts = |parts: &EnergyParts| EnergyParts {
            compute_uj: rounded(parts.compute_uj),
            on_chip_uj: rounded(parts.on_chip_uj),
            off_chip_uj: rounded(parts.off_chip_uj),
            static_uj: rounded(parts.static_uj),
        };
        self.energy_uj = Some(rounded(estimate.uj));
        self.energy = Some(EntryEnergy {
            model: model.name().to_owned(),
            relative: model.is_relative(),
            out_of_range: !estimate.outside.is_empty(),
            parts: estimate.parts.as_ref().map(parts),
            interval_uj: estimate.interval_uj.map(|(low, high)| [rounded(low), rounded(high)]),
        });
        self
    }

    /// The energy for a table of microjoules; empty where it is not known.
    pub(super) fn energy_cell(&self) -> String {
        let outside = self.energy.as_ref().is_some_and(|energy| energy.out_of_range);
        self.energy_uj.map_or(String::new(), |uj| digits(uj) + if outside { "*" } else { "" })
    }

    /// The energy with its parts, in a sentence without a full stop; none where it is not known.
    pub(super) fn energy_text(&self) -> Option<String> {
        let mut text = energy(self.energy_uj?);
        let Some(known) = &self.energy else { return Some(text) };
        if let Some(parts) = known.parts {
            text += &format!(
                ": compute {}, on chip {}, off chip {}, static {}",
                energy(parts.compute_uj),
                energy(parts.on_chip_uj),
                energy(parts.off_chip_uj),
                energy(parts.static_uj)
            );
        }
        if let Some([low, high]) = known.interval_uj {
            text += &format!(", 90 % interval {} to {}", energy(low), energy(high));
        }
        let outside = if known.out_of_range { ", outside the measured range" } else { "" };
        let relative = if known.relative { ", a relative comparison" } else { "" };
        Some(format!("{text} ({}{relative}{outside})", known.model))
    }
}

impl Report {
    /// Reckons what a fleet spends in a year; reports of it tell that from now on.
    ///
    /// # Errors
    /// The report knows no energies or nothing was found, or no fleet can do what is asked.
    pub fn set_fleet(&mut self, devices: u64, inferences_per_day: f64) -> Result<()> {
        let found = self.finding().ok_or_else(|| {
            Error::unusable("no architecture met the requirement, so a fleet has nothing to change to")
        })?;
        let (Some(from), Some(to)) = (found.baseline.energy_uj, found.entry.energy_uj) else {
            return Err(Error::unusable(
                "the run knows no energies; search again with --energy FILE, such as energy/horowitz-2014-45nm.json",
            ));
        };
        if !(1..=MOST_DEVICES).contains(&devices) {
            return Err(Error::unusable(format!("--fleet {devices}: expected 1 to {MOST_DEVICES} devices")));
        }
        if !(inferences_per_day > 0.0 && inferences_per_day.is_finite()) {
            return Err(Error::unusable(format!(
                "--inferences-per-day {inferences_per_day}: expected a number above 0"
            )));
        }
        for (name, entry) in [("baseline", found.baseline), ("chosen architecture", found.entry)] {
            check_day(name, entry.latency_ms, inferences_per_day)?;
        }
        let kwh = |uj: f64| rounded(devices as f64 * inferences_per_day * DAYS * uj / UJ_PER_KWH);
        let (baseline_kwh, chosen_kwh) = (kwh(from), kwh(to));
        let saved_kwh = rounded(baseline_kwh - chosen_kwh);
        self.fleet = Some(Fleet { devices, inferences_per_day, baseline_kwh, chosen_kwh, saved_kwh });
        Ok(())
    }

    /// The reported entry with the least energy, if that is less than `uj`.
    fn frugal(&self, uj: f64) -> Option<(usize, &Entry)> {
        let known =
            self.front.iter().enumerate().filter(|(_, entry)| entry.energy_uj.is_some_and(|own| own < uj));
        known.min_by(|a, b| a.1.energy_uj.unwrap_or(uj).total_cmp(&b.1.energy_uj.unwrap_or(uj)))
    }

    /// The verdict on energy in a few lines; none where it is not known.
    pub(super) fn energy_lines(&self) -> Vec<String> {
        let Some(found) = self.finding() else { return Vec::new() };
        let Some((from, to)) = found.baseline.energy_uj.zip(found.entry.energy_uj) else { return Vec::new() };
        let change = Gain { from_ms: from, to_ms: to }.change();
        let relative = match self.energy.as_ref().is_some_and(|origin| origin.relative) {
            true => " (a relative comparison)",
            false => "",
        };
        let line = format!("energy of an inference {} → {}, {change}{relative}", energy(from), energy(to));
        let frugal = self.frugal(to).map(|(index, entry)| {
            let told = energy(entry.energy_uj.unwrap_or_default());
            format!("of the reported ones #{index} takes least energy, {told} in {:.3} ms", entry.latency_ms)
        });
        std::iter::once(line)
            .chain(frugal)
            .chain(self.fleet.as_ref().map(|fleet| fleet.line(relative)))
            .collect()
    }
}

impl Fleet {
    fn line(&self, relative: &str) -> String {
        let Self { devices, inferences_per_day, baseline_kwh, chosen_kwh, saved_kwh } = self;
        let word = if *saved_kwh < 0.0 { "more" } else { "less" };
        format!(
            "energy of {} devices x {inferences_per_day} inferences a day x 365 days: {} → {} kWh a year, {} kWh {word}{relative}; \
             kWh = devices x inferences a day x 365 x µJ / 3.6e12",
            grouped(*devices),
            digits(*baseline_kwh),
            digits(*chosen_kwh),
            digits(saved_kwh.abs()),
        )
    }
}

/// A device cannot run a network more often than one after the other.
fn check_day(name: &str, latency_ms: f64, inferences_per_day: f64) -> Result<()> {
    let most = MS_PER_DAY / latency_ms.max(f64::MIN_POSITIVE);
    if inferences_per_day <= most {
        return Ok(());
    }
    Err(Error::unusable(format!(
        "--inferences-per-day {inferences_per_day}: expected at most {most:.0}, since the {name} takes {latency_ms:.3} ms; \
         for more, give more devices with --fleet"
    )))
}
