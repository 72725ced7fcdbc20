//! No architecture that keeps to the limits is faster than the bound says: small spaces, every architecture of which
//! is scored.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{ops::Range, path::Path, sync::atomic::AtomicBool};

use nas::{
    estimator::Estimator,
    network::Wiring,
    objective::{ArchitectureSearch, FrontBound, LatencyBound, Level},
    search::{Algorithm, Budget, Executor, Outcome, Problem, Termination},
    space::{Space, read_space},
    trainability::{Ending, Passage, Region, Tangent, Totals, lost_by, regions, signals, trainability},
};

const CLASSIFIER: &str = r#"{
  "schema": "nas.space/1", "name": "classifier", "target": { "parallelism": 8 }, "dtype": "int8",
  "input": { "size": [96, 160] }, "depth_multipliers": [1.0],
  "stem": { "kernel": 3, "stride": 2, "channels": [8, 16], "activation": "relu6" },
  "stages": [
    { "block": ["depthwise_separable", "ibn"], "channels": [16, 32], "expansion": 4, "kernel": 3, "stride": 2,
      "fused": [false, true] },
    { "block": "ibn", "channels": [48, 64], "repeats": [1, 2], "stride": 2, "kernel": [3, 5], "expansion": [2, 4],
      "fused": [false, true] }
  ],
  "head": { "classifier": { "classes": 4, "activation": "relu6" } },
  "constraints": { "model_bytes": { "max_of_baseline": 0.8 }, "trainability": { "min_of_baseline": 0.97 } },
  "baseline": {
    "input": 160, "depth_multiplier": 1.0, "stem": { "channels": 16 },
    "stages": [{ "block": "ibn", "channels": 32, "fused": false },
               { "channels": 64, "repeats": 2, "kernel": 3, "expansion": 4, "fused": false }]
  }
}"#;

const DETECTOR: &str = r#"{
  "schema": "nas.space/1", "name": "detector", "target": { "parallelism": 16 }, "dtype": "int8",
  "input": { "size": [224] }, "depth_multipliers": [0.75, 1.0],
  "stem": { "kernel": 3, "stride": 2, "channels": [16, 32], "activation": "relu6" },
  "stages": [
    { "block": "ibn", "channels": [24, 32], "repeats": [1, 2], "expansion": [2, 4], "kernel": 3, "stride": 2,
      "fused": [false, true] },
    { "block": "ibn", "channels": [48, 64], "expansion": [2, 6], "kernel": [3, 5], "stride": 2, "fused": [false, true] },
    { "block": "ibn", "channels": [96], "expansion": [2, 6], "kernel": 3, "stride": 2, "fused": false }
  ],
  "head": { "detector": { "taps": [2], "features": [128, 256], "extras": [[64, 128]], "anchors": [3, 6, 6],
                          "classes": 2, "activation": "relu6" } },
  "constraints": { "macs": { "max_of_baseline": 1.1 }, "trainability": { "min_of_baseline": 0.99 } },
  "baseline": {
    "input": 224, "depth_multiplier": 1.0, "stem": { "channels": 32 },
    "stages": [{ "channels": 32, "repeats": 2, "expansion": 4, "fused": false },
               { "channels": 64, "expansion": 6, "kernel": 3, "fused": false }, { "expansion": 6 }],
    "head": { "features": 256, "extras": [128] }
  }
}"#;

const SEGMENTER: &str = r#"{
  "schema": "nas.space/1", "name": "segmenter", "target": { "parallelism": 8 }, "dtype": "int8",
  "input": { "size": [128, 192] }, "depth_multipliers": [1.0],
  "stem": { "kernel": 3, "stride": 2, "channels": [16], "activation": "hard_swish" },
  "stages": [
    { "block": "ibn", "channels": [16, 24], "expansion": [2, 4], "kernel": 3, "stride": 2, "fused": [false, true],
      "se": [false, { "ratio": 0.25, "gate": "hard_sigmoid" }] },
    { "block": "ibn", "channels": [40, 48], "repeats": [1, 2], "expansion": [2, 4], "kernel": [3, 5], "stride": 2,
      "fused": false, "activation": ["relu", "hard_swish"] }
  ],
  "head": { "segmenter": { "tap": 1, "features": [96, 128], "inner": [32, 64], "classes": 4, "output_stride": 1,
                           "activation": "hard_swish" } },
  "constraints": { "peak_activation_bytes": { "max_of_baseline": 0.9 }, "trainability": { "min_of_baseline": 0.97 } },
  "baseline": {
    "input": 192, "depth_multiplier": 1.0, "stem": { "channels": 16 },
    "stages": [{ "channels": 24, "expansion": 4, "fused": false, "se": false },
               { "channels": 48, "repeats": 2, "expansion": 4, "kernel": 5, "activation": "relu" }],
    "head": { "features": 128, "inner": 64 }
  }
}"#;

