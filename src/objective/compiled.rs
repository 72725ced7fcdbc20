//! A space and an estimator, compiled: networks are scored without being built.
//!
//! Architectures of a space share their parts, so a search meets few new ones after
//! a while. What scoring needs of a part is kept as a [`Piece`] under a key that
//! holds all it depends on; a candidate is its pieces put one after the other, and
//! only what no part knows by itself is computed for each candidate: what lies where
//! in memory, which layers run together, and how much of each layer counts.
//!
//! Pieces are cut from networks that were built the long way, and both ways share
//! everything after that; so the scores are equal bit for bit.

use std::cell::RefCell;

use thread_local::ThreadLocal;

use super::{
    Latencies, Targets,
    metrics::Metrics,
    piece::{Desk, Known, Piece, Pieces, Totals, Whole, entry},
};
use crate::{
    energy::{EnergyAssembly, EnergyModel, EnergyPricer},
    error::{Error, Result},
    estimator::{Assembly, GraphSection, PricedPart, Pricer, Sequence},
    network::{Block, Peak, SqueezeExcite},
    space::{Space, Stem},
    stable_hash::{Fingerprint, fingerprint},
    trainability::{Flow, score},
    units::Bytes,
};

/// A space whose architectures are scored by an estimator.
pub(super) struct Compiled<'a> {
    space: &'a Space,
    pricer: Pricer<'a>,
    /// Those of the other accelerators, where a search is for several.
    others: Vec<Pricer<'a>>,
    pieces: Pieces,
    energy: Option<EnergyPricer<'a>>,
    /// For each part of the head, the exits that it reads, by their numbers.
    head: Vec<Vec<usize>>,
    benches: ThreadLocal<RefCell<Bench>>,
}

/// What one thread needs to score candidates.
struct Bench {
    parts: Parts,
    assembly: Assembly,
    others: Vec<Assembly>,
    energy: Option<EnergyAssembly>,
    peak: Peak,
    flows: Vec<Flow>,
}

/// The parts of one candidate: stem, blocks, parts of the head.
#[derive(Default)]
struct Parts {
    /// Stands for each part by itself.
    own: Vec<Fingerprint>,
    /// The parts that others than the next may read: the last of each stage, and those of the head.
    marks: Vec<usize>,
    desk: Desk,
    /// The places of the pieces on the desk.
    pieces: Vec<u32>,
    sequence: Sequence,
    /// The last regions of the marked parts.
    outlets: Vec<usize>,
    words: Vec<u64>,
}

impl<'a> Compiled<'a> {
    /// # Errors
    /// The baseline does not decode, or the energy model does not know a number format of the space.
    pub(super) fn new(
        space: &'a Space,
        targets: &Targets<'a>,
        energy: Option<&'a EnergyModel>,
    ) -> Result<Self> {
        let baseline = space.architecture(&space.baseline().0);
        let whole = Whole::of(&baseline)?;
        let before: usize = 1 + baseline.stages.iter().map(Vec::len).sum::<usize>();
        let head = (before..whole.parts()).map(|part| whole.reads(part)).collect();
        let energy = energy.map(|model| EnergyPricer::new(model, space.dtypes())).transpose()?;
        let mut pricers = targets.list().iter().map(|target| Pricer::new(target.estimator));
        let pricer = pricers.next().ok_or_else(|| Error::unusable("no estimator to score with; give one"))?;
        Ok(Self {
            space,
            pricer,
            others: pricers.collect(),
            pieces: Pieces::default(),
            energy,
            head,
            benches: ThreadLocal::new(),
        })
    }

    pub(super) fn space(&self) -> &'a Space {
        self.space
    }

    pub(super) fn energy(&self) -> Option<&'a EnergyModel> {
        self.energy.as_ref().map(EnergyPricer::model)
    }

    /// The metrics of the network that `genotype` stands for.
    ///
    /// # Errors
    /// It does not decode.
    pub(super) fn metrics(&self, genotype: &[u8]) -> Result<Metrics> {
        let bench = self.benches.get_or(|| RefCell::new(Bench::new(self)));
        bench.borrow_mut().metrics(self, genotype)
    }
}

