//! Runs with known numbers, so that no snapshot depends on an estimator or a search.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use nas::{
    estimator::{Accuracy, HeldOutPoint, HeldOutPoints, Quality, Unseen},
    report::{
        AblationRow, AcrossTargets, ConvergenceRow, Curve, CurvePrice, Entry, Landscape, LayerRow, Origin,
        Report, ReportTarget, TargetLatency, Width,
    },
    space::Architecture,
    units::Macs,
};

const HEAD: &str = "head classifier features=64 classes=10 activation=relu6";

/// An architecture of three blocks; every layer costs a fixed time and its MACs.
pub(crate) fn entry(id: &str, trainability: f64, blocks: [&str; 3]) -> Entry {
    let lines = [&["input 64x64x3 int8", "stem conv k3 s2 c16 relu6"], &blocks[..], &[HEAD]].concat();
    let network = Architecture::parse(&lines).unwrap().network(id).unwrap();
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    let layers = network.layers().iter().map(|layer| LayerRow {
        name: layer.name.clone(),
        op: layer.op.name().to_owned(),
        latency_ms: rounded(0.01 + layer.macs.0 as f64 / 1e8),
        macs: layer.macs,
        reason: if layer.macs.0 > 1_000_000 { "compute-bound" } else { "memory-bound" }.to_owned(),
    });
    let layers: Vec<LayerRow> = layers.collect();
    let latency_ms = rounded(layers.iter().map(|layer| layer.latency_ms).sum());
    Entry {
        id: id.to_owned(),
        genotype: Vec::new(),
        blocks: lines.iter().map(|line| (*line).to_owned()).collect(),
        latency_ms,
        latency_ms_low: rounded(0.9 * latency_ms),
        latency_ms_high: rounded(1.1 * latency_ms),
        in_range: true,
        latency_reduction_pct: None,
        relative_latency: None,
        latencies: Vec::new(),
        measured: None,
        trained: None,
        trainability,
        macs: network.macs(),
        params: network.params(),
        model_bytes: network.model_bytes(),
        peak_activation_bytes: network.peak_activation().in_place,
        peak_activation_bytes_no_alias: network.peak_activation().no_alias,
        energy_uj: None,
        energy: None,
        layers,
        network,
    }
}

/// A run over `front`, which stands in ascending order of latency.
pub(crate) fn report(front: Vec<Entry>) -> Report {
    let baseline = entry(
        "ba5e",
        4.0,
        ["s1.b1 ibn k3 s2 x96 c24 relu6", "s2.b1 ibn k3 s2 x144 c48 relu6", "s2.b2 ibn k3 s1 x288 c48 relu6"],
    );
    let front: Vec<Entry> = front.into_iter().map(|entry| entry.against(baseline.latency_ms)).collect();
    let row = |name: &str, entry: &Entry| AblationRow {
        name: name.to_owned(),
        latency_ms: Some(entry.latency_ms),
        relative_latency: None,
        latency_reduction_pct: entry.latency_reduction_pct,
        id: Some(entry.id.clone()),
        exact: false,
    };
    let mut ablation = vec![row("baseline", &baseline)];
    ablation.extend(front.first().map(|best| row("all genes", best)));
    let point = |evaluations, hypervolume| ConvergenceRow { evaluations, hypervolume };
    Report {
        schema: nas::report::SCHEMA.into(),
        version: "0.0.0".into(),
        space: Origin { name: "door-bell".into(), hash: "5bace".into() },
        parallelism: None,
        estimators: vec![Origin { name: "some-npu".into(), hash: "e571".into() }],
        across: None,
        provenance: "a formula".into(),
        energy: None,
        fleet: None,
        goal: None,
        algorithm: "nsga2".into(),
        seed: 3,
        free: None,
        dtypes: Vec::new(),
        evaluations: 1000,
        termination: "evaluation budget spent".into(),
        requirement: "trainability >= baseline".into(),
        chosen: (!front.is_empty()).then_some(0),
        front_size: front.len(),
        baseline,
        front,
        ablation,
        accuracy_tolerance: None,
        gap: None,
        bound: None,
        convergence: vec![point(100, 900.0), point(300, 1400.0), point(1000, 1450.5)],
        hypervolume_reference: vec![2000.0, -3.5],
    }
}

/// A first result: narrower, and a slower one that scores more.
pub(crate) fn base() -> Report {
    report(vec![
        entry(
            "aaaa",
            4.1,
            [
                "s1.b1 ibn k3 s2 x64 c24 relu6",
                "s2.b1 ibn k3 s2 x96 c48 relu6",
                "s2.b2 ibn k3 s1 x192 c48 relu6",
            ],
        ),
        entry(
            "bbbb",
            4.4,
            [
                "s1.b1 ibn k3 s2 x96 c24 relu6",
                "s2.b1 ibn k5 s2 x96 c48 relu6",
                "s2.b2 ibn k3 s1 x192 c48 relu6",
            ],
        ),
    ])
}

/// Another result: fused early, and the slower one as before.
pub(crate) fn new() -> Report {
    report(vec![
        entry(
            "cccc",
            4.2,
            [
                "s1.b1 fused-ibn k3 s2 x32 c16 relu6",
                "s2.b1 ibn k3 s2 x96 c48 relu6",
                "s2.b2 ibn k3 s1 x144 c48 relu6",
            ],
        ),
        base().front[1].clone(),
    ])
}

