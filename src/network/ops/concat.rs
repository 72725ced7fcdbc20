//! Concatenation.

use super::{Mismatch, Operator};
use crate::network::{Shape, json::LayerFields};

/// The inputs' channels one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat;

impl Concat {
    pub(super) const NAME: &'static str = "concat";
    pub(super) const FIELDS: &'static [&'static str] = &[];

    pub(super) fn read(_: &LayerFields<'_, '_>) -> Option<Self> {
        Some(Self)
    }
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        let [first, rest @ ..] = inputs else {
            return Err(Mismatch::new("no inputs", "at least one input"));
        };
        rest.iter().try_fold(*first, |sum, next| {
            if (sum.h, sum.w) == (next.h, next.w) {
                Ok(sum.with_channels(sum.c.saturating_add(next.c)))
            } else {
                Err(Mismatch::new(format!("{sum} with {next}"), "equal heights and widths"))
            }
        })
    }
}
