//! The loop of every search: propose, leave out what is known, score, keep the best, save.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rayon::prelude::*;

use super::{
    checkpoint::{self, Identity, State},
    evaluation::{Evaluation, MAX_OBJECTIVES},
    history,
    layout::Layout,
    observer::{Observer, Progress},
    optimizer::{Algorithm, Optimizer, Setup},
    outcome::{Outcome, Termination},
    pareto::Archive,
    population::Population,
    problem::Problem,
    proposals::Proposals,
    random::Streams,
};
use crate::{
    error::{Error, Result},
    space::Genotype,
    stable_hash::short_id,
};

/// Generations in a row without anything new after which a search has converged.
const BARREN_LIMIT: u32 = 50;

/// A space up to this size is swept in order once the algorithm finds nothing new, so that it ends exhausted.
const SWEEPABLE: u64 = 1 << 20;

/// An exact search takes spaces up to this size; genotypes without effect on the architecture cost next to nothing.
const COUNTABLE: u64 = 1 << 26;

/// Checkpoints are written no more often than this, and take no more than a twentieth of the time.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_millis(500);

/// How long a search may go on. Without any limit it goes on until it is cancelled or finds nothing new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Distinct genotypes to score, those before a resume included.
    pub evaluations: Option<u64>,
    /// Time to spend, that before a resume included.
    pub time: Option<Duration>,
}

impl Budget {
    /// A number of evaluations.
    #[must_use]
    pub fn evaluations(evaluations: u64) -> Self {
        Self { evaluations: Some(evaluations), time: None }
    }

    /// A time. What is found then depends on the speed of the machine.
    #[must_use]
    pub fn time(time: Duration) -> Self {
        Self { evaluations: None, time: Some(time) }
    }

    /// The same budget, ended by `time` at the latest.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }
}

/// Runs one search.
pub struct Executor<'a, P: ?Sized> {
    problem: &'a P,
    algorithm: Algorithm,
    seed: u64,
    population: Option<usize>,
    budget: Budget,
    cancel: Option<&'a AtomicBool>,
    checkpoint: Option<PathBuf>,
    resume: bool,
    observers: Vec<&'a mut dyn Observer>,
}

impl<'a, P: Problem + ?Sized> Executor<'a, P> {
    /// A search of `problem` by the default algorithm with seed 0 and 100,000 evaluations.
    #[must_use]
    pub fn new(problem: &'a P) -> Self {
        Self {
            problem,
            algorithm: Algorithm::default(),
            seed: 0,
            population: None,
            budget: Budget::evaluations(100_000),
            cancel: None,
            checkpoint: None,
            resume: false,
            observers: Vec::new(),
        }
    }

    /// Searches by this algorithm.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Draws all random numbers from this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Fixes the size of the population, which otherwise fits the evaluations.
    #[must_use]
    pub fn population(mut self, size: usize) -> Self {
        self.population = Some(size);
        self
    }

    /// Stops when this is spent.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Stops soon after `flag` becomes true.
    #[must_use]
    pub fn cancel(mut self, flag: &'a AtomicBool) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Saves checkpoints to this file: now and then, and always at the end.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Goes on from the checkpoint if `resume`. What comes out is what a search without the interruption would
    /// have found. The budget may differ from before; the population then still fits the first one.
    #[must_use]
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Tells `observer` after each generation.
    #[must_use]
    pub fn observe(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observers.push(observer);
        self
    }

    /// Searches on the current rayon thread pool. The result does not depend on its size.
    ///
    /// # Errors
    /// The problem is malformed (no objective, a gene without alternatives, a seed that does not fit), or a
    /// checkpoint cannot be written, read, or belongs to another search.
    pub fn run(self) -> Result<Outcome> {
        let mut run = Run::start(self)?;
        let termination = loop {
            if let Some(reason) = run.generation()? {
                break reason;
            }
        };
        Ok(run.outcome(termination))
    }
}

/// A search under way.
struct Run<'a, P: ?Sized> {
    settings: Executor<'a, P>,
    identity: Identity,
    layout: Layout,
    optimizer: Box<dyn Optimizer>,
    streams: Streams,
    state: State,
    archive: Archive,
    proposals: Proposals,
    scores: Vec<Option<Score>>,
    clock: Clock,
}

