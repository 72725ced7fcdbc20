//! Energies during a search, of networks that are put together from sections.

use super::{Amounts, EnergyModel, table::Costs};
use crate::{
    error::Result,
    estimator::{Assembly, GraphSection, Pricer},
    network::DType,
    stable_hash::Fingerprint,
    units::{Bytes, Macs},
};

/// An energy model that is asked again and again; what it says is what the model itself says, bit for bit.
pub struct EnergyPricer<'a> {
    model: &'a EnergyModel,
    way: Way<'a>,
}

enum Way<'a> {
    Table(Vec<(DType, Costs)>),
    Fitted { pricer: Box<Pricer<'a>>, scale: f64 },
}

/// The network as an estimator of energies sees it: run on a machine of its own. Of a table there is none.
#[derive(Clone, Debug)]
pub struct EnergyAssembly(Option<Assembly>);

impl EnergyAssembly {
    /// Removes all layers.
    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(Assembly::clear);
    }

    /// As [`Assembly::append`].
    pub fn append(&mut self, section: &GraphSection, key: Fingerprint, exits: &[usize]) {
        self.0.iter_mut().for_each(|assembly| assembly.append(section, key, exits));
    }
}

impl<'a> EnergyPricer<'a> {
    /// A pricer of networks in one of these number formats.
    ///
    /// # Errors
    /// As [`EnergyModel::check`].
    pub fn new(model: &'a EnergyModel, dtypes: &[DType]) -> Result<Self> {
        let way = match model {
            EnergyModel::Table(table) => {
                let costs = |dtype: &DType| Ok((*dtype, table.costs(*dtype)?));
                Way::Table(dtypes.iter().map(costs).collect::<Result<_>>()?)
            }
            EnergyModel::Fitted(fitted) => {
                Way::Fitted { pricer: Box::new(Pricer::new(fitted.estimator())), scale: fitted.scale() }
            }
        };
        Ok(Self { model, way })
    }

    /// The model itself.
    #[must_use]
    pub fn model(&self) -> &'a EnergyModel {
        self.model
    }

    /// An empty network, to be put together from the sections that the latency is told of.
    #[must_use]
    pub fn assembly(&self) -> EnergyAssembly {
        EnergyAssembly(match &self.way {
            Way::Table(_) => None,
            Way::Fitted { pricer, .. } => Some(pricer.assembly()),
        })
    }

    /// The energy in microjoules of the network in `latency`, which has been priced, and in `own`; its numbers are
    /// of the format `dtype`.
    pub fn assembled_uj(
        &self,
        own: &mut EnergyAssembly,
        latency: &Assembly,
        latency_us: f64,
        dtype: DType,
        (macs, weights): (Macs, Bytes),
    ) -> f64 {
        match (&self.way, &mut own.0) {
            (Way::Table(costs), _) => {
                // A format that was not asked for has no price; a number that is none is never feasible.
                let known = costs.iter().find(|(known, _)| *known == dtype);
                let Some((_, costs)) = known else { return f64::NAN };
                costs.parts(&Amounts::summed(latency.graph(), macs, weights), latency_us).total_uj()
            }
            (Way::Fitted { pricer, scale }, Some(assembly)) => scale * pricer.latency_us(assembly),
            // Only an assembly of another pricer has nothing to price; a number that is none is never feasible.
            (Way::Fitted { .. }, None) => f64::NAN,
        }
    }
}
