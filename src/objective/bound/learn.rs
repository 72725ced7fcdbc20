//! Learning what parts cost from designs that are known to be good, and from others like them.
//!
//! Random networks show what most neighbours do to a part. What stands beside it in a good design is seldom among them:
//! layers that run in stripes together, or what is left on the chip for once, need several choices at once. So the designs
//! that a search found are priced as well, and then others that differ from them in a gene or two, for as long as that shows
//! something new.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{super::ArchitectureSearch, SURPRISE, explore::with, lattice::Lattice};
use crate::{
    error::Result,
    search::{Rng, Streams, below},
    space::Setting,
};

/// Times that each design is changed at the most, and times in a row without anything new after which that is enough.
const PASSES: u64 = 30;
const QUIET: u64 = 3;
/// Designs of other frames that are priced in this one at the most.
const BORROWED: usize = 100;
/// Genes that are changed in a design at the most.
const CHANGED: usize = 3;

/// Learns from designs and their neighbours what the parts of a frame, the `number`-th of its space, cost.
///
/// # Errors
/// One does not decode.
pub(super) fn learn(
    search: &ArchitectureSearch<'_>,
    lattice: &mut Lattice,
    frame: &Setting,
    number: usize,
    designs: &[Vec<u8>],
    stop: &AtomicBool,
) -> Result<()> {
    let designs = in_frame(frame, designs);
    let genes: Vec<usize> =
        search.free.iter().copied().filter(|gene| frame.iter().all(|(fixed, _)| fixed != gene)).collect();
    if genes.is_empty() {
        return Ok(());
    }
    let streams = Streams::new(1);
    let mut quiet = 0;
    for pass in 0..=PASSES {
        let mut surprise = 0.0_f64;
        let mut rng = streams.stream(pass, number);
        for design in &designs {
            if stop.load(Relaxed) {
                return Ok(());
            }
            let mut design = design.clone();
            if pass > 0 {
                change(search, &genes, &mut design, &mut rng);
            }
            surprise = surprise.max(see(search, lattice, &design)?);
        }
        quiet = if surprise > SURPRISE { 0 } else { quiet + 1 };
        if quiet == QUIET {
            break;
        }
    }
    Ok(())
}

/// The designs of a frame, and some of others as they are in it.
fn in_frame(frame: &Setting, designs: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (mut own, others): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        designs.iter().cloned().partition(|design| frame.iter().all(|(gene, value)| design[*gene] == *value));
    let apart = others.len().div_ceil(BORROWED).max(1);
    own.extend(others.iter().step_by(apart).map(|design| with(design, frame)));
    own
}

/// Draws up to so many genes anew.
fn change(search: &ArchitectureSearch<'_>, genes: &[usize], design: &mut [u8], rng: &mut Rng) {
    for _ in 0..=below(rng, CHANGED) {
        let gene = genes[below(rng, genes.len())];
        design[gene] = below(rng, search.space().genes()[gene].labels.len()) as u8;
    }
}

/// Prices an architecture; returns by what share it is cheaper than its parts at their least were known to be.
fn see(search: &ArchitectureSearch<'_>, lattice: &mut Lattice, genotype: &[u8]) -> Result<f64> {
    let placed = search.compiled.parts(genotype)?;
    lattice.networks += 1;
    let parts: Vec<(usize, f64)> = lattice.costs(&placed).collect();
    let (mut us, mut known_us) = (0.0, 0.0);
    for (part, part_us) in parts {
        let known = &mut lattice.parts[part].us;
        us += part_us;
        known_us += *known;
        *known = known.min(part_us);
    }
    Ok(1.0 - us / known_us)
}
