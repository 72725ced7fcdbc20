//! A search from Rust: a space of one's own, without files or command line.
//!
//! `cargo run --release --example custom_space`

use std::path::Path;

use nas::{
    error::Result,
    estimator::Estimator,
    objective::ArchitectureSearch,
    search::{Budget, Executor},
    space::read_space,
};

const SPACE: &str = r#"{
  "schema": "nas.space/1",
  "name": "keyword-spotter",
  "target": { "parallelism": 16 },
  "input": { "size": [[49, 40]], "channels": 1 },
  "depth_multipliers": [0.5, 1.0, 1.5],
  "stem": { "kernel": 3, "stride": 2, "channels": 64, "activation": "relu" },
  "stages": [
    { "block": ["depthwise_separable", "ibn"], "channels": { "around": 64, "range": [0.5, 2] }, "repeats": [2, 3, 4],
      "kernel": [3, 5], "expansion": [2, 4], "fused": [false, true], "activation": "relu" }
  ],
  "head": { "classifier": { "classes": 12 } },
  "baseline": {
    "depth_multiplier": 1.0,
    "stages": [
      { "block": "depthwise_separable", "channels": 64, "repeats": 4, "kernel": 3, "expansion": 2, "fused": false }
    ]
  }
}"#;

fn main() -> Result<()> {
    let space = read_space("keyword-spotter", SPACE)?;
    let estimator = Estimator::load(Path::new("estimators/ethos-u55-128.json"))?;
    let search = ArchitectureSearch::new(&space, &estimator)?;
    let outcome = Executor::new(&search).budget(Budget::evaluations(5_000)).run()?;

    println!("baseline {:.1} us", search.baseline().latency_us);
    for candidate in outcome.front.iter().take(5) {
        let architecture = space.architecture(&search.full(&candidate.genotype.0).0);
        println!("\n{:.1} us, trainability {:.3}", candidate.objectives[0], -candidate.objectives[1]);
        println!("  {}", architecture.lines().join("\n  "));
    }
    Ok(())
}
