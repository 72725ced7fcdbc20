//! Global average pooling.

use super::{Mismatch, Operator, single};
use crate::network::{Shape, json::LayerFields};

/// The average of each channel over the whole picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalAvgPool;

impl GlobalAvgPool {
    pub(super) const NAME: &'static str = "global_avg_pool";
    pub(super) const FIELDS: &'static [&'static str] = &[];

    pub(super) fn read(_: &LayerFields<'_, '_>) -> Option<Self> {
        Some(Self)
    }
}

impl Operator for GlobalAvgPool {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        single(inputs).map(|input| Shape::new(1, 1, input.c))
    }
}
