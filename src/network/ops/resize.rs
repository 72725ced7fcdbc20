//! Resizing of pictures.

use super::{Mismatch, Operator, single};
use crate::network::{
    Shape,
    json::{LayerDocument, LayerFields},
};

/// How new pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResizeMode {
    /// A copy of the nearest pixel.
    #[default]
    Nearest,
    /// A blend of the four nearest pixels.
    Bilinear,
}

impl ResizeMode {
    /// Names as they stand in files.
    pub const NAMES: [(&'static str, Self); 2] = [("nearest", Self::Nearest), ("bilinear", Self::Bilinear)];

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// A change of height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resize {
    /// The new height and width.
    pub size: [u32; 2],
    /// How new pixels are made.
    pub mode: ResizeMode,
}

impl Resize {
    pub(super) const NAME: &'static str = "resize";
    pub(super) const FIELDS: &'static [&'static str] = &["size", "mode"];

    pub(super) fn read(fields: &LayerFields<'_, '_>) -> Option<Self> {
        let mode = fields.fields.or("mode", ResizeMode::Nearest, |node| node.named(&ResizeMode::NAMES));
        Some(Self { size: fields.size()?, mode: mode? })
    }
}

impl Operator for Resize {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Mismatch> {
        single(inputs).map(|input| Shape::new(self.size[0], self.size[1], input.c))
    }

    fn write(&self, document: &mut LayerDocument) {
        document.size = Some(self.size);
        document.mode = (self.mode != ResizeMode::Nearest).then(|| self.mode.name());
    }
}