/// An evaluation, and whether the archive already holds something as good.
#[derive(Clone, Copy)]
struct Score {
    evaluation: Evaluation,
    covered: bool,
}

/// When things happened in this process.
struct Clock {
    start: Instant,
    /// Evaluations and seconds before this process.
    evaluations_before: u64,
    seconds_before: f64,
    saved: Instant,
    saving_took: Duration,
    /// Whether one evaluation takes long enough to hand evaluations to threads one by one.
    slow: bool,
}

impl<'a, P: Problem + ?Sized> Run<'a, P> {
    fn start(settings: Executor<'a, P>) -> Result<Self> {
        let layout = Layout::new(settings.problem.genes())?;
        if settings.algorithm == Algorithm::Exact {
            check_countable(&layout)?;
        }
        let streams = Streams::new(settings.seed);
        let setup = Setup {
            seeds: checked_seeds(settings.problem, &layout)?,
            layout: layout.clone(),
            rng: streams.stream(u64::from(u32::MAX), 0),
            population: settings.population,
            horizon: settings.budget.evaluations,
        };
        let now = Instant::now();
        let mut run = Self {
            identity: identity(&settings)?,
            optimizer: settings.algorithm.start(setup),
            proposals: Proposals::new(layout.cardinalities.len()),
            settings,
            layout,
            streams,
            state: State::default(),
            archive: Archive::default(),
            scores: Vec::new(),
            clock: Clock {
                start: now,
                evaluations_before: 0,
                seconds_before: 0.0,
                saved: now,
                saving_took: Duration::ZERO,
                slow: false,
            },
        };
        run.state.reference = run.settings.problem.hypervolume_reference();
        if run.settings.resume {
            run.go_on()?;
        }
        Ok(run)
    }

    fn go_on(&mut self) -> Result<()> {
        let Some(path) = self.settings.checkpoint.clone() else {
            return Err(Error::unusable("there is no checkpoint to resume from; name its file"));
        };
        let saved = checkpoint::read(&path, &self.identity)?;
        if !saved.archive.iter().all(|candidate| self.layout.admits(&candidate.genotype.0)) {
            return Err(checkpoint::damaged(
                &path,
                "an archive with genotypes that the problem has not".into(),
            ));
        }
        let restored = self.optimizer.restore(saved.algorithm);
        restored.map_err(|error| checkpoint::damaged(&path, error.to_string()))?;
        self.archive = saved.archive.into_iter().collect();
        self.state = saved.state;
        self.clock.evaluations_before = self.state.evaluations;
        self.clock.seconds_before = self.state.elapsed_seconds;
        Ok(())
    }

    /// One round; the reason to stop, if there is one.
    fn generation(&mut self) -> Result<Option<Termination>> {
        if let Some(reason) = self.spent() {
            self.save()?;
            return Ok(Some(reason));
        }
        self.propose();
        if self.proposals.fresh().is_empty() {
            return self.find_nothing_new();
        }
        self.state.barren = 0;
        self.score_generation()
    }

    fn propose(&mut self) {
        let Self { proposals, optimizer, settings, layout, streams, state, .. } = self;
        proposals.fill(settings.problem, optimizer.as_ref(), layout, streams, state);
    }

    /// Scores what is fresh. A generation that cannot be finished is not told to the algorithm, and the
    /// checkpoint stands before it, so that a resumed search repeats it as a whole.
    fn score_generation(&mut self) -> Result<Option<Termination>> {
        let left = self.settings.budget.evaluations.map_or(u64::MAX, |limit| limit - self.state.evaluations);
        let fits = self.proposals.fresh().len() as u64 <= left;
        self.proposals.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.score();
        let finished = self.scores.iter().all(Option::is_some);
        if !(fits && finished) {
            self.save()?;
            self.absorb();
            let reason = if finished { Termination::Evaluations } else { self.interruption() };
            return Ok(Some(reason));
        }
        let scored = self.absorb();
        self.optimizer.tell(&scored);
        self.state.generation += 1;
        self.note_convergence();
        self.tell_observers();
        self.save_now_and_then()?;
        Ok(None)
    }

