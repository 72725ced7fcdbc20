//! Which layer reads which.

use std::ops::Range;

use super::{Network, Source};

/// The inputs of every layer and the readers of every tensor, in execution order.
#[derive(Clone, Debug, Default)]
pub struct Wiring {
    /// The inputs of all layers, one layer after the other.
    inputs: Vec<Source>,
    /// Where the inputs of each layer end.
    ends: Vec<usize>,
    /// The readers of the network's input (first) and of each layer.
    readers: Vec<Readers>,
}

/// The layers that read a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// How often it is read; twice by a layer that reads it twice.
    pub count: u32,
    /// The first layer that reads it, if any does.
    pub first: usize,
    /// The last layer that reads it, if any does.
    pub last: usize,
}

/// The wiring of some consecutive layers, wherever they stand.
#[derive(Clone, Debug)]
pub struct Section {
    inputs: Vec<Wire>,
    ends: Vec<usize>,
}

impl Section {
    /// How many layers there are.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.ends.len()
    }

    /// What each layer reads, with its place in the section.
    fn wires(&self) -> impl Iterator<Item = (usize, Wire)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let wires = |(layer, (start, end)): (usize, (usize, usize))| {
            self.inputs[start..end].iter().map(move |wire| (layer, *wire))
        };
        starts.zip(self.ends.iter().copied()).enumerate().flat_map(wires)
    }

    /// The last of its layers that reads the layer at `place`, if any does.
    #[must_use]
    pub fn last_reader(&self, place: usize) -> Option<usize> {
        let reads = |(layer, wire): &(usize, Wire)| matches!(*wire, Wire::Back(by) if *layer == place + by);
        self.wires().filter(reads).last().map(|(layer, _)| layer)
    }

    /// The last of its layers that reads the layer before the section or, where it is the first, the network's input.
    #[must_use]
    pub fn last_reader_of_entry(&self) -> Option<usize> {
        let reads = |(layer, wire): &(usize, Wire)| match *wire {
            Wire::Input => true,
            Wire::Back(by) => by == layer + 1,
            Wire::Exit(_) => false,
        };
        self.wires().filter(reads).last().map(|(layer, _)| layer)
    }

    /// How often it reads the layer before it.
    #[must_use]
    pub fn reads_of_entry(&self) -> usize {
        self.wires().filter(|(layer, wire)| matches!(*wire, Wire::Back(by) if by == layer + 1)).count()
    }

    /// The numbers of the exits that it reads, each as often as it does, with the layer that reads it.
    pub fn exits(&self) -> impl Iterator<Item = (usize, usize)> {
        self.wires().filter_map(|(layer, wire)| match wire {
            Wire::Exit(exit) => Some((exit, layer)),
            Wire::Input | Wire::Back(_) => None,
        })
    }
}

/// Where a layer of a section reads.
#[derive(Clone, Copy, Debug)]
enum Wire {
    /// The network's input.
    Input,
    /// The layer so many places before.
    Back(usize),
    /// The exit with this number.
    Exit(usize),
}

