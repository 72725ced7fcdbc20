//! What to measure, and in which order.
//!
//! Each subject once, and the most different of each sort first, sort by sort in turn, so that whatever a sweep
//! has measured when it ends is spread as widely as that many measurements can be. Or, where an estimator is there
//! already, what it knows least about first.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

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
    for (subject, _) in parts(networks, options)? {
        groups.entry(subject.kind).or_default().push(subject);
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

/// Some layers of one of several networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the networks.
    pub network: usize,
    /// Which of its layers.
    pub layers: Range<usize>,
}

/// How little is known of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// What of it lies outside what was measured, in words; none where nothing does.
    pub out_of_range: Option<String>,
    /// The error to be expected of it in a network, in microseconds.
    pub error_us: f64,
}

/// A subject with what is not known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubted {
    /// What is to be measured.
    pub subject: Subject,
    /// Where it occurs in the networks, in order.
    pub places: Vec<Place>,
    /// How little is known of it.
    pub doubt: Doubt,
}

/// What is to be measured of `networks`, with what `doubt` says is known least first: all that was never measured
/// before all that was, and of either the larger expected error first; equals stay in the order of the networks.
///
/// # Errors
/// As [`draw`].
pub fn plan_where_uncertain(
    networks: &[Network],
    options: &PlanOptions,
    doubt: impl Fn(SubjectKind, &[Place]) -> Doubt,
) -> Result<Vec<Doubted>> {
    let doubted = |(subject, places): (Subject, Vec<Place>)| {
        let doubt = doubt(subject.kind, &places);
        Doubted { subject, places, doubt }
    };
    let mut plan: Vec<Doubted> = parts(networks, options)?.into_iter().map(doubted).collect();
    let known = |doubted: &Doubted| doubted.doubt.out_of_range.is_none();
    plan.sort_by(|a, b| known(a).cmp(&known(b)).then(b.doubt.error_us.total_cmp(&a.doubt.error_us)));
    plan.truncate(options.most);
    Ok(plan)
}

/// Each subject once, with the places where it occurs, in the order of the networks.
fn parts(networks: &[Network], options: &PlanOptions) -> Result<Vec<(Subject, Vec<Place>)>> {
    let mut found: Vec<(Subject, Vec<Place>)> = Vec::new();
    let mut known: HashMap<(SubjectKind, String), usize> = HashMap::new();
    for (index, network) in networks.iter().enumerate() {
        for (kind, layers, part) in parts_of(network, options)? {
            let at = *known.entry((kind, part.name().to_owned())).or_insert(found.len());
            if at == found.len() {
                found.push((Subject { kind, network: part }, Vec::new()));
            }
            if let Some((_, places)) = found.get_mut(at) {
                places.push(Place { network: index, layers });
            }
        }
    }
    Ok(found)
}

/// The wanted parts of one network: itself, its blocks, its operators.
fn parts_of(network: &Network, options: &PlanOptions) -> Result<Vec<(SubjectKind, Range<usize>, Network)>> {
    let mut parts = Vec::new();
    if options.wanted.networks {
        let whole = network.relabelled(network.name(), options.dtype);
        parts.push((SubjectKind::Network, 0..network.layers().len(), whole));
    }
    if options.wanted.blocks {
        let blocks = blocks(network, options.dtype)?.into_iter();
        parts.extend(blocks.map(|(layers, block)| (SubjectKind::Block, layers, block)));
    }
    if options.wanted.operators {
        for (layers, operator) in operators(network, options.dtype)? {
            let Some(layer) = operator.layers().first() else { continue };
            let kind = SubjectKind::Operator(Operation::of(&operator, layer).kind);
            parts.push((kind, layers, operator));
        }
    }
    Ok(parts)
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
