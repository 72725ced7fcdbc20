//! The measured range: what an estimator has a right to speak of.

use std::collections::BTreeMap;

use crate::measurement::Operation;

/// How a property is taken from an operation.
type Property = fn(&Operation) -> f64;

/// The property that tells number formats apart.
const BYTES: &str = "bytes_per_value";

/// Properties whose range is kept.
const PROPERTIES: [(&str, Property); 10] = [
    ("in_h", |o| f64::from(o.input.h)),
    ("in_w", |o| f64::from(o.input.w)),
    ("cin", |o| f64::from(o.input.c)),
    ("cout", |o| f64::from(o.output.c)),
    ("kernel", |o| f64::from(o.kernel[0].max(o.kernel[1]))),
    ("stride", |o| f64::from(o.stride[0].max(o.stride[1]))),
    ("macs", |o| o.macs() as f64),
    ("bytes_moved", |o| (o.input_bytes() + o.output_bytes()) as f64),
    ("weight_bytes", |o| o.weight_bytes() as f64),
    (BYTES, |o| o.bytes as f64),
];

/// Least and largest value of each property of one kind of operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range([(f64, f64); PROPERTIES.len()]);

impl Range {
    pub(super) fn empty() -> Self {
        Self([(f64::INFINITY, f64::NEG_INFINITY); PROPERTIES.len()])
    }

    /// The range of what does not rest on measurements: any size that a network can have.
    pub(super) fn everything() -> Self {
        Self([(0.0, 1e18); PROPERTIES.len()])
    }

    pub(super) fn widen(&mut self, operation: &Operation) {
        for ((_, value), (low, high)) in PROPERTIES.iter().zip(&mut self.0) {
            let value = value(operation);
            *low = low.min(value);
            *high = high.max(value);
        }
    }

    /// Properties of `operation` outside the range: name, value and range.
    pub(super) fn violations(
        &self,
        operation: &Operation,
    ) -> impl Iterator<Item = (&'static str, f64, (f64, f64))> {
        PROPERTIES
            .iter()
            .zip(&self.0)
            .map(|((name, value), range)| (*name, value(operation), *range))
            .filter(|(_, value, (low, high))| value < low || value > high)
    }

    /// Whether values of so many bytes were seen: one end of the range is as good as a row, and what lies between is not.
    pub(super) fn has_bytes(&self, bytes: u64) -> bool {
        let named = PROPERTIES.iter().zip(&self.0).find(|((name, _), _)| *name == BYTES);
        named.is_some_and(|(_, (low, high))| [*low, *high].contains(&(bytes as f64)))
    }

    /// As it stands in a file.
    pub(super) fn to_map(&self) -> BTreeMap<String, (f64, f64)> {
        PROPERTIES.iter().zip(&self.0).map(|((name, _), range)| ((*name).to_owned(), *range)).collect()
    }

    /// From a file; the name of a property that is unknown or missing is the error.
    pub(super) fn from_map(map: &BTreeMap<String, (f64, f64)>) -> Result<Self, String> {
        if let Some(name) = map.keys().find(|name| PROPERTIES.iter().all(|(known, _)| known != name)) {
            return Err(name.clone());
        }
        let mut range = Self::empty();
        for ((name, _), slot) in PROPERTIES.iter().zip(&mut range.0) {
            *slot = *map.get(*name).ok_or_else(|| (*name).to_owned())?;
        }
        Ok(range)
    }
}
