//! Documents of every kind that together hold every field.

use std::{fs, path::Path};

use nas::{
    energy::EnergyParts,
    estimator::{
        Accuracy, CurvePoint, Estimator, FitReport, FoundLane, FoundLanes, LearningCurve, MeasureNext,
        OldComparison, OldNew, Quality, WorstRow,
    },
    measurement::Target,
    report::{
        Bound, BoundAt, ChipRow, CoDesign, Design, EnergyOrigin, Entry, EntryEnergy, ExactGap, Fleet,
        FrontGap, Measured, Origin, Report, Run, TargetEntry, Trained,
        compare::{Against, Condition, NamedRun, Rules, Trend, compare},
    },
};
use serde_json::{Value, json};

use crate::{
    common::{ENERGY, ESTIMATOR},
    fixture::{across, base, new, save},
};

pub(crate) fn samples(kind: &str) -> Vec<Value> {
    match kind {
        "space" => spaces(),
        "network" => vec![network()],
        "datasheet" => vec![datasheet()],
        "energy" => vec![value(&fs::read_to_string(ENERGY).unwrap())],
        "estimator" => vec![estimator()],
        "report" => vec![value(&report().to_json()), value(&for_several(report()).to_json())],
        "codesign" => vec![value(&codesign().to_json())],
        "estimate" => estimates(),
        "fit-report" => vec![serde_json::to_value(fit_report()).unwrap()],
        "comparison" => comparisons(),
        "trend" => vec![trend(), trend_for_several()],
        other => panic!("no sample of `{other}`"),
    }
}

pub(crate) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn spaces() -> Vec<Value> {
    let space = |head: Value, head_baseline: Value| {
        json!({
            "schema": "nas.space/1", "name": "full", "description": "every field",
            "target": { "parallelism": 8, "estimator": "e.json", "energy": "j.json" }, "dtype": ["int8", "fp16"],
            "input": { "size": [64, [96, 128]], "channels": 1 }, "depth_multipliers": [0.5, 1],
            "stem": { "kernel": [3, 5], "stride": [1, 2], "channels": [8, 16], "activation": ["relu", "relu6"], "pool": [1, 2] },
            "stages": [{
                "block": ["ibn", "conv", "basic", "bottleneck"], "channels": { "around": 32, "range": [0.5, 1.5], "choices": 3 },
                "repeats": [1, 2], "stride": [1, 2], "activation": ["relu", "hard_swish"], "kernel": [3, 5],
                "expansion": [2, 4.5], "group_width": 4, "fused": [false, true],
                "se": [false, { "ratio": 0.25, "of": "input", "activation": "swish", "gate": "sigmoid" }]
            }],
            "head": head,
            "constraints": {
                "latency_ms": { "max": 10 }, "macs": { "max_of_baseline": 2 }, "params": { "min": 1 },
                "model_bytes": { "min_of_baseline": 0.1 }, "peak_activation_bytes": { "max": 1e9 },
                "trainability": { "min_of_baseline": 0.5 }, "energy_uj": { "max": 10 }
            },
            "baseline": {
                "dtype": "fp16", "input": [96, 128], "depth_multiplier": 1,
                "stem": { "kernel": 3, "stride": 2, "channels": 16, "activation": "relu6", "pool": 2 },
                "stages": [{
                    "block": "ibn", "channels": 32, "repeats": 2, "stride": 2, "activation": "relu",
                    "kernel": [3, 5], "expansion": 2, "fused": [true, false],
                    "se": [false, { "ratio": 0.25, "of": "input", "activation": "swish", "gate": "sigmoid" }]
                }],
                "head": head_baseline
            }
        })
    };
    let mut spaces = vec![
        space(
            json!({ "classifier": { "features": [64, 128], "hidden": [16, 32], "classes": 10, "activation": "relu" } }),
            json!({ "features": 64, "hidden": 32 }),
        ),
        space(
            json!({ "detector": { "features": [64, 128], "extras": [[32, 64], 16], "taps": [1], "anchors": [3, 6, 6, 6],
                "classes": 2, "activation": "relu" } }),
            json!({ "features": 64, "extras": [64, 16] }),
        ),
        space(
            json!({ "segmenter": { "features": [64, 128], "inner": [16, 32], "output_stride": [1, 2], "tap": 1,
                "classes": 8, "activation": "relu" } }),
            json!({ "features": 64, "inner": 32, "output_stride": 2 }),
        ),
    ];
    spaces[1]["target"] = json!({
        "parallelism": 8, "objective": "weighted",
        "estimators": [
            { "estimator": "e.json", "name": "small", "weight": 2, "latency_ms": { "max": 5 } },
            { "estimator": "f.json" }
        ]
    });
    spaces
}

