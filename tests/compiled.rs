//! A search scores candidates without building networks; what it says is what the long way says, bit for bit.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use nas::{
    energy::EnergyModel,
    estimator::Estimator,
    objective::{ArchitectureSearch, Metrics, SearchOptions, Target, Targets},
    search::Problem,
    space::{Across, Space, read_space},
};
use proptest::prelude::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn estimators() -> Vec<Estimator> {
    let names = ["ethos-u55-128", "ethos-u65-512", "ethos-u85-2048", "cpu-ort-x86"];
    names.map(|name| Estimator::parse(name, &in_all_formats(name).to_string()).unwrap()).into()
}

/// A shipped estimator as if other number formats had been measured as well, each as slow as it is wide.
fn in_all_formats(name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(root().join(format!("estimators/{name}.json"))).unwrap();
    let mut estimator: serde_json::Value = serde_json::from_str(&text).unwrap();
    let own = estimator["kinds"]["any"]["range"]["bytes_per_value"][0].as_f64().unwrap();
    for (dtype, bytes) in [("int8", 1.0), ("fp16", 2.0), ("fp32", 4.0)] {
        if bytes == own {
            continue;
        }
        let mut kinds = estimator["kinds"].clone();
        for model in kinds.as_object_mut().unwrap().values_mut() {
            model["range"]["bytes_per_value"] = serde_json::json!([bytes, bytes]);
            for price in model["prices"].as_object_mut().unwrap().values_mut() {
                *price = (bytes / own * price.as_f64().unwrap()).into();
            }
        }
        let corrections = estimator["corrections"].clone();
        estimator["by_dtype"][dtype] = serde_json::json!({ "kinds": kinds, "corrections": corrections });
    }
    estimator
}

/// Alternatives that differ from seed to seed, all of them in the end.
fn genotype(space: &Space, seed: usize) -> Vec<u8> {
    let mut state = seed as u64;
    let alternative = |gene: &nas::space::Gene| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % gene.labels.len() as u64) as u8
    };
    space.genes().iter().map(alternative).collect()
}

/// The shipped table, which follows the schedule of the latency's estimator, and an estimator as if it had been fitted
/// on energies, which has a schedule of its own.
fn energies() -> [EnergyModel; 2] {
    let mut fitted = in_all_formats("ethos-u65-512");
    fitted["target"] = "energy_mj".into();
    fitted["unit"] = "mJ".into();
    let table = root().join("energy/horowitz-2014-45nm.json");
    [EnergyModel::load(&table).unwrap(), EnergyModel::parse("fitted.json", &fitted.to_string()).unwrap()]
}

fn check(space: &Space, estimator: &Estimator, candidates: usize) {
    check_with(space, estimator, None, candidates);
}

/// Each candidate twice, since the second time all of it is remembered.
fn check_with(space: &Space, estimator: &Estimator, energy: Option<&EnergyModel>, candidates: usize) {
    let options = SearchOptions { energy, ..SearchOptions::default() };
    let search = ArchitectureSearch::with(space, estimator, options).unwrap();
    for seed in (0..candidates).chain(0..candidates) {
        let mut genes = genotype(space, seed);
        if seed % 2 == 0 {
            search.canonicalise(&mut genes);
        }
        let network = space.network(&genes).unwrap();
        let long = Metrics::with_energy(&network, estimator, energy).unwrap();
        let short = search.metrics(&genes).unwrap();
        assert_eq!(long.energy_uj.is_some(), energy.is_some());
        assert_eq!(short, long, "{} on {}, seed {seed}: {genes:?}", space.name(), estimator.name());
    }
}

/// What a search meets: descendants of the baseline that differ little from each other, so that most of what scoring
/// needs is remembered.
fn check_walk(space: &Space, estimator: &Estimator, steps: usize) {
    let search = ArchitectureSearch::new(space, estimator).unwrap();
    let (mut old, mut genes) = (space.baseline().0.clone(), space.baseline().0.clone());
    for step in 0..steps {
        let drawn = genotype(space, step);
        let changes = |gene: usize| (step * 31 + gene * 17).is_multiple_of(23);
        (0..genes.len()).filter(|gene| changes(*gene)).for_each(|gene| genes[gene] = drawn[gene]);
        let network = space.network(&genes).unwrap();
        let long = Metrics::of(&network, estimator);
        assert_eq!(search.metrics(&genes).unwrap(), long, "{} on {}, {step}", space.name(), estimator.name());
        if step % 3 == 0 {
            std::mem::swap(&mut old, &mut genes);
        }
    }
}

