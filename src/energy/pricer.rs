//! Energies during a search, of networks that are put together from sections.

use super::{Amounts, EnergyModel, table::Costs};
use crate::{
    error::Result,
    estimator::{Assembly, Graph, GraphSection, Pricer, Sequence},
    network::DType,
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

/// What one thread needs to price energies: of an estimator of energies, the network as it sees it, run on a machine of
/// its own. Of a table there is none.
#[derive(Clone, Debug)]
pub struct EnergyAssembly(Option<Assembly>);

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

    /// What one thread needs to price energies.
    #[must_use]
    pub fn assembly(&self) -> EnergyAssembly {
        EnergyAssembly(match &self.way {
            Way::Table(_) => None,
            Way::Fitted { pricer, .. } => Some(pricer.assembly()),
        })
    }

    /// The energy in microjoules of the network of these parts, whose layers `section` gives; its numbers are
    /// of the format `dtype`. `graph` schedules it as the estimator of latencies does.
    pub fn energy_uj<'g, 's>(
        &self,
        own: &mut EnergyAssembly,
        sequence: &Sequence,
        section: impl Fn(usize) -> &'s GraphSection + Copy,
        graph: impl FnOnce() -> &'g Graph,
        (latency_us, dtype, macs, weights): (f64, DType, Macs, Bytes),
    ) -> f64 {
        match (&self.way, &mut own.0) {
            (Way::Table(costs), _) => {
                // A format that was not asked for has no price; a number that is none is never feasible.
                let known = costs.iter().find(|(known, _)| *known == dtype);
                let Some((_, costs)) = known else { return f64::NAN };
                costs.parts(&Amounts::summed(graph(), macs, weights), latency_us).total_uj()
            }
            (Way::Fitted { pricer, scale }, Some(own)) => scale * pricer.latency_us(sequence, own, section),
            // Only an assembly of another pricer has nothing to price; a number that is none is never feasible.
            (Way::Fitted { .. }, None) => f64::NAN,
        }
    }
}