fn network() -> Value {
    let layer = |name: &str, op: &str, inputs: &[&str], own: Value| {
        let mut layer = json!({ "name": name, "op": op, "inputs": inputs, "activation": "relu6" });
        layer.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        layer
    };
    let window = json!({ "kernel": [3, 3], "stride": 1, "dilation": 1, "pad": "same" });
    let with = |own: Value| {
        let mut all = window.clone();
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    };
    let layers = [
        layer("c", "conv2d", &["input"], with(json!({ "cout": 8, "groups": 1, "bias": false }))),
        layer("d", "depthwise_conv2d", &["c"], with(json!({ "cout": 8, "bias": true, "pad": [1, 1, 1, 1] }))),
        layer("a", "add", &["c", "d"], json!({})),
        layer("m", "mul", &["a", "d"], json!({})),
        layer("p", "avg_pool", &["m"], window.clone()),
        layer("q", "max_pool", &["m"], window.clone()),
        layer("k", "concat", &["p", "q"], json!({})),
        layer("r", "resize", &["k"], json!({ "size": [16, 16], "mode": "bilinear" })),
        layer("g", "global_avg_pool", &["r"], json!({})),
        layer("f", "dense", &["g"], json!({ "cout": 4, "bias": false })),
    ];
    let input = json!({ "h": 8, "w": 8, "c": 3 });
    json!({ "schema": "nas.network/1", "name": "n", "input": input, "dtype": "int8", "layers": layers })
}

fn datasheet() -> Value {
    json!({
        "schema": "nas.datasheet/1", "name": "chip", "description": "every field",
        "mac_array": { "rows": 8, "columns": 8, "pixels": 2, "macs_per_cycle": 128 }, "clock_mhz": 500,
        "on_chip_bytes": "384KiB", "on_chip_gb_per_s": 4, "off_chip_gb_per_s": 0.5, "burst_bytes": 128,
        "network_io": "on_chip", "operator_overhead_us": 0.1, "off_chip_latency_us": 0.1,
        "network_overhead_us": 1, "depthwise": { "channels_per_cycle": 16 }, "results_per_cycle": 2,
        "element_wise": { "results_per_cycle": 1, "lookups_per_cycle": 1 }, "tile_input_bytes": 4096,
        "tile_sum_bytes": "4KiB", "stripes": true, "dtypes": { "int8": 1, "fp16": 0.5, "fp32": 0.25 }
    })
}

/// The shipped estimator with fewer trees and the fields that it has no use for.
fn estimator() -> Value {
    let mut file = value(&fs::read_to_string(ESTIMATOR).unwrap());
    for correction in file["corrections"].as_array_mut().unwrap() {
        correction["trees"].as_array_mut().unwrap().truncate(2);
    }
    file["by_dtype"] = json!({ "fp32": { "kinds": file["kinds"], "corrections": file["corrections"] } });
    file["target"] = json!("energy_uj");
    file["unit"] = json!("uJ");
    file["quality"]["noise"] = json!({ "layers": 0.01, "networks": null });
    file
}

fn full_entry(mut entry: Entry) -> Entry {
    entry.genotype = vec![0, 1];
    entry.energy_uj = Some(6.0);
    entry.energy = Some(EntryEnergy {
        model: "m".into(),
        relative: true,
        out_of_range: true,
        parts: Some(EnergyParts { compute_uj: 1.0, on_chip_uj: 2.0, off_chip_uj: 3.0, static_uj: 0.0 }),
        interval_uj: Some([5.0, 7.0]),
    });
    entry.measured = Some(Measured {
        latency_ms: 0.2,
        mad_ms: Some(0.001),
        samples_ms: vec![0.19, 0.2, 0.21],
        device: Some("board".into()),
        runner: Some("bench".into()),
    });
    entry.trained = Some(Trained {
        accuracy: 0.7,
        samples: vec![0.69, 0.7, 0.72],
        metric: Some("top-1".into()),
        trainer: Some("train {model}".into()),
    });
    entry
}

fn report() -> Report {
    let mut report = base();
    report.parallelism = Some(8);
    let (name, hash, source) = ("m".into(), "3".into(), "a book".into());
    report.energy = Some(EnergyOrigin { name, hash, source, relative: true });
    report.goal = Some("latency,energy".into());
    report.fleet = Some(Fleet {
        devices: 10,
        inferences_per_day: 0.5,
        baseline_kwh: 2.0,
        chosen_kwh: 1.5,
        saved_kwh: 0.5,
    });
    report.free = Some(vec!["fused".into()]);
    report.accuracy_tolerance = Some(0.01);
    report.dtypes = vec!["int8".into(), "fp32".into()];
    report.ablation[0].exact = true;
    report.gap = Some(ExactGap {
        architectures: 144,
        latency_pct: 0.5,
        hypervolume_pct: 99.5,
        hypervolume: Some(1460.0),
    });
    report.bound = Some(Bound {
        latency_ms: 1.1,
        latency_pct: 0.4,
        networks: 100_000,
        tried: 500,
        surprise_pct: 0.01,
        regions: 300,
        closed: false,
        front: Some(FrontGap {
            median_pct: 1.5,
            most_pct: 9.1,
            hypervolume_pct: Some(97.0),
            bounds: vec![BoundAt { trainability: 14.7, latency_ms: 1.1 }],
        }),
    });
    report.front[0] = full_entry(report.front[0].clone());
    report
}