/// A part of a candidate as it stands there.
pub(super) struct Placed {
    /// Stands for the part by itself, as [`Compiled::block_key`] gives it for a block.
    pub(super) own: Fingerprint,
    pub(super) known: Known,
    pub(super) priced: PricedPart,
}

impl Compiled<'_> {
    /// The parts of a candidate, with their prices on the first accelerator.
    ///
    /// # Errors
    /// It does not decode.
    pub(super) fn parts(&self, genotype: &[u8]) -> Result<Vec<Placed>> {
        let mut bench = self.benches.get_or(|| RefCell::new(Bench::new(self))).borrow_mut();
        bench.parts.find(self, genotype)?;
        let Bench { parts, assembly, .. } = &mut *bench;
        let prices = self.pricer.priced(&parts.sequence, assembly, |part| parts.section(part));
        let known = parts.pieces.iter().map(|place| parts.desk.known(*place).clone());
        let placed = known.zip(&parts.own).zip(prices);
        Ok(placed.map(|((known, own), priced)| Placed { own: *own, known, priced }).collect())
    }

    /// Stands for the stem by itself.
    pub(super) fn stem_key(&self, genotype: &[u8]) -> Fingerprint {
        of_stem(&self.space.stem(genotype))
    }

    /// Stands for a block by itself.
    pub(super) fn block_key(block: &Block) -> Fingerprint {
        of_block(block)
    }

    /// For each part of the head, the exits that it reads, by their numbers: those of the stages, then those of the
    /// head.
    pub(super) fn head(&self) -> &[Vec<usize>] {
        &self.head
    }

    /// What the first accelerator takes for any network, in microseconds.
    pub(super) fn overhead_us(&self) -> f64 {
        self.pricer.estimator().overhead_us()
    }
}

impl Bench {
    fn new(compiled: &Compiled<'_>) -> Self {
        Self {
            parts: Parts::default(),
            assembly: compiled.pricer.assembly(),
            others: compiled.others.iter().map(Pricer::assembly).collect(),
            energy: compiled.energy.as_ref().map(EnergyPricer::assembly),
            peak: Peak::default(),
            flows: Vec::new(),
        }
    }

    fn metrics(&mut self, compiled: &Compiled<'_>, genotype: &[u8]) -> Result<Metrics> {
        let Compiled { space, pricer, others, energy, .. } = compiled;
        self.parts.find(compiled, genotype)?;
        let Self { parts, assembly, peak, flows, .. } = self;
        let (input, dtype) = (space.input_shape(genotype), space.dtype(genotype));
        let (sequence, section) = (&parts.sequence, |part: usize| parts.section(part));
        let latency_us = pricer.latency_us(sequence, assembly, section);
        let beside = others.iter().zip(&mut self.others);
        let beside = beside.map(|(pricer, assembly)| pricer.latency_us(sequence, assembly, section));
        let latencies = Latencies::of(std::iter::once(latency_us).chain(beside));
        let totals = parts.pieces().fold(Totals::default(), |sum, piece| sum.plus(piece.totals));
        let energy_uj = match (energy, &mut self.energy) {
            (Some(energy), Some(own)) => {
                let amounts = (latency_us, dtype, totals.macs, totals.model_bytes);
                Some(energy.energy_uj(
                    own,
                    sequence,
                    section,
                    || pricer.schedule(sequence, assembly, section),
                    amounts,
                ))
            }
            _ => None,
        };
        let footprints = parts.pieces().map(|piece| &piece.footprint);
        let peak = peak.in_place(input.elements(), footprints, &parts.marks);
        let regions = parts.pieces().flat_map(|piece| &piece.regions);
        Ok(Metrics {
            latency_us,
            latencies,
            trainability: score(input, regions, &parts.outlets, flows),
            macs: totals.macs,
            params: totals.params,
            model_bytes: totals.model_bytes,
            peak_activation: Bytes(peak.saturating_mul(dtype.bytes())),
            energy_uj,
        })
    }
}