#[test]
fn descendants_score_alike_on_both_ways() {
    for name in ["presence-detector", "robot-segmenter", "floodlight-classifier"] {
        let space = Space::load(&root().join(format!("search-spaces/{name}.json"))).unwrap();
        estimators().iter().for_each(|estimator| check_walk(&space, estimator, 1_500));
    }
}

/// Several accelerators at once: each latency is what that accelerator alone gives, and so is all the rest.
fn check_across(space: &Space, estimators: &[Estimator], across: Across, candidates: usize) {
    let weights = [1.0, 2.5, 0.125, 7.0];
    let target = |(estimator, weight)| Target { weight, ..Target::of(estimator) };
    let targets = Targets::several(across, estimators.iter().zip(weights).map(target).collect()).unwrap();
    let search = ArchitectureSearch::across(space, targets.clone(), SearchOptions::default()).unwrap();
    let baseline = space.network(&space.baseline().0).unwrap();
    for seed in (0..candidates).chain(0..candidates) {
        let genes = genotype(space, seed);
        let network = space.network(&genes).unwrap();
        let (long, short) = (Metrics::on(&network, &targets), search.metrics(&genes).unwrap());
        assert_eq!(short, long, "{}, seed {seed}: {genes:?}", space.name());
        let us: Vec<f64> = estimators.iter().map(|estimator| estimator.latency_us(&network)).collect();
        assert_eq!(short.latencies.as_slice(), us);
        assert_eq!(short.latency_us, us[0]);
        let ratios: Vec<f64> =
            us.iter().zip(estimators).map(|(us, estimator)| us / estimator.latency_us(&baseline)).collect();
        let sum: f64 = weights[..us.len()].iter().sum();
        let expected = match across {
            Across::Worst => ratios.iter().copied().fold(0.0, f64::max),
            Across::Weighted => ratios.iter().zip(weights).map(|(ratio, weight)| weight / sum * ratio).sum(),
        };
        assert!((search.latency(&short) / expected - 1.0).abs() < 1e-12);
        assert_eq!(search.evaluate(&genes).objectives[0], search.latency(&short));
    }
}

#[test]
fn several_accelerators_score_alike_on_both_ways() {
    let estimators = estimators();
    for name in ["presence-detector", "robot-segmenter", "floodlight-classifier"] {
        let space = Space::load(&root().join(format!("search-spaces/{name}.json"))).unwrap();
        check_across(&space, &estimators, Across::Worst, 40);
        check_across(&space, &estimators[1..3], Across::Weighted, 40);
    }
}

#[test]
fn the_shipped_spaces_score_alike_on_both_ways() {
    for name in ["presence-detector", "robot-segmenter", "floodlight-classifier"] {
        let space = Space::load(&root().join(format!("search-spaces/{name}.json"))).unwrap();
        estimators().iter().for_each(|estimator| check(&space, estimator, 150));
    }
}

/// A shipped space in which the number format is a gene.
fn in_any_format(name: &str) -> Space {
    let text = std::fs::read_to_string(root().join(format!("search-spaces/{name}.json"))).unwrap();
    let mut space: serde_json::Value = serde_json::from_str(&text).unwrap();
    space["dtype"] = serde_json::json!(["int8", "fp16", "fp32"]);
    space["baseline"]["dtype"] = "fp16".into();
    read_space(name, &space.to_string()).unwrap()
}

