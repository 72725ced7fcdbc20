//! Versions of operators: the first that has what is asked of it, so that older runtimes take the file.

use super::schema::{Code, Options};

impl Code {
    /// The version of the operator with `options`, on int8 or on single precision.
    pub(super) fn version(self, int8: bool, options: &Options) -> i32 {
        match (self, options) {
            (Self::Conv2d, Options::Conv2d(_, _, true)) => 6,
            (Self::Conv2d | Self::DepthwiseConv2d, _) if int8 => 3,
            (Self::DepthwiseConv2d, Options::DepthwiseConv2d(steps, ..)) if steps.dilation != [1; 2] => 2,
            // Four sides stay four sides.
            (Self::FullyConnected, _) => 5,
            (Self::HardSwish | Self::Reshape | Self::Quantize, _) => 1,
            _ if int8 => 2,
            _ => 1,
        }
    }
}
