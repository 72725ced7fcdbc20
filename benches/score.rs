//! What one candidate costs to score, step by step: `cargo bench --bench score`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::{hint::black_box, path::Path};

use criterion::{Criterion, criterion_group, criterion_main};
use nas::{
    error::Result,
    estimator::Estimator,
    network::Network,
    objective::{ArchitectureSearch, Metrics},
    search::{Budget, Executor, Problem},
    space::Space,
    trainability::trainability,
};

fn detector() -> Result<(Space, Estimator, Network)> {
    let space = Space::load(Path::new("search-spaces/presence-detector.json"))?;
    let estimator = Estimator::load(Path::new("estimators/ethos-u85-2048.json"))?;
    let network = space.network(&space.baseline().0)?;
    Ok((space, estimator, network))
}

fn score(c: &mut Criterion) {
    let (space, estimator, network) = detector().expect("the shipped detector");
    let search = ArchitectureSearch::new(&space, &estimator).expect("the baseline decodes");
    let genes = &space.baseline().0;
    let mut group = c.benchmark_group("score");
    group.bench_function("decode", |b| b.iter(|| space.network(black_box(genes))));
    group.bench_function("latency", |b| b.iter(|| estimator.latency_us(black_box(&network))));
    group.bench_function("trainability", |b| b.iter(|| trainability(black_box(&network))));
    group.bench_function("peak activation", |b| b.iter(|| black_box(&network).peak_activation()));
    group.bench_function("all of a network built for it", |b| {
        b.iter(|| space.network(black_box(genes)).map(|network| Metrics::of(&network, &estimator)));
    });
    group
        .bench_function("all, parts and layers remembered", |b| b.iter(|| search.evaluate(black_box(genes))));
    group.bench_function("compile and score the first", |b| {
        b.iter(|| ArchitectureSearch::new(&space, &estimator).map(|search| search.evaluate(genes)));
    });
    group.finish();
}

fn whole_search(c: &mut Criterion) {
    let (space, estimator, _) = detector().expect("the shipped detector");
    let search = ArchitectureSearch::new(&space, &estimator).expect("the baseline decodes");
    let mut group = c.benchmark_group("search");
    group.sample_size(10);
    group.bench_function("detector, 2,000 architectures", |b| {
        b.iter(|| Executor::new(&search).budget(Budget::evaluations(2_000)).run());
    });
    group.finish();
}

criterion_group!(benches, score, whole_search);
criterion_main!(benches);