/// The same run as if it had been for two accelerators, of which the second takes half of a millisecond more for each
/// layer and half as long for its work.
pub(crate) fn across(mut report: Report) -> Report {
    let names = ["small", "large"];
    let target = |name: &str| ReportTarget {
        name: name.into(),
        weight: None,
        parallelism: 16,
        error_pct: (name == "small").then_some(0.6),
        error_networks: (name == "small").then_some(40),
    };
    report.across = Some(AcrossTargets { objective: "worst".into(), targets: names.map(target).into() });
    report.estimators = names.map(|name| Origin { name: name.into(), hash: format!("e571-{name}") }).into();
    let base = report.baseline.clone();
    for entry in report.front.iter_mut().chain([&mut report.baseline]) {
        let large = |entry: &Entry| 0.5 * entry.layers.len() as f64 + 0.5 * entry.latency_ms;
        let on = |target: &str, latency_ms: f64, baseline_ms: f64| TargetLatency {
            target: target.into(),
            latency_ms,
            latency_ms_low: 0.9 * latency_ms,
            latency_ms_high: 1.1 * latency_ms,
            in_range: target == "small" || entry.id != "bbbb",
            latency_reduction_pct: Some(100.0 * (1.0 - latency_ms / baseline_ms)),
            measured: None,
        };
        let latencies =
            vec![on("small", entry.latency_ms, base.latency_ms), on("large", large(entry), large(&base))];
        let ratios = [entry.latency_ms / base.latency_ms, large(entry) / large(&base)];
        entry.relative_latency = Some(ratios[0].max(ratios[1]));
        entry.latencies = latencies;
        entry.measured = None;
    }
    for row in &mut report.ablation {
        row.relative_latency =
            row.latency_reduction_pct.map_or(Some(1.0), |percent| Some(1.0 - percent / 100.0));
        row.latency_ms = None;
    }
    for row in &mut report.convergence {
        row.hypervolume /= 1e4;
    }
    report.requirement = "latency_ms[large] <= baseline; trainability >= baseline".into();
    report.hypervolume_reference = vec![1.1, -3.5];
    report.goal = None;
    report
}

/// Writes a run folder whose whole front is the entries of the report.
pub(crate) fn save(report: &Report, folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    report.save(&folder.join("report.json")).unwrap();
    let several = if report.across.is_some() { "relative_latency," } else { "" };
    let mut csv = format!("id,{several}latency_ms,trainability,genotype\n");
    for entry in &report.front {
        let relative = entry.relative_latency.map_or(String::new(), |ratio| format!("{ratio},"));
        writeln!(csv, "{},{relative}{},{},", entry.id, entry.latency_ms, entry.trainability).unwrap();
    }
    fs::write(folder.join("front.csv"), csv).unwrap();
    folder.to_owned()
}

/// Two blocks on an accelerator of 16 lanes: each begun group of lanes costs as much as a whole one.
pub(crate) fn landscape() -> Landscape {
    let price = |channels: u32| CurvePrice {
        channels,
        latency_ms: 0.1 + 0.05 * f64::from(channels.div_ceil(16)),
        macs: Macs(1000 * u64::from(channels)),
    };
    let curve = |block: &str, width, chosen, baseline| {
        let points = (8..=64).map(price).collect();
        Curve { block: block.into(), width, points, curated: vec![16, 32, 48], baseline, chosen }
    };
    let mut first = curve("s1.b1", Width::Hidden, 32, Some(48));
    // The first step is the steepest.
    first.points.iter_mut().filter(|point| point.channels > 16).for_each(|point| point.latency_ms += 0.025);
    first.points.iter_mut().filter(|point| point.channels > 32).for_each(|point| point.latency_ms -= 0.025);
    Landscape { lanes: 16, curves: vec![first, curve("s2.b1", Width::Output, 48, None)] }
}

/// Forty networks over two decades; each seventh is far off.
fn held_out() -> HeldOutPoints {
    let point = |number: u32| {
        let measured = 150.0 * 1.125_f64.powi(number.cast_signed());
        let off = if number % 7 == 3 {
            1.3 - f64::from(number) * 0.015
        } else {
            1.0 + f64::from(number % 5) * 0.01
        };
        HeldOutPoint { measured, predicted: measured * off, name: format!("n{number:04}.mobilenet_v2") }
    };
    HeldOutPoints { of: Unseen::Networks, points: (0..40).map(point).collect() }
}

/// What an estimator may say of unseen networks.
pub(crate) fn quality() -> Quality {
    let accuracy = |n, mape_pct| Accuracy { n, mape_pct, within_10_pct: 97.5, spearman: 0.998 };
    Quality {
        networks: Some(accuracy(40, 2.5)),
        layers: Some(accuracy(900, 7.5)),
        layers_by_kind: vec![("conv2d".into(), accuracy(500, 6.5))],
        interval_coverage_pct: Some(90.0),
        held_out: Some(held_out()),
        ..Quality::default()
    }
}
