//! Sliding windows: what convolutions and pools share.

use super::{Shape, ops::Mismatch};

/// How the borders of a picture are filled for a sliding window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pad {
    /// TensorFlow's "same": the output has ceil(input / stride) rows and columns.
    #[default]
    Same,
    /// No padding.
    Valid,
    /// Rows and columns added at top, left, bottom, right.
    Explicit([u32; 4]),
}

/// The window of a convolution or a pool; pairs are height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Kernel size.
    pub kernel: [u32; 2],
    /// Step between outputs.
    pub stride: [u32; 2],
    /// Step between kernel taps.
    pub dilation: [u32; 2],
    /// Border handling.
    pub pad: Pad,
}

impl Window {
    /// A square "same" window.
    #[must_use]
    pub fn square(kernel: u32, stride: u32) -> Self {
        Self { kernel: [kernel; 2], stride: [stride; 2], dilation: [1; 2], pad: Pad::Same }
    }

    /// Taps of the kernel.
    #[must_use]
    pub fn taps(&self) -> u64 {
        u64::from(self.kernel[0]) * u64::from(self.kernel[1])
    }

    /// The picture that the window leaves of `input`, with `channels` channels.
    ///
    /// # Errors
    /// The dilated kernel is larger than the padded picture.
    pub fn output_shape(&self, input: Shape, channels: u32) -> Result<Shape, Mismatch> {
        let h = self.output_size(0, input.h)?;
        let w = self.output_size(1, input.w)?;
        Ok(Shape::new(h, w, channels))
    }

    /// Rows and columns added at top, left, bottom, right of `input`; "same" splits an odd number so that more
    /// of it comes at bottom and right, as TensorFlow does.
    #[must_use]
    pub fn pads(&self, input: Shape) -> [u32; 4] {
        match self.pad {
            Pad::Valid => [0; 4],
            Pad::Explicit(pads) => pads,
            Pad::Same => {
                let (top, bottom) = self.same_pads(0, input.h);
                let (left, right) = self.same_pads(1, input.w);
                [top, left, bottom, right]
            }
        }
    }

    fn same_pads(&self, axis: usize, size: u32) -> (u32, u32) {
        let covered =
            (size.div_ceil(self.stride[axis]).saturating_sub(1)) * self.stride[axis] + self.reach(axis);
        let missing = covered.saturating_sub(size);
        (missing / 2, missing - missing / 2)
    }

    /// Rows or columns from the first to the last tap of the kernel.
    fn reach(&self, axis: usize) -> u32 {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    fn output_size(&self, axis: usize, size: u32) -> Result<u32, Mismatch> {
        let (before, after) = match self.pad {
            Pad::Same => return Ok(size.div_ceil(self.stride[axis])),
            Pad::Valid => (0, 0),
            Pad::Explicit(pad) => (pad[axis], pad[axis + 2]),
        };
        let reach = self.reach(axis);
        let padded = size + before + after;
        match padded.checked_sub(reach) {
            Some(room) => Ok(room / self.stride[axis] + 1),
            None => Err(Mismatch::new(
                format!("a window of {reach} on {padded} padded rows or columns"),
                "a window that fits the picture, or pad \"same\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_rounds_up_and_valid_padding_rounds_down() {
        let same = Window::square(3, 2);
        assert_eq!(same.output_shape(Shape::new(7, 8, 3), 5), Ok(Shape::new(4, 4, 5)));
        let valid = Window { pad: Pad::Valid, ..same };
        assert_eq!(valid.output_shape(Shape::new(7, 8, 3), 5), Ok(Shape::new(3, 3, 5)));
        let torch = Window { pad: Pad::Explicit([1, 1, 1, 1]), ..same };
        assert_eq!(torch.output_shape(Shape::new(7, 8, 3), 5), Ok(Shape::new(4, 4, 5)));
    }

    #[test]
    fn same_padding_as_numbers_gives_the_same_picture() {
        for (size, kernel, stride, dilation) in
            [(7, 3, 2, 1), (8, 3, 2, 1), (9, 5, 1, 2), (8, 1, 2, 1), (5, 7, 3, 1)]
        {
            let same = Window { dilation: [dilation; 2], ..Window::square(kernel, stride) };
            let input = Shape::new(size, size + 1, 3);
            let explicit = Window { pad: Pad::Explicit(same.pads(input)), ..same };
            assert_eq!(explicit.output_shape(input, 5), same.output_shape(input, 5), "{same:?}");
        }
        assert_eq!(Window::square(3, 2).pads(Shape::new(8, 7, 3)), [0, 1, 1, 1]);
    }

    #[test]
    fn a_window_larger_than_the_picture_is_refused() {
        let window = Window { pad: Pad::Valid, ..Window::square(5, 1) };
        assert!(window.output_shape(Shape::new(4, 9, 1), 1).is_err());
    }
}
