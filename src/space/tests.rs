//! The shipped spaces, and properties that every space has.

use std::path::Path;

use proptest::prelude::*;

use super::*;

const SHIPPED: [&str; 3] = ["presence-detector", "floodlight-classifier", "robot-segmenter"];

fn shipped(name: &str) -> Space {
    Space::load(&Path::new("search-spaces").join(format!("{name}.json"))).unwrap()
}

fn baseline_lines(name: &str) -> Vec<String> {
    let space = shipped(name);
    space.architecture(&space.baseline().0).lines()
}

#[test]
fn the_detectors_baseline_is_mobilenet_v2() {
    let lines = baseline_lines("presence-detector");
    assert_eq!(lines.len(), 2 + 17 + 1);
    assert_eq!(lines[2], "s1.b1 ibn k3 s1 x32 c16 relu6");
    assert_eq!(lines[3], "s2.b1 ibn k3 s2 x96 c24 relu6");
    assert_eq!(lines[18], "s7.b1 ibn k3 s1 x960 c320 relu6");
}

#[test]
fn the_segmenters_baseline_is_mobilenet_v3_small() {
    let lines = baseline_lines("robot-segmenter");
    let hidden: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').nth(4)).take(12).skip(1).collect();
    let published = ["x16", "x72", "x88", "x96", "x240", "x240", "x120", "x144", "x288", "x576", "x576"];
    assert_eq!(hidden, published);
}

#[test]
fn before_curation_a_space_is_larger() {
    for name in SHIPPED {
        let (curated, uncurated) = shipped(name).log10_size();
        assert!(10.0 < curated && curated < uncurated, "{name}: {curated} {uncurated}");
    }
}

#[test]
fn layout_does_not_change_the_hash() {
    let text = std::fs::read_to_string("search-spaces/robot-segmenter.json").unwrap();
    let compact = serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
    assert_eq!(read_space("a", &text).unwrap().hash(), read_space("b", &compact).unwrap().hash());
}

fn genotype(space: &Space) -> impl Strategy<Value = Genotype> + use<> {
    let genes: Vec<_> = space.genes().iter().map(|gene| 0..gene.labels.len() as u8).collect();
    genes.prop_map(Genotype::from)
}

proptest! {
    #[test]
    fn every_genotype_decodes_and_its_lines_read_back(
        (name, genotype) in prop::sample::select(&SHIPPED).prop_flat_map(|name| {
            (Just(name), genotype(&shipped(name)))
        })
    ) {
        let space = shipped(name);
        prop_assert!(space.contains(&genotype.0));
        let architecture = space.architecture(&genotype.0);
        prop_assert_eq!(&Architecture::parse(&architecture.lines()).unwrap(), &architecture);
        let network = architecture.network("n").unwrap();
        prop_assert!(network.macs().0 > 0);

        let mut canonical = genotype.clone();
        space.canonicalise(&mut canonical.0);
        prop_assert_eq!(space.architecture(&canonical.0), architecture);
        let mut twice = canonical.clone();
        space.canonicalise(&mut twice.0);
        prop_assert_eq!(twice, canonical);
    }
}

const SMALL: &str = r#"{
  "schema": "nas.space/1",
  "name": "small",
  "target": { "parallelism": 8 },
  "input": { "size": [32, [16, 24]] },
  "stem": { "channels": 16, "stride": 2 },
  "stages": [ { "channels": [16, 24], "repeats": [1, 2], "expansion": [1, 3, 3.1], "fused": [false, true] } ],
  "head": { "classifier": { "classes": 10 } },
  "baseline": { "input": 32, "stages": [ { "channels": 24, "repeats": 2, "expansion": 3, "fused": false } ] }
}"#;

