//! The layers' part of an estimator, ready to be asked.

use std::collections::BTreeMap;

use super::{
    correction::{Correction, Factor},
    document::KindModel,
    evaluate::ANY,
    model::named_prices,
    physical::{Prices, TERM_COUNT, Times, Work},
    range::Range,
};
use crate::measurement::Kind;

/// A place in a file and what was found there.
type Wrong = (String, String);

/// Prices and corrections of all kinds of operator, in one number format.
#[derive(Clone, Debug)]
pub(super) struct PricedLayers {
    kinds: Vec<Priced>,
    any: Prices,
    /// For each kind, which correction it takes.
    corrections: Vec<Option<usize>>,
    factors: Vec<Factor>,
}

/// What is known of one kind of operator.
#[derive(Clone, Debug)]
struct Priced {
    prices: Prices,
    range: Option<Range>,
    /// Only networks that contain it were measured.
    inferred: bool,
}

impl PricedLayers {
    /// # Errors
    /// The place in the file and what is wrong there.
    pub(super) fn of(kinds: &BTreeMap<String, KindModel>, corrections: &[Correction]) -> Result<Self, Wrong> {
        let known = |name: &String| name == ANY || Kind::NAMES.iter().any(|(known, _)| known == name);
        if let Some(name) = kinds.keys().find(|name| !known(name)) {
            return Err((format!("kinds.{name}"), "an unknown kind of operator".into()));
        }
        let any = match kinds.get(ANY) {
            Some(model) => prices(ANY, model)?,
            None => return Err(("kinds".into(), "no prices for `any` kind".into())),
        };
        let compile = |(index, correction): (usize, &Correction)| {
            correction.compile().map_err(|(place, found)| (format!("corrections[{index}].{place}"), found))
        };
        let of_kind = |kind: &Kind| corrections.iter().position(|c| c.kinds.contains(kind));
        Ok(Self {
            kinds: Kind::NAMES.iter().map(|(name, _)| priced(name, kinds)).collect::<Result<_, _>>()?,
            any,
            corrections: Kind::NAMES.iter().map(|(_, kind)| of_kind(kind)).collect(),
            factors: corrections.iter().enumerate().map(compile).collect::<Result<_, _>>()?,
        })
    }

    /// The physical times of work of a kind.
    pub(super) fn times(&self, kind: Kind, work: &Work) -> Times {
        let priced = &self.kinds[kind as usize];
        let prices = if priced.range.is_some() { &priced.prices } else { &self.any };
        prices.times(&work.terms)
    }

    /// The correction that a kind takes.
    pub(super) fn factor(&self, kind: Kind) -> Option<&Factor> {
        self.corrections[kind as usize].map(|index| &self.factors[index])
    }

    /// What was seen of a kind; none if it was never measured.
    pub(super) fn range(&self, kind: Kind) -> Option<&Range> {
        self.kinds[kind as usize].range.as_ref()
    }

    /// Whether any kind was seen with values of so many bytes.
    pub(super) fn has_bytes(&self, bytes: u64) -> bool {
        self.kinds.iter().filter_map(|priced| priced.range.as_ref()).any(|range| range.has_bytes(bytes))
    }

    /// Whether only networks that contain a kind were measured.
    pub(super) fn is_inferred(&self, kind: Kind) -> bool {
        self.kinds[kind as usize].inferred
    }
}

fn priced(name: &str, kinds: &BTreeMap<String, KindModel>) -> Result<Priced, Wrong> {
    // Isolated rows say nothing of a network's input; then the first layer is priced like another.
    let stand_in = if name == Kind::InputConv2d.name() { Kind::Conv2d.name() } else { name };
    let Some(model) = kinds.get(name).or_else(|| kinds.get(stand_in)) else {
        return Ok(Priced { prices: Prices([0.0; TERM_COUNT]), range: None, inferred: false });
    };
    let range = Range::from_map(&model.range).map_err(|property| {
        (format!("kinds.{name}.range"), format!("no or unknown property `{property}`"))
    })?;
    Ok(Priced { prices: prices(name, model)?, range: Some(range), inferred: model.rows == 0 })
}

fn prices(kind: &str, model: &KindModel) -> Result<Prices, Wrong> {
    named_prices(model).map_err(|(term, found)| (format!("kinds.{kind}.prices.{term}"), found))
}
