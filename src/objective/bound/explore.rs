//! Walking through a frame until every alternative has been seen, and pricing the networks on the way.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{
    super::ArchitectureSearch,
    lattice::{Head, Lattice, Point, Step},
    reads::{Reads, reads},
};
use crate::{
    error::{Error, Result},
    search::{Rng, Streams, below},
    space::{Setting, Space, set},
    stable_hash::{AsIs, Fingerprint},
};

/// The walk through one frame.
pub(super) struct Explorer<'a, 's> {
    pub(super) search: &'s ArchitectureSearch<'a>,
    pub(super) lattice: Lattice,
    pub(super) reads: Vec<Reads>,
    /// For each stage, how many blocks it may have.
    pub(super) lengths: Vec<Vec<(usize, Setting)>>,
    /// The heads, with the numbers that tell them apart.
    pub(super) heads: Vec<(Setting, Vec<u32>)>,
    /// The points by what tells them apart.
    pub(super) points: HashMap<Fingerprint, usize, AsIs>,
    rng: Rng,
}

/// The lattice of a frame, the `number`-th of its space; none if `stop` was set meanwhile.
///
/// # Errors
/// The space has a head, or parts, whose score does not follow part by part.
pub(super) fn explore(
    search: &ArchitectureSearch<'_>,
    frame: &Setting,
    number: usize,
    stop: &AtomicBool,
) -> Result<Option<Lattice>> {
    let mut explorer = Explorer::new(search, frame, number)?;
    explorer.see_all(stop)?;
    explorer.see_all_heads(stop)?;
    if stop.load(Relaxed) {
        return Ok(None);
    }
    let mut lattice = explorer.lattice;
    lattice.finish();
    Ok(Some(lattice))
}

impl<'a, 's> Explorer<'a, 's> {
    fn new(search: &'s ArchitectureSearch<'a>, frame: &Setting, number: usize) -> Result<Self> {
        let space = search.space();
        let mut genotype = space.baseline().0.to_vec();
        set(&mut genotype, frame);
        let mut explorer = Self {
            search,
            lattice: Lattice {
                input: space.input_shape(&genotype),
                bytes: space.dtype(&genotype).bytes(),
                stages: space.stage_count(),
                parts: Vec::new(),
                keys: HashMap::default(),
                points: Vec::new(),
                backwards: Vec::new(),
                bottlenecks: Vec::new(),
                flows: Vec::new(),
                networks: 0,
            },
            lengths: (0..space.stage_count())
                .map(|stage| space.lengths(&genotype, stage, &search.free()))
                .collect(),
            heads: space.head_settings(&genotype, &search.free()),
            reads: reads(search.compiled.head(), space.stage_count())?,
            points: HashMap::default(),
            rng: Streams::new(0).stream(0, number),
        };
        let stems = space.stem_settings(&genotype, &search.free());
        let steps = stems.into_iter().map(|setting| {
            let own = search.compiled.stem_key(&with(&genotype, &setting));
            Step { own, setting, way: None, tried: 0 }
        });
        let steps = steps.collect();
        explorer.lattice.points.push(Point {
            stage: 0,
            position: 0,
            exit: 0,
            genotypes: vec![(0, genotype)],
            steps,
            end: None,
            tap: None,
            heads: Vec::new(),
        });
        Ok(explorer)
    }

