//! One round's proposals, canonical, and which of them are new.

use rayon::prelude::*;

use super::{
    checkpoint::State,
    layout::Layout,
    optimizer::{Optimizer, mutate_gene},
    problem::Problem,
    random::Streams,
    seen::{Hashes, hash},
};

/// How often a proposal that was scored before is asked for again, and then mutated further.
const ASKED: usize = 3;
const MUTATED: usize = 5;

/// Rows of genes in one flat buffer that is used again each round.
#[derive(Default)]
pub(super) struct Proposals {
    genes: usize,
    rows: Vec<u8>,
    hashes: Vec<u64>,
    fresh: Vec<u32>,
    met: Hashes,
}

impl Proposals {
    pub(super) fn new(genes: usize) -> Self {
        Self { genes, ..Self::default() }
    }

    /// The indices of the rows that are neither scored before nor repeated.
    pub(super) fn fresh(&self) -> &[u32] {
        &self.fresh
    }

    pub(super) fn row(&self, index: u32) -> &[u8] {
        let start = index as usize * self.genes;
        &self.rows[start..start + self.genes]
    }

    pub(super) fn hash(&self, index: u32) -> u64 {
        self.hashes[index as usize]
    }

    /// Leaves at most `count` fresh rows.
    pub(super) fn truncate(&mut self, count: usize) {
        self.fresh.truncate(count);
    }

    /// Asks for a round of proposals, in parallel.
    pub(super) fn fill<P: Problem + ?Sized>(
        &mut self,
        problem: &P,
        optimizer: &dyn Optimizer,
        layout: &Layout,
        streams: &Streams,
        state: &State,
    ) {
        self.resize(optimizer.batch());
        let propose = |index: usize, row: &mut [u8], known: &mut u64| {
            let mut rng = streams.stream(state.generation, index);
            for attempt in 0..ASKED + MUTATED {
                if attempt < ASKED {
                    optimizer.propose(index, &mut rng, row);
                } else {
                    mutate_gene(layout, &mut rng, row);
                }
                problem.canonicalise(row);
                *known = hash(row);
                if !state.seen.contains(*known) {
                    break;
                }
            }
        };
        let rows = self.rows.par_chunks_exact_mut(self.genes.max(1));
        let rows = rows.zip(self.hashes.par_iter_mut()).enumerate();
        rows.for_each(|(index, (row, known))| propose(index, row, known));
        self.find_fresh(state);
    }

    /// Takes the next unscored points of a small space in order.
    pub(super) fn sweep<P: Problem + ?Sized>(&mut self, problem: &P, layout: &Layout, state: &mut State) {
        const BATCH: usize = 4096;
        self.resize(0);
        let size = layout.size().unwrap_or(0);
        let mut row = vec![0; self.genes];
        while state.swept < size && self.hashes.len() < BATCH {
            unrank(state.swept, layout, &mut row);
            state.swept += 1;
            problem.canonicalise(&mut row);
            let known = hash(&row);
            if !state.seen.contains(known) {
                self.rows.extend_from_slice(&row);
                self.hashes.push(known);
            }
        }
        self.find_fresh(state);
    }

    fn resize(&mut self, count: usize) {
        self.rows.resize(count * self.genes, 0);
        // What rows without any gene hash to; all others are overwritten.
        self.hashes.resize(count, hash(&[]));
    }

    fn find_fresh(&mut self, state: &State) {
        self.met.clear();
        self.fresh.clear();
        for (index, &known) in self.hashes.iter().enumerate() {
            if !state.seen.contains(known) && self.met.insert(known) {
                self.fresh.push(index as u32);
            }
        }
    }
}

/// The point of the given number, counting with the last gene fastest.
fn unrank(mut number: u64, layout: &Layout, row: &mut [u8]) {
    for (gene, &count) in row.iter_mut().zip(&layout.cardinalities).rev() {
        *gene = (number % u64::from(count)) as u8;
        number /= u64::from(count);
    }
}
