//! The loop of every search: propose, leave out what is known, score, keep the best, save.

use std::{sync::atomic::Ordering, time::Instant};

use super::{
    checkpoint::{self, Identity, State},
    checks::{check_countable, checked_seeds, identity},
    clock::Clock,
    executor::Executor,
    history,
    layout::Layout,
    observer::Progress,
    optimizer::{Algorithm, Optimizer, Setup},
    outcome::{Outcome, Termination},
    pareto::Archive,
    population::Population,
    problem::Problem,
    proposals::Proposals,
    random::Streams,
    scores::Scores,
};
use crate::error::{Error, Result};

/// Generations in a row without anything new after which a search has converged.
const BARREN_LIMIT: u32 = 50;

/// A space up to this size is swept in order once the algorithm finds nothing new, so that it ends exhausted.
const SWEEPABLE: u64 = 1 << 20;

/// So many scores take longer to learn from than it takes to wake a thread.
const MANY: usize = 256;

/// A search under way.
pub(super) struct Run<'a, P: ?Sized> {
    settings: Executor<'a, P>,
    identity: Identity,
    layout: Layout,
    optimizer: Box<dyn Optimizer>,
    streams: Streams,
    state: State,
    archive: Archive,
    proposals: Proposals,
    scores: Scores,
    clock: Clock,
}

impl<'a, P: Problem + ?Sized> Run<'a, P> {
    pub(super) fn start(settings: Executor<'a, P>) -> Result<Self> {
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
        let mut run = Self {
            identity: identity(&settings)?,
            optimizer: settings.algorithm.start(setup),
            proposals: Proposals::new(layout.cardinalities.len()),
            settings,
            layout,
            streams,
            state: State::default(),
            archive: Archive::default(),
            scores: Scores::default(),
            clock: Clock::start(),
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
        self.clock.go_on(&self.state);
        Ok(())
    }

    /// All rounds.
    pub(super) fn finish(mut self) -> Result<Outcome> {
        loop {
            if let Some(reason) = self.generation()? {
                return Ok(self.outcome(reason));
            }
        }
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
        let stop = self.stop_signal();
        self.scores.find(self.settings.problem, &self.proposals, &self.archive, stop);
        let finished = self.scores.are_complete();
        if !(fits && finished) {
            self.save()?;
            self.scores.enter(&mut self.archive, &mut self.state);
            let reason = if finished { Termination::Evaluations } else { self.interruption() };
            return Ok(Some(reason));
        }
        self.learn();
        self.state.generation += 1;
        self.note_convergence();
        self.tell_observers();
        self.save_now_and_then()?;
        Ok(None)
    }

    /// The algorithm learns the scores while archive and seen-set do.
    fn learn(&mut self) {
        let Self { optimizer, scores, archive, state, .. } = self;
        if scores.scored().len() >= MANY {
            rayon::join(|| optimizer.tell(scores.scored()), || scores.enter(archive, state));
        } else {
            optimizer.tell(scores.scored());
            scores.enter(archive, state);
        }
    }

    /// A small space is swept until it is exhausted; of a large one so many rounds without news are the end.
    fn find_nothing_new(&mut self) -> Result<Option<Termination>> {
        self.state.barren += 1;
        self.state.generation += 1;
        // It may be waiting for scores of what turned out to be known.
        self.optimizer.tell(&Population::default());
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
        let deadline = self.settings.budget.time.and_then(|limit| self.clock.deadline(limit));
        move || {
            cancel.is_some_and(|flag| flag.load(Ordering::Relaxed))
                || deadline.is_some_and(|deadline| Instant::now() >= deadline)
        }
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
        let progress = Progress {
            generations: self.state.generation,
            evaluations: self.state.evaluations,
            budget: self.settings.budget.evaluations,
            elapsed: self.clock.elapsed(),
            rate: self.clock.rate(self.state.evaluations),
            best: history::best(self.archive.points()),
            front: self.archive.points(),
        };
        for observer in &mut self.settings.observers {
            observer.generation(&progress);
        }
    }

    fn save_now_and_then(&mut self) -> Result<()> {
        let due = self.settings.checkpoint.is_some() && self.clock.is_save_due();
        if due { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> Result<()> {
        self.state.elapsed_seconds = self.clock.elapsed().as_secs_f64();
        let Some(path) = &self.settings.checkpoint else { return Ok(()) };
        let begin = Instant::now();
        let (archive, algorithm) = (self.archive.candidates(), self.optimizer.save());
        checkpoint::write(path, &self.identity, &self.state, archive, algorithm)?;
        self.clock.note_saved(begin);
        Ok(())
    }

    fn outcome(mut self, termination: Termination) -> Outcome {
        if let Some(reference) = &self.state.reference {
            let points = self.archive.points();
            history::note(&mut self.state.convergence, self.state.evaluations, points, reference);
        }
        Outcome {
            front: self.archive.candidates(),
            elapsed: self.clock.elapsed(),
            nearest: self.state.nearest,
            evaluations: self.state.evaluations,
            generations: self.state.generation,
            termination,
            convergence: self.state.convergence,
            reference: self.state.reference,
        }
    }
}
