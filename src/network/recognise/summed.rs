//! Blocks that end in a sum: the basic and bottleneck blocks of ResNets (He et al. 2016; Xie et al. 2017; Radosavovic
//! et al. 2020).

use super::{Excite, Finder, FoundBlock, square};
use crate::network::{Activation, Block, BlockKind, Op, Source, Window, ops::Conv2d};

impl Finder<'_> {
    /// The basic or bottleneck block that the sum at `sum` closes.
    pub(super) fn summed(&self, sum: usize) -> Option<FoundBlock> {
        let [a, b] = self.layer(sum).inputs[..] else { return None };
        self.closed(sum, a, b).or_else(|| self.closed(sum, b, a))
    }

    /// The block whose convolutions end in `main` and whose shortcut is `around`.
    fn closed(&self, sum: usize, main: Source, around: Source) -> Option<FoundBlock> {
        let (last, end) = self.plain(main, sum)?;
        let (second, excite) = self.excited(*self.layer(last).inputs.first()?, last)?;
        let Op::Conv2d(Conv2d { window, groups, .. }) = self.layer(second).op else { return None };
        let middle = self.unclaimed(second, &window)?;
        let (activation, linear) = (self.layer(second).activation, self.layer(last).activation);
        if linear != Activation::None || activation == Activation::None {
            return None;
        }
        let inside = *self.layer(second).inputs.first()?;
        let (kind, first, input) = match (middle, end) {
            ((kernel, _), (end, 1)) if kernel > 1 && kernel == end && groups == 1 && excite.is_none() => {
                (BlockKind::Basic, None, inside)
            }
            ((kernel, _), (1, 1)) if kernel > 1 => {
                let first = self.narrowing(inside, second)?;
                (BlockKind::Bottleneck, Some(first), *self.layer(first).inputs.first()?)
            }
            _ => return None,
        };
        let (kernel, stride) = middle;
        let (hidden, output) = (self.layer(second).output.c, self.layer(last).output);
        let shortcut = match around == input {
            true if stride == 1 && self.network.shape(input) == output => None,
            true => return None,
            false => Some(self.shortcut(around, sum, input, stride)?),
        };
        let excites = excite.iter().flat_map(|excite| excite.layers);
        let mut layers: Vec<usize> = first
            .into_iter()
            .chain([second])
            .chain(excites)
            .chain([last])
            .chain(shortcut)
            .chain([sum])
            .collect();
        layers.sort_unstable();
        let block = Block {
            kind,
            fused: false,
            kernel,
            stride,
            hidden,
            cout: output.c,
            activation,
            groups,
            se: excite.map(|excite| excite.se),
        };
        let last = self.layer(sum).activation;
        Some(FoundBlock { block, residual: true, last, input, layers })
    }

    /// The layer that `reader` alone reads at `source`, itself or after squeeze-and-excite.
    fn excited(&self, source: Source, reader: usize) -> Option<(usize, Option<Excite>)> {
        let Source::Layer(index) = source else { return None };
        if self.only_reader(index) != Some(reader) {
            return None;
        }
        if !matches!(self.layer(index).op, Op::Mul(_)) {
            return Some((index, None));
        }
        self.layer(index).inputs.iter().find_map(|input| {
            let Source::Layer(spatial) = *input else { return None };
            let excite = self.excite(spatial).filter(|excite| excite.layers[3] == index)?;
            Some((spatial, Some(excite)))
        })
    }

    /// The 1x1 convolution at `source` before the KxK one of a bottleneck, which is at `spatial`.
    fn narrowing(&self, source: Source, spatial: usize) -> Option<usize> {
        let (index, (1, 1)) = self.plain(source, spatial)? else { return None };
        let (narrow, spatial) = (self.layer(index), self.layer(spatial));
        let alike = (narrow.activation, narrow.output.c) == (spatial.activation, spatial.output.c);
        alike.then_some(index)
    }

    /// The linear 1x1 convolution of `input` at `source`, as a shortcut to `sum`.
    fn shortcut(&self, source: Source, sum: usize, input: Source, stride: u32) -> Option<usize> {
        let (index, found) = self.plain(source, sum)?;
        let layer = self.layer(index);
        let own = layer.inputs[..] == [input] && layer.activation == Activation::None;
        (own && found == (1, stride)).then_some(index)
    }

    /// A convolution of one group that no block has claimed and that only `reader` reads: its layer, kernel and
    /// stride.
    fn plain(&self, source: Source, reader: usize) -> Option<(usize, (u32, u32))> {
        let Source::Layer(index) = source else { return None };
        let Op::Conv2d(Conv2d { window, groups: 1, .. }) = self.layer(index).op else { return None };
        let found = self.unclaimed(index, &window)?;
        (self.only_reader(index) == Some(reader)).then_some((index, found))
    }

    /// Kernel and stride of an undilated layer that no block has claimed.
    fn unclaimed(&self, index: usize, window: &Window) -> Option<(u32, u32)> {
        let free = !self.claimed[index] && window.dilation == [1; 2];
        if free { square(window.kernel, window.stride) } else { None }
    }
}