impl Wiring {
    /// The wiring of a network.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        let layers = network.layers().len();
        let mut wiring = Self {
            inputs: Vec::with_capacity(layers + layers / 2),
            ends: Vec::with_capacity(layers),
            readers: Vec::with_capacity(layers + 1),
        };
        network.layers().iter().for_each(|layer| wiring.push(layer.inputs.iter().copied()));
        wiring
    }

    /// How many layers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no layer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What a layer reads, in the operator's order.
    #[must_use]
    pub fn inputs(&self, layer: usize) -> &[Source] {
        let start = layer.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.inputs[start..self.ends[layer]]
    }

    /// Who reads `source`.
    #[must_use]
    pub fn readers(&self, source: Source) -> Readers {
        self.readers.get(slot(source)).copied().unwrap_or_default()
    }

    /// Adds a layer that reads these tensors, which must be there.
    pub fn push(&mut self, inputs: impl IntoIterator<Item = Source>) {
        let layer = self.ends.len();
        self.readers.resize(layer + 2, Readers::default());
        for source in inputs {
            self.read(source, layer);
        }
        self.ends.push(self.inputs.len());
    }

    /// Notes that `layer` reads `source`.
    fn read(&mut self, source: Source, layer: usize) {
        let readers = &mut self.readers[slot(source)];
        if readers.count == 0 {
            readers.first = layer;
        }
        readers.count += 1;
        readers.last = layer;
        self.inputs.push(source);
    }

    /// Removes all layers and keeps their memory.
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.ends.clear();
        self.readers.clear();
    }

    /// The wiring of these layers. What they read from further back than the layer before them must be one of
    /// `exits`.
    #[must_use]
    pub fn section(&self, layers: Range<usize>, exits: &[usize]) -> Section {
        let mut section = Section { inputs: Vec::new(), ends: Vec::new() };
        for layer in layers.clone() {
            section.inputs.extend(self.inputs(layer).iter().map(|source| match *source {
                Source::Input => Wire::Input,
                Source::Layer(read) if read + 1 >= layers.start => Wire::Back(layer - read),
                Source::Layer(read) => {
                    let exit = exits.iter().position(|exit| *exit == read);
                    exit.map_or(Wire::Back(layer - read), Wire::Exit)
                }
            }));
            section.ends.push(section.inputs.len());
        }
        section
    }

    /// Adds the layers of a section; `exits` are the layers that stand here for those of its own network.
    pub fn append(&mut self, section: &Section, exits: &[usize]) {
        let first = self.ends.len();
        self.readers.resize(first + section.ends.len() + 1, Readers::default());
        let mut start = 0;
        for (layer, &end) in (first..).zip(&section.ends) {
            for wire in &section.inputs[start..end] {
                let source = match *wire {
                    Wire::Input => Source::Input,
                    Wire::Back(distance) => Source::Layer(layer - distance),
                    Wire::Exit(exit) => Source::Layer(exits[exit]),
                };
                self.read(source, layer);
            }
            self.ends.push(self.inputs.len());
            start = end;
        }
    }
}

/// The place of a tensor's readers.
fn slot(source: Source) -> usize {
    match source {
        Source::Input => 0,
        Source::Layer(index) => index + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Source::{Input, Layer};

    /// Stem; a block of two layers and a sum; a head that reads the stem again.
    fn wiring() -> Wiring {
        let mut wiring = Wiring::default();
        for inputs in [vec![Input], vec![Layer(0)], vec![Layer(0), Layer(1)], vec![Layer(2), Layer(0)]] {
            wiring.push(inputs);
        }
        wiring
    }

    #[test]
    fn readers_are_counted_with_the_first_and_the_last() {
        let wiring = wiring();
        assert_eq!(wiring.readers(Layer(0)), Readers { count: 3, first: 1, last: 3 });
        assert_eq!(wiring.readers(Input), Readers { count: 1, first: 0, last: 0 });
        assert_eq!(wiring.readers(Layer(3)).count, 0);
    }

    #[test]
    fn sections_put_together_again_are_the_whole() {
        let whole = wiring();
        let mut again = Wiring::default();
        for layers in [0..1, 1..3, 3..4] {
            again.append(&whole.section(layers, &[0]), &[0]);
        }
        for layer in 0..4 {
            assert_eq!(again.inputs(layer), whole.inputs(layer));
            assert_eq!(again.readers(Layer(layer)), whole.readers(Layer(layer)));
        }
    }

    #[test]
    fn a_section_finds_its_exits_in_a_longer_network() {
        let head = wiring().section(3..4, &[0]);
        let mut longer = Wiring::default();
        (0..6_usize).for_each(|layer| longer.push([layer.checked_sub(1).map_or(Input, Layer)]));
        longer.append(&head, &[2]);
        assert_eq!(longer.inputs(6), [Layer(5), Layer(2)]);
    }
}
