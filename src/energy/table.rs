//! What operations and bytes cost, `nas.energy/1`.

use serde::{Deserialize, Serialize};

use super::Amounts;
use crate::{
    error::{Error, Result},
    network::DType,
};

/// Microjoules in a picojoule.
const UJ_PER_PJ: f64 = 1e-6;
/// Microjoules in a milliwatt times a microsecond.
const UJ_PER_MW_US: f64 = 1e-3;

/// On which side of the chip's edge something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// In memory on the chip.
    OnChip,
    /// In memory off the chip.
    OffChip,
}

/// A table of energies, `nas.energy/1`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnergyTable {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) hash: String,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) relative: bool,
    /// Picojoules of a multiply-add and of another operation, by number format.
    pub(super) operations: Vec<(DType, [f64; 2])>,
    pub(super) pj_per_byte_on_chip: f64,
    pub(super) pj_per_byte_off_chip: f64,
    pub(super) static_mw: f64,
    pub(super) weights: Lies,
    pub(super) network_io: Lies,
}

/// What the energy of an inference is spent on, in microjoules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyParts {
    /// Multiply-adds and other operations.
    pub compute_uj: f64,
    /// Bytes that are read and written on the chip.
    pub on_chip_uj: f64,
    /// Bytes that are read and written off the chip.
    pub off_chip_uj: f64,
    /// Static power over the latency.
    pub static_uj: f64,
}

impl EnergyParts {
    /// All of it in microjoules.
    #[must_use]
    pub fn total_uj(&self) -> f64 {
        self.compute_uj + self.on_chip_uj + self.off_chip_uj + self.static_uj
    }
}

/// The prices of a table for one number format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Costs {
    pj_per_mac: f64,
    pj_per_operation: f64,
    on_chip: f64,
    off_chip: f64,
    static_mw: f64,
    weights: Lies,
    network_io: Lies,
}

impl EnergyTable {
    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hash of the file's content.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Where the figures come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether only ratios of its energies mean something.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.relative
    }

    /// The file as it was read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// # Errors
    /// There are no prices for `dtype`.
    pub(super) fn costs(&self, dtype: DType) -> Result<Costs> {
        let found = self.operations.iter().find(|(known, _)| *known == dtype);
        let Some((_, [pj_per_mac, pj_per_operation])) = found else {
            let known: Vec<&str> = self.operations.iter().map(|(dtype, _)| dtype.name()).collect();
            return Err(Error::unusable(format!(
                "{} has no energy of operations in {dtype}, only in {}; add {dtype} to pj_per_mac and pj_per_operation",
                self.file,
                known.join(", ")
            )));
        };
        Ok(Costs {
            pj_per_mac: *pj_per_mac,
            pj_per_operation: *pj_per_operation,
            on_chip: self.pj_per_byte_on_chip,
            off_chip: self.pj_per_byte_off_chip,
            static_mw: self.static_mw,
            weights: self.weights,
            network_io: self.network_io,
        })
    }
}

impl Costs {
    /// What `amounts` cost if they take so long.
    pub(super) fn parts(&self, amounts: &Amounts, latency_us: f64) -> EnergyParts {
        let Amounts { macs, operations, weights, moved } = *amounts;
        let mut on_chip = moved.on_chip;
        let mut off_chip = moved.off_chip;
        for (lies, bytes) in [(self.weights, weights.0), (self.network_io, moved.network_io)] {
            let side = if lies == Lies::OnChip { &mut on_chip } else { &mut off_chip };
            *side = side.saturating_add(bytes);
        }
        let compute = self.pj_per_mac * macs.0 as f64 + self.pj_per_operation * operations as f64;
        EnergyParts {
            compute_uj: UJ_PER_PJ * compute,
            on_chip_uj: UJ_PER_PJ * self.on_chip * on_chip as f64,
            off_chip_uj: UJ_PER_PJ * self.off_chip * off_chip as f64,
            static_uj: UJ_PER_MW_US * self.static_mw * latency_us,
        }
    }
}
