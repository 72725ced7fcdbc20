//! What parts bring to the score by themselves, for bounds on the scores of all networks that they can make.

use super::{
    flow::Flow,
    region::{Octave, Region},
    sums::Sums,
};

/// What a part brings that the whole output passes through: it reads the part before it and nothing else.
#[derive(Clone, Debug)]
pub struct Passage {
    pub(super) sums: Sums,
    /// What flows on to the exit of the part before it.
    entry: Flow,
}

impl Passage {
    /// The passage through a part with these regions; none if what it brings does not follow from them alone.
    #[must_use]
    pub fn of(regions: &[Region]) -> Option<Self> {
        let by_itself = |region: &Region| {
            let gates = region.deposits.iter().any(|(octave, _)| matches!(octave, Octave::OfGate { .. }));
            region.output_side.is_none() && !region.reads_exits() && !gates
        };
        if !regions.iter().all(by_itself) {
            return None;
        }
        let mut flows = vec![Flow::default(); regions.len()];
        flows.push(Flow::whole(1.0, None));
        let mut sums = Sums::default();
        for (place, region) in regions.iter().enumerate().rev() {
            let flow = flows[place + 1];
            sums.add(region, &flow);
            region.pass_on(&flow, &mut flows[..=place], &[]);
        }
        Some(Self { sums, entry: flows[0] })
    }

    /// What flows on to its entry where so much passes through its exit and so much is left there of the gradient.
    #[must_use]
    pub fn entry(&self, share: f64, fade: f64) -> (f64, f64) {
        (share * self.entry.share, fade * self.entry.fade())
    }

    /// The tightest cut in it.
    #[must_use]
    pub fn bottleneck(&self) -> f64 {
        self.sums.bottleneck
    }
}

/// What the parts of a head bring, and what flows out of it.
#[derive(Clone, Debug)]
pub struct Ending {
    /// What each part adds to the sums.
    pub parts: Vec<Totals>,
    /// What flows to the exit of each stage, those that nothing reads among them.
    pub exits: Vec<Flow>,
}

impl Ending {
    /// Of a head of parts with these regions behind so many stages.
    #[must_use]
    pub fn of(parts: &[&[Region]], stages: usize) -> Self {
        let outputs = parts.iter().copied().flatten().filter(|region| region.output_side.is_some()).count();
        let ends = parts.iter().scan(stages, |end, part| {
            *end += part.len();
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        let exits: Vec<usize> = (0..stages).chain(ends.iter().map(|end| end - 1)).collect();
        let mut flows = vec![Flow::default(); ends.last().copied().unwrap_or(stages)];
        let mut brought = Vec::new();
        for (part, end) in parts.iter().zip(&ends).rev() {
            let mut sums = Sums { outputs, ..Sums::default() };
            for (place, region) in (end - part.len()..*end).zip(*part).rev() {
                if region.output_side.is_some() {
                    flows[place] = Flow::whole(1.0 / outputs as f64, flows[place].gated);
                }
                let flow = flows[place];
                sums.add(region, &flow);
                region.pass_on(&flow, &mut flows[..place], &exits);
            }
            brought.push(Totals(sums));
        }
        brought.reverse();
        flows.truncate(stages);
        Self { parts: brought, exits: flows }
    }
}

/// The sums that the score is made of, of a network or of a part of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals(pub(super) Sums);

impl Totals {
    /// Adds what a head's part brings.
    pub fn add(&mut self, other: &Self) {
        self.0.add_sums(&other.0, 1.0, 1.0);
        self.0.outputs = self.0.outputs.max(other.0.outputs);
    }

    /// Adds a part through whose exit so much passes, and where so much is left of the gradient.
    pub fn add_passage(&mut self, passage: &Passage, share: f64, fade: f64) {
        self.0.add_sums(&passage.sums, share, share.sqrt() * fade);
    }

    /// The mean of some of them, weighed like this; weights add up to one.
    #[must_use]
    pub fn mean<'a>(all: impl Iterator<Item = (f64, &'a Self)>) -> Self {
        let mut mean = Self::default();
        for (weight, totals) in all {
            mean.0.add_sums(&totals.0, weight, weight);
            mean.0.outputs = mean.0.outputs.max(totals.0.outputs);
        }
        mean
    }

    /// The larger of both, sum by sum.
    #[must_use]
    pub fn larger(&self, other: &Self) -> Self {
        let mut larger = *self;
        for (sum, other) in larger.0.octaves.iter_mut().zip(&other.0.octaves) {
            *sum = sum.larger(*other);
        }
        larger
    }

    /// The tightest cut.
    #[must_use]
    pub fn bottleneck(&self) -> f64 {
        self.0.bottleneck
    }
}
