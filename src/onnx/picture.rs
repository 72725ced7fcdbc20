//! The values of a graph: constants and pictures.

use std::rc::Rc;

use super::{curve::Curve, draft::Base, layout::Layout, tensor::Constant};

/// What a name of the graph stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A tensor that does not depend on the input.
    Constant(Rc<Constant>),
    /// A tensor that does.
    Picture(Picture),
    /// What a node that is not understood would have written.
    Missing,
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Self {
        Self::Constant(Rc::new(constant))
    }
}

impl From<Picture> for Value {
    fn from(picture: Picture) -> Self {
        Self::Picture(picture)
    }
}

/// A layer's output as seen through reshapes and element-wise operators.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) base: Base,
    pub(super) layout: Layout,
    /// What element-wise operators have made of each number.
    pub(super) curve: Curve,
    /// The node that touched the numbers last.
    pub(super) touched_by: String,
    /// Rows and columns of zeros around it: top, left, bottom, right.
    pub(super) border: [u32; 4],
}

impl Picture {
    pub(super) fn new(base: Base, layout: Layout) -> Self {
        Self { base, layout, curve: Curve::default(), touched_by: String::new(), border: [0; 4] }
    }

    pub(super) fn is_bordered(&self) -> bool {
        self.border != [0; 4]
    }

    /// The tensor's sides, borders included.
    pub(super) fn dims(&self) -> Vec<u64> {
        let mut dims = self.layout.dims();
        if let ([_, _, h, w], true) = (dims.as_mut_slice(), self.is_bordered()) {
            let [top, left, bottom, right] = self.border.map(u64::from);
            *h += top + bottom;
            *w += left + right;
        }
        dims
    }

    /// The same numbers seen with other axes.
    pub(super) fn seen_as(&self, layout: Layout) -> Self {
        Self { layout, ..self.clone() }
    }

    /// Another function of the same numbers.
    pub(super) fn bent(&self, curve: Curve, by: &str) -> Self {
        Self { curve, touched_by: by.to_owned(), ..self.clone() }
    }
}

/// Why a node cannot be part of a network.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) found: String,
    pub(super) expected: String,
    /// What the rest may be priced with, where the node changes no sides.
    pub(super) instead: Option<Box<Value>>,
}

impl Refusal {
    pub(super) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into(), instead: None }
    }

    pub(super) fn or(self, instead: impl Into<Value>) -> Self {
        Self { instead: Some(Box::new(instead.into())), ..self }
    }
}

impl From<crate::network::ops::Mismatch> for Refusal {
    fn from(mismatch: crate::network::ops::Mismatch) -> Self {
        Self::new(mismatch.found, mismatch.expected)
    }
}

impl From<String> for Refusal {
    /// A constant that does not hold together; `found` says what is wrong with it.
    fn from(found: String) -> Self {
        Self::new(found, "constants that fit the operator")
    }
}
