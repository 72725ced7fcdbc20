//! A part of the channels.

use super::{Mismatch, Operator, single};
use crate::network::{
    Shape,
    json::{LayerDocument, LayerFields},
};

/// Some neighbouring channels of the input, as in ShuffleNet V2's split (Ma et al. 2018).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The first channel, from zero.
    pub start: u32,
    /// How many channels.
    pub cout: u32,
}

impl Slice {
    pub(super) const NAME: &'static str = "slice";
    pub(super) const FIELDS: &'static [&'static str] = &["start", "cout"];

    pub(super) fn read(fields: &LayerFields<'_, '_>) -> Option<Self> {
        let (start, cout) = (fields.start(), fields.cout());
        Some(Self { start: start?, cout: cout? })
    }
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        let input = single(inputs)?;
        let end = u64::from(self.start) + u64::from(self.cout);
        if self.cout == 0 || end > u64::from(input.c) {
            let found = format!("channels {} to {end} of {}", self.start, input.c);
            return Err(Mismatch::new(found, "channels of the input, at least one"));
        }
        Ok(input.with_channels(self.cout))
    }

    fn write(&self, document: &mut LayerDocument) {
        document.start = (self.start > 0).then_some(self.start);
        document.cout = Some(self.cout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_stays_within_its_input() {
        let input = Shape::new(7, 7, 116);
        let half = |start| Slice { start, cout: 58 }.output_shape(&[input]);
        assert_eq!(half(58), Ok(input.with_channels(58)));
        assert!(half(59).is_err());
        assert!(half(u32::MAX).is_err());
    }
}
