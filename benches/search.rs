//! What searching costs: sorting, hypervolume, and whole searches of a problem that costs next to nothing.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nas::search::{
    Algorithm, Budget, Chain, Evaluation, Executor, Gene, Objectives, Problem, State, Way, exact_front,
    pareto::{Archive, crowding_distances, hypervolume, non_dominated_ranks},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Points near a front: a point on the simplex, moved away by up to a tenth.
fn points(count: usize, objectives: usize) -> Vec<Evaluation> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let point = |_| {
        let weights: Vec<f64> = (0..objectives).map(|_| -rng.random::<f64>().max(1e-9).ln()).collect();
        let scale = (1.0 + 0.1 * rng.random::<f64>()) / weights.iter().sum::<f64>();
        Evaluation::feasible(&weights.iter().map(|weight| weight * scale).collect::<Vec<f64>>()[..])
    };
    (0..count).map(point).collect()
}

fn sorting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("non_dominated_ranks");
    for objectives in [2, 3] {
        for count in [1_000, 10_000, 100_000] {
            let points = points(count, objectives);
            group.sample_size(10).throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(format!("{objectives} objectives"), count), |bencher| {
                bencher.iter(|| non_dominated_ranks(black_box(&points)));
            });
        }
    }
}

fn crowding(criterion: &mut Criterion) {
    let points = points(10_000, 2);
    let front: Vec<u32> = (0..10_000).collect();
    criterion.bench_function("crowding_distances/2 objectives/10000", |bencher| {
        bencher.iter(|| crowding_distances(black_box(&points), &front));
    });
}

fn volume(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hypervolume");
    for (objectives, count) in [(2, 1_000), (2, 10_000), (3, 1_000), (3, 10_000), (4, 300)] {
        let points: Vec<Objectives> =
            points(count, objectives).iter().map(|evaluation| evaluation.objectives).collect();
        let reference = Objectives::splat(1.2, objectives);
        group.sample_size(10).throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new(format!("{objectives} objectives"), count), |bencher| {
            bencher.iter(|| hypervolume(black_box(&points), &reference));
        });
    }
}

fn archive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("archive");
    for objectives in [2, 3] {
        let points = points(10_000, objectives);
        group.sample_size(10).throughput(Throughput::Elements(10_000));
        group.bench_function(BenchmarkId::new(format!("{objectives} objectives"), 10_000), |bencher| {
            let fill = |mut archive: Archive| points.iter().filter(|one| archive.insert(&[0], one)).count();
            bencher.iter_batched(Archive::default, fill, BatchSize::SmallInput);
        });
    }
}

/// A chain whose cost depends on neighbours; scoring takes some ten nanoseconds.
struct Blocks(Vec<Gene>);

impl Blocks {
    fn new(blocks: u32) -> Self {
        let block = |group| {
            let gene = |cardinality, kind| Gene::new(cardinality).in_group(group).of_kind(kind);
            [gene(6, "width"), gene(4, "expansion"), gene(2, "fused")]
        };
        Self((0..blocks).flat_map(block).collect())
    }
}

impl Problem for Blocks {
    fn genes(&self) -> &[Gene] {
        &self.0
    }

    fn objectives(&self) -> Vec<String> {
        vec!["cost".into(), "error".into()]
    }

    fn evaluate(&self, genes: &[u8]) -> Evaluation {
        let (mut cost, mut gain, mut before) = (0, 0, 0);
        for (place, block) in (0_i32..).zip(genes.chunks_exact(3)) {
            let [width, expansion, fused] = [block[0], block[1], block[2]].map(i32::from);
            let block = block_costs(place, before, width, expansion, fused);
            (cost, gain, before) = (cost + block[0], gain + block[1], width);
        }
        Evaluation::feasible([f64::from(cost), -f64::from(gain)])
    }
}

/// Cost and gain of one block behind another.
fn block_costs(place: i32, before: i32, width: i32, expansion: i32, fused: i32) -> [i32; 2] {
    let cost = (1 + before) * (1 + width) * (2 + expansion) * (3 + fused * (place - 5));
    let gain = (3 + place) * (4 * width - width * width / 3) + 7 * expansion + 5 * fused;
    [cost, gain]
}

impl Chain for Blocks {
    fn genes(&self) -> usize {
        self.0.len()
    }

    fn steps(&self) -> usize {
        self.0.len() / 3
    }

    fn start(&self) -> (State, Objectives) {
        (0, Objectives::from([0.0, 0.0]))
    }

    fn ways(&self, step: usize, before: State) -> Vec<Way> {
        let way = |choice: u32| {
            let [width, expansion, fused] = [choice / 8, choice / 2 % 4, choice % 2];
            let [one, two, three] = [width, expansion, fused].map(|gene| gene as i32);
            let [cost, gain] = block_costs(step as i32, before as i32, one, two, three);
            let first = 3 * step as u32;
            let genes = [(first, width), (first + 1, expansion), (first + 2, fused)];
            let cost = Objectives::from([f64::from(cost), -f64::from(gain)]);
            Way { cost, next: width, genes: genes.map(|(gene, value)| (gene, value as u8)).to_vec() }
        };
        (0..6 * 4 * 2).map(way).collect()
    }
}

fn searches(criterion: &mut Criterion) {
    const EVALUATIONS: u64 = 200_000;
    let problem = Blocks::new(16);
    let mut group = criterion.benchmark_group("search");
    for algorithm in [Algorithm::Nsga2, Algorithm::RegularizedEvolution, Algorithm::Random] {
        for threads in [1, 2] {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
            let search = || {
                let executor = Executor::new(&problem).algorithm(algorithm);
                executor.budget(Budget::evaluations(EVALUATIONS)).run().expect("the problem is sound")
            };
            group.sample_size(10).throughput(Throughput::Elements(EVALUATIONS));
            group.bench_function(
                BenchmarkId::new(algorithm.name(), format!("{threads} threads")),
                |bencher| {
                    bencher.iter(|| pool.install(search));
                },
            );
        }
    }
}

/// How a search slows down as genotypes get longer and populations larger.
fn scaling(criterion: &mut Criterion) {
    const EVALUATIONS: u64 = 200_000;
    let mut group = criterion.benchmark_group("scaling");
    group.sample_size(10).throughput(Throughput::Elements(EVALUATIONS));
    let budget = Budget::evaluations(EVALUATIONS);
    for blocks in [10, 20, 40] {
        let problem = Blocks::new(blocks);
        group.bench_function(BenchmarkId::new("blocks", blocks), |bencher| {
            bencher.iter(|| Executor::new(&problem).budget(budget).run());
        });
    }
    let problem = Blocks::new(16);
    for size in [100, 1_000, 10_000, 100_000] {
        group.bench_function(BenchmarkId::new("population", size), |bencher| {
            bencher.iter(|| Executor::new(&problem).population(size).budget(budget).run());
        });
    }
}

fn exact(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exact_front");
    group.sample_size(10);
    for blocks in [10, 20, 40] {
        let problem = Blocks::new(blocks);
        group.bench_function(BenchmarkId::new("blocks", blocks), |bencher| {
            bencher.iter(|| exact_front(black_box(&problem), 0.0));
        });
    }
}

criterion_group!(benches, sorting, crowding, volume, archive, searches, scaling, exact);
criterion_main!(benches);
