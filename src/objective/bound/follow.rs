//! Learning from a network what its parts cost, and which way it takes through the lattice.

use std::collections::HashMap;

use super::{
    super::compiled::{Compiled, Placed},
    explore::{Explorer, with},
    lattice::{Head, Lattice, Part, Point, Step, Tap, Way, told_apart},
    reads::Reads,
};
use crate::{
    error::{Error, Result},
    space::Setting,
    stable_hash::{Fingerprint, fingerprint},
    trainability::{Ending, Passage, Region, Totals},
};

impl Explorer<'_, '_> {
    /// Prices the architecture, and learns its parts and the way it takes.
    pub(super) fn follow(&mut self, genotype: &[u8]) -> Result<()> {
        let placed = self.search.compiled.parts(genotype)?;
        self.lattice.networks += 1;
        let told = placed.iter().zip(told_apart(&placed));
        let ids: Vec<usize> = told.map(|(part, (key, us))| self.learn(part, key, us)).collect();
        let mut lengths = vec![0; self.lattice.stages];
        self.space().for_each_block(genotype, |stage, _| lengths[stage] += 1);
        let mut point = self.take(0, 0, &placed[0], ids[0])?;
        self.come_by(point, genotype, &placed[0]);
        let mut exits = Vec::new();
        let mut part = 1;
        for (stage, length) in lengths.into_iter().enumerate() {
            for _ in 0..length {
                point = self.take(point, stage + 1, &placed[part], ids[part])?;
                self.come_by(point, genotype, &placed[part]);
                part += 1;
            }
            let end = self.lattice.points[point].end.as_ref();
            point = end.ok_or_else(no_such_way)?.1;
            self.come_by(point, genotype, &placed[part - 1]);
            exits.push(point);
        }
        self.end(&exits, genotype, &placed[part..], &ids[part..])
    }

    /// Remembers how the part before a point was run, and in which architecture.
    fn come_by(&mut self, point: usize, genotype: &[u8], before: &Placed) {
        let known = &mut self.lattice.points[point].genotypes;
        if known.iter().all(|(ends, _)| *ends != before.priced.ends) {
            known.push((before.priced.ends, genotype.to_vec()));
        }
    }

    fn learn(&mut self, placed: &Placed, key: Fingerprint, us: f64) -> usize {
        let piece = &placed.known.piece;
        let Lattice { parts, keys, .. } = &mut self.lattice;
        let id = *keys.entry(key).or_insert_with(|| {
            let (amounts, peak) = (piece.totals, piece.footprint.least_peak());
            parts.push(Part { us: f64::INFINITY, amounts, peak });
            parts.len() - 1
        });
        parts[id].us = parts[id].us.min(us);
        id
    }

    /// Takes a step in a stage, counted from one; returns where it leads.
    fn take(&mut self, point: usize, stage: usize, placed: &Placed, part: usize) -> Result<usize> {
        let from = &self.lattice.points[point];
        let step = from.steps.iter().position(|step| step.own == placed.own).ok_or_else(no_such_way)?;
        if let Some(way) = &from.steps[step].way {
            return Ok(way.to);
        }
        let passage = Passage::of(&placed.known.piece.regions).ok_or_else(|| {
            Error::unusable("a part whose trainability depends on more than what follows it")
        })?;
        let genotype = with(from.genotype(), &from.steps[step].setting);
        let ends = placed.priced.ends;
        let position = from.position + 1;
        let to = match stage {
            0 => self.point(1, 0, &genotype, placed.known.exit, ends),
            _ => self.point(stage, position, &genotype, placed.known.exit, ends),
        };
        self.lattice.points[point].steps[step].way = Some(Way { part, passage, to });
        Ok(to)
    }

    /// The point of a stage, counted from one, with so many of its blocks behind.
    fn point(
        &mut self,
        stage: usize,
        position: usize,
        genotype: &[u8],
        exit: Fingerprint,
        ends: u8,
    ) -> usize {
        // Blocks to come depend on what their stage shares; the first of all is told apart by the stem before it.
        let shared = match (stage, position) {
            (1, 0) => self.search.compiled.stem_key(genotype),
            (_, 0) => 0,
            _ => self.shared(genotype, stage - 1),
        };
        let key = fingerprint(&[stage as u64, position as u64, shared, exit]);
        if let Some(point) = self.points.get(&key) {
            return *point;
        }
        let point = self.lattice.points.len();
        self.points.insert(key, point);
        let steps = self.steps(genotype, stage - 1, position);
        self.lattice.points.push(Point {
            stage,
            position,
            exit,
            genotypes: vec![(ends, genotype.to_vec())],
            steps,
            end: None,
            tap: None,
            heads: Vec::new(),
        });
        if let Some(setting) = self.end_setting(stage - 1, position) {
            let next = self.point(stage + 1, 0, &with(genotype, &setting), exit, ends);
            self.lattice.points[point].end = Some((setting, next));
        }
        point
    }

