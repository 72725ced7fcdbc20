//! Which part of a picture lies along which axis of a tensor.
//!
//! Reshapes and transpositions move no number that matters here; they are
//! followed by splitting, reordering and joining the picture's own axes. So a
//! flattened picture, a channel shuffle and a channels-last tensor are all the
//! same picture seen differently.

use crate::network::Shape;

/// An axis of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Channels,
    Rows,
    Columns,
}

/// A part of a picture's axis: every `stride`-th index, `size` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Atom {
    side: Side,
    stride: u64,
    size: u64,
}

/// A tensor's axes, each with the parts of the picture that lie along it, outermost first.
///
/// An axis of length one has no part. The batch is one and so has none either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    axes: Vec<Vec<Atom>>,
}

fn whole(side: Side, size: u32) -> Vec<Atom> {
    if size == 1 { Vec::new() } else { vec![Atom { side, stride: 1, size: u64::from(size) }] }
}

impl Layout {
    /// Batch, channels, rows, columns.
    pub(super) fn nchw(shape: Shape) -> Self {
        Self {
            axes: vec![
                Vec::new(),
                whole(Side::Channels, shape.c),
                whole(Side::Rows, shape.h),
                whole(Side::Columns, shape.w),
            ],
        }
    }

    /// Batch, rows, columns, channels.
    pub(super) fn nhwc(shape: Shape) -> Self {
        Self::nchw(shape).transposed(&[0, 2, 3, 1]).unwrap_or_else(|| Self::nchw(shape))
    }

    /// Batch and features.
    pub(super) fn features(channels: u32) -> Self {
        Self { axes: vec![Vec::new(), whole(Side::Channels, channels)] }
    }

    pub(super) fn rank(&self) -> usize {
        self.axes.len()
    }

    pub(super) fn dims(&self) -> Vec<u64> {
        self.axes.iter().map(|axis| size(axis)).collect()
    }

    pub(super) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut seen = vec![false; self.rank()];
        for axis in order {
            *seen.get_mut(*axis).filter(|seen| !**seen)? = true;
        }
        (order.len() == self.rank())
            .then(|| Self { axes: order.iter().filter_map(|axis| self.axes.get(*axis).cloned()).collect() })
    }

    /// The same elements in the same order with other sides; none if a part would have to be cut unevenly.
    pub(super) fn reshaped(&self, dims: &[u64]) -> Option<Self> {
        let mut parts: Vec<Atom> = self.axes.iter().flatten().rev().copied().collect();
        let mut axes = Vec::with_capacity(dims.len());
        for side in dims {
            let mut axis = Vec::new();
            let mut left = *side;
            while left > 1 {
                let part = parts.pop()?;
                if left.is_multiple_of(part.size) {
                    left /= part.size;
                    axis.push(part);
                } else if part.size.is_multiple_of(left) {
                    let inner = part.size / left;
                    axis.push(Atom { stride: part.stride * inner, size: left, ..part });
                    parts.push(Atom { size: inner, ..part });
                    left = 1;
                } else {
                    return None;
                }
            }
            if *side == 0 {
                return None;
            }
            axes.push(joined(axis));
        }
        parts.is_empty().then_some(Self { axes })
    }

    /// Whether the axis is made of channels only: all of them, in whatever order.
    pub(super) fn is_channels(&self, axis: usize, shape: Shape) -> bool {
        self.is_side(axis, Side::Channels, shape.c)
    }

    fn is_side(&self, axis: usize, side: Side, length: u32) -> bool {
        let Some(parts) = self.axes.get(axis) else { return false };
        parts.iter().all(|part| part.side == side) && size(parts) == u64::from(length)
    }

    /// Whether the axis holds all of the picture, flattened.
    pub(super) fn is_everything(&self, axis: usize) -> bool {
        self.axes.iter().enumerate().all(|(index, parts)| index == axis || parts.is_empty())
    }

    /// Whether the tensor is batch, channels, rows, columns, as convolutions and pools read it. Channels may
    /// be shuffled.
    pub(super) fn is_picture(&self, shape: Shape) -> bool {
        self.rank() == 4
            && self.is_side(0, Side::Channels, 1)
            && self.is_channels(1, shape)
            && self.is_side(2, Side::Rows, shape.h)
            && self.is_side(3, Side::Columns, shape.w)
            && self.axes[2..].iter().all(|axis| axis.len() <= 1)
    }

    /// Whether an axis holds channels in another order.
    pub(super) fn is_shuffled(&self) -> bool {
        self.axes.iter().any(|axis| axis.len() > 1 && axis.iter().all(|part| part.side == Side::Channels))
    }

    /// Whether the picture's rows and columns, and nothing else, lie along `axes`.
    pub(super) fn covers_pixels(&self, axes: &[usize]) -> bool {
        self.axes.iter().enumerate().all(|(index, parts)| {
            let pixels = parts.iter().all(|part| part.side != Side::Channels);
            parts.is_empty() || pixels == axes.contains(&index)
        })
    }

    /// Whether nothing of the picture lies along `axis`.
    pub(super) fn is_empty(&self, axis: usize) -> bool {
        self.axes.get(axis).is_some_and(Vec::is_empty)
    }

    /// The same tensor with `channels` where the axis lies that held the channels, or along `axis`.
    pub(super) fn with_channels(&self, axis: usize, channels: u32) -> Self {
        let mut axes = self.axes.clone();
        if let Some(parts) = axes.get_mut(axis) {
            *parts = whole(Side::Channels, channels);
        }
        Self { axes }
    }

    /// The same tensor after the average of its pixels, with or without the axes they lay along.
    pub(super) fn averaged(&self, axes: &[usize], keep: bool) -> Self {
        let kept = self.axes.iter().enumerate().filter(|(index, _)| keep || !axes.contains(index));
        let kept = kept.map(|(index, parts)| if axes.contains(&index) { Vec::new() } else { parts.clone() });
        Self { axes: kept.collect() }
    }

    /// The layout of an element-wise operator's result, where axes of length one are stretched.
    pub(super) fn stretched(&self, other: &Self) -> Option<Self> {
        let rank = self.rank().max(other.rank());
        let axis = |layout: &Self, index: usize| -> Vec<Atom> {
            (index + layout.rank())
                .checked_sub(rank)
                .and_then(|index| layout.axes.get(index))
                .cloned()
                .unwrap_or_default()
        };
        let both = |index| {
            let (a, b) = (axis(self, index), axis(other, index));
            if a == b || b.is_empty() {
                Some(a)
            } else if a.is_empty() {
                Some(b)
            } else {
                None
            }
        };
        Some(Self { axes: (0..rank).map(both).collect::<Option<_>>()? })
    }
}

