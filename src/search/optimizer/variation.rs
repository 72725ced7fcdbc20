//! New genotypes from old ones, along the chain of genes.

use crate::search::{
    layout::{Chain, Layout},
    random::{Rng, below, chance},
};

/// Mixes `other` into `child`, which starts as its first parent.
///
/// Neighbouring groups work together, so mostly a stretch of the chain changes hands as a whole
/// (two-point crossover), or all genes of a kind; seldom each gene on its own.
pub(super) fn cross(layout: &Layout, rng: &mut Rng, other: &[u8], child: &mut [u8]) {
    if layout.free.is_empty() {
        return;
    }
    match below(rng, 10) {
        0..5 => {
            let (start, end) = stretch(rng, layout.chain.len());
            take_stretch(&layout.chain, start, end, other, child);
        }
        5..9 => take(&layout.kinds[below(rng, layout.kinds.len())], other, child),
        _ => take_each(rng, &layout.free, other, child),
    }
}

fn take_stretch(chain: &Chain, start: usize, end: usize, other: &[u8], child: &mut [u8]) {
    match chain.stretch(start, end) {
        [first, .., last] if chain.straight => {
            let genes = *first as usize..=*last as usize;
            child[genes.clone()].copy_from_slice(&other[genes]);
        }
        genes => take(genes, other, child),
    }
}

fn take(genes: &[u32], other: &[u8], child: &mut [u8]) {
    genes.iter().for_each(|&gene| child[gene as usize] = other[gene as usize]);
}

fn take_each(rng: &mut Rng, free: &[u32], other: &[u8], child: &mut [u8]) {
    for &gene in free {
        let gene = gene as usize;
        // Chosen by index, since no processor foresees which way a coin falls.
        child[gene] = [child[gene], other[gene]][usize::from(chance(rng, 0.5))];
    }
}

/// Changes one kind along a stretch of the chain, or a few genes each on its own.
pub(super) fn mutate(layout: &Layout, rng: &mut Rng, child: &mut [u8]) {
    if layout.free.is_empty() {
        return;
    }
    if chance(rng, 0.5) {
        mutate_stretch(layout, rng, child);
        return;
    }
    mutate_gene(layout, rng, child);
    while chance(rng, 0.25) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::{problem::Gene, random::Streams};

    fn genes() -> impl Strategy<Value = Vec<Gene>> {
        let gene = (1..6_u16, prop::option::of(0..4_u32), prop::option::of("[ab]"));
        let gene = gene.prop_map(|(cardinality, group, kind)| Gene { cardinality, group, kind });
        prop::collection::vec(gene, 0..12)
    }

    proptest! {
        #[test]
        fn children_stay_within_the_space(genes in genes(), seed in 0..1_000_u64) {
            let layout = Layout::new(&genes).unwrap();
            let rng = &mut Streams::new(seed).stream(0, 0);
            let mut draw = || genes.iter().map(|gene| below(rng, usize::from(gene.cardinality)) as u8).collect();
            let (mut child, other): (Vec<u8>, Vec<u8>) = (draw(), draw());
            for _ in 0..20 {
                cross(&layout, rng, &other, &mut child);
                mutate(&layout, rng, &mut child);
                prop_assert!(child.iter().zip(&genes).all(|(&value, gene)| u16::from(value) < gene.cardinality));
            }
        }

        #[test]
        fn a_mutated_gene_always_changes(cardinality in 2..9_u16, seed in 0..1_000_u64) {
            let layout = Layout::new(&[Gene::new(cardinality)]).unwrap();
            let rng = &mut Streams::new(seed).stream(0, 0);
            let old = below(rng, usize::from(cardinality)) as u8;
            let mut child = [old];
            mutate_gene(&layout, rng, &mut child);
            prop_assert!(child[0] != old && u16::from(child[0]) < cardinality);
        }
    }
}
