//! Fully connected layer.

use super::{Mismatch, Operator, single};
use crate::{
    network::{
        Shape,
        json::{LayerDocument, LayerFields},
    },
    units::Macs,
};

/// A fully connected layer on the flattened input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dense {
    /// Output features.
    pub cout: u32,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Dense {
    pub(super) const NAME: &'static str = "dense";
    pub(super) const FIELDS: &'static [&'static str] = &["cout", "bias"];

    pub(super) fn read(fields: &LayerFields<'_, '_>) -> Option<Self> {
        let bias = fields.flag("bias", true);
        Some(Self { cout: fields.cout()?, bias: bias? })
    }
}

impl Operator for Dense {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        single(inputs).map(|_| Shape::new(1, 1, self.cout))
    }

    fn macs(&self, inputs: &[Shape], output: Shape) -> Macs {
        Macs(self.weights(inputs, output))
    }

    fn weights(&self, inputs: &[Shape], output: Shape) -> u64 {
        inputs[0].elements().saturating_mul(u64::from(output.c))
    }

    fn biases(&self, output: Shape) -> u64 {
        if self.bias { u64::from(output.c) } else { 0 }
    }

    fn write(&self, document: &mut LayerDocument) {
        document.cout = Some(self.cout);
        document.set_bias(self.bias);
    }
}