#[test]
fn number_formats_score_alike_on_both_ways_and_none_is_taken_for_another() {
    let (energies, estimators) = (energies(), estimators());
    for name in ["presence-detector", "robot-segmenter", "floodlight-classifier"] {
        let space = in_any_format(name);
        assert_eq!(space.genes()[0].name, "dtype");
        for (energy, estimator) in energies.iter().zip([&estimators[1], &estimators[3]]) {
            check_with(&space, estimator, Some(energy), 90);
            let options = SearchOptions { energy: Some(energy), ..SearchOptions::default() };
            let search = ArchitectureSearch::with(&space, estimator, options).unwrap();
            let mut genes = space.baseline().0.clone();
            let [int8, fp16, fp32] = [0, 1, 2].map(|format| {
                genes[0] = format;
                search.metrics(&genes).unwrap()
            });
            assert!(int8.latency_us < fp16.latency_us && fp16.latency_us < fp32.latency_us, "{name}");
            assert!(int8.energy_uj < fp16.energy_uj && fp16.energy_uj < fp32.energy_uj, "{name}");
            assert!(int8.model_bytes < fp16.model_bytes && fp16.model_bytes < fp32.model_bytes);
            assert_eq!(2 * int8.peak_activation.0, fp16.peak_activation.0);
            assert_eq!(4 * int8.peak_activation.0, fp32.peak_activation.0);
            assert_eq!((int8.macs, int8.params), (fp32.macs, fp32.params));
            assert_eq!(int8.trainability, fp32.trainability, "the score knows nothing of formats");
        }
        check_across(&space, &estimators, Across::Worst, 20);
    }
}

#[test]
fn energies_are_alike_on_both_ways() {
    let (energies, estimators) = (energies(), estimators());
    for name in ["presence-detector", "robot-segmenter", "floodlight-classifier"] {
        let space = Space::load(&root().join(format!("search-spaces/{name}.json"))).unwrap();
        for (energy, estimator) in
            energies.iter().flat_map(|energy| estimators.iter().map(move |e| (energy, e)))
        {
            check_with(&space, estimator, Some(energy), 60);
        }
    }
}

/// A choice as it stands in a space, and in its baseline if it is a gene.
type Written = (&'static str, Option<&'static str>);

