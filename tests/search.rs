//! What the search promises, through its public interface.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use nas::{
    search::{
        Algorithm, Budget, Evaluation, Executor, Gene, Outcome, Problem, Progress, Termination,
        pareto::Archive,
    },
    space::Genotype,
};

/// A chain of blocks: each has a width and a strength, and costs more next to one of another width.
struct Chain {
    genes: Vec<Gene>,
    cost_limit: f64,
    scored: AtomicU64,
}

impl Chain {
    fn new(blocks: u32) -> Self {
        let block = |group| {
            [Gene::new(4).in_group(group).of_kind("width"), Gene::new(3).in_group(group).of_kind("strength")]
        };
        Self { genes: (0..blocks).flat_map(block).collect(), cost_limit: f64::MAX, scored: AtomicU64::new(0) }
    }

    fn limited(mut self, cost_limit: f64) -> Self {
        self.cost_limit = cost_limit;
        self
    }
}

impl Problem for Chain {
    fn genes(&self) -> &[Gene] {
        &self.genes
    }

    fn objectives(&self) -> Vec<String> {
        vec!["cost".into(), "error".into()]
    }

    fn evaluate(&self, genes: &[u8]) -> Evaluation {
        self.scored.fetch_add(1, Ordering::Relaxed);
        let (mut cost, mut gain, mut before) = (10.0, 0.0, 0.0);
        for (place, block) in genes.chunks(2).enumerate() {
            let (width, strength) = (f64::from(block[0]), f64::from(block[1]));
            cost += (1.0 + width) * (1.0 + strength) + (width - before).abs();
            gain += (1.0 + width).ln() * (1.0 + 0.1 * place as f64) + strength.sqrt();
            before = width;
        }
        Evaluation::feasible([cost, 100.0 / (1.0 + gain)]).with_violation(cost - self.cost_limit)
    }
}

/// The algorithms that look at a part of the space.
const SAMPLING: [Algorithm; 3] = [Algorithm::Nsga2, Algorithm::RegularizedEvolution, Algorithm::Random];

fn search(problem: &Chain, algorithm: Algorithm, evaluations: u64) -> Executor<'_, Chain> {
    Executor::new(problem).algorithm(algorithm).seed(7).budget(Budget::evaluations(evaluations))
}

fn run(problem: &Chain, algorithm: Algorithm, evaluations: u64) -> Outcome {
    search(problem, algorithm, evaluations).run().unwrap()
}

/// All that must be equal in equal searches; time is not.
fn essence(outcome: &Outcome) -> String {
    format!(
        "{:?} {} {} {:?} {:?}",
        outcome.front, outcome.evaluations, outcome.generations, outcome.termination, outcome.convergence
    )
}

fn on_threads(threads: usize, task: impl FnOnce() -> Outcome + Send) -> Outcome {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(task)
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    for algorithm in SAMPLING {
        let result = |threads| on_threads(threads, || run(&Chain::new(8), algorithm, 3_000));
        let one = essence(&result(1));
        assert_eq!(one, essence(&result(2)), "{algorithm}");
        assert_eq!(one, essence(&result(8)), "{algorithm}");
    }
}

#[test]
fn another_seed_gives_another_search() {
    let problem = Chain::new(8);
    let with = |seed| Executor::new(&problem).seed(seed).budget(Budget::evaluations(300)).run().unwrap();
    assert_ne!(essence(&with(1)), essence(&with(2)));
}

#[test]
fn a_resumed_search_equals_an_uninterrupted_one() {
    // The last of them are amid models of the search, whatever round of one it is.
    let stops = [1, 48, 333].into_iter().chain((1_100..2_000).step_by(90));
    for (algorithm, stop) in
        SAMPLING.into_iter().flat_map(|algorithm| stops.clone().map(move |stop| (algorithm, stop)))
    {
        let problem = Chain::new(8);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.json");
        let part = on_threads(1, || {
            let flag = AtomicBool::new(false);
            let mut cancel =
                |progress: &Progress<'_>| flag.store(progress.evaluations >= stop, Ordering::Relaxed);
            search(&problem, algorithm, 4_000)
                .checkpoint(&path)
                .cancel(&flag)
                .observe(&mut cancel)
                .run()
                .unwrap()
        });
        assert!((stop..4_000).contains(&part.evaluations), "{algorithm} stopped at {}", part.evaluations);
        let go_on = || search(&problem, algorithm, 4_000).checkpoint(&path).resume(true).run().unwrap();
        let rest = on_threads(3, go_on);
        let whole = run(&problem, algorithm, 4_000);
        assert_eq!(essence(&whole), essence(&rest), "{algorithm} stopped at {stop}");
    }
}

