//! The first genotypes: seeds, uniform networks, random ones.

use crate::search::{
    layout::Layout,
    random::{Rng, below, unit},
};

use super::Setup;

/// The rows of the first round.
///
/// After the seeds come genotypes that are uniform along the chain: each kind of gene takes one level for
/// all its genes, since designs that work are mostly regular and differ in a few ratios. The first two
/// take the lowest and the highest level everywhere; the levels of the rest form a Latin hypercube
/// (McKay, Beckman and Conover, Technometrics 21(2), 1979).
pub(super) fn first_rows(setup: &mut Setup, count: usize) -> Vec<Box<[u8]>> {
    let mut rows: Vec<Box<[u8]>> = setup.seeds.iter().map(|seed| seed.0.clone()).collect();
    let (layout, rng) = (&setup.layout, &mut setup.rng);
    let uniform = count.saturating_sub(rows.len());
    let levels: Vec<Vec<f64>> = layout.kinds.iter().map(|_| levels(uniform, rng)).collect();
    for index in 0..uniform {
        let mut row = vec![0; layout.cardinalities.len()];
        for (kind, levels) in layout.kinds.iter().zip(&levels) {
            kind.iter().for_each(|&gene| row[gene as usize] = at_level(layout, gene, levels[index]));
        }
        rows.push(row.into());
    }
    rows
}

/// The lowest, the highest, and one from each of `count - 2` equal strata in random order.
fn levels(count: usize, rng: &mut Rng) -> Vec<f64> {
    let strata = count.saturating_sub(2);
    let mut levels: Vec<f64> =
        (0..strata).map(|stratum| (stratum as f64 + unit(rng)) / strata as f64).collect();
    for end in (1..strata).rev() {
        levels.swap(end, below(rng, end + 1));
    }
    levels.splice(0..0, [0.0, 1.0]);
    levels
}

/// The alternative at a level from 0 to 1.
fn at_level(layout: &Layout, gene: u32, level: f64) -> u8 {
    let count = layout.cardinality(gene);
    ((level * count as f64) as usize).min(count - 1) as u8
}

/// Each gene on its own, all alternatives alike.
pub(super) fn uniform_row(layout: &Layout, rng: &mut Rng, genes: &mut [u8]) {
    for (gene, &count) in genes.iter_mut().zip(&layout.cardinalities) {
        *gene = below(rng, usize::from(count)) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{problem::Gene, random::Streams};

    fn rows(count: usize) -> Vec<Box<[u8]>> {
        let gene = |group, kind| Gene::new(4).in_group(group).of_kind(kind);
        let genes = [gene(0, "width"), gene(0, "expansion"), gene(1, "width"), gene(1, "expansion")];
        let layout = Layout::new(&genes).unwrap();
        let rng = Streams::new(3).stream(0, 0);
        first_rows(
            &mut Setup { layout, seeds: vec![vec![3, 0, 1, 2].into()], rng, population: None, horizon: None },
            count,
        )
    }

    #[test]
    fn seeds_come_first_then_the_two_extremes() {
        let rows = rows(10);
        assert_eq!(rows.len(), 10);
        assert_eq!([&rows[0][..], &rows[1], &rows[2]], [[3, 0, 1, 2], [0; 4], [3; 4]]);
    }

    #[test]
    fn each_kind_is_uniform_and_takes_each_level_alike_often() {
        let rows = rows(19);
        assert!(rows[1..].iter().all(|row| row[0] == row[2] && row[1] == row[3]));
        let count = |level| rows[3..].iter().filter(|row| row[1] == level).count();
        assert_eq!([0, 1, 2, 3].map(count), [4; 4]);
    }

    #[test]
    fn fewer_places_than_rows_of_the_design_are_no_problem() {
        assert_eq!([0, 1, 2, 3].map(|count| rows(count).len()), [1, 1, 2, 3]);
    }
}
