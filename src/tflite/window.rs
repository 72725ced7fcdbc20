//! Windows of convolutions and pools, and how they meet the border.

use super::schema::{Padding, Steps};
use crate::network::{Pad, Shape, Window};

/// How a border is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Border {
    /// By the operator itself.
    Padding(Padding),
    /// By an operator before it: rows and columns at top, left, bottom, right.
    Explicit([u32; 4]),
}

/// How the border of `window` on a picture of `shape` is said.
pub(super) fn border(window: &Window, shape: Shape) -> Border {
    let pads = window.pads(shape);
    let same = Window { pad: Pad::Same, ..*window };
    let is_same = || {
        let sides = |window: &Window| window.output_shape(shape, shape.c).ok();
        pads == same.pads(shape) && sides(window) == sides(&same)
    };
    if pads == [0; 4] && window.pad != Pad::Same {
        Border::Padding(Padding::Valid)
    } else if is_same() {
        Border::Padding(Padding::Same)
    } else {
        Border::Explicit(pads)
    }
}

/// What options say of a window.
pub(super) fn steps(window: &Window, padding: Padding) -> Steps {
    // Files limit windows to far less.
    let pair = |pair: [u32; 2]| pair.map(|side| i32::try_from(side).unwrap_or(i32::MAX));
    Steps {
        padding,
        kernel: pair(window.kernel),
        stride: pair(window.stride),
        dilation: pair(window.dilation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_is_a_part_of_the_operator_where_it_is_what_tensorflow_adds() {
        let shape = Shape::new(8, 8, 3);
        let said = |kernel, stride, pad| border(&Window { pad, ..Window::square(kernel, stride) }, shape);
        let (same, valid) = (Border::Padding(Padding::Same), Border::Padding(Padding::Valid));
        assert_eq!(said(3, 2, Pad::Same), same);
        assert_eq!(said(3, 2, Pad::Valid), valid);
        assert_eq!(said(3, 1, Pad::Explicit([1; 4])), same);
        assert_eq!(said(3, 2, Pad::Explicit([0, 0, 1, 1])), same);
        assert_eq!(said(3, 2, Pad::Explicit([1; 4])), Border::Explicit([1; 4]), "PyTorch's");
        assert_eq!(said(1, 1, Pad::Explicit([0; 4])), valid);
    }
}