#[test]
fn a_search_cancelled_amid_a_generation_goes_on_alike() {
    struct Interrupting<'a>(Chain, &'a AtomicBool, u64);
    impl Problem for Interrupting<'_> {
        fn genes(&self) -> &[Gene] {
            self.0.genes()
        }
        fn objectives(&self) -> Vec<String> {
            self.0.objectives()
        }
        fn evaluate(&self, genes: &[u8]) -> Evaluation {
            let evaluation = self.0.evaluate(genes);
            self.1.fetch_or(self.0.scored.load(Ordering::Relaxed) >= self.2, Ordering::Relaxed);
            evaluation
        }
    }
    let whole = essence(&run(&Chain::new(8), Algorithm::Nsga2, 2_000));
    for stop in [5, 55, 1_234] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.json");
        let flag = AtomicBool::new(false);
        let problem = Interrupting(Chain::new(8), &flag, stop);
        let start = || Executor::new(&problem).seed(7).budget(Budget::evaluations(2_000)).checkpoint(&path);
        let cancelled = on_threads(2, || start().cancel(&flag).run().unwrap());
        assert_eq!(cancelled.termination, Termination::Cancelled);
        assert!(cancelled.found_feasible(), "what was scored is not lost");
        assert_eq!(whole, essence(&start().resume(true).run().unwrap()), "cancelled at {stop}");
    }
}

#[test]
fn a_checkpoint_of_another_search_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.json");
    let problem = Chain::new(4);
    let start = || Executor::new(&problem).budget(Budget::evaluations(100)).checkpoint(&path);
    start().run().unwrap();
    let error = start().seed(8).resume(true).run().unwrap_err().to_string();
    assert!(error.contains("seed 0 there, 8 here"), "{error}");
    let other = Chain::new(5);
    let error = Executor::new(&other).checkpoint(&path).resume(true).run().unwrap_err().to_string();
    assert!(error.contains("problem"), "{error}");
}

#[test]
fn a_damaged_or_missing_checkpoint_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let problem = Chain::new(4);
    let resume = |name: &str| {
        Executor::new(&problem)
            .checkpoint(folder.path().join(name))
            .resume(true)
            .run()
            .unwrap_err()
            .to_string()
    };
    std::fs::write(folder.path().join("half.json"), "{\"schema\":").unwrap();
    assert!(resume("half.json").contains("half.json"));
    assert!(resume("none.json").contains("cannot read"));
    assert!(Executor::new(&problem).resume(true).run().is_err(), "no file was named");
}

#[test]
fn a_tiny_space_ends_exhausted_with_its_exact_front() {
    for algorithm in Algorithm::ALL {
        let problem = Chain::new(2);
        let outcome = run(&problem, algorithm, 100_000);
        assert_eq!((outcome.termination, outcome.evaluations), (Termination::Exhausted, 144), "{algorithm}");
        assert_eq!(problem.scored.load(Ordering::Relaxed), 144, "none is scored twice");
        let mut exact = Archive::default();
        for point in 0..144_u8 {
            let genes = [point / 36, point / 12 % 3, point / 3 % 4, point % 3];
            exact.insert(&genes, &problem.evaluate(&genes));
        }
        let found: Vec<_> = outcome.front.iter().map(|candidate| candidate.objectives).collect();
        assert_eq!(found, exact.points(), "{algorithm}");
    }
}

#[test]
fn an_exact_search_of_too_many_is_refused() {
    let search = |blocks, evaluations| {
        let problem = Chain::new(blocks);
        let budget = Budget::evaluations(evaluations);
        let outcome = Executor::new(&problem).algorithm(Algorithm::Exact).budget(budget).run();
        outcome.map(|outcome| outcome.termination).map_err(|error| error.to_string())
    };
    assert!(search(8, u64::MAX).unwrap_err().contains("here are 429981696"));
    assert!(search(40, u64::MAX).unwrap_err().contains("more than 10^19"));
    assert_eq!(search(3, 1_728), Ok(Termination::Exhausted));
    assert_eq!(search(3, 1_727), Ok(Termination::Evaluations), "which is not the whole space");
}

#[test]
fn a_space_of_one_point_ends_exhausted() {
    struct Point;
    impl Problem for Point {
        fn genes(&self) -> &[Gene] {
            &[]
        }
        fn objectives(&self) -> Vec<String> {
            vec!["cost".into()]
        }
        fn evaluate(&self, _: &[u8]) -> Evaluation {
            Evaluation::feasible([1.0])
        }
    }
    for algorithm in Algorithm::ALL {
        let outcome = Executor::new(&Point).algorithm(algorithm).run().unwrap();
        assert_eq!((outcome.termination, outcome.evaluations), (Termination::Exhausted, 1), "{algorithm}");
    }
}

