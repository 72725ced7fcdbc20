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
    piece::{Known, Pieces, Totals, Whole, entry},
};
use crate::{
    energy::{EnergyAssembly, EnergyModel, EnergyPricer},
    error::{Error, Result},
    estimator::{Assembly, Pricer},
    network::{Block, PeakActivation, SqueezeExcite, Tensor},
    space::{Space, Stem},
    stable_hash::{Fingerprint, fingerprint},
    trainability::{Flow, score},
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

/// What one thread needs to put candidates together.
struct Bench {
    parts: Parts,
    assembly: Assembly,
    others: Vec<Assembly>,
    energy: Option<EnergyAssembly>,
    tensors: Vec<Tensor>,
    flows: Vec<Flow>,
}

/// The parts of one candidate: stem, blocks, parts of the head.
#[derive(Default)]
struct Parts {
    /// Stands for each part by itself.
    own: Vec<Fingerprint>,
    /// The parts that others than the next may read: the last of each stage, and those of the head.
    marks: Vec<usize>,
    pieces: Vec<Known>,
    /// The last layers of the marked parts.
    exits: Vec<usize>,
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

impl Bench {
    fn new(compiled: &Compiled<'_>) -> Self {
        Self {
            parts: Parts::default(),
            assembly: compiled.pricer.assembly(),
            others: compiled.others.iter().map(Pricer::assembly).collect(),
            energy: compiled.energy.as_ref().map(EnergyPricer::assembly),
            tensors: Vec::new(),
            flows: Vec::new(),
        }
    }

    fn metrics(&mut self, compiled: &Compiled<'_>, genotype: &[u8]) -> Result<Metrics> {
        self.parts.find(compiled, genotype)?;
        self.assemble();
        let Self { parts, assembly, others, energy, tensors, flows } = self;
        let (input, dtype) = (compiled.space.input_shape(genotype), compiled.space.dtype(genotype));
        let latency_us = compiled.pricer.latency_us(assembly);
        let beside = compiled.others.iter().zip(others).map(|(pricer, own)| pricer.latency_us(own));
        let latencies = Latencies::of(std::iter::once(latency_us).chain(beside));
        let totals = parts.pieces.iter().fold(Totals::default(), |sum, known| sum.plus(known.piece.totals));
        let energy_uj = compiled.energy.as_ref().zip(energy.as_mut()).map(|(pricer, own)| {
            pricer.assembled_uj(own, assembly, latency_us, dtype, (totals.macs, totals.model_bytes))
        });
        let locals = parts.pieces.iter().flat_map(|known| &known.piece.locals);
        let wiring = assembly.wiring();
        Ok(Metrics {
            latency_us,
            latencies,
            trainability: score(input, wiring, locals, flows),
            macs: totals.macs,
            params: totals.params,
            model_bytes: totals.model_bytes,
            peak_activation: PeakActivation::of(wiring, input.elements(), tensors, dtype.bytes()).in_place,
            energy_uj,
        })
    }

    /// Puts the layers of all parts one after the other.
    fn assemble(&mut self) {
        let Self { parts: Parts { pieces, marks, exits, .. }, assembly, others, energy, tensors, .. } = self;
        assembly.clear();
        others.iter_mut().for_each(Assembly::clear);
        energy.iter_mut().for_each(EnergyAssembly::clear);
        tensors.clear();
        exits.clear();
        for (part, Known { piece, .. }) in pieces.iter().enumerate() {
            assembly.append(&piece.graph, piece.key, exits);
            others.iter_mut().for_each(|own| own.append(&piece.graph, piece.key, exits));
            energy.iter_mut().for_each(|own| own.append(&piece.graph, piece.key, exits));
            tensors.extend_from_slice(&piece.tensors);
            while marks.get(exits.len()) == Some(&part) {
                exits.push(assembly.layers() - 1);
            }
        }
    }
}

impl Parts {
    /// Finds the pieces of a genotype, and learns those that are not known.
    fn find(&mut self, compiled: &Compiled<'_>, genotype: &[u8]) -> Result<()> {
        let known = &compiled.pieces;
        let before_head = self.list(compiled.space, genotype);
        self.pieces.clear();
        let mut whole: Option<Whole> = None;
        let mut read = entry(compiled.space.input_shape(genotype), compiled.space.dtype(genotype));
        for part in 0..self.own.len() {
            let reads = part.checked_sub(before_head).and_then(|part| compiled.head.get(part));
            let key = match reads {
                Some(exits) => self.head_key(part, exits),
                None => fingerprint(&[self.own[part], read]),
            };
            let found = match (known.get(key), &whole) {
                (Some(found), _) => found,
                (None, Some(whole)) => known.learn(whole.piece(part, key)),
                (None, None) => {
                    let built = Whole::of(&compiled.space.architecture(genotype))?;
                    known.learn(whole.insert(built).piece(part, key))
                }
            };
            read = found.exit;
            self.pieces.push(found);
        }
        Ok(())
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
        let Self { own, marks, pieces, words, .. } = self;
        words.clear();
        words.push(own[part]);
        words.extend(exits.iter().filter_map(|exit| Some(pieces.get(*marks.get(*exit)?)?.exit)));
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
