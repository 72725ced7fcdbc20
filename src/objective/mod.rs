//! What the search of architectures minimises, and what it must keep to.

mod bound;
mod checks;
mod compiled;
mod formats;
mod goal;
mod metrics;
mod piece;
mod relative;
mod targets;

pub use bound::{FrontBound, LatencyBound, Level};
pub use goal::Goal;
pub use metrics::Metrics;
pub use relative::Latencies;
pub use targets::{Target, Targets};

use compiled::Compiled;
use relative::Relative;

use crate::{
    energy::EnergyModel,
    error::Result,
    estimator::Estimator,
    search::{Evaluation, Gene, Objectives, Problem},
    space::{Constraint, GeneKind, Genotype, Space},
    stable_hash::short_id,
};

/// The hypervolume's reference point: this many times the baseline's latency …
const REFERENCE_LATENCY: f64 = 1.1;
/// … and of its energy where that is minimised …
const REFERENCE_ENERGY: f64 = 1.1;
/// … and this much less trainable.
const REFERENCE_SCORE: f64 = 0.1;

/// What a search may take beside a space and an estimator.
#[derive(Clone, Debug, Default)]
pub struct SearchOptions<'a> {
    /// Only genes of these kinds are free; all where it is none.
    pub free: Option<Vec<GeneKind>>,
    /// What tells energies; without it nothing is known of them.
    pub energy: Option<&'a EnergyModel>,
    /// What is minimised.
    pub goal: Goal,
}

/// The search problem of a space on an accelerator: latency down, trainability up, and energy down if that is a goal.
/// On several accelerators it is the relative latency that goes down ([`Targets`]).
///
/// Only the genes of some kinds may be free; the others stay at the baseline.
pub struct ArchitectureSearch<'a> {
    compiled: Compiled<'a>,
    targets: Targets<'a>,
    /// What makes one number of the latencies, where there are several.
    relative: Option<Relative>,
    constraints: Vec<Constraint>,
    baseline: Metrics,
    /// The kinds of gene that are free, unless all are.
    kinds: Option<Vec<GeneKind>>,
    goal: Goal,
    /// The space's index of each free gene.
    free: Vec<usize>,
    genes: Vec<Gene>,
}

impl<'a> ArchitectureSearch<'a> {
    /// Searches all genes of `space` under its constraints.
    ///
    /// # Errors
    /// The baseline does not decode, or the estimator predicts something else than latency.
    pub fn new(space: &'a Space, estimator: &'a Estimator) -> Result<Self> {
        Self::with(space, estimator, SearchOptions::default())
    }

