//! Gradient boosting with oblivious trees.
//!
//! After Friedman (2001) and, for trees that ask the same question of all nodes
//! of a level, Prokhorenkova et al. (CatBoost, 2018): such a tree of depth d is d
//! comparisons and one look-up, which is what a search that prices millions of
//! layers needs. Everything is deterministic; sums are taken in row order, so the
//! number of threads does not show.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::FEATURE_COUNT;

/// Questions that one tree asks.
pub(super) const DEPTH: usize = 6;
const LEAVES: usize = 1 << DEPTH;
const MAX_BINS: usize = 48;
/// Leaves are stored as multiples of this, so that a file holds exactly what was fitted.
const LEAF_UNIT: f64 = 1e-3;

/// One oblivious tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    /// The feature of each question.
    pub(super) features: Vec<u16>,
    /// The answer is yes above this.
    pub(super) thresholds: Vec<f32>,
    /// One value for each combination of answers, in thousandths.
    pub(super) leaves: Vec<i32>,
}

impl Tree {
    /// The tree's part of the sum, in thousandths.
    fn value(&self, features: &[f32; FEATURE_COUNT]) -> i32 {
        let questions = self.features.iter().zip(&self.thresholds).enumerate();
        let leaf = questions.fold(0, |leaf, (level, (feature, threshold))| {
            leaf | usize::from(features[usize::from(*feature)] > *threshold) << level
        });
        self.leaves[leaf]
    }
}

/// Trees laid out side by side, to be asked millions of times.
#[derive(Clone, Debug, Default)]
pub(super) struct Forest {
    questions: Vec<[(u16, f32); DEPTH]>,
    leaves: Vec<[i32; LEAVES]>,
}

impl Forest {
    /// Lays out trees of [`DEPTH`] questions about known features; none if there is another.
    pub(super) fn new(trees: &[Tree]) -> Option<Self> {
        let mut forest = Self::default();
        for tree in trees {
            let known = tree.features.iter().all(|feature| usize::from(*feature) < FEATURE_COUNT);
            if !known || tree.features.len() != tree.thresholds.len() {
                return None;
            }
            let questions = tree.features.iter().copied().zip(tree.thresholds.iter().copied());
            forest.questions.push(questions.collect::<Vec<_>>().try_into().ok()?);
            forest.leaves.push(tree.leaves.as_slice().try_into().ok()?);
        }
        Some(forest)
    }

    /// The sum of the trees for these features.
    pub(super) fn sum(&self, features: &[f32; FEATURE_COUNT]) -> f64 {
        let value = |(questions, leaves): (&[(u16, f32); DEPTH], &[i32; LEAVES])| {
            let yes = |&(feature, threshold): &(u16, f32)| {
                usize::from(features.get(usize::from(feature)).is_some_and(|value| *value > threshold))
            };
            let leaf = questions.iter().enumerate().fold(0, |leaf, (level, q)| leaf | yes(q) << level);
            leaves[leaf % LEAVES]
        };
        let total: i64 = self.questions.iter().zip(&self.leaves).map(|tree| i64::from(value(tree))).sum();
        total as f64 * LEAF_UNIT
    }
}

/// How a sum of trees is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) trees: usize,
    pub(super) learning_rate: f64,
    /// Weight that pulls leaves with few rows to zero.
    pub(super) shrinkage: f64,
    /// Share of the rows that each tree sees.
    pub(super) row_share: f64,
    /// Share of the features that each tree may ask about.
    pub(super) feature_share: f64,
}

/// A row to learn from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example {
    pub(super) features: [f32; FEATURE_COUNT],
    pub(super) target: f64,
    pub(super) weight: f64,
}

/// Fits a sum of trees to the targets, by weighted least squares.
pub(super) fn fit(examples: &[Example], settings: &Settings) -> Vec<Tree> {
    let table = Table::new(examples);
    let mut residuals: Vec<f64> = examples.iter().map(|example| example.target).collect();
    let mut trees = Vec::new();
    for round in 0..settings.trees {
        let rows = table.sample(round as u64, settings.row_share, examples.len());
        let columns = table.columns(round as u64, settings.feature_share);
        let Some(tree) = grow(&table, &rows, &columns, &residuals, examples, settings) else { continue };
        let update = |(residual, example): (&mut f64, &Example)| {
            *residual -= f64::from(tree.value(&example.features)) * LEAF_UNIT;
        };
        residuals.par_iter_mut().zip(examples).for_each(update);
        trees.push(tree);
    }
    trees
}

/// The features in bins, column by column.
struct Table {
    bins: Vec<Vec<u8>>,
    thresholds: Vec<Vec<f32>>,
}

impl Table {
    fn new(examples: &[Example]) -> Self {
        let columns: Vec<(Vec<f32>, Vec<u8>)> =
            (0..FEATURE_COUNT).into_par_iter().map(|feature| bin(examples, feature)).collect();
        let (thresholds, bins) = columns.into_iter().unzip();
        Self { bins, thresholds }
    }

    fn sample(&self, round: u64, share: f64, rows: usize) -> Vec<u32> {
        (0..rows as u32).filter(|row| chance(round, u64::from(*row)) < share).collect()
    }

    /// Columns with something to ask about, drawn for this round.
    fn columns(&self, round: u64, share: f64) -> Vec<usize> {
        let asked = |column: &usize| chance(round, 1 << 40 | *column as u64) < share;
        (0..FEATURE_COUNT).filter(|column| !self.thresholds[*column].is_empty()).filter(asked).collect()
    }
}