    /// All that the blocks of a stage have in common but for the first one's stride.
    fn shared(&self, genotype: &[u8], stage: usize) -> Fingerprint {
        let block = self.space().block(genotype, stage, 0);
        fingerprint(&[block.kind as u64, u64::from(block.cout), block.activation as u64])
    }

    fn steps(&self, genotype: &[u8], stage: usize, position: usize) -> Vec<Step> {
        let (space, free) = (self.space(), self.search.free());
        if stage == self.lattice.stages {
            return Vec::new();
        }
        let longest = self.lengths[stage].iter().map(|(length, _)| *length).max();
        if longest.is_none_or(|longest| position >= longest) {
            return Vec::new();
        }
        let shared =
            if position == 0 { space.stage_settings(genotype, stage, &free) } else { vec![Vec::new()] };
        let of = |shared: Setting| {
            let genotype = with(genotype, &shared);
            let step = |own: Setting| {
                let genotype = with(&genotype, &own);
                let block = space.block(&genotype, stage, position);
                Step {
                    own: Compiled::block_key(&block),
                    setting: [&shared[..], &own[..]].concat(),
                    way: None,
                    tried: 0,
                }
            };
            let settings = space.block_settings(&genotype, stage, position, &free);
            settings.into_iter().map(step).collect::<Vec<_>>()
        };
        shared.into_iter().flat_map(of).collect()
    }

    /// The genes that end a stage after so many blocks, if it may end there.
    fn end_setting(&self, stage: usize, position: usize) -> Option<Setting> {
        if stage == self.lattice.stages || position == 0 {
            return None;
        }
        let lengths = self.lengths[stage].iter();
        lengths.into_iter().find(|(length, _)| *length == position).map(|(_, setting)| setting.clone())
    }

    /// Learns the head of an architecture whose stages have ended at these points.
    fn end(&mut self, exits: &[usize], genotype: &[u8], placed: &[Placed], ids: &[usize]) -> Result<()> {
        let Some(last) = exits.last().copied() else { return Err(no_such_way()) };
        let regions: Vec<&[Region]> = placed.iter().map(|part| &part.known.piece.regions[..]).collect();
        let ending = Ending::of(&regions, self.lattice.stages);
        let mut head = Head {
            setting: self.head_setting(genotype),
            far: None,
            parts: Vec::new(),
            totals: Totals::default(),
            flows: 0,
        };
        let mut taps: HashMap<usize, Tap> = HashMap::new();
        for ((id, brought), reads) in ids.iter().zip(&ending.parts).zip(&self.reads) {
            let (parts, totals) = match reads {
                Reads::Tap(stage) => {
                    let tap = taps.entry(*stage).or_default();
                    (&mut tap.parts, &mut tap.totals)
                }
                Reads::Last | Reads::Both(_) => (&mut head.parts, &mut head.totals),
            };
            parts.push(*id);
            totals.add(brought);
            if let Reads::Both(stage) = reads {
                head.far = Some(self.lattice.points[exits[*stage]].exit);
            }
        }
        for (stage, tap) in taps {
            let known = &mut self.lattice.points[exits[stage]].tap;
            if known.as_ref().is_some_and(|known| known.parts != tap.parts) {
                return Err(Error::unusable("a head whose taps depend on its other parts"));
            }
            *known = Some(tap);
        }
        let known = self.lattice.flows.iter().position(|known| *known == ending.exits);
        head.flows = known.unwrap_or_else(|| {
            self.lattice.flows.push(ending.exits);
            self.lattice.flows.len() - 1
        });
        let heads = &mut self.lattice.points[last].heads;
        if !heads.iter().any(|known| known.setting == head.setting && known.far == head.far) {
            heads.push(head);
        }
        Ok(())
    }

    /// The head's genes of an architecture.
    fn head_setting(&self, genotype: &[u8]) -> Setting {
        let numbers = self.space().head_numbers(genotype);
        let known = self.heads.iter().find(|(_, known)| *known == numbers);
        known.map(|(setting, _)| setting.clone()).unwrap_or_default()
    }
}

fn no_such_way() -> Error {
    Error::unusable("an architecture that takes no way through its space")
}