    fn score(&mut self) {
        let begin = Instant::now();
        let (problem, archive, proposals) = (self.settings.problem, &self.archive, &self.proposals);
        let stop = self.stop_signal();
        let score = |&row: &u32| {
            if stop() {
                return None;
            }
            let evaluation = problem.evaluate(proposals.row(row)).sound();
            Some(Score { evaluation, covered: archive.covers(&evaluation.objectives) })
        };
        let grain = if self.clock.slow { 1 } else { usize::MAX };
        let mut scores = std::mem::take(&mut self.scores);
        proposals.fresh().par_iter().with_max_len(grain).map(score).collect_into_vec(&mut scores);
        self.scores = scores;
        let each = begin.elapsed() / self.scores.len().max(1) as u32;
        self.clock.slow = each > Duration::from_micros(50);
    }

    /// Enters the scores into archive and seen-set; returns them for the algorithm.
    fn absorb(&mut self) -> Population {
        let mut scored = Population::default();
        for (&row, score) in self.proposals.fresh().iter().zip(&self.scores) {
            let Some(Score { evaluation, covered }) = score else { continue };
            let genes = self.proposals.row(row);
            self.state.seen.insert(self.proposals.hash(row));
            self.state.evaluations += 1;
            scored.push(genes, *evaluation);
            if !covered && self.archive.insert(genes, evaluation) {
                self.state.nearest = None;
            }
        }
        if self.archive.is_empty() {
            history::keep_nearest(&mut self.state.nearest, &scored);
        }
        if self.state.reference.is_none() {
            self.state.reference = history::reference(&scored);
        }
        scored
    }

    /// A small space is swept until it is exhausted; of a large one so many rounds without news are the end.
    fn find_nothing_new(&mut self) -> Result<Option<Termination>> {
        self.state.barren += 1;
        self.state.generation += 1;
        let exact = self.settings.algorithm == Algorithm::Exact;
        if exact || self.layout.size().is_some_and(|size| size <= SWEEPABLE) {
            self.proposals.sweep(self.settings.problem, &self.layout, &mut self.state);
            if !self.proposals.fresh().is_empty() {
                return self.score_generation();
            }
            self.save()?;
            return Ok(Some(Termination::Exhausted));
        }
        if self.state.barren < BARREN_LIMIT {
            return Ok(None);
        }
        self.save()?;
        Ok(Some(Termination::Converged))
    }

    fn spent(&self) -> Option<Termination> {
        if self.settings.budget.evaluations.is_some_and(|limit| self.state.evaluations >= limit) {
            let swept = self.layout.size().is_some_and(|size| self.state.swept >= size);
            return Some(if swept { Termination::Exhausted } else { Termination::Evaluations });
        }
        let stop = self.stop_signal()();
        stop.then(|| self.interruption())
    }

    /// Why the stop signal rose.
    fn interruption(&self) -> Termination {
        let cancelled = self.settings.cancel.is_some_and(|flag| flag.load(Ordering::Relaxed));
        if cancelled { Termination::Cancelled } else { Termination::Time }
    }