#[test]
fn nothing_feasible_is_a_result_that_names_the_nearest() {
    for algorithm in SAMPLING {
        let outcome = run(&Chain::new(6).limited(1.0), algorithm, 2_000);
        assert!(!outcome.found_feasible() && outcome.convergence.is_empty(), "{algorithm}");
        assert_eq!(outcome.termination, Termination::Evaluations);
        assert!(outcome.nearest.unwrap().violation > 0.0);
    }
}

#[test]
fn a_rare_feasible_region_is_found() {
    // The cheapest network costs 16; one in a million random ones meets the limit.
    let outcome = run(&Chain::new(6).limited(18.0), Algorithm::Nsga2, 3_000);
    assert!(outcome.found_feasible() && outcome.nearest.is_none());
    assert!(outcome.front.iter().all(|candidate| candidate.objectives[0] <= 18.0));
}

#[test]
fn a_budget_of_evaluations_is_spent_exactly_and_no_genotype_twice() {
    for algorithm in SAMPLING {
        for budget in [0, 1, 47, 1_001] {
            let problem = Chain::new(6);
            let outcome = run(&problem, algorithm, budget);
            assert_eq!(outcome.evaluations, budget);
            assert_eq!(problem.scored.load(Ordering::Relaxed), budget);
        }
    }
}

#[test]
fn a_budget_of_time_ends_the_search() {
    let problem = Chain::new(20);
    let outcome = Executor::new(&problem).budget(Budget::time(Duration::from_millis(20))).run().unwrap();
    assert_eq!(outcome.termination, Termination::Time);
}

#[test]
fn the_hypervolume_never_falls_and_the_front_is_sorted() {
    let outcome = run(&Chain::new(8), Algorithm::Nsga2, 5_000);
    let history = &outcome.convergence;
    assert!(history.windows(2).all(|pair| pair[0].hypervolume <= pair[1].hypervolume));
    assert!(history.windows(2).all(|pair| pair[0].evaluations < pair[1].evaluations));
    assert!(outcome.front.windows(2).all(|pair| pair[0].objectives[0] < pair[1].objectives[0]));
}

#[test]
fn nsga2_comes_nearer_to_the_ideal_than_random_search() {
    let least = |algorithm| {
        let outcome = run(&Chain::new(10), algorithm, 2_000);
        let products = outcome.front.iter().map(|one| one.objectives[0] * one.objectives[1]);
        products.fold(f64::MAX, f64::min)
    };
    assert!(least(Algorithm::Nsga2) < least(Algorithm::Random));
}

#[test]
fn dead_genes_do_not_make_two_networks_of_one() {
    struct Dead(Vec<Gene>, AtomicU64);
    impl Problem for Dead {
        fn genes(&self) -> &[Gene] {
            &self.0
        }
        fn objectives(&self) -> Vec<String> {
            vec!["cost".into()]
        }
        fn canonicalise(&self, genes: &mut [u8]) {
            if genes[0] == 0 {
                genes[1..].fill(0);
            }
        }
        fn evaluate(&self, genes: &[u8]) -> Evaluation {
            self.1.fetch_add(1, Ordering::Relaxed);
            Evaluation::feasible([genes.iter().copied().map(f64::from).sum::<f64>()])
        }
    }
    let problem = Dead(vec![Gene::new(2), Gene::new(3), Gene::new(3)], AtomicU64::new(0));
    let outcome = Executor::new(&problem).run().unwrap();
    assert_eq!((outcome.termination, outcome.evaluations), (Termination::Exhausted, 10));
    assert_eq!(problem.1.load(Ordering::Relaxed), 10);
    assert_eq!(outcome.front[0].genotype, Genotype::first(3));
}

#[test]
fn seeds_are_scored_first_and_must_fit() {
    struct Seeded(Chain, Vec<u8>);
    impl Problem for Seeded {
        fn genes(&self) -> &[Gene] {
            self.0.genes()
        }
        fn objectives(&self) -> Vec<String> {
            self.0.objectives()
        }
        fn evaluate(&self, genes: &[u8]) -> Evaluation {
            self.0.evaluate(genes)
        }
        fn seeds(&self) -> Vec<Genotype> {
            vec![self.1.clone().into()]
        }
    }
    let seeded = Seeded(Chain::new(2), vec![1, 2, 3, 0]);
    for algorithm in SAMPLING {
        let executor = Executor::new(&seeded).algorithm(algorithm).budget(Budget::evaluations(1));
        assert_eq!(executor.run().unwrap().front[0].genotype, vec![1, 2, 3, 0].into(), "{algorithm}");
    }
    assert!(Executor::new(&Seeded(Chain::new(2), vec![4, 0, 0, 0])).run().is_err());
}
