//! Networks written down layer after layer.

use nas::network::{
    Activation, DType, Network, NetworkBuilder, Op, Shape, Source, Window,
    ops::{Add, AvgPool, Concat, Conv2d, Dense, DepthwiseConv2d, GlobalAvgPool, MaxPool, Mul},
};

/// A network that grows at its end; layers are numbered.
pub(super) struct Chain {
    b: NetworkBuilder,
    pub(super) x: Source,
    layers: u32,
    /// The activation of layers that do not name another.
    pub(super) activation: Activation,
    /// The activations within and after squeeze-and-excite.
    pub(super) excite: [Activation; 2],
}

/// An inverted bottleneck; no `expand` layer if `hidden` is the input's width.
#[derive(Clone, Copy)]
pub(super) struct Ibn {
    pub(super) hidden: u32,
    pub(super) cout: u32,
    pub(super) kernel: u32,
    pub(super) stride: u32,
    /// Channels in the middle of squeeze-and-excite; 0 for none.
    pub(super) excite: u32,
    pub(super) fused: bool,
    pub(super) residual: bool,
}

impl Chain {
    pub(super) fn new(name: impl Into<String>, input: u32, activation: Activation) -> Self {
        let b = NetworkBuilder::new(name, Shape::new(input, input, 3), DType::Int8);
        Self { b, x: Source::Input, layers: 0, activation, excite: [Activation::Relu, Activation::Sigmoid] }
    }

    pub(super) fn width(&self) -> u32 {
        self.b.shape(self.x).c
    }

    /// Adds a layer after `inputs`.
    pub(super) fn join(&mut self, op: impl Into<Op>, inputs: &[Source], activation: Activation) {
        self.layers += 1;
        let added = self.b.add(format!("l{}", self.layers), op, inputs, activation);
        self.x = added.expect("published networks fit together");
    }

    /// Adds a layer at the end.
    pub(super) fn then(&mut self, op: impl Into<Op>, activation: Activation) {
        self.join(op, &[self.x], activation);
    }

    pub(super) fn conv(&mut self, cout: u32, kernel: u32, stride: u32) {
        self.then(Conv2d::square(cout, kernel, stride), self.activation);
    }

    pub(super) fn grouped(&mut self, cout: u32, kernel: u32, stride: u32, groups: u32) {
        self.then(Conv2d { groups, ..Conv2d::square(cout, kernel, stride) }, self.activation);
    }

    /// A convolution without activation.
    pub(super) fn linear(&mut self, cout: u32, kernel: u32, stride: u32) {
        self.then(Conv2d::square(cout, kernel, stride), Activation::None);
    }

    pub(super) fn depthwise(&mut self, kernel: u32, stride: u32) {
        self.then(DepthwiseConv2d::square(kernel, stride), self.activation);
    }

    pub(super) fn max_pool(&mut self, kernel: u32, stride: u32) {
        self.then(MaxPool { window: Window::square(kernel, stride) }, Activation::None);
    }

    pub(super) fn avg_pool(&mut self, kernel: u32, stride: u32) {
        self.then(AvgPool { window: Window::square(kernel, stride) }, Activation::None);
    }

    /// ReLU on its own: after a window of one pixel, which changes nothing.
    pub(super) fn relu(&mut self) {
        self.then(AvgPool { window: Window::square(1, 1) }, Activation::Relu);
    }

    pub(super) fn add(&mut self, other: Source, activation: Activation) {
        self.join(Add, &[other, self.x], activation);
    }

    pub(super) fn concat(&mut self, before: &[Source]) {
        let inputs = [before, &[self.x]].concat();
        self.join(Concat, &inputs, Activation::None);
    }

    /// Squeeze-and-excite (Hu et al. 2018).
    pub(super) fn squeeze_excite(&mut self, reduced: u32) {
        let (x, width) = (self.x, self.width());
        let [inner, gate] = self.excite;
        self.then(GlobalAvgPool, Activation::None);
        self.then(Conv2d::square(reduced, 1, 1), inner);
        self.then(Conv2d::square(width, 1, 1), gate);
        self.join(Mul, &[x, self.x], Activation::None);
    }

    pub(super) fn ibn(&mut self, block: Ibn) {
        let (start, width) = (self.x, self.width());
        if block.fused {
            self.conv(block.hidden, block.kernel, block.stride);
        } else {
            if block.hidden != width {
                self.conv(block.hidden, 1, 1);
            }
            self.depthwise(block.kernel, block.stride);
        }
        if block.excite > 0 {
            self.squeeze_excite(block.excite);
        }
        self.linear(block.cout, 1, 1);
        if block.residual && block.stride == 1 && block.cout == width {
            self.add(start, Activation::None);
        }
    }

    pub(super) fn pool(&mut self) {
        self.then(GlobalAvgPool, Activation::None);
    }

    pub(super) fn dense(&mut self, cout: u32, activation: Activation) {
        self.then(Dense { cout, bias: true }, activation);
    }

    /// Pooling and ImageNet's classes.
    pub(super) fn classify(mut self) -> Network {
        self.pool();
        self.finish()
    }

    /// ImageNet's classes.
    pub(super) fn finish(mut self) -> Network {
        self.dense(1000, Activation::None);
        self.b.finish()
    }
}

/// The multiple of 8 that is nearest, but not much less (Howard et al. 2019).
pub(super) fn eights(width: f64) -> u32 {
    let near = (((width + 4.0) / 8.0) as u32 * 8).max(8);
    if f64::from(near) < 0.9 * width { near + 8 } else { near }
}