impl Parts {
    /// Finds the pieces of a genotype, and learns those that are not known.
    fn find(&mut self, compiled: &Compiled<'_>, genotype: &[u8]) -> Result<()> {
        let before_head = self.list(compiled.space, genotype);
        self.desk.make_room();
        self.pieces.clear();
        let mut whole: Option<Whole> = None;
        let mut read = entry(compiled.space.input_shape(genotype), compiled.space.dtype(genotype));
        for part in 0..self.own.len() {
            let reads = part.checked_sub(before_head).and_then(|part| compiled.head.get(part));
            let key = match reads {
                Some(exits) => self.head_key(part, exits),
                None => fingerprint(&[self.own[part], read]),
            };
            let place = match self.desk.find(key) {
                Some(place) => place,
                None => self.desk.put(key, self.fetch(compiled, genotype, &mut whole, part, key)?),
            };
            read = self.desk.known(place).exit;
            self.pieces.push(place);
        }
        self.line_up(before_head);
        Ok(())
    }

    /// A piece that this thread does not know.
    fn fetch(
        &self,
        compiled: &Compiled<'_>,
        genotype: &[u8],
        whole: &mut Option<Whole>,
        part: usize,
        key: Fingerprint,
    ) -> Result<Known> {
        let known = &compiled.pieces;
        Ok(match (known.get(key), &whole) {
            (Some(found), _) => found,
            (None, Some(whole)) => known.learn(whole.piece(part, key)),
            (None, None) => {
                let built = Whole::of(&compiled.space.architecture(genotype))?;
                known.learn(whole.insert(built).piece(part, key))
            }
        })
    }

    /// Tells of the parts in their order.
    fn line_up(&mut self, before_head: usize) {
        let Self { desk, pieces, marks, sequence, outlets, .. } = self;
        sequence.clear();
        outlets.clear();
        let mut regions = 0;
        for (part, place) in pieces.iter().enumerate() {
            if part == before_head {
                sequence.begin_head();
            }
            let piece = &desk.known(*place).piece;
            sequence.push(piece.key, &piece.outline);
            regions += piece.regions.len();
            while marks.get(outlets.len()) == Some(&part) {
                sequence.mark();
                outlets.push(regions - 1);
            }
        }
        sequence.finish();
    }

    fn pieces(&self) -> impl DoubleEndedIterator<Item = &Piece> + Clone {
        self.pieces.iter().map(|place| &*self.desk.known(*place).piece)
    }

    /// The layers of a part.
    fn section(&self, part: usize) -> &GraphSection {
        &self.desk.known(self.pieces[part]).piece.graph
    }

    /// Decodes a genotype; returns the number of parts before the head.
    fn list(&mut self, space: &Space, genotype: &[u8]) -> usize {
        let Self { own, marks, .. } = self;
        own.clear();
        marks.clear();
        own.push(of_stem(&space.stem(genotype)));
        space.for_each_block(genotype, |stage, block| {
            while marks.len() < stage {
                marks.push(own.len() - 1);
            }
            own.push(of_block(&block));
        });
        marks.push(own.len() - 1);
        let before_head = own.len();
        space.for_each_head_part(genotype, |numbers| {
            marks.push(own.len());
            let [one, two] = [0, 1].map(|index| numbers.get(index).map_or(0, |number| u64::from(*number)));
            own.push(fingerprint(&[marks.len() as u64, one, two]));
        });
        before_head
    }

    /// All that a piece of the head depends on: the part and what it reads.
    fn head_key(&mut self, part: usize, exits: &[usize]) -> Fingerprint {
        let Self { own, marks, desk, pieces, words, .. } = self;
        words.clear();
        words.push(own[part]);
        words.extend(exits.iter().filter_map(|exit| Some(desk.known(*pieces.get(*marks.get(*exit)?)?).exit)));
        fingerprint(words)
    }
}

fn of_stem(stem: &Stem) -> Fingerprint {
    let Stem { kernel, stride, cout, activation, pool } = *stem;
    fingerprint(&[kernel, stride, cout, activation as u32, pool].map(u64::from))
}

fn of_block(block: &Block) -> Fingerprint {
    let Block { kind, fused, kernel, stride, hidden, cout, activation, groups, se } = *block;
    let pair = |upper: u32, lower: u32| u64::from(upper) << 32 | u64::from(lower);
    let excite = se.map_or(0, |SqueezeExcite { reduced, squeezed, gate }| {
        pair((squeezed as u32) << 8 | (gate as u32 + 1), reduced)
    });
    fingerprint(&[
        pair(kind as u32, u32::from(fused)),
        pair(kernel, stride),
        pair(hidden, cout),
        pair(groups, activation as u32),
        excite,
    ])
}