#[test]
fn genes_without_effect_do_not_make_new_architectures() {
    let space = read_space("small.json", SMALL).unwrap();
    let names: Vec<&str> = space.genes().iter().map(|gene| gene.name.as_str()).collect();
    let blocks = ["s1.b1.expansion", "s1.b1.fused", "s1.b2.expansion", "s1.b2.fused"];
    assert_eq!(names, [&["input.size", "s1.channels", "s1.repeats"][..], &blocks[..]].concat());
    let canonical = |choices: [u8; 7]| {
        let mut genotype = Genotype::from(choices.to_vec());
        space.canonicalise(&mut genotype.0);
        genotype
    };
    assert_eq!(canonical([0, 1, 0, 1, 0, 0, 1]), canonical([0, 1, 0, 1, 0, 2, 0]), "block 2 is not there");
    assert_eq!(canonical([0, 1, 1, 2, 0, 1, 0]), canonical([0, 1, 1, 1, 0, 1, 0]), "3.1 x 16 snaps to 48");
}

fn problems(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from));
    read_space("small.json", &SMALL.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_wrong_space_is_refused_with_place_and_hint() {
    let said = problems("\"stride\": 2", "\"strid\": 2");
    assert!(said.contains("small.json:6:") && said.contains("expected `stride`"), "{said}");
    let said = problems("\"repeats\": 2,", "\"repeats\": 3,");
    assert!(said.contains("baseline.stages[0].repeats: found 3") && said.contains("1, 2"), "{said}");
    let said = problems("[16, 24], \"repeats\"", "[], \"repeats\"");
    assert!(said.contains("stages[0].channels: found an empty list"), "{said}");
    let said = problems("\"parallelism\": 8", "\"parallelism\": 0");
    assert!(said.contains("from 1 to 1024"), "{said}");
    let said = problems("\"classes\": 10", "\"classes\": -1");
    assert!(said.contains("head.classifier.classes"), "{said}");
    let said = problems("[1, 3, 3.1]", "[3, 3, 3.1]");
    assert!(said.contains("each alternative once"), "{said}");
}

#[test]
fn several_problems_are_reported_together() {
    let text = SMALL.replace("\"classes\": 10", "\"classes\": 0").replace("[32, [16, 24]]", "\"big\"");
    let said = read_space("small.json", &text).unwrap_err().to_string();
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn an_upper_bound_on_trainability_does_not_lift_the_lower_one() {
    let bound = r#""constraints": { "trainability": { "max": 20 } }, "baseline""#;
    let space = read_space("small.json", &SMALL.replacen("\"baseline\"", bound, 1)).unwrap();
    let words: Vec<String> = space.constraints().iter().map(ToString::to_string).collect();
    assert_eq!(words, ["trainability <= 20", "trainability >= baseline"]);
}

#[test]
fn layers_wider_than_a_file_may_hold_are_refused() {
    let text = SMALL.replace("[16, 24]", "[24, 60000]");
    let said = read_space("small.json", &text).unwrap_err().to_string();
    assert!(said.contains("at most 65536"), "{said}");
}

#[test]
fn the_parallelism_factor_may_be_the_estimators() {
    let text = SMALL.replacen("\"parallelism\": 8", "\"parallelism\": \"estimator\"", 1);
    let space = read_space_for("small.json", &text, Some(8)).unwrap();
    let named = read_space("small.json", SMALL).unwrap();
    assert_eq!(space.parallelism(), 8);
    assert_eq!(space.hash(), named.hash(), "the same space");
    assert_ne!(read_space_for("small.json", &text, Some(16)).unwrap().hash(), named.hash());
    assert_eq!(read_space_for("small.json", SMALL, Some(16)).unwrap().parallelism(), 8, "the file names 8");
}

#[test]
fn without_an_estimator_its_factor_is_asked_for() {
    let text = SMALL.replacen("\"parallelism\": 8", "\"parallelism\": \"estimator\"", 1);
    let said = read_space("small.json", &text).unwrap_err().to_string();
    assert!(
        said.contains("target.parallelism: found \"estimator\"") && said.contains("--estimator"),
        "{said}"
    );
    let said = problems("\"parallelism\": 8", "\"parallelism\": \"estimater\"");
    assert!(said.contains("from 1 to 1024, or \"estimator\""), "{said}");
}
