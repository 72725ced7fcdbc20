//! New genotypes from old ones, along the chain of genes.

use crate::search::{
    layout::Layout,
    random::{Rng, below, chance},
};

/// Mixes `other` into `child`, which starts as its first parent.
///
/// Neighbouring groups work together, so mostly a stretch of the chain changes hands as a whole
/// (two-point crossover); otherwise each group or each gene is taken from either parent.
pub(super) fn cross(layout: &Layout, rng: &mut Rng, other: &[u8], child: &mut [u8]) {
    match below(rng, 4) {
        0 | 1 => {
            let (start, end) = stretch(rng, layout.chain.len());
            layout.chain[start..end].iter().for_each(|group| take(group, other, child));
        }
        2 => {
            for group in &layout.chain {
                if chance(rng, 0.5) {
                    take(group, other, child);
                }
            }
        }
        _ => take_each(rng, &layout.free, other, child),
    }
}

fn take(group: &[u32], other: &[u8], child: &mut [u8]) {
    group.iter().for_each(|&gene| child[gene as usize] = other[gene as usize]);
}

fn take_each(rng: &mut Rng, free: &[u32], other: &[u8], child: &mut [u8]) {
    for &gene in free {
        if chance(rng, 0.5) {
            child[gene as usize] = other[gene as usize];
        }
    }
}

/// Changes a few genes each on its own or, where genes have kinds, one kind along a stretch of the chain.
pub(super) fn mutate(layout: &Layout, rng: &mut Rng, child: &mut [u8]) {
    if !layout.kinds.is_empty() && chance(rng, 0.3) {
        mutate_stretch(layout, rng, child);
        return;
    }
    mutate_gene(layout, rng, child);
    while chance(rng, 0.4) {
        mutate_gene(layout, rng, child);
    }
}

/// Gives one free gene another alternative: a neighbouring one or any.
pub(in crate::search) fn mutate_gene(layout: &Layout, rng: &mut Rng, child: &mut [u8]) {
    if layout.free.is_empty() {
        return;
    }
    let gene = layout.free[below(rng, layout.free.len())];
    let count = layout.cardinality(gene);
    let old = usize::from(child[gene as usize]);
    let new =
        if chance(rng, 0.5) { neighbour(rng, old, count) } else { (old + 1 + below(rng, count - 1)) % count };
    child[gene as usize] = new as u8;
}

fn neighbour(rng: &mut Rng, old: usize, count: usize) -> usize {
    match chance(rng, 0.5) {
        true if old + 1 < count => old + 1,
        false if old == 0 => 1,
        true | false => old.abs_diff(1),
    }
}

/// Moves the genes of one kind in a stretch of the chain one step up or down.
fn mutate_stretch(layout: &Layout, rng: &mut Rng, child: &mut [u8]) {
    let kind = &layout.kinds[below(rng, layout.kinds.len())];
    let (start, end) = stretch(rng, kind.len());
    let up = chance(rng, 0.5);
    for &gene in &kind[start..end] {
        let allele = &mut child[gene as usize];
        let top = layout.cardinality(gene) - 1;
        *allele = if up { (*allele).saturating_add(1).min(top as u8) } else { allele.saturating_sub(1) };
    }
}

/// A stretch of at least one and, where there are two or more, fewer than `len` places.
fn stretch(rng: &mut Rng, len: usize) -> (usize, usize) {
    let start = below(rng, len);
    let length = 1 + below(rng, (len - 1).max(1));
    (start, (start + length).min(len))
}