fn estimators() -> Vec<Estimator> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = ["ethos-u55-128", "ethos-u65-512", "ethos-u85-2048", "cpu-ort-x86-int8-fp32"];
    names.map(|name| Estimator::load(&root.join(format!("estimators/{name}.json"))).unwrap()).into()
}

fn spaces() -> Vec<Space> {
    [CLASSIFIER, DETECTOR, SEGMENTER].map(|text| read_space("space.json", text).unwrap()).into()
}

fn all(search: &ArchitectureSearch<'_>) -> Outcome {
    let exact = Executor::new(search).algorithm(Algorithm::Exact).budget(Budget::evaluations(1 << 26)).run();
    let exact = exact.unwrap();
    assert_eq!(exact.termination, Termination::Exhausted);
    exact
}

fn bound(search: &ArchitectureSearch<'_>, levels: &[Level]) -> FrontBound {
    search.bound(levels, &[], 4000, &AtomicBool::new(false)).unwrap().unwrap()
}

/// The baseline itself may miss the limits; whatever it takes is a start.
fn start(search: &ArchitectureSearch<'_>) -> [Level; 1] {
    [Level { score: None, known_us: 1.5 * search.baseline().latency_us }]
}

fn threads(count: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap()
}

#[test]
fn the_best_of_a_small_space_is_found_and_nothing_is_said_to_be_better() {
    for space in spaces() {
        for estimator in estimators() {
            let search = ArchitectureSearch::new(&space, &estimator).unwrap();
            let best = all(&search).front[0].objectives[0];
            let bound = &bound(&search, &start(&search)).levels[0];
            let words = format!("{} on {}: {best}, {bound:?}", space.name(), estimator.name());
            assert!(bound.latency_us <= best * (1.0 + 1e-9), "{words}");
            assert!(bound.latency_us > 0.98 * best, "{words}");
            assert!((bound.known_us / best - 1.0).abs() < 1e-3, "{words}");
        }
    }
}

#[test]
fn the_front_of_a_small_space_is_nowhere_beyond_its_bounds() {
    for space in spaces() {
        for estimator in estimators() {
            let search = ArchitectureSearch::new(&space, &estimator).unwrap();
            let front = all(&search).front;
            let known_us = start(&search)[0].known_us;
            let scores = front.iter().step_by(front.len().div_ceil(4)).map(|member| -member.objectives[1]);
            let levels: Vec<Level> = scores.map(|score| Level { score: Some(score), known_us }).collect();
            let bound = bound(&search, &levels);
            let mut sum = 0.0;
            for member in &front {
                let (us, best) = (bound.us_at(-member.objectives[1]), member.objectives[0]);
                let words = format!("{} on {}: {best}, {us}", space.name(), estimator.name());
                assert!(us <= best * (1.0 + 1e-9), "{words}");
                sum += us / best;
            }
            assert!(sum > 0.9 * front.len() as f64, "{} on {}: {sum}", space.name(), estimator.name());
            for level in &bound.levels {
                let best = front.iter().find(|member| -member.objectives[1] >= level.score.unwrap()).unwrap();
                assert!(level.latency_us <= level.known_us && level.known_us >= best.objectives[0] - 1e-6);
            }
        }
    }
}

#[test]
fn what_is_better_keeps_to_the_limits_and_scores_as_it_is_said_to() {
    let (spaces, estimators) = (spaces(), estimators());
    let search = ArchitectureSearch::new(&spaces[0], &estimators[0]).unwrap();
    let found = bound(&search, &start(&search));
    assert!(!found.better.is_empty());
    for candidate in &found.better {
        assert_eq!(search.evaluate(&candidate.genotype.0), candidate.evaluation());
        assert_eq!(candidate.violation, 0.0);
    }
    let last = found.better.last().unwrap();
    let known_us = found.levels[0].known_us;
    assert_eq!(last.objectives[0], known_us);
    let again = bound(&search, &[Level { score: None, known_us }]);
    assert!(again.better.is_empty(), "there is nothing better than the best");
}

