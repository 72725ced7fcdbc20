//! Depthwise convolution.

use super::{Mismatch, Operator, single};
use crate::{
    network::{
        Shape, Window,
        json::{LayerDocument, LayerFields},
    },
    units::Macs,
};

/// A convolution that filters every channel on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DepthwiseConv2d {
    /// Kernel, stride, dilation and padding.
    pub window: Window,
    /// Output channels, if they are not the input's: a multiple of them.
    pub cout: Option<u32>,
    /// Whether a bias (or a folded batch-norm) is added.
    pub bias: bool,
}

impl DepthwiseConv2d {
    pub(super) const NAME: &'static str = "depthwise_conv2d";
    pub(super) const FIELDS: &'static [&'static str] =
        &["cout", "kernel", "stride", "dilation", "pad", "bias"];

    /// A square "same" depthwise convolution with a bias.
    #[must_use]
    pub fn square(kernel: u32, stride: u32) -> Self {
        Self { window: Window::square(kernel, stride), cout: None, bias: true }
    }

    pub(super) fn read(fields: &LayerFields<'_, '_>) -> Option<Self> {
        let (window, cout, bias) = (fields.window(), fields.optional_cout(), fields.flag("bias", true));
        Some(Self { window: window?, cout: cout?, bias: bias? })
    }
}

impl Operator for DepthwiseConv2d {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        let input = single(inputs)?;
        let cout = self.cout.unwrap_or(input.c);
        if !cout.is_multiple_of(input.c) {
            return Err(Mismatch::new(
                format!("{cout} output channels"),
                format!("a multiple of the {} input channels", input.c),
            ));
        }
        self.window.output_shape(input, cout)
    }

    fn macs(&self, inputs: &[Shape], output: Shape) -> Macs {
        Macs(output.pixels().saturating_mul(self.weights(inputs, output)))
    }

    fn weights(&self, _: &[Shape], output: Shape) -> u64 {
        self.window.taps() * u64::from(output.c)
    }

    fn biases(&self, output: Shape) -> u64 {
        if self.bias { u64::from(output.c) } else { 0 }
    }

    fn write(&self, document: &mut LayerDocument) {
        document.cout = self.cout;
        document.set_window(&self.window);
        document.set_bias(self.bias);
    }
}
