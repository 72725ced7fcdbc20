//! A part of an architecture, the stem, a block or the head, as it stands in a network.
//!
//! What scoring needs of the layers of a part depends on the part itself, on the
//! tensors that it reads and on the network's input. So a piece is cut out of one
//! network and stands for the same part in all others.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    error::Result,
    estimator::{GraphSection, Outline},
    network::{DType, Footprint, Network, Shape, Source, Wiring},
    space::{Architecture, Metric},
    stable_hash::{AsIs, Fingerprint, fingerprint},
    trainability::{Region, Signal, regions, signals},
    units::{Bytes, Macs, Params},
};

/// The layers of one part.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Tells it from other pieces.
    pub(super) key: Fingerprint,
    pub(super) outline: Outline,
    pub(super) graph: GraphSection,
    pub(super) regions: Vec<Region>,
    pub(super) footprint: Footprint,
    pub(super) totals: Totals,
}

/// What is only added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) macs: Macs,
    pub(super) params: Params,
    pub(super) model_bytes: Bytes,
}

impl Totals {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            macs: self.macs + other.macs,
            params: self.params + other.params,
            model_bytes: self.model_bytes + other.model_bytes,
        }
    }

    /// One of them; none of what is not only added up.
    pub(super) fn of(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Macs => self.macs.0 as f64,
            Metric::Params => self.params.0 as f64,
            Metric::ModelBytes => self.model_bytes.0 as f64,
            _ => 0.0,
        }
    }
}

/// A piece, and what it writes: the next part waits for that, and should not wait for the piece as well.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) piece: Arc<Piece>,
    /// Stands for the tensor that the last layer writes.
    pub(super) exit: Fingerprint,
}

/// Pieces by key, for all threads.
#[derive(Debug)]
pub(super) struct Pieces(Vec<RwLock<HashMap<Fingerprint, Known, AsIs>>>);

/// Pieces are kept on so many shelves, of which each is locked by itself.
const SHELVES: usize = 256;
/// A shelf with so many pieces, as many as a table of 64 places takes, is cleared. Full shelves take about 20 MB.
const MOST: usize = 56;

impl Default for Pieces {
    fn default() -> Self {
        Self((0..SHELVES).map(|_| RwLock::default()).collect())
    }
}

impl Pieces {
    /// The piece with this key, if it is known.
    pub(super) fn get(&self, key: Fingerprint) -> Option<Known> {
        self.shelf(key).read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// Keeps a piece.
    pub(super) fn learn(&self, known: Known) -> Known {
        let key = known.piece.key;
        let mut shelf = self.shelf(key).write().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() >= MOST {
            shelf.clear();
        }
        shelf.insert(key, known.clone());
        known
    }

    fn shelf(&self, key: Fingerprint) -> &RwLock<HashMap<Fingerprint, Known, AsIs>> {
        // Bits that a map by the key itself does not look at first.
        &self.0[(key >> 28) as usize % SHELVES]
    }
}

/// The pieces that one thread has at hand, so that it need not ask for each.
#[derive(Debug, Default)]
pub(super) struct Desk {
    places: HashMap<Fingerprint, u32, AsIs>,
    known: Vec<Known>,
}

/// A desk with so many pieces is cleared.
const ROOM: usize = 1 << 12;

impl Desk {
    /// Makes room for another candidate.
    pub(super) fn make_room(&mut self) {
        if self.known.len() >= ROOM {
            self.places.clear();
            self.known.clear();
        }
    }

    /// The place of the piece with this key, if it is at hand; it stays there until room is made.
    pub(super) fn find(&self, key: Fingerprint) -> Option<u32> {
        self.places.get(&key).copied()
    }

    pub(super) fn put(&mut self, key: Fingerprint, known: Known) -> u32 {
        let place = self.known.len() as u32;
        self.known.push(known);
        self.places.insert(key, place);
        place
    }

    pub(super) fn known(&self, place: u32) -> &Known {
        &self.known[place as usize]
    }
}

/// A network that pieces are cut from.
pub(super) struct Whole {
    network: Network,
    wiring: Wiring,
    signals: Vec<Signal>,
    /// The number of layers up to the end of each part.
    ends: Vec<usize>,
    /// The last layers of the parts that others than the next may read: the last of each stage, and those of the
    /// head.
    exits: Vec<usize>,
}

impl Whole {
    /// # Errors
    /// The architecture is none.
    pub(super) fn of(architecture: &Architecture) -> Result<Self> {
        let network = architecture.nameless_network()?;
        let ends: Vec<usize> = network.parts().map(|part| part.end).collect();
        let stages = architecture.stages.iter().scan(0, |blocks, stage| {
            *blocks += stage.len();
            Some(*blocks)
        });
        let blocks: usize = architecture.stages.iter().map(Vec::len).sum();
        let exits = stages.chain(blocks + 1..ends.len()).map(|part| ends[part] - 1).collect();
        Ok(Self { wiring: Wiring::of(&network), signals: signals(&network), network, ends, exits })
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.ends.len()
    }

    /// The exits that a part reads, by their numbers.
    pub(super) fn reads(&self, part: usize) -> Vec<usize> {
        let layers = self.layers(part);
        let inputs = layers.clone().flat_map(|layer| self.wiring.inputs(layer));
        let before = inputs.filter_map(|source| match source {
            Source::Layer(read) if *read < layers.start => self.exits.iter().position(|exit| exit == read),
            _ => None,
        });
        let mut exits: Vec<usize> = before.collect();
        exits.sort_unstable();
        exits.dedup();
        exits
    }

    fn layers(&self, part: usize) -> Range<usize> {
        part.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[part]
    }

    /// The piece of the part with this number, to be known by `key`.
    pub(super) fn piece(&self, part: usize, key: Fingerprint) -> Known {
        let layers = self.layers(part);
        let exit = self.exit(layers.end);
        let graph = GraphSection::of(&self.network, &self.wiring, layers.clone(), &self.exits);
        let piece = Piece {
            key,
            outline: graph.outline(),
            footprint: Footprint::of(&self.network, layers.start, graph.wiring()),
            graph,
            regions: regions(&self.network, &self.wiring, &self.signals, layers.clone(), &self.exits),
            totals: self.totals(layers),
        };
        Known { piece: Arc::new(piece), exit }
    }

    fn totals(&self, layers: Range<usize>) -> Totals {
        let dtype = self.network.dtype();
        let layers = self.network.layers()[layers].iter();
        layers.fold(Totals::default(), |totals, layer| {
            totals.plus(Totals {
                macs: layer.macs,
                params: layer.params(),
                model_bytes: layer.model_bytes(dtype),
            })
        })
    }

    fn entry(&self) -> Fingerprint {
        entry(self.network.input(), self.network.dtype())
    }

    fn exit(&self, end: usize) -> Fingerprint {
        let Some(last) = end.checked_sub(1) else { return self.entry() };
        let [variance, mean, octave] = self.signals[last].bits();
        let Shape { h, w, c } = self.network.shape(Source::Layer(last));
        let input = self.entry();
        fingerprint(&[input, u64::from(h), u64::from(w), u64::from(c), variance, mean, octave])
    }
}

/// Stands for a network's input, and for the number format: whatever is read further on depends on both.
pub(super) fn entry(Shape { h, w, c }: Shape, dtype: DType) -> Fingerprint {
    fingerprint(&[u64::from(h), u64::from(w), u64::from(c), dtype.bytes()])
}
