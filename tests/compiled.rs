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
    names.map(|name| Estimator::load(&root().join(format!("estimators/{name}.json"))).unwrap()).into()
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
    let text = std::fs::read_to_string(root().join("estimators/ethos-u65-512.json")).unwrap();
    let mut fitted: serde_json::Value = serde_json::from_str(&text).unwrap();
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
    (prop::collection::vec(stage, 1..=3), head).prop_map(|(stages, (head, chosen))| {
        let (fields, genes): (Vec<String>, Vec<String>) = stages.into_iter().unzip();
        format!(
            r#"{{ "schema": "nas.space/1", "name": "any", "target": {{ "parallelism": 8 }}, "dtype": "int8",
               "input": {{ "size": [64, 97, 320] }}, "depth_multipliers": [0.5, 1.0],
               "stem": {{ "kernel": 3, "stride": 2, "channels": [8, 16], "activation": "relu6", "pool": [1, 2] }},
               "stages": [{}], "head": {{ {head} }},
               "baseline": {{ "input": 97, "depth_multiplier": 1.0, "stem": {{ "channels": 8, "pool": 2 }}, "stages": [{}],
                              "head": {{ {} }} }} }}"#,
            fields.join(", "),
            genes.join(", "),
            chosen.unwrap_or_default()
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_space_scores_alike_on_both_ways(text in any_space(), chip in 0..4_usize) {
        let space = read_space("any.json", &text).unwrap();
        check(&space, &estimators()[chip], 25);
        energies().iter().for_each(|energy| check_with(&space, &estimators()[chip], Some(energy), 10));
        check_across(&space, &estimators()[chip.min(2)..], Across::Worst, 10);
        check_across(&space, &estimators()[..chip.max(2)], Across::Weighted, 10);
    }
}