/// A number from 0 to 1 that depends on nothing but `round` and `item` (SplitMix64, Steele et al. 2014).
fn chance(round: u64, item: u64) -> f64 {
    let mut z = round.wrapping_mul(0xd134_2543_de82_ef95) ^ item.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

/// Thresholds between values that are about equally frequent, and each row's bin.
fn bin(examples: &[Example], feature: usize) -> (Vec<f32>, Vec<u8>) {
    let mut values: Vec<f32> = examples.iter().map(|example| example.features[feature]).collect();
    values.sort_by(f32::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    let between = |pair: &[f32]| pair[0] + (pair[1] - pair[0]) / 2.0;
    let thresholds: Vec<f32> = if distinct.len() <= MAX_BINS {
        distinct.windows(2).map(between).collect()
    } else {
        let at = |part: usize| values[part * (values.len() - 1) / MAX_BINS];
        let mut cuts: Vec<f32> = (1..MAX_BINS).map(at).collect();
        cuts.dedup();
        // Just above a value that occurs, half-way to the next one.
        cuts.iter().filter_map(|cut| next_above(&distinct, *cut).map(|next| between(&[*cut, next]))).collect()
    };
    let place = |value: f32| thresholds.partition_point(|threshold| value > *threshold) as u8;
    let bins = examples.iter().map(|example| place(example.features[feature])).collect();
    (thresholds, bins)
}

fn next_above(distinct: &[f32], value: f32) -> Option<f32> {
    distinct.get(distinct.partition_point(|other| *other <= value)).copied()
}

/// Weighted residuals and weights.
type Sums = [f64; 2];

fn grow(
    table: &Table,
    rows: &[u32],
    columns: &[usize],
    residuals: &[f64],
    examples: &[Example],
    settings: &Settings,
) -> Option<Tree> {
    let pulls: Vec<Sums> = rows
        .iter()
        .map(|row| {
            let weight = examples[*row as usize].weight;
            [weight * residuals[*row as usize], weight]
        })
        .collect();
    let mut leaf_of = vec![0_u8; rows.len()];
    let mut tree = Tree { features: Vec::new(), thresholds: Vec::new(), leaves: Vec::new() };
    for level in 0..DEPTH {
        let best = |column: &usize| {
            let (gain, cut) = best_cut(
                &table.bins[*column],
                rows,
                &leaf_of,
                &pulls,
                1 << level,
                settings,
                table.thresholds[*column].len(),
            );
            (gain, *column, cut)
        };
        let candidates: Vec<(f64, usize, usize)> = columns.par_iter().map(best).collect();
        // The first of equals, so that threads do not matter.
        let (_, column, cut) = candidates.into_iter().rev().max_by(|a, b| a.0.total_cmp(&b.0))?;
        for (leaf, row) in leaf_of.iter_mut().zip(rows) {
            *leaf |= u8::from(usize::from(table.bins[column][*row as usize]) > cut) << level;
        }
        tree.features.push(column as u16);
        tree.thresholds.push(*table.thresholds[column].get(cut)?);
    }
    let mut sums = [[0.0; 2]; LEAVES];
    for (leaf, pull) in leaf_of.iter().zip(&pulls) {
        sums[usize::from(*leaf)][0] += pull[0];
        sums[usize::from(*leaf)][1] += pull[1];
    }
    let value = |[pull, weight]: &Sums| {
        let mean = settings.learning_rate * pull / (weight + settings.shrinkage);
        (mean / LEAF_UNIT).round() as i32
    };
    tree.leaves = sums.iter().map(value).collect();
    Some(tree)
}

/// The best threshold of one column for all leaves at once: its gain and its index.
fn best_cut(
    bins: &[u8],
    rows: &[u32],
    leaf_of: &[u8],
    pulls: &[Sums],
    leaves: usize,
    settings: &Settings,
    cuts: usize,
) -> (f64, usize) {
    let mut histogram = vec![[0.0; 2]; leaves * MAX_BINS];
    for ((row, leaf), pull) in rows.iter().zip(leaf_of).zip(pulls) {
        let cell = &mut histogram[usize::from(*leaf) * MAX_BINS + usize::from(bins[*row as usize])];
        cell[0] += pull[0];
        cell[1] += pull[1];
    }
    let mut gains = [0.0; MAX_BINS];
    for leaf in histogram.chunks_exact(MAX_BINS) {
        add_gains(leaf, &mut gains, settings.shrinkage);
    }
    (0..cuts).map(|cut| (gains[cut], cut)).rev().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0))
}

/// Adds to each cut what it explains in one leaf.
fn add_gains(leaf: &[Sums], gains: &mut [f64; MAX_BINS], shrinkage: f64) {
    let [pull, weight] = leaf.iter().fold([0.0; 2], |sum, cell| [sum[0] + cell[0], sum[1] + cell[1]]);
    if weight <= 0.0 {
        return;
    }
    let explained = |pull: f64, weight: f64| pull * pull / (weight + shrinkage);
    let mut below = [0.0; 2];
    for (cell, gain) in leaf.iter().zip(gains) {
        below = [below[0] + cell[0], below[1] + cell[1]];
        *gain += explained(below[0], below[1]) + explained(pull - below[0], weight - below[1]);
    }
}
