//! Where batch-norm stands while a network is trained.

use super::{Network, Op};

impl Network {
    /// For each layer, whether a trainer puts batch-norm behind it (Ioffe & Szegedy 2015).
    ///
    /// Networks have batch-norm folded into weights and biases. Before it was folded it stood behind every
    /// convolution with a bias, but for two sorts: those that write an answer of the network, whose bias is
    /// trained as such, and those of a single pixel, such as in squeeze-and-excite, where one picture has no
    /// spread to be normalised by.
    #[must_use]
    pub fn batch_norms(&self) -> Vec<bool> {
        let consumers = self.consumers();
        let layers = self.layers().iter().zip(consumers);
        layers
            .map(|(layer, readers)| {
                let convolution = match layer.op {
                    Op::Conv2d(conv) => conv.bias,
                    Op::DepthwiseConv2d(conv) => conv.bias,
                    _ => false,
                };
                convolution && !readers.is_empty() && layer.output.pixels() > 1
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::network::{
        Activation, Block, BlockKind, DType, NetworkBuilder, Shape, Source, SqueezeExcite, ops::*,
    };

    #[test]
    fn predictors_and_gates_have_a_bias_and_no_batch_norm() {
        let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 8), DType::Int8);
        let se =
            Some(SqueezeExcite { reduced: 4, squeezed: Activation::Relu, gate: Activation::HardSigmoid });
        let activation = Activation::Relu;
        let block = Block {
            kind: BlockKind::Ibn,
            fused: false,
            kernel: 3,
            stride: 1,
            hidden: 16,
            cout: 8,
            activation,
            groups: 1,
            se,
        };
        let x = block.build(&mut b, "b", Source::Input).unwrap();
        b.add("class", Conv2d::square(3, 1, 1), &[x], Activation::None).unwrap();
        let network = b.finish();
        let normal = network.layers().iter().zip(network.batch_norms()).filter(|(_, norm)| *norm);
        let normal: Vec<&str> = normal.map(|(layer, _)| layer.name.as_str()).collect();
        assert_eq!(normal, ["b.expand", "b.depthwise", "b.project"]);
    }
}