    /// Whether to stop at once, as cheap as possible.
    fn stop_signal(&self) -> impl Fn() -> bool + Sync + use<'a, P> {
        let cancel = self.settings.cancel;
        let before = Duration::try_from_secs_f64(self.clock.seconds_before).unwrap_or_default();
        let time = self.settings.budget.time.map(|limit| limit.saturating_sub(before));
        let deadline = time.and_then(|time| self.clock.start.checked_add(time));
        move || {
            cancel.is_some_and(|flag| flag.load(Ordering::Relaxed))
                || deadline.is_some_and(|deadline| Instant::now() >= deadline)
        }
    }

    fn elapsed(&self) -> Duration {
        let before = Duration::try_from_secs_f64(self.clock.seconds_before).unwrap_or_default();
        before + self.clock.start.elapsed()
    }

    fn note_convergence(&mut self) {
        let State { evaluations, convergence, reference, .. } = &mut self.state;
        if let Some(reference) = reference
            && history::is_due(convergence, *evaluations)
        {
            history::note(convergence, *evaluations, self.archive.points(), reference);
        }
    }

    fn tell_observers(&mut self) {
        if self.settings.observers.is_empty() {
            return;
        }
        let here = (self.state.evaluations - self.clock.evaluations_before) as f64;
        let progress = Progress {
            generations: self.state.generation,
            evaluations: self.state.evaluations,
            budget: self.settings.budget.evaluations,
            elapsed: self.elapsed(),
            rate: here / self.clock.start.elapsed().as_secs_f64().max(1e-9),
            best: history::best(self.archive.points()),
            front: self.archive.points(),
        };
        for observer in &mut self.settings.observers {
            observer.generation(&progress);
        }
    }

    fn save_now_and_then(&mut self) -> Result<()> {
        let pause = BETWEEN_CHECKPOINTS.max(20 * self.clock.saving_took);
        if self.settings.checkpoint.is_none() || self.clock.saved.elapsed() < pause {
            return Ok(());
        }
        self.save()
    }

    fn save(&mut self) -> Result<()> {
        self.state.elapsed_seconds = self.elapsed().as_secs_f64();
        let Some(path) = &self.settings.checkpoint else { return Ok(()) };
        let begin = Instant::now();
        let (archive, algorithm) = (self.archive.candidates(), self.optimizer.save());
        checkpoint::write(path, &self.identity, &self.state, archive, algorithm)?;
        self.clock.saved = Instant::now();
        self.clock.saving_took = begin.elapsed();
        Ok(())
    }

    fn outcome(mut self, termination: Termination) -> Outcome {
        if let Some(reference) = &self.state.reference {
            let points = self.archive.points();
            history::note(&mut self.state.convergence, self.state.evaluations, points, reference);
        }
        Outcome {
            front: self.archive.candidates(),
            elapsed: self.elapsed(),
            nearest: self.state.nearest,
            evaluations: self.state.evaluations,
            generations: self.state.generation,
            termination,
            convergence: self.state.convergence,
            reference: self.state.reference,
        }
    }
}

/// An exact search looks at every genotype, and scores each architecture among them.
fn check_countable(layout: &Layout) -> Result<()> {
    let size = layout.size();
    if size.is_some_and(|size| size <= COUNTABLE) {
        return Ok(());
    }
    let count = size.map_or("more than 10^19".to_owned(), |size| size.to_string());
    Err(Error::unusable(format!(
        "an exact search looks at every genotype, at most {COUNTABLE}; here are {count}: leave fewer genes free, or \
         search with nsga2"
    )))
}

fn checked_seeds<P: Problem + ?Sized>(problem: &P, layout: &Layout) -> Result<Vec<Genotype>> {
    let seeds = problem.seeds();
    match seeds.iter().position(|seed| !layout.admits(&seed.0)) {
        Some(index) => Err(Error::unusable(format!("seed genotype {index} does not fit the genes"))),
        None => Ok(seeds),
    }
}

fn identity<P: Problem + ?Sized>(settings: &Executor<'_, P>) -> Result<Identity> {
    let objectives = settings.problem.objectives();
    if !(1..=MAX_OBJECTIVES).contains(&objectives.len()) {
        let found = objectives.len();
        return Err(Error::unusable(format!("{found} objectives; there may be 1 to {MAX_OBJECTIVES}")));
    }
    let problem = (settings.problem.genes(), objectives, settings.problem.identity());
    Ok(Identity {
        problem: short_id(format!("{problem:?}").as_bytes()),
        algorithm: settings.algorithm.to_string(),
        seed: settings.seed,
        population: settings.population,
    })
}
