//! How many bytes of tensors an inference moves, and where those lie.

use super::{
    graph::{Graph, Placed},
    schedule::Place,
};

/// Bytes of tensors that layers read and write, by where these lie. A tensor counts once for the layer that writes
/// it and once for each that reads it; weights, and what tiles fetch again, do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Between layers, kept on the chip.
    pub on_chip: u64,
    /// Between layers, spilled since too much is alive at once.
    pub off_chip: u64,
    /// The network's input, as often as it is read, and its outputs.
    pub network_io: u64,
}

impl Moved {
    fn add(&mut self, place: Place, bytes: u64) {
        let sum = match place {
            Place::OnChip => &mut self.on_chip,
            Place::OffChip => &mut self.off_chip,
            Place::Outside => &mut self.network_io,
        };
        *sum = sum.saturating_add(bytes);
    }

    fn add_layer(&mut self, layer: Placed<'_>) {
        let operation = layer.operation();
        let mut from_input = operation.input_bytes();
        for producer in layer.producers() {
            let bytes = producer.operation().output_bytes();
            self.add(producer.step().output, bytes);
            from_input = from_input.saturating_sub(bytes);
        }
        // What no layer wrote is the network's input.
        self.add(Place::Outside, from_input);
        self.add(layer.step().output, operation.output_bytes());
    }
}

impl Graph {
    /// What one inference moves; the graph must be one that an estimator has scheduled ([`super::Estimator::graph`]).
    #[must_use]
    pub fn moved(&self) -> Moved {
        let mut moved = Moved::default();
        self.layers().for_each(|layer| moved.add_layer(layer));
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::Stripes;
    use super::*;
    use crate::network::{Activation, DType, NetworkBuilder, Shape, Source, ops::*};

    /// Two convolutions and their sum, as run with so much memory.
    fn moved(on_chip_bytes: u64) -> Moved {
        let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 16), DType::Int8);
        let one = b.add("one", Conv2d::square(16, 3, 1), &[Source::Input], Activation::None).unwrap();
        let two = b.add("two", Conv2d::square(16, 3, 1), &[one], Activation::None).unwrap();
        b.add("sum", Add, &[one, two], Activation::None).unwrap();
        Graph::unscheduled(&b.finish()).scheduled(on_chip_bytes, Stripes::None).moved()
    }

    #[test]
    fn each_tensor_counts_where_it_lies_as_often_as_it_is_touched() {
        // Of 1 KiB each: the first is written and read twice, the second once; in and out are the network's.
        assert_eq!(moved(1 << 20), Moved { on_chip: 5 << 10, off_chip: 0, network_io: 2 << 10 });
        assert_eq!(moved(0), Moved { on_chip: 0, off_chip: 5 << 10, network_io: 2 << 10 });
    }

    #[test]
    fn memory_only_changes_where_tensors_lie() {
        let total = |m: Moved| m.on_chip + m.off_chip + m.network_io;
        for kib in [0, 1, 2, 3, 64] {
            assert_eq!(total(moved(kib << 10)), 7 << 10);
        }
        assert!(moved(1 << 10).off_chip > moved(2 << 10).off_chip);
    }
}
