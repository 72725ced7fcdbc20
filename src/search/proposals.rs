//! One round's proposals, canonical, and which of them are new.

use rayon::prelude::*;

use super::{
    checkpoint::State,
    layout::Layout,
    optimizer::{Optimizer, mutate_gene},
    pace::Pace,
    problem::Problem,
    random::{Rng, Streams, begin},
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
    marks: Vec<Mark>,
    fresh: Vec<u32>,
    met: Hashes,
    pace: Pace,
}

/// What a row is told by, and whether it was scored before.
#[derive(Clone, Copy)]
struct Mark {
    hash: u64,
    seen: bool,
}

impl Mark {
    fn of(row: &[u8], state: &State) -> Self {
        let hash = hash(row);
        Self { hash, seen: state.seen.contains(hash) }
    }
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
        self.marks[index as usize].hash
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
        self.resize(optimizer.batch(), state);
        let propose = |rng: &mut Rng, (index, (row, mark)): (usize, (&mut [u8], &mut Mark))| {
            begin(rng, state.generation, index);
            for attempt in 0..ASKED + MUTATED {
                if attempt < ASKED {
                    optimizer.propose(index, rng, row);
                } else {
                    mutate_gene(layout, rng, row);
                }
                problem.canonicalise(row);
                *mark = Mark::of(row, state);
                if !mark.seen {
                    break;
                }
            }
        };
        let Self { genes, rows, marks, pace, .. } = self;
        pace.measure(marks.len(), |(fewest, most)| {
            let rows = rows.par_chunks_exact_mut((*genes).max(1)).zip(marks).enumerate();
            let rows = rows.with_min_len(fewest).with_max_len(most);
            rows.for_each_init(|| streams.stream(state.generation, 0), propose);
        });
        self.find_fresh();
    }

    /// Takes the next unscored points of a small space in order.
    pub(super) fn sweep<P: Problem + ?Sized>(&mut self, problem: &P, layout: &Layout, state: &mut State) {
        const BATCH: usize = 4096;
        self.resize(0, state);
        let size = layout.size().unwrap_or(0);
        let mut row = vec![0; self.genes];
        while state.swept < size && self.marks.len() < BATCH {
            unrank(state.swept, layout, &mut row);
            state.swept += 1;
            problem.canonicalise(&mut row);
            let mark = Mark::of(&row, state);
            if !mark.seen {
                self.rows.extend_from_slice(&row);
                self.marks.push(mark);
            }
        }
        self.find_fresh();
    }

    fn resize(&mut self, count: usize, state: &State) {
        self.rows.resize(count * self.genes, 0);
        // That of rows without any gene; all others are overwritten.
        self.marks.clear();
        self.marks.resize(count, Mark::of(&[], state));
    }

    fn find_fresh(&mut self) {
        self.met.clear();
        self.fresh.clear();
        for (index, mark) in self.marks.iter().enumerate() {
            if !mark.seen && self.met.insert(mark.hash) {
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