    /// Searches the genes of these kinds only.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn only(space: &'a Space, estimator: &'a Estimator, kinds: &[GeneKind]) -> Result<Self> {
        Self::with(space, estimator, SearchOptions { free: Some(kinds.to_vec()), ..SearchOptions::default() })
    }

    /// Searches with these options.
    ///
    /// # Errors
    /// As [`Self::new`]; or the space limits the energy, or it is a goal, and there is no model of it, or that has no prices for the
    /// space's number formats.
    pub fn with(space: &'a Space, estimator: &'a Estimator, options: SearchOptions<'a>) -> Result<Self> {
        Self::across(space, Targets::one(estimator), options)
    }

    /// Searches for one accelerator or several at once.
    ///
    /// # Errors
    /// As [`Self::with`]; the space leaves the number format open and an estimator does not know all; or there are several accelerators and an energy model, whose energies are those of one.
    pub fn across(space: &'a Space, targets: Targets<'a>, options: SearchOptions<'a>) -> Result<Self> {
        let SearchOptions { free: kinds, energy, goal } = options;
        let is_free = |kind: GeneKind| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        checks::latency(&targets)?;
        checks::energy(space, energy, goal, &targets)?;
        formats::check(space, &targets, energy)?;
        let network = space.network(&space.baseline().0)?;
        let mut baseline = Metrics::on(&network, &targets);
        if let (Some(model), Some(first)) = (energy, targets.list().first()) {
            baseline.energy_uj = Some(model.energy_uj(&network, first.estimator)?);
        }
        let several = targets.are_several();
        let relative = several.then(|| Relative::to(&targets, &baseline.latencies)).transpose()?;
        let free: Vec<usize> =
            (0..space.genes().len()).filter(|gene| is_free(space.genes()[*gene].kind)).collect();
        let genes = free.iter().map(|gene| search_gene(&space.genes()[*gene])).collect();
        Ok(Self {
            compiled: Compiled::new(space, &targets, energy)?,
            constraints: targets.constraints(space.constraints()),
            targets,
            relative,
            baseline,
            kinds,
            goal,
            free,
            genes,
        })
    }

    /// The same search with only the genes of these kinds free; all where it is none.
    ///
    /// # Errors
    /// As [`Self::across`].
    pub fn freeing(&self, free: Option<Vec<GeneKind>>) -> Result<Self> {
        let options = SearchOptions { free, ..self.options() };
        Self::across(self.space(), self.targets.clone(), options)
    }

    /// The space that is searched.
    #[must_use]
    pub fn space(&self) -> &'a Space {
        self.compiled.space()
    }

    /// The metrics of a candidate.
    ///
    /// # Errors
    /// The genes are not those of this problem.
    pub fn metrics(&self, genes: &[u8]) -> Result<Metrics> {
        self.compiled.metrics(&self.full(genes).0)
    }

    /// The accelerators that it is for.
    #[must_use]
    pub fn targets(&self) -> &Targets<'a> {
        &self.targets
    }

    /// The latency as it is minimised: microseconds on one accelerator, on several a ratio without a unit, relative
    /// to the baseline's.
    #[must_use]
    pub fn latency(&self, metrics: &Metrics) -> f64 {
        self.latency_of(&metrics.latencies)
    }

    /// The same of latencies on each accelerator.
    #[must_use]
    pub fn latency_of(&self, latencies: &Latencies) -> f64 {
        let first = latencies.as_slice().first().copied().unwrap_or(f64::NAN);
        self.relative.as_ref().map_or(first, |relative| relative.of(latencies))
    }

    /// The kinds of gene that are free, unless all are.
    #[must_use]
    pub fn free_kinds(&self) -> Option<&[GeneKind]> {
        self.kinds.as_deref()
    }

    /// What tells energies, if anything does.
    #[must_use]
    pub fn energy(&self) -> Option<&'a EnergyModel> {
        self.compiled.energy()
    }

    /// What is minimised.
    #[must_use]
    pub fn goal(&self) -> Goal {
        self.goal
    }

    /// The options that it was made with.
    #[must_use]
    pub fn options(&self) -> SearchOptions<'a> {
        SearchOptions { free: self.kinds.clone(), energy: self.energy(), goal: self.goal }
    }

    /// The baseline's metrics.
    #[must_use]
    pub fn baseline(&self) -> &Metrics {
        &self.baseline
    }

    /// What candidates must keep to.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// The space's genotype for the free genes of a candidate.
    #[must_use]
    pub fn full(&self, genes: &[u8]) -> Genotype {
        let mut full = self.space().baseline().clone();
        for (gene, index) in self.free.iter().zip(genes) {
            full.0[*gene] = *index;
        }
        full
    }

    fn reduced(&self, full: &[u8], genes: &mut [u8]) {
        for (gene, index) in self.free.iter().zip(genes) {
            *index = full[*gene];
        }
    }

    /// The constraints that a candidate misses, in words.
    #[must_use]
    pub fn missed(&self, genes: &[u8]) -> Vec<String> {
        let Ok(metrics) = self.metrics(genes) else { return Vec::new() };
        let words = |(constraint, _): &(Constraint, f64)| {
            let value = metrics.bounded(constraint);
            let bound = constraint.bound(self.baseline.bounded(constraint));
            let words = constraint.words(&self.targets.names());
            format!("{words}: {value:.6} where the limit is {bound:.6}")
        };
        self.excesses(&metrics).filter(|(_, missing)| *missing > 0.0).map(|missed| words(&missed)).collect()
    }

    /// What each of the constraints needs in words, for reports: `trainability >= baseline`.
    #[must_use]
    pub fn requirement(&self) -> String {
        let names = self.targets.names();
        let words: Vec<String> = self.constraints.iter().map(|constraint| constraint.words(&names)).collect();
        words.join("; ")
    }

    /// Each constraint with how far `metrics` exceed it ([`Constraint::excess`]).
    pub fn excesses(&self, metrics: &Metrics) -> impl Iterator<Item = (Constraint, f64)> {
        self.constraints.iter().map(|constraint| {
            let (value, baseline) = (metrics.bounded(constraint), self.baseline.bounded(constraint));
            (*constraint, constraint.excess(value, baseline))
        })
    }
}