fn size(parts: &[Atom]) -> u64 {
    parts.iter().map(|part| part.size).product()
}

/// Neighbours that continue each other become one again.
fn joined(parts: Vec<Atom>) -> Vec<Atom> {
    let mut joined: Vec<Atom> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.side == part.side && last.stride == part.stride * part.size => {
                *last = Atom { size: last.size * part.size, ..part };
            }
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flattened_picture_is_all_of_it_and_comes_back() {
        let shape = Shape::new(7, 5, 12);
        let picture = Layout::nchw(shape);
        let flat = picture.reshaped(&[1, 420]).unwrap();
        assert!(flat.is_everything(1));
        assert_eq!(flat.reshaped(&[1, 12, 7, 5]), Some(picture.clone()));
        assert_eq!(picture.reshaped(&[1, 5, 7, 12]), None, "cuts channels unevenly");
        assert_eq!(picture.reshaped(&[1, 12, 7]), None, "too few elements");
    }

    #[test]
    fn a_channel_shuffle_is_still_a_picture() {
        let shape = Shape::new(3, 3, 12);
        let grouped = Layout::nchw(shape).reshaped(&[1, 2, 6, 3, 3]).unwrap();
        let shuffled = grouped.transposed(&[0, 2, 1, 3, 4]).unwrap().reshaped(&[1, 12, 3, 3]).unwrap();
        assert!(shuffled.is_picture(shape) && shuffled.is_shuffled());
    }

    #[test]
    fn rows_and_columns_made_of_channels_are_no_picture() {
        let features = Layout::features(48);
        let reshaped = features.reshaped(&[1, 3, 4, 4]).unwrap();
        assert!(!reshaped.is_picture(Shape::new(1, 1, 48)));
        let spaces = Layout::nchw(Shape::new(4, 4, 3)).reshaped(&[1, 3, 2, 2, 2, 2]).unwrap();
        let packed = spaces.transposed(&[0, 3, 5, 1, 2, 4]).unwrap().reshaped(&[1, 12, 2, 2]).unwrap();
        assert!(!packed.is_picture(Shape::new(4, 4, 3)), "space to depth");
    }

    #[test]
    fn an_order_that_names_an_axis_twice_is_none() {
        let layout = Layout::nchw(Shape::new(2, 2, 2));
        assert_eq!(layout.transposed(&[0, 1, 1, 3]), None);
        assert_eq!(layout.transposed(&[0, 1, 2]), None);
        assert_eq!(layout.transposed(&[0, 1, 2, 4]), None);
    }
}
