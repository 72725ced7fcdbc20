//! The energy of an inference.
//!
//! Energy is told by one of two models. An estimator that was fitted on measured
//! energies (`nas fit --target energy_uj`) says what a network takes as another
//! says how long. A table of what operations and bytes cost (`nas.energy/1`) is
//! summed over what a network does, where the latency estimator's schedule says
//! which tensors stay on the chip: most energy goes into moving bytes, and a byte
//! from off the chip costs more than a hundred multiply-adds (Horowitz,
//! "Computing's energy problem (and what we can do about it)", ISSCC 2014; Sze et
//! al., "Efficient processing of deep neural networks", Proc. IEEE 105(12), 2017).

mod amounts;
mod fitted;
mod pricer;
mod read;
mod table;

use std::path::Path;

pub use amounts::Amounts;
pub use fitted::FittedEnergy;
pub use pricer::{EnergyAssembly, EnergyPricer};
pub use table::{EnergyParts, EnergyTable, Lies};

use crate::{
    error::Result,
    estimator::Estimator,
    io::{read_text, write_atomically},
    network::{DType, Network},
};

/// What tells the energy of an inference.
#[derive(Clone, Debug)]
pub enum EnergyModel {
    /// What operations and bytes cost.
    Table(EnergyTable),
    /// An estimator that was fitted on energies.
    Fitted(Box<FittedEnergy>),
}

/// The energy of one inference.
#[derive(Clone, Debug, PartialEq)]
pub struct EnergyEstimate {
    /// In microjoules.
    pub uj: f64,
    /// What it is spent on; only a table knows.
    pub parts: Option<EnergyParts>,
    /// Ends of the 90 % interval in microjoules; only an estimator knows.
    pub interval_uj: Option<(f64, f64)>,
    /// What lies outside the range that an estimator has seen, in words.
    pub outside: Vec<String>,
}

impl EnergyModel {
    /// Reads a table or an estimator.
    ///
    /// # Errors
    /// The file cannot be read, is neither, or is an estimator of something else than an energy in joules.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&path.display().to_string(), &read_text(path)?)
    }

    /// Reads a table or an estimator from `text`, which came from `file`.
    ///
    /// # Errors
    /// As [`EnergyModel::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        // Only an estimator says that it is one; anything else is told what a table looks like.
        if read::says_estimator(text) {
            return FittedEnergy::of(file, Estimator::parse(file, text)?)
                .map(|fitted| Self::Fitted(Box::new(fitted)));
        }
        read::table(file, text).map(Self::Table)
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Table(table) => table.name(),
            Self::Fitted(fitted) => fitted.estimator().name(),
        }
    }

    /// Hash of the file's content.
    #[must_use]
    pub fn hash(&self) -> &str {
        match self {
            Self::Table(table) => table.hash(),
            Self::Fitted(fitted) => fitted.estimator().hash(),
        }
    }

    /// Where the figures come from, in a sentence.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Table(table) => table.source(),
            Self::Fitted(fitted) => fitted.estimator().provenance(),
        }
    }

    /// Whether only ratios of its energies mean something, such as for a table of another process.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        matches!(self, Self::Table(table) if table.is_relative())
    }

    /// Checks that energies of networks of this number format can be told.
    ///
    /// # Errors
    /// A table has no prices for it.
    pub fn check(&self, dtype: DType) -> Result<()> {
        match self {
            Self::Table(table) => table.costs(dtype).map(drop),
            Self::Fitted(_) => Ok(()),
        }
    }

    /// The energy of one inference of `network`; `estimator` says how long it takes and where tensors lie.
    ///
    /// # Errors
    /// As [`EnergyModel::check`].
    pub fn estimate(&self, network: &Network, estimator: &Estimator) -> Result<EnergyEstimate> {
        match self {
            Self::Table(table) => {
                let amounts = Amounts::of(network, &estimator.graph(network));
                let parts = table.costs(network.dtype())?.parts(&amounts, estimator.latency_us(network));
                Ok(EnergyEstimate {
                    uj: parts.total_uj(),
                    parts: Some(parts),
                    interval_uj: None,
                    outside: Vec::new(),
                })
            }
            Self::Fitted(fitted) => Ok(fitted.estimate(network)),
        }
    }

    /// The energy alone, in microjoules.
    ///
    /// # Errors
    /// As [`EnergyModel::check`].
    pub fn energy_uj(&self, network: &Network, estimator: &Estimator) -> Result<f64> {
        match self {
            Self::Table(_) => Ok(self.estimate(network, estimator)?.uj),
            Self::Fitted(fitted) => Ok(fitted.energy_uj(network)),
        }
    }

    /// Writes the model, whole or not at all; it has the same hash when it is read again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        match self {
            Self::Table(table) => write_atomically(path, table.text().as_bytes()),
            Self::Fitted(fitted) => fitted.estimator().save(path),
        }
    }
}

#[cfg(test)]
mod tests;