/// The same run as if it had been for two accelerators, with every field of such a run.
fn for_several(report: Report) -> Report {
    let mut report = across(report);
    report.ablation[0].relative_latency = Some(1.0);
    report.front[0].latencies[0].measured = full_entry(report.front[0].clone()).measured;
    for target in &mut report.across.as_mut().unwrap().targets {
        target.weight = Some(1.0);
    }
    report
}

fn codesign() -> CoDesign {
    let design = |entry: &Entry| Design::of(entry);
    let report = base();
    let row = ChipRow {
        estimator: Origin { name: "e".into(), hash: "1".into() },
        lanes: [8, 16],
        parallelism: 16,
        space_hash: "2".into(),
        baseline: design(&report.baseline),
        best: Some(design(&report.front[0])),
        latency_reduction_pct: Some(9.0),
    };
    let mut table = CoDesign::of("s", 1, 10, 4.0, vec![row]);
    table.unfinished.push("late".into());
    table
}

fn estimates() -> Vec<Value> {
    let entry = full_entry(base().front[0].clone());
    let estimator = Estimator::load(Path::new(ESTIMATOR)).unwrap();
    let estimate = estimator.estimate(&entry.network);
    let energy = TargetEntry::of(&entry.network, &estimate, &Target::new("energy_uj"));
    vec![value(&entry.to_json_line()), value(&energy.to_json_line())]
}

fn fit_report() -> FitReport {
    let accuracy = || Accuracy { n: 9, mape_pct: 1.5, within_10_pct: 99.0, spearman: 0.99 };
    let both = || Some(OldNew { old: accuracy(), new: accuracy() });
    let lane = FoundLane { lanes: 8, certainty: 0.9, rows: 100, rows_off_grid: 50 };
    let quality = serde_json::from_value::<Quality>(estimator()["quality"].clone()).unwrap();
    FitReport {
        schema: "nas.fit-report/1",
        estimator: "e".into(),
        hash: "1".into(),
        quality,
        lanes: Some(FoundLanes { output: lane, input: lane }),
        worst: vec![WorstRow {
            file: "m.csv".into(),
            network: Some("n".into()),
            layer: None,
            operation: Some("add".into()),
            predicted_us: 1.0,
            measured_us: 2.0,
            error_pct: -50.0,
        }],
        learning_curve: Some(LearningCurve {
            unit: "rows",
            points: vec![CurvePoint { n: 1, rows: 10, mape_pct: 3.0 }],
            exponent: -0.5,
            mape_pct_at_twice: 2.0,
            verdict: "more helps".into(),
        }),
        measure_next: Some(MeasureNext {
            region: "small".into(),
            kind: "add",
            bounds: [("cin", (1, None)), ("cout", (1, Some(8)))].into(),
            rows: 5,
            rows_pct: 10.0,
            error_pct: 30.0,
        }),
        old: Some(OldComparison {
            name: "o".into(),
            hash: "0".into(),
            networks: both(),
            layers: both(),
            isolated: None,
            seen: vec!["m.csv".into()],
        }),
        warnings: vec!["careful".into()],
    }
}

/// Runs in folders, the first two of them measured.
fn runs() -> Vec<NamedRun> {
    let mut other = new();
    other.front[0] = full_entry(other.front[0].clone());
    let folder = tempfile::tempdir().unwrap();
    let named = |(index, report): (usize, Report)| {
        let folder = save(&report, &folder.path().join(index.to_string()));
        NamedRun { name: format!("run {index}"), run: Run::load(&folder).unwrap() }
    };
    [report(), base(), other].into_iter().enumerate().map(named).collect()
}

fn rules() -> Rules {
    Rules { conditions: vec![Condition::max_regression("2%").unwrap()], ..Rules::default() }
}

fn comparisons() -> Vec<Value> {
    let runs = runs();
    let mut unlike = runs[0].run.clone();
    unlike.report.space.hash = "0ther".into();
    let compared = |new: &Run| value(&compare(&runs[0].run, new, &rules()).to_json());
    let [several, faster] = [base(), new()].map(|report| Run::of(across(report)));
    let across = compare(&several, &faster, &rules()).to_json();
    vec![compared(&runs[2].run), compared(&unlike), value(&across)]
}

fn trend() -> Value {
    let mut runs = runs();
    runs[1].run.report.requirement = "another".into();
    let rules = Rules { allowed: vec!["requirement".parse().unwrap()], ..rules() };
    value(&Trend::of(&runs, Against::First, &rules).unwrap().to_json())
}

fn trend_for_several() -> Value {
    let named = |report| NamedRun { name: "run".into(), run: Run::of(across(report)) };
    let runs = [base(), base(), new()].map(named);
    value(&Trend::of(&runs, Against::First, &rules()).unwrap().to_json())
}
