//! Operators: one file each, with the shape rule, the costs and the JSON fields together.

mod add;
mod concat;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod global_avg_pool;
mod mul;
mod pool;
mod resize;
mod slice;

pub use add::Add;
pub use concat::Concat;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use global_avg_pool::GlobalAvgPool;
pub use mul::Mul;
pub use pool::{AvgPool, MaxPool};
pub use resize::{Resize, ResizeMode};
pub use slice::Slice;

use super::{
    Shape,
    json::{LayerDocument, LayerFields},
};
use crate::units::Macs;

/// Why an operator cannot read the shapes that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What it was given.
    pub found: String,
    /// What it takes.
    pub expected: String,
}

impl Mismatch {
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }
}

/// What the rest of the crate needs to know of an operator.
pub trait Operator {
    /// The name as it stands in files.
    fn name(&self) -> &'static str;

    /// The shape that it makes of `inputs`.
    ///
    /// # Errors
    /// The number of inputs or their shapes do not fit the operator.
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch>;

    /// Multiply-adds; only convolutions and dense layers have any.
    fn macs(&self, _inputs: &[Shape], _output: Shape) -> Macs {
        Macs(0)
    }

    /// Trained numbers without the biases.
    fn weights(&self, _inputs: &[Shape], _output: Shape) -> u64 {
        0
    }

    /// Biases, into which batch-norm is folded.
    fn biases(&self, _output: Shape) -> u64 {
        0
    }

    /// Fills in the operator's own JSON fields.
    fn write(&self, _document: &mut LayerDocument) {}
}

macro_rules! operators {
    ($($(#[$doc:meta])* $variant:ident),* $(,)?) => {
        /// Any operator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            $($(#[$doc])* $variant($variant),)*
        }

        impl Op {
            /// The operator behind its common interface.
            #[must_use]
            pub fn operator(&self) -> &dyn Operator {
                match self {
                    $(Self::$variant(op) => op,)*
                }
            }
        }

        $(impl From<$variant> for Op {
            fn from(op: $variant) -> Self {
                Self::$variant(op)
            }
        })*

        /// Reads the operator called `name` from the fields of a layer.
        pub(crate) fn read(name: &str, fields: &LayerFields<'_, '_>) -> Option<Op> {
            match name {
                $($variant::NAME => $variant::read(fields).map(Op::$variant),)*
                _ => None,
            }
        }

        /// The names of all operators with their JSON fields.
        pub(crate) const KNOWN: &[(&str, &[&str])] = &[$(($variant::NAME, $variant::FIELDS),)*];
    };
}

operators! {
    /// A convolution, possibly grouped.
    Conv2d,
    /// A convolution with one filter for each channel.
    DepthwiseConv2d,
    /// A fully connected layer.
    Dense,
    /// An element-wise sum.
    Add,
    /// An element-wise product.
    Mul,
    /// A concatenation of channels.
    Concat,
    /// An average over windows.
    AvgPool,
    /// A maximum over windows.
    MaxPool,
    /// An average over the whole picture.
    GlobalAvgPool,
    /// A change of resolution.
    Resize,
    /// A part of the channels.
    Slice,
}

impl Op {
    /// The name as it stands in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }
}

/// The only input of a one-input operator.
fn single(inputs: &[Shape]) -> Result<Shape, Mismatch> {
    match inputs {
        [input] => Ok(*input),
        _ => Err(Mismatch::new(format!("{} inputs", inputs.len()), "one input")),
    }
}

/// The shape of an element-wise operator, where a side of 1 is stretched.
fn broadcast(inputs: &[Shape]) -> Result<Shape, Mismatch> {
    let [first, rest @ ..] = inputs else {
        return Err(Mismatch::new("no inputs", "two inputs"));
    };
    if rest.is_empty() {
        return Err(Mismatch::new("one input", "two inputs"));
    }
    rest.iter().try_fold(*first, |a, b| {
        let side = |a: u32, b: u32| (a == b || a == 1 || b == 1).then(|| a.max(b));
        match (side(a.h, b.h), side(a.w, b.w), side(a.c, b.c)) {
            (Some(h), Some(w), Some(c)) => Ok(Shape::new(h, w, c)),
            _ => Err(Mismatch::new(format!("{a} with {b}"), "equal shapes, or sides of 1 to stretch")),
        }
    })
}