/// A space of up to three stages with whatever genes a stage can have.
fn any_space() -> impl Strategy<Value = String> {
    let pick = |choices: &[Written]| prop::sample::select(choices.to_vec());
    let stage = (
        pick(&[
            (r#""ibn""#, None),
            (r#""depthwise_separable""#, None),
            (r#""conv""#, None),
            (r#""basic""#, None),
            (r#"["bottleneck", "basic"]"#, Some(r#""bottleneck""#)),
            (r#"["ibn", "depthwise_separable"]"#, Some(r#""depthwise_separable""#)),
            (r#"["conv", "ibn", "bottleneck"]"#, Some(r#""ibn""#)),
        ]),
        pick(&[("[8, 16, 24]", Some("24")), ("16", None), ("[16, 40]", Some("16"))]),
        pick(&[("1", None), ("2", None), ("[1, 2, 3]", Some("3"))]),
        pick(&[("1", None), ("2", None), ("[1, 2]", Some("2"))]),
        pick(&[
            (r#""relu6""#, None),
            (r#"["relu6", "hard_swish"]"#, Some(r#""relu6""#)),
            (r#""none""#, None),
        ]),
        pick(&[("3", None), ("[3, 5]", Some("3"))]),
        pick(&[("6", None), ("[1, 2, 6]", Some("2"))]),
        pick(&[("false", None), ("[false, true]", Some("false"))]),
        pick(&[
            ("false", None),
            (r#"{ "ratio": 0.25, "gate": "hard_sigmoid" }"#, None),
            (r#"{ "ratio": 0.25, "of": "input", "activation": "swish", "gate": "sigmoid" }"#, None),
            (r#"[false, { "ratio": 0.25, "gate": "sigmoid" }]"#, Some("false")),
        ]),
    );
    let stage =
        stage.prop_map(|(block, channels, repeats, stride, activation, kernel, expansion, fused, se)| {
            let names = [
                "block",
                "channels",
                "repeats",
                "stride",
                "activation",
                "kernel",
                "expansion",
                "fused",
                "se",
            ];
            let written = [block, channels, repeats, stride, activation, kernel, expansion, fused, se];
            let fields: Vec<String> = names
                .iter()
                .zip(written)
                .map(|(name, (choice, _))| format!(r#""{name}": {choice}"#))
                .collect();
            let genes = names.iter().zip(written).filter_map(|(name, (_, chosen))| Some((name, chosen?)));
            let genes: Vec<String> = genes.map(|(name, chosen)| format!(r#""{name}": {chosen}"#)).collect();
            let fields = [&fields[..], &[r#""group_width": 24"#.to_owned()]].concat();
            (format!("{{ {} }}", fields.join(", ")), format!("{{ {} }}", genes.join(", ")))
        });
    let head = pick(&[
        (
            r#""classifier": { "features": [64, 96], "hidden": [32, 40], "classes": 10, "activation": "relu6" }"#,
            Some(r#""features": 64, "hidden": 40"#),
        ),
        (r#""classifier": { "classes": 10, "activation": "relu6" }"#, None),
        (
            r#""detector": { "taps": [1], "features": [64, 96], "extras": [[32, 48], 32], "anchors": [3],
                "classes": 2, "activation": "relu6" }"#,
            Some(r#""features": 96, "extras": [32, 32]"#),
        ),
        (
            r#""detector": { "taps": [1], "extras": [], "anchors": [3], "classes": 2, "activation": "relu6" }"#,
            None,
        ),
        (
            r#""segmenter": { "tap": 1, "features": [64, 80], "inner": [16, 32], "classes": 5,
                "output_stride": [1, 4], "activation": "relu6" }"#,
            Some(r#""features": 64, "inner": 16, "output_stride": 4"#),
        ),
    ]);
    let dtype = pick(&[
        (r#""int8""#, None),
        (r#"["int8", "fp32"]"#, Some(r#""int8""#)),
        (r#"["fp32", "int8", "fp16"]"#, Some(r#""fp16""#)),
    ]);
    let all = (prop::collection::vec(stage, 1..=3), head, dtype);
    all.prop_map(|(stages, (head, chosen), (dtypes, dtype))| {
        let (fields, genes): (Vec<String>, Vec<String>) = stages.into_iter().unzip();
        let dtype = dtype.map_or(String::new(), |dtype| format!(r#""dtype": {dtype}, "#));
        format!(
            r#"{{ "schema": "nas.space/1", "name": "any", "target": {{ "parallelism": 8 }}, "dtype": {dtypes},
               "input": {{ "size": [64, 97, 320] }}, "depth_multipliers": [0.5, 1.0],
               "stem": {{ "kernel": 3, "stride": 2, "channels": [8, 16], "activation": "relu6", "pool": [1, 2] }},
               "stages": [{}], "head": {{ {head} }},
               "baseline": {{ {dtype}"input": 97, "depth_multiplier": 1.0, "stem": {{ "channels": 8, "pool": 2 }}, "stages": [{}],
                              "head": {{ {} }} }} }}"#,
            fields.join(", "),
            genes.join(", "),
            chosen.unwrap_or_default()
        )
    })
}

/// Blocks for which there is room, before one that runs in stripes from their last sum on.
#[test]
fn stripes_that_begin_in_a_block_with_room_spill_what_it_reads() {
    let text = r#"{ "schema": "nas.space/1", "name": "any", "target": { "parallelism": 8 }, "dtype": ["int8", "fp32"],
        "input": { "size": [64, 97] }, "depth_multipliers": [0.5, 1.0],
        "stem": { "kernel": 3, "stride": 2, "channels": [8, 16], "activation": "relu6" },
        "stages": [{ "block": ["basic", "ibn"], "channels": [8, 16, 24], "repeats": 2, "stride": 1,
                     "activation": "relu6", "kernel": 3, "expansion": [1, 2, 6], "fused": false },
                   { "block": "ibn", "channels": [8, 16, 24], "stride": 1, "activation": "relu6", "kernel": 3,
                     "expansion": 6, "fused": false }],
        "head": { "classifier": { "features": 64, "hidden": 40, "classes": 10, "activation": "relu6" } },
        "baseline": { "dtype": "int8", "input": 97, "depth_multiplier": 1.0, "stem": { "channels": 8 },
                      "stages": [{ "block": "basic", "channels": 24, "expansion": 2 }, { "channels": 24 }] } }"#;
    let space = read_space("any.json", text).unwrap();
    estimators().iter().for_each(|estimator| check(&space, estimator, 300));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_space_scores_alike_on_both_ways(text in any_space(), chip in 0..4_usize) {
        let space = read_space("any.json", &text).unwrap();
        check(&space, &estimators()[chip], 25);
        check_walk(&space, &estimators()[chip], 40);
        energies().iter().for_each(|energy| check_with(&space, &estimators()[chip], Some(energy), 10));
        check_across(&space, &estimators()[chip.min(2)..], Across::Worst, 10);
        check_across(&space, &estimators()[..chip.max(2)], Across::Weighted, 10);
    }
}
