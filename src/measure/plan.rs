//! What to measure, and in which order.
//!
//! Each subject once, and the most different of each sort first, sort by sort in turn, so that whatever a sweep
//! has measured when it ends is spread as widely as that many measurements can be.

use std::collections::{BTreeMap, HashSet};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{
    blocks::{blocks, features, operators},
    subject::{Subject, SubjectKind},
};
use crate::{
    error::Result,
    measurement::Operation,
    network::{DType, Network},
    space::{Genotype, Space},
};

/// Which sorts of subject are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Single operators, on their own.
    pub operators: bool,
    /// Blocks, as networks of a few layers.
    pub blocks: bool,
    /// Whole networks.
    pub networks: bool,
}

/// What is measured of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// The sorts of subject.
    pub wanted: Wanted,
    /// The number format that the device computes in.
    pub dtype: DType,
    /// The most subjects.
    pub most: usize,
}

/// The baseline of `space` and `count` random architectures, the most different first, decided by `seed`.
///
/// # Errors
/// None for a checked space; the builder's checks are passed on all the same.
pub fn draw(space: &Space, count: usize, seed: u64) -> Result<Vec<Network>> {
    /// Of how many that are drawn one is chosen.
    const CHOICE: usize = 4;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: Vec<Genotype> = vec![space.baseline().clone()];
    for _ in 0..count.saturating_mul(CHOICE) {
        let genes = space.genes().iter().map(|gene| rng.random_range(0..gene.labels.len()) as u8);
        let mut genotype = Genotype::from(genes.collect::<Vec<u8>>());
        space.canonicalise(&mut genotype.0);
        if !drawn.contains(&genotype) {
            drawn.push(genotype);
        }
    }
    let spread = |genotype: &Genotype| -> Vec<f64> {
        let genes = genotype.0.iter().zip(space.genes());
        genes.map(|(index, gene)| f64::from(*index) / (gene.labels.len().max(2) - 1) as f64).collect()
    };
    let order = farthest_first(&drawn.iter().map(spread).collect::<Vec<_>>(), count.saturating_add(1));
    order.into_iter().map(|index| space.network(&drawn[index].0)).collect()
}

/// What is to be measured of `networks`, in order.
///
/// # Errors
/// As [`draw`].
pub fn plan(networks: &[Network], options: &PlanOptions) -> Result<Vec<Subject>> {
    let mut groups: BTreeMap<SubjectKind, Vec<Subject>> = BTreeMap::new();
    let mut known = HashSet::new();
    let mut add = |kind: SubjectKind, network: Network| {
        if known.insert((kind, network.name().to_owned())) {
            groups.entry(kind).or_default().push(Subject { kind, network });
        }
    };
    for network in networks {
        if options.wanted.networks {
            add(SubjectKind::Network, network.relabelled(network.name(), options.dtype));
        }
        if options.wanted.blocks {
            blocks(network, options.dtype)?.into_iter().for_each(|block| add(SubjectKind::Block, block));
        }
        if options.wanted.operators {
            for operator in operators(network, options.dtype)? {
                let Some(layer) = operator.layers().first() else { continue };
                add(SubjectKind::Operator(Operation::of(&operator, layer).kind), operator);
            }
        }
    }
    let ordered = groups.into_iter().map(|(kind, subjects)| match kind {
        // Networks come in the order that they were given in.
        SubjectKind::Network => subjects,
        _ => {
            let order = farthest_first(
                &subjects.iter().map(|subject| features(&subject.network)).collect::<Vec<_>>(),
                options.most,
            );
            order.into_iter().map(|index| subjects[index].clone()).collect()
        }
    });
    Ok(in_turn(&ordered.collect::<Vec<_>>(), options.most))
}

/// One of each group in turn, at most `most`.
fn in_turn(groups: &[Vec<Subject>], most: usize) -> Vec<Subject> {
    let longest = groups.iter().map(Vec::len).max().unwrap_or(0);
    let nth = |place: usize| groups.iter().filter_map(move |group| group.get(place));
    (0..longest).flat_map(nth).take(most).cloned().collect()
}

/// The first point, then always the one farthest from all before it (Gonzalez 1985), up to `most`.
fn farthest_first(points: &[Vec<f64>], most: usize) -> Vec<usize> {
    let mut nearest = vec![f64::INFINITY; points.len()];
    let mut order = Vec::new();
    let mut next = 0;
    while order.len() < points.len().min(most) {
        order.push(next);
        nearest[next] = f64::NEG_INFINITY;
        for (place, point) in points.iter().enumerate() {
            nearest[place] = nearest[place].min(distance(point, &points[next]));
        }
        let farther = |best: usize, place: usize| if nearest[place] > nearest[best] { place } else { best };
        next = (0..points.len()).reduce(farther).unwrap_or(0);
    }
    order
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