/// Neighbouring genes are exchanged together; genes of a kind are set alike in the first generation.
fn search_gene(gene: &crate::space::Gene) -> Gene {
    Gene::new(gene.labels.len() as u16).in_group(gene.group as u32).of_kind(gene.kind.name())
}

impl Problem for ArchitectureSearch<'_> {
    fn genes(&self) -> &[Gene] {
        &self.genes
    }

    fn objectives(&self) -> Vec<String> {
        self.goal.objectives(self.targets.are_several())
    }

    fn evaluate(&self, genes: &[u8]) -> Evaluation {
        // A genotype of this space always decodes; if it did not, it would be as bad as can be.
        let Ok(metrics) = self.metrics(genes) else {
            return Evaluation::feasible(Objectives::splat(f64::INFINITY, self.goal.count()));
        };
        let objectives = self.goal.of(self.latency(&metrics), &metrics);
        Evaluation::feasible(objectives).with_limits(self.excesses(&metrics).map(|(_, excess)| excess))
    }

    fn canonicalise(&self, genes: &mut [u8]) {
        let mut full = self.full(genes);
        self.space().canonicalise(&mut full.0);
        self.reduced(&full.0, genes);
    }

    fn seeds(&self) -> Vec<Genotype> {
        let mut baseline = Genotype::first(self.free.len());
        self.reduced(&self.space().baseline().0, &mut baseline.0);
        vec![baseline]
    }

    /// A little worse than the baseline, so that runs of one space and estimator can be compared.
    fn hypervolume_reference(&self) -> Option<Objectives> {
        let Metrics { trainability, energy_uj, .. } = self.baseline;
        let latency = REFERENCE_LATENCY * self.latency(&self.baseline);
        let reference = Metrics {
            trainability: trainability - REFERENCE_SCORE,
            energy_uj: energy_uj.map(|uj| REFERENCE_ENERGY * uj),
            ..self.baseline
        };
        Some(self.goal.of(latency, &reference))
    }

    fn identity(&self) -> String {
        let energy = self.energy().map_or(String::new(), |model| format!(" {}", model.hash()));
        let (space, estimators) = (self.space().hash(), self.targets.identity());
        let goal = if self.goal == Goal::default() { "" } else { self.goal.name() };
        // Estimators on the command line replace those of the space, and their limits with them.
        let own = self.targets.are_several() || self.targets.have_limits();
        let limits = if own { self.requirement() } else { String::new() };
        short_id(format!("{space} {estimators}{energy}{goal}{limits}").as_bytes())
    }
}

/// The kinds of gene of each row of the ablation table.
pub const ABLATION: [(&str, &[GeneKind]); 3] = [
    ("depth multiplier only", &[GeneKind::DepthMultiplier]),
    ("fusion only", &[GeneKind::Fused]),
    ("both", &[GeneKind::DepthMultiplier, GeneKind::Fused]),
];
