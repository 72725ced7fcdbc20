//! Two-dimensional convolution.

use super::{Mismatch, Operator, single};
use crate::{
    network::{
        Shape, Window,
        json::{LayerDocument, LayerFields},
    },
    units::Macs,
};

/// A convolution of `groups` independent groups of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Output channels.
    pub cout: u32,
    /// Kernel, stride, dilation and padding.
    pub window: Window,
    /// Groups; 1 is a standard convolution.
    pub groups: u32,
    /// Whether a bias (or a folded batch-norm) is added.
    pub bias: bool,
}

impl Conv2d {
    pub(super) const NAME: &'static str = "conv2d";
    pub(super) const FIELDS: &'static [&'static str] =
        &["cout", "kernel", "stride", "dilation", "pad", "groups", "bias"];

    /// A square "same" convolution with one group and a bias.
    #[must_use]
    pub fn square(cout: u32, kernel: u32, stride: u32) -> Self {
        Self { cout, window: Window::square(kernel, stride), groups: 1, bias: true }
    }

    pub(super) fn read(fields: &LayerFields<'_, '_>) -> Option<Self> {
        let (window, groups, bias) = (fields.window(), fields.count("groups", 1), fields.flag("bias", true));
        Some(Self { cout: fields.cout()?, window: window?, groups: groups?, bias: bias? })
    }
}

impl Operator for Conv2d {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        let input = single(inputs)?;
        if !input.c.is_multiple_of(self.groups) || !self.cout.is_multiple_of(self.groups) {
            return Err(Mismatch::new(
                format!("{} groups of {} input and {} output channels", self.groups, input.c, self.cout),
                "groups that divide both",
            ));
        }
        self.window.output_shape(input, self.cout)
    }

    fn macs(&self, inputs: &[Shape], output: Shape) -> Macs {
        Macs(output.pixels().saturating_mul(self.weights(inputs, output)))
    }

    fn weights(&self, inputs: &[Shape], output: Shape) -> u64 {
        let per_output = self.window.taps() * u64::from(inputs[0].c / self.groups);
        per_output.saturating_mul(u64::from(output.c))
    }

    fn biases(&self, output: Shape) -> u64 {
        if self.bias { u64::from(output.c) } else { 0 }
    }

    fn write(&self, document: &mut LayerDocument) {
        document.cout = Some(self.cout);
        document.set_window(&self.window);
        document.groups = (self.groups != 1).then_some(self.groups);
        document.set_bias(self.bias);
    }
}
