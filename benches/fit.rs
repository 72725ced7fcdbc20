//! How long it takes to fit an estimator and to ask it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::prelude::*;

use nas::{
    estimator::{FitOptions, Graph, fit},
    measurement::{Measurements, Operation, parse_measurements},
    network::{Activation, Block, BlockKind, DType, Network, NetworkBuilder, Shape, Source},
};

/// A chain of inverted bottlenecks; `seed` varies its widths.
fn network(seed: u32) -> Network {
    let mut b = NetworkBuilder::new(format!("n{seed}"), Shape::new(96, 96, 3), DType::Int8);
    let mut x = Source::Input;
    for index in 0..20_u32 {
        let cout = 8 + (seed * 7 + index * 5) % 90;
        let block = Block {
            kind: BlockKind::Ibn,
            fused: (seed + index).is_multiple_of(3),
            kernel: if (seed + index).is_multiple_of(4) { 5 } else { 3 },
            stride: if index.is_multiple_of(4) { 2 } else { 1 },
            hidden: 4 * b.shape(x).c,
            cout,
            activation: Activation::Relu6,
            se: None,
            groups: 1,
        };
        x = block.build(&mut b, format!("b{index}"), x).unwrap_or(x);
    }
    b.finish()
}

/// The networks as a made-up device would have them measured.
fn measured(networks: &[Network]) -> Measurements {
    let mut text = "op,in_h,in_w,cin,cout,kernel,stride,groups,network,layer,latency_us\n".to_owned();
    for network in networks {
        for layer in network.layers() {
            let o = Operation::of(network, layer);
            let us = 0.5 + layer.macs.0 as f64 / 5e4 + o.input_bytes().max(o.output_bytes()) as f64 / 4e3;
            let (shape, op) = (o.input, layer.op.name());
            text += &format!(
                "{op},{},{},{},{},{},{},{},{},{},{us}\n",
                shape.h,
                shape.w,
                shape.c,
                o.output.c,
                o.kernel[0],
                o.stride[0],
                o.groups,
                network.name(),
                layer.name
            );
        }
    }
    parse_measurements("made-up.csv", &text).unwrap_or_else(|error| panic!("{error}"))
}

const TABLE: usize = 100_000;

fn benches(c: &mut Criterion) {
    let networks: Vec<Network> = (0..180).map(network).collect();
    let measurements = [measured(&networks)];
    let options = FitOptions::default();
    let estimator = match fit(&measurements, &networks, &options) {
        Ok(fit) => fit.estimator,
        Err(error) => panic!("{error}"),
    };
    let mut group = c.benchmark_group("estimator");
    group.sample_size(10);
    let rows = measurements[0].rows;
    group.bench_function(format!("fit {rows} rows, 5 folds"), |b| {
        b.iter(|| fit(black_box(&measurements), &networks, &options).map(|fit| fit.estimator.overhead_us()));
    });
    let graph = estimator.graph(&networks[0]);
    group.bench_function("price one layer", |b| b.iter(|| estimator.layer_us(black_box(&graph).layer(9))));
    let layers = graph.len();
    group.bench_function(format!("price a network of {layers} layers"), |b| {
        b.iter(|| estimator.latency_us(black_box(&networks[0])));
    });
    // As many prices as a cost table holds, of layers in context that differ.
    let graphs: Vec<Graph> = networks.iter().map(|network| estimator.graph(network)).collect();
    let table = || {
        let entries = (0..TABLE).into_par_iter().map(|entry| {
            let graph = &graphs[entry % graphs.len()];
            estimator.layer_us(graph.layer(entry / graphs.len() % graph.len()))
        });
        entries.sum::<f64>()
    };
    group.bench_function(format!("price a table of {TABLE} layers"), |b| b.iter(table));
    group.finish();
}

criterion_group!(fits, benches);
criterion_main!(fits);
