//! Pooling over windows.

use super::{Mismatch, Operator, single};
use crate::network::{
    Shape, Window,
    json::{LayerDocument, LayerFields},
};

macro_rules! pool {
    ($(#[$doc:meta])* $name:ident, $file_name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            /// Kernel, stride, dilation and padding.
            pub window: Window,
        }

        impl $name {
            pub(super) const NAME: &'static str = $file_name;
            pub(super) const FIELDS: &'static [&'static str] = &["kernel", "stride", "dilation", "pad"];

            pub(super) fn read(fields: &LayerFields<'_, '_>) -> Option<Self> {
                fields.window().map(|window| Self { window })
            }
        }

        impl Operator for $name {
            fn name(&self) -> &'static str {
                Self::NAME
            }

            fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
                let input = single(inputs)?;
                self.window.output_shape(input, input.c)
            }

            fn write(&self, document: &mut LayerDocument) {
                document.set_window(&self.window);
            }
        }
    };
}

pool! {
    /// The average of each window.
    AvgPool, "avg_pool"
}
pool! {
    /// The maximum of each window.
    MaxPool, "max_pool"
}
