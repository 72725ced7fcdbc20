//! What searching costs: sorting, hypervolume, and whole searches of a problem that costs next to nothing.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nas::search::{
    Algorithm, Budget, Evaluation, Executor, Gene, Objectives, Problem,
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
struct Chain(Vec<Gene>);

impl Chain {
    fn new(blocks: u32) -> Self {
        let block = |group| {
            let gene = |cardinality, kind| Gene::new(cardinality).in_group(group).of_kind(kind);
            [gene(6, "width"), gene(4, "expansion"), gene(2, "fused")]
        };
        Self((0..blocks).flat_map(block).collect())
    }
}

impl Problem for Chain {
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
            cost += (1 + before) * (1 + width) * (2 + expansion) * (3 + fused * (place - 5));
            gain += (3 + place) * (4 * width - width * width / 3) + 7 * expansion + 5 * fused;
            before = width;
        }
        Evaluation::feasible([f64::from(cost), -f64::from(gain)])
    }
}

fn searches(criterion: &mut Criterion) {
    const EVALUATIONS: u64 = 200_000;
    let problem = Chain::new(16);
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

criterion_group!(benches, sorting, crowding, volume, archive, searches);
criterion_main!(benches);