    pub(super) fn space(&self) -> &'a Space {
        self.search.space()
    }

    /// Walks until all steps have been taken, each behind all ways in which the part before it was seen to be run.
    fn see_all(&mut self, stop: &AtomicBool) -> Result<()> {
        loop {
            let networks = self.lattice.networks;
            let mut point = 0;
            while point < self.lattice.points.len() {
                for step in 0..self.lattice.points[point].steps.len() {
                    if stop.load(Relaxed) {
                        return Ok(());
                    }
                    self.see(point, step)?;
                }
                point += 1;
            }
            if self.lattice.networks == networks {
                return Ok(());
            }
        }
    }

    /// Takes a step behind all ways in which the part before it was seen to be run.
    fn see(&mut self, point: usize, step: usize) -> Result<()> {
        loop {
            let Point { stage, position, genotypes, steps, .. } = &self.lattice.points[point];
            let Step { setting, tried, .. } = &steps[step];
            let Some((_, before)) = genotypes.get(*tried) else { break };
            let (stage, position) = stage.checked_sub(1).map_or((0, 0), |stage| (stage, position + 1));
            let mut genotype = with(before, setting);
            self.go_on(&mut genotype, stage, position);
            self.lattice.points[point].steps[step].tried += 1;
            self.follow(&genotype)?;
        }
        match self.lattice.points[point].steps[step].way {
            Some(_) => Ok(()),
            None => Err(Error::unusable("an alternative of the space that no architecture has")),
        }
    }

    /// Walks until all heads have been seen behind all last stages, with all that they may read.
    fn see_all_heads(&mut self, stop: &AtomicBool) -> Result<()> {
        let far = self.reads.iter().find_map(|reads| match reads {
            Reads::Both(stage) => Some(*stage),
            _ => None,
        });
        let ends = |point: &usize, stage: usize, lattice: &Lattice| {
            let point = &lattice.points[*point];
            point.stage == stage + 2 && point.position == 0
        };
        let stages = self.lattice.stages;
        let all = 0..self.lattice.points.len();
        let last: Vec<usize> = all.clone().filter(|point| ends(point, stages - 1, &self.lattice)).collect();
        let before: Vec<Option<usize>> = match far {
            Some(stage) => all.filter(|point| ends(point, stage, &self.lattice)).map(Some).collect(),
            None => vec![None],
        };
        let heads: Vec<Setting> = self.heads.iter().map(|(setting, _)| setting.clone()).collect();
        for end in last {
            for (setting, before) in heads.iter().flat_map(|setting| before.iter().map(move |b| (setting, b)))
            {
                if stop.load(Relaxed) {
                    return Ok(());
                }
                self.see_head(end, setting, far.zip(*before))?;
            }
        }
        Ok(())
    }

    /// Sees a head behind the last stage as it ended at `end`, with what it reads of the earlier stage `far` as that ended
    /// there.
    fn see_head(&mut self, end: usize, setting: &Setting, far: Option<(usize, usize)>) -> Result<()> {
        let read = far.map(|(_, point)| self.lattice.points[point].exit);
        let is_seen = |head: &Head| head.far == read && head.setting == *setting;
        if self.lattice.points[end].heads.iter().any(is_seen) {
            return Ok(());
        }
        let mut genotype = with(self.lattice.points[end].genotype(), setting);
        if let Some((stage, point)) = far {
            let before = self.lattice.points[point].genotype();
            let later = self.genes_from(stage + 1, 0);
            let before = before.iter().enumerate().filter(|(gene, _)| !later.contains(gene));
            before.for_each(|(gene, value)| genotype[gene] = *value);
        }
        self.follow(&genotype)?;
        if self.lattice.points[end].heads.iter().any(is_seen) {
            Ok(())
        } else {
            Err(Error::unusable("stages whose ends depend on each other"))
        }
    }

    /// Chooses at random whatever comes from a block on.
    fn go_on(&mut self, genotype: &mut [u8], stage: usize, position: usize) {
        let free = self.search.free();
        for gene in self.genes_from(stage, position).into_iter().filter(|gene| free(*gene)) {
            let alternatives = self.space().genes()[gene].labels.len();
            genotype[gene] = below(&mut self.rng, alternatives) as u8;
        }
        if let Some(lengths) = self.lengths.get(stage) {
            let long: Vec<&Setting> = lengths
                .iter()
                .filter(|(length, _)| *length >= position)
                .map(|(_, setting)| setting)
                .collect();
            if !long.is_empty() {
                set(genotype, long[below(&mut self.rng, long.len())]);
            }
        }
    }

    /// The genes of what comes from a block on, in its stage and after it.
    fn genes_from(&self, stage: usize, position: usize) -> Vec<usize> {
        let space = self.space();
        let mut genes: Vec<usize> =
            self.heads.iter().flat_map(|(setting, _)| setting).map(|(gene, _)| *gene).collect();
        genes.sort_unstable();
        genes.dedup();
        for later in stage..self.lattice.stages {
            let behind = if later == stage { position } else { 0 };
            if behind == 0 {
                genes.extend(space.shared_genes(later));
            }
            genes.extend(space.block_genes(later).into_iter().skip(behind).flatten());
            genes.extend(self.lengths[later].iter().flat_map(|(_, setting)| setting).map(|(gene, _)| *gene));
        }
        genes
    }
}

/// A genotype with some genes set.
pub(super) fn with(genotype: &[u8], setting: &[(usize, u8)]) -> Vec<u8> {
    let mut genotype = genotype.to_vec();
    set(&mut genotype, setting);
    genotype
}