#[test]
fn the_bound_is_the_same_on_any_number_of_threads() {
    let (spaces, estimators) = (spaces(), estimators());
    let search = ArchitectureSearch::new(&spaces[1], &estimators[2]).unwrap();
    let on = |count: usize| {
        let level = start(&search)[0];
        let levels = [level, Level { score: Some(search.baseline().trainability), ..level }];
        let designs = [search.seeds().remove(0)];
        let found = threads(count).install(|| search.bound(&levels, &designs, 400, &AtomicBool::new(false)));
        let found = found.unwrap().unwrap();
        let level = |bound: &LatencyBound| {
            (bound.latency_us.to_bits(), bound.known_us.to_bits(), bound.met, bound.regions)
        };
        (found.networks, found.levels.iter().map(level).collect::<Vec<_>>())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_bound_that_is_stopped_says_nothing() {
    let (spaces, estimators) = (spaces(), estimators());
    let search = ArchitectureSearch::new(&spaces[0], &estimators[0]).unwrap();
    assert!(search.bound(&start(&search), &[], 100, &AtomicBool::new(true)).unwrap().is_none());
}

/// The sums of a network as its parts make them, and what it scores.
fn sums(space: &Space, genes: &[u8]) -> (Totals, f64) {
    let (network, architecture) = (space.network(genes).unwrap(), space.architecture(genes));
    let (wiring, signals) = (Wiring::of(&network), signals(&network));
    let parts: Vec<Range<usize>> = network.parts().collect();
    let lengths = architecture.stages.iter().map(Vec::len);
    let ends: Vec<usize> =
        lengths.scan(0, |end, length| Some(std::mem::replace(end, *end + length) + length)).collect();
    let (stages, head) = (ends.len(), ends[ends.len() - 1] + 1);
    let exits: Vec<usize> =
        ends.iter().copied().chain(head..parts.len()).map(|part| parts[part].end - 1).collect();
    let regions: Vec<Vec<Region>> =
        parts.iter().map(|part| regions(&network, &wiring, &signals, part.clone(), &exits)).collect();
    let heads: Vec<&[Region]> = regions[head..].iter().map(Vec::as_slice).collect();
    let ending = Ending::of(&heads, stages);
    let mut totals = Totals::default();
    ending.parts.iter().for_each(|part| totals.add(part));
    let (mut share, mut fade) = (0.0, 0.0);
    for part in (0..head).rev() {
        if let Some(stage) = ends.iter().position(|end| *end == part) {
            let mut flow = ending.exits[stage];
            if stage + 1 < stages && flow.share() > 0.0 {
                flow.join(share, fade);
            }
            if flow.share() > 0.0 {
                (share, fade) = (flow.share(), flow.fade());
            }
        }
        let passage = Passage::of(&regions[part]).unwrap();
        totals.add_passage(&passage, share, fade);
        (share, fade) = passage.entry(share, fade);
    }
    (totals, trainability(&network).score)
}

/// Genes that differ from seed to seed.
fn genes(space: &Space, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let alternative = |gene: &nas::space::Gene| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % gene.labels.len() as u64) as u8
    };
    space.genes().iter().map(alternative).collect()
}

#[test]
fn a_tangent_is_nowhere_below_the_score_and_touches_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("search-spaces");
    let shipped = ["presence-detector", "floodlight-classifier", "robot-segmenter"];
    let shipped = shipped.map(|name| Space::load(&root.join(format!("{name}.json"))).unwrap());
    for space in spaces().into_iter().chain(shipped) {
        let designs: Vec<Vec<u8>> = (0..40).map(|seed| genes(&space, seed)).collect();
        let sums: Vec<(Totals, f64)> = designs.iter().map(|genes| sums(&space, genes)).collect();
        for (at, (touching, _)) in sums.iter().enumerate() {
            for (of, (totals, score)) in sums.iter().enumerate() {
                let input = space.input_shape(&designs[of]);
                let most = touching.larger(totals);
                let above =
                    |at: &Totals| Tangent::at(input, at, &most).of(totals) - lost_by(totals.bottleneck());
                assert!(above(touching) >= score - 1e-9, "{}: {at} at {of}", space.name());
                assert!(
                    above(totals) < score + 0.05,
                    "{}: {of}: {} for {score}",
                    space.name(),
                    above(totals)
                );
                let mean = Totals::mean([(0.5, touching), (0.5, totals)].into_iter());
                assert!(above(&mean) >= score - 1e-9, "{}: between {at} and {of}", space.name());
            }
        }
    }
}
