//! Peak activation memory of networks that are put together from parts.

use super::{Network, Section};

/// What a part of a network needs of memory, in elements.
#[derive(Clone, Debug)]
pub struct Footprint {
    /// Alive at each of its layers of what it writes itself.
    own: Vec<u64>,
    /// The most of it, alone and beside what the part before has written, until that has been read.
    most: u64,
    most_with_entry: u64,
    /// The last layer that reads what the part before has written.
    last_of_entry: Option<usize>,
    /// The exits that it reads, by their numbers, with the layers that read them.
    exits: Vec<(usize, usize)>,
    /// What its last layer writes.
    exit: u64,
    /// Outputs of the network besides, which stay to the end.
    outputs: u64,
}

impl Footprint {
    /// Of the layers of `network` from `start` on that are wired like this.
    #[must_use]
    pub fn of(network: &Network, start: usize, section: &Section) -> Self {
        let layers = &network.layers()[start..start + section.layers()];
        let written: Vec<u64> = layers.iter().map(|layer| layer.output.elements()).collect();
        let before = start.checked_sub(1).and_then(|before| network.layers().get(before));
        let entry = before.map_or(network.input(), |layer| layer.output).elements();
        let end = written.len().saturating_sub(1);
        let last_reader = |place: usize| if place == end { None } else { section.last_reader(place) };
        let mut own = vec![0; written.len()];
        for (place, elements) in written.iter().enumerate() {
            let last = last_reader(place).unwrap_or(end);
            own[place..=last].iter_mut().for_each(|alive| *alive += elements);
        }
        let last_of_entry = section.last_reader_of_entry();
        let with_entry =
            |(place, own): (usize, &u64)| own + if Some(place) <= last_of_entry { entry } else { 0 };
        Self {
            most: own.iter().copied().max().unwrap_or(0),
            most_with_entry: own.iter().enumerate().map(with_entry).max().unwrap_or(0),
            last_of_entry,
            exits: section.exits().collect(),
            exit: written.last().copied().unwrap_or(0),
            outputs: (0..end).filter(|place| last_reader(*place).is_none()).map(|place| written[place]).sum(),
            own,
        }
    }

    /// The least that is alive at once in any network of which it is a part, in elements.
    #[must_use]
    pub fn least_peak(&self) -> u64 {
        self.most_with_entry
    }

    /// The most alive while it runs, with `alive` elements from before that others need as well and `dying` ones
    /// that are read here last, in these layers.
    fn peak(&self, alive: u64, dying: &[(u64, usize)]) -> u64 {
        let at = |(place, own): (usize, &u64)| {
            let waiting = dying.iter().filter(|(_, last)| *last >= place).map(|(elements, _)| elements);
            alive + own + waiting.sum::<u64>()
        };
        self.own.iter().enumerate().map(at).max().unwrap_or(0)
    }
}

/// Adds up memory, part after part.
#[derive(Clone, Debug, Default)]
pub struct Peak {
    /// For each part, the last part that reads what it writes last.
    last_readers: Vec<usize>,
    /// The elements that each part writes last.
    written: Vec<u64>,
    dying: Vec<(u64, usize)>,
}

impl Peak {
    /// The most elements alive at once, as in [`PeakActivation::in_place`](super::PeakActivation), in a network of
    /// these parts whose input has so many; `marks` are the parts that end with the exits.
    pub fn in_place<'a>(
        &mut self,
        input: u64,
        parts: impl Iterator<Item = &'a Footprint> + Clone,
        marks: &[usize],
    ) -> u64 {
        self.find_last_readers(parts.clone(), marks);
        let mut entry = input;
        let (mut alive, mut peak) = (input, input);
        self.written.clear();
        for (index, part) in parts.enumerate() {
            let entry_dies = index.checked_sub(1).is_none_or(|before| self.last_readers[before] == index);
            let entry_dies = entry_dies && part.last_of_entry.is_some();
            if part.exits.is_empty() {
                alive -= if entry_dies { entry } else { 0 };
                peak = peak.max(alive + if entry_dies { part.most_with_entry } else { part.most });
            } else {
                self.find_dying(index, part, marks, entry_dies.then_some(entry));
                alive -= self.dying.iter().map(|(elements, _)| elements).sum::<u64>();
                peak = peak.max(part.peak(alive, &self.dying));
            }
            alive += part.outputs + part.exit;
            self.written.push(part.exit);
            entry = part.exit;
        }
        peak
    }

    fn find_last_readers<'a>(&mut self, parts: impl Iterator<Item = &'a Footprint>, marks: &[usize]) {
        self.last_readers.clear();
        for (index, part) in parts.enumerate() {
            self.last_readers.push(usize::MAX);
            if let (Some(before), Some(_)) = (index.checked_sub(1), part.last_of_entry) {
                self.last_readers[before] = index;
            }
            for (exit, _) in &part.exits {
                self.last_readers[marks[*exit]] = index;
            }
        }
    }

    /// What a part reads last, and with which of its layers.
    fn find_dying(&mut self, index: usize, part: &Footprint, marks: &[usize], entry: Option<u64>) {
        let Self { last_readers, written, dying } = self;
        dying.clear();
        dying.extend(entry.zip(part.last_of_entry));
        for (place, (exit, layer)) in part.exits.iter().enumerate() {
            let read_again = part.exits[place + 1..].iter().any(|(later, _)| later == exit);
            let mark = marks[*exit];
            if last_readers[mark] == index && !read_again {
                dying.push((written[mark], *layer));
            }
        }
    }
}
