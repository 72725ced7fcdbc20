//! Element-wise product.

use super::{Mismatch, Operator, broadcast};
use crate::network::{Shape, json::LayerFields};

/// The element-wise product of tensors, as in a gate such as squeeze-and-excite's; sides of 1 are stretched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mul;

impl Mul {
    pub(super) const NAME: &'static str = "mul";
    pub(super) const FIELDS: &'static [&'static str] = &[];

    pub(super) fn read(_: &LayerFields<'_, '_>) -> Option<Self> {
        Some(Self)
    }
}

impl Operator for Mul {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        broadcast(inputs)
    }
}
