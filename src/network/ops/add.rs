//! Element-wise sum.

use super::{Mismatch, Operator, broadcast};
use crate::network::{Shape, json::LayerFields};

/// The element-wise sum of tensors, as in a residual connection; sides of 1 are stretched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Add;

impl Add {
    pub(super) const NAME: &'static str = "add";
    pub(super) const FIELDS: &'static [&'static str] = &[];

    pub(super) fn read(_: &LayerFields<'_, '_>) -> Option<Self> {
        Some(Self)
    }
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        broadcast(inputs)
    }
}
