//! Peak activation memory.

use super::{Activation, Network, Wiring};
use crate::units::Bytes;

/// The largest sum of live tensors over the execution order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeakActivation {
    /// Activations overwrite their input.
    pub in_place: Bytes,
    /// An activation is a step of its own, with its input and its output both in memory.
    pub no_alias: Bytes,
}

impl Network {
    /// Peak activation bytes when layers run in order and a tensor is freed after its last use.
    ///
    /// The network's input is a tensor like any other; one that nobody reads
    /// stays until the end, since it is an output.
    #[must_use]
    pub fn peak_activation(&self) -> PeakActivation {
        let wiring = Wiring::of(self);
        let mut live = self.input.elements();
        let (mut in_place, mut no_alias) = (live, live);
        for (step, layer) in self.layers.iter().enumerate() {
            live += layer.output.elements();
            in_place = in_place.max(live);
            no_alias = no_alias.max(live);
            live -= freed_after(self, &wiring, step);
            if layer.activation != Activation::None {
                no_alias = no_alias.max(live + layer.output.elements());
            }
        }
        let bytes = |elements: u64| Bytes(elements.saturating_mul(self.dtype.bytes()));
        PeakActivation { in_place: bytes(in_place), no_alias: bytes(no_alias) }
    }
}

/// Elements of the tensors that `step` reads last.
fn freed_after(network: &Network, wiring: &Wiring, step: usize) -> u64 {
    let inputs = wiring.inputs(step);
    let first_mention = |position: usize| !inputs[..position].contains(&inputs[position]);
    (0..inputs.len())
        .filter(|position| wiring.readers(inputs[*position]).last == step && first_mention(*position))
        .map(|position| network.shape(inputs[position]).elements())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{DType, NetworkBuilder, Shape, Source, ops::*};

    #[test]
    fn a_residual_keeps_its_input_alive_until_the_sum() {
        let mut b = NetworkBuilder::new("n", Shape::new(2, 2, 4), DType::Int8);
        let x = b.add("a", Conv2d::square(4, 1, 1), &[Source::Input], Activation::Relu).unwrap();
        let y = b.add("b", Conv2d::square(32, 1, 1), &[x], Activation::Relu).unwrap();
        let z = b.add("c", Conv2d::square(4, 1, 1), &[y], Activation::None).unwrap();
        b.add("d", Add, &[x, z], Activation::None).unwrap();
        let peak = b.finish().peak_activation();
        assert_eq!(peak.in_place, Bytes(16 + 128 + 16), "x, y and z during c");
        assert_eq!(peak.no_alias, Bytes(16 + 128 + 128), "x, y before and y after its relu");
    }

    #[test]
    fn a_tensor_read_twice_by_one_layer_is_freed_once() {
        let mut b = NetworkBuilder::new("n", Shape::new(1, 1, 8), DType::Fp32);
        let sum = b.add("a", Add, &[Source::Input, Source::Input], Activation::None).unwrap();
        b.add("b", Conv2d::square(8, 1, 1), &[sum], Activation::None).unwrap();
        assert_eq!(b.finish().peak_activation().in_place, Bytes(2 * 8 * 4));
    }
}
