//! Plans, tables and sweeps, on the device that does not exist.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::*;
use crate::{
    error::Result,
    measurement::{LayerTimes, read_measurements},
    network::{DType, Network, read_networks},
    space::Space,
};

fn space() -> Space {
    Space::load(Path::new("tests/data/tiny-space.json")).unwrap()
}

const ALL: Wanted = Wanted { operators: true, blocks: true, networks: true };

fn planned(samples: usize, wanted: Wanted, most: usize) -> Vec<Subject> {
    let networks = draw(&space(), samples, 7).unwrap();
    plan(&networks, &PlanOptions { wanted, dtype: DType::Int8, most }).unwrap()
}

fn run(plan: &[Subject], runner: &mut dyn Runner, path: &Path, options: &SweepOptions) -> Result<Summary> {
    let mut table = Table::open(path, &runner.about().clone())?;
    sweep(plan, runner, &mut table, options, &AtomicBool::new(false), &mut |_| {})
}

#[test]
fn a_plan_has_each_subject_once_and_every_sort_early() {
    let plan = planned(30, ALL, 10_000);
    let mut names: Vec<String> =
        plan.iter().map(|subject| format!("{:?} {}", subject.kind, subject.name())).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), plan.len());
    let mut operations: Vec<String> =
        plan.iter().filter_map(|subject| Some(format!("{:?}", subject.operation()?))).collect();
    let count = operations.len();
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), count, "no operation twice");
    let sorts: std::collections::BTreeSet<SubjectKind> = plan.iter().map(|subject| subject.kind).collect();
    let early: std::collections::BTreeSet<SubjectKind> =
        plan[..sorts.len()].iter().map(|subject| subject.kind).collect();
    assert_eq!(early, sorts, "one of each sort in the first round");
    assert_eq!(planned(30, ALL, 25), plan[..25], "a shorter plan is the beginning of a longer one");
    assert_eq!(plan[0].name(), draw(&space(), 0, 1).unwrap()[0].name(), "the baseline first");
}

#[test]
fn the_first_operators_are_spread_wider_than_the_last() {
    let networks = draw(&space(), 60, 7).unwrap();
    let wanted = Wanted { operators: true, blocks: false, networks: false };
    let plan = plan(&networks, &PlanOptions { wanted, dtype: DType::Int8, most: 10_000 }).unwrap();
    let kind = SubjectKind::Operator(crate::measurement::Kind::PointwiseConv2d);
    let macs: Vec<f64> =
        plan.iter().filter(|s| s.kind == kind).map(|s| (s.network.macs().0 as f64).ln()).collect();
    let width = |part: &[f64]| {
        let (low, high) =
            (part.iter().copied().fold(f64::MAX, f64::min), part.iter().copied().fold(0.0, f64::max));
        high - low
    };
    assert!(width(&macs[..8]) > 0.7 * width(&macs), "{macs:?}");
}

#[test]
fn a_block_is_cut_out_with_what_it_computes() {
    let plan = planned(10, Wanted { operators: false, blocks: true, networks: false }, 10_000);
    let residual =
        plan.iter().find(|s| s.network.layers().iter().any(|layer| layer.op.name() == "add")).unwrap();
    let names: Vec<&str> = residual.network.layers().iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names.last(), Some(&"add"), "{names:?}");
    let whole = draw(&space(), 10, 7).unwrap();
    let macs = |network: &Network| network.layers().iter().map(|layer| layer.macs.0).collect::<Vec<_>>();
    let inside =
        |network: &Network| macs(network).windows(names.len()).any(|part| part == macs(&residual.network));
    assert!(whole.iter().any(inside));
}

#[test]
fn what_a_sweep_writes_is_what_a_fit_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fake.csv");
    let plan = planned(12, ALL, 10_000);
    let summary = run(&plan, &mut Fake::new(1, 0.01), &path, &SweepOptions::default()).unwrap();
    assert_eq!((summary.termination, summary.complete), (Termination::Complete, plan.len()));
    assert!(summary.noisy.is_empty() && summary.failed.is_empty(), "{summary:?}");
    let read = read_measurements(&path).unwrap();
    assert!(read.notes.iter().all(|note| !note.contains("say the same")), "{:?}", read.notes);
    assert_eq!(read.device.as_deref(), Some("fake"));
    let graphs = read_networks(&folder.path().join("fake.networks.jsonl")).unwrap();
    for subject in &plan {
        match subject.operation() {
            Some(operation) => {
                let exact = Fake::layer_us(&operation);
                let found = read.isolated.iter().find(|row| row.operations == [operation]).unwrap();
                assert!((found.latency_us / exact - 1.0).abs() < 0.02, "{operation:?}");
            }
            None => {
                let found = read.networks.iter().find(|profile| profile.network == subject.name()).unwrap();
                assert!((found.latency_us.unwrap() / Fake::network_us(&subject.network) - 1.0).abs() < 0.02);
                assert_eq!(found.layers.len(), subject.network.layers().len());
                let graph = graphs.iter().find(|network| network.name() == subject.name()).unwrap();
                assert_eq!(*graph, subject.network);
            }
        }
    }
    let operations = plan.iter().filter(|subject| subject.operation().is_some()).count();
    assert_eq!(read.isolated.len(), operations, "nothing else is there");
}

#[test]
fn a_sweep_that_was_cut_off_anywhere_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.csv"), folder.path().join("cut.csv"));
    let plan = planned(3, ALL, 20);
    let options = SweepOptions { repeats: 2, ..SweepOptions::default() };
    run(&plan, &mut Fake::new(1, 0.0), &whole, &options).unwrap();
    let text = fs::read(&whole).unwrap();
    let graphs = fs::read(whole.with_extension("networks.jsonl")).unwrap();
    let header = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for keep in (header..text.len()).step_by(997).chain([header, text.len() - 1]) {
        fs::write(&cut, &text[..keep]).unwrap();
        // The graphs were cut off too, somewhere.
        fs::write(cut.with_extension("networks.jsonl"), &graphs[..graphs.len() * keep / text.len()]).unwrap();
        let summary = run(&plan, &mut Fake::new(1, 0.0), &cut, &options).unwrap();
        assert_eq!(summary.complete, plan.len(), "cut at {keep}");
        let sorted = |path: &Path| {
            let mut lines: Vec<String> =
                fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&cut), sorted(&whole), "cut at {keep}");
        let names = |path: &Path| {
            let networks = read_networks(&path.with_extension("networks.jsonl")).unwrap();
            let mut names: Vec<String> = networks.iter().map(|network| network.name().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&cut), names(&whole), "cut at {keep}");
    }
    let again = run(&plan, &mut Fake::new(1, 0.0), &whole, &options).unwrap();
    assert_eq!((again.measured, fs::read(&whole).unwrap()), (0, text), "nothing is measured twice");
}

#[test]
fn the_budget_and_an_interruption_end_a_sweep_with_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let plan = planned(12, ALL, 10_000);
    let budget = Some(Duration::from_millis(150));
    let path = folder.path().join("budget.csv");
    let summary =
        run(&plan, &mut Fake::new(1, 0.01), &path, &SweepOptions { budget, ..SweepOptions::default() })
            .unwrap();
    assert_eq!(summary.termination, Termination::Budget);
    assert!(summary.measured > 40 && summary.complete < plan.len(), "{summary:?}");
    assert!(!read_measurements(&path).unwrap().networks.is_empty());
    let path = folder.path().join("stop.csv");
    let mut runner = Fake::new(1, 0.01);
    let mut table = Table::open(&path, &runner.about().clone()).unwrap();
    let stop = AtomicBool::new(false);
    let mut observe = |progress: &Progress<'_>| stop.store(progress.measured == 30, Ordering::Relaxed);
    let summary =
        sweep(&plan, &mut runner, &mut table, &SweepOptions::default(), &stop, &mut observe).unwrap();
    assert_eq!((summary.termination, summary.measured), (Termination::Interrupted, 30));
    assert!(read_measurements(&path).is_ok());
}

#[test]
fn repeats_lie_apart_and_noisy_subjects_are_measured_again() {
    let folder = tempfile::tempdir().unwrap();
    let plan = planned(3, Wanted { operators: true, blocks: false, networks: false }, 30);
    let mut order = Vec::new();
    let mut runner = Fake::new(1, 0.3);
    let mut table = Table::open(&folder.path().join("a.csv"), &runner.about().clone()).unwrap();
    let options = SweepOptions { round: 10, ..SweepOptions::default() };
    let mut observe = |progress: &Progress<'_>| order.push(progress.subject.name().to_owned());
    let summary =
        sweep(&plan, &mut runner, &mut table, &options, &AtomicBool::new(false), &mut observe).unwrap();
    assert_eq!(order[0], order[10], "a round is over before it begins again");
    assert!(!order[1..10].contains(&order[0]));
    assert!(summary.measured > 3 * plan.len() && summary.measured <= 5 * plan.len(), "{summary:?}");
    let text = fs::read_to_string(folder.path().join("a.csv")).unwrap();
    assert!(text.lines().any(|line| line.split(',').nth(16) == Some("1")), "noisy rows are marked: {text}");
    let steady = folder.path().join("b.csv");
    run(&plan, &mut Fake::new(1, 0.001), &steady, &options).unwrap();
    assert_eq!(fs::read_to_string(&steady).unwrap().lines().count(), 1 + 3 * plan.len());
}

#[test]
fn a_table_of_another_device_or_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let plan = planned(1, ALL, 4);
    run(&plan, &mut Fake::new(1, 0.01), &path, &SweepOptions::default()).unwrap();
    let before = fs::read(&path).unwrap();
    let other = About { device: "other".into(), ..Fake::new(1, 0.01).about().clone() };
    let said = Table::open(&path, &other).unwrap_err().to_string();
    assert!(said.contains("a.csv:2:1") && said.contains("`fake`") && said.contains("--out"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let foreign = folder.path().join("foreign.csv");
    fs::write(&foreign, "op,latency_us\nadd,1\n").unwrap();
    assert!(Table::open(&foreign, &other).unwrap_err().to_string().contains("--force"));
    let zipped = Table::open(&folder.path().join("a.csv.gz"), &other).unwrap_err().to_string();
    assert!(zipped.contains("plain .csv"), "{zipped}");
}

#[test]
fn a_device_is_noted_once_and_not_mistaken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let about = Fake::new(1, 0.01).about().clone();
    note_device(&path, &about, "2026-11-21", "fake").unwrap();
    let text = fs::read_to_string(folder.path().join("targets.json")).unwrap();
    assert!(text.contains("2026-11-21") && text.contains("16 x 16 lanes"), "{text}");
    note_device(&path, &about, "2027-01-01", "fake").unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("targets.json")).unwrap(), text, "the first date stays");
    let faster = About { runtime: "another".into(), ..about.clone() };
    let said = note_device(&path, &faster, "2027-01-01", "fake").unwrap_err().to_string();
    assert!(said.contains("system_config") && said.contains("--device"), "{said}");
    let second = About { device: "second".into(), ..faster };
    note_device(&path, &second, "2027-01-01", "fake").unwrap();
    assert!(fs::read_to_string(folder.path().join("targets.json")).unwrap().contains("second"));
    fs::write(folder.path().join("targets.json"), "[]").unwrap();
    assert!(note_device(&path, &second, "2027-01-01", "fake").is_err());
}

/// A device that cannot run some subjects.
struct Picky {
    fake: Fake,
    refuse: fn(&Subject) -> bool,
}

impl Runner for Picky {
    fn about(&self) -> &About {
        self.fake.about()
    }

    fn measure(&mut self, subject: &Subject) -> Result<Result<Times, String>> {
        if (self.refuse)(subject) { Ok(Err("not supported".into())) } else { self.fake.measure(subject) }
    }

    fn elapsed(&self) -> Duration {
        self.fake.elapsed()
    }
}

#[test]
fn what_a_device_cannot_run_is_left_out_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let plan = planned(3, ALL, 60);
    let mut picky = Picky { fake: Fake::new(1, 0.01), refuse: |subject| subject.kind == SubjectKind::Block };
    let summary = run(&plan, &mut picky, &folder.path().join("a.csv"), &SweepOptions::default()).unwrap();
    let blocks = plan.iter().filter(|subject| subject.kind == SubjectKind::Block).count();
    assert_eq!(summary.failed.len(), blocks, "each once: {summary:?}");
    assert_eq!(summary.complete, plan.len() - blocks);
    picky.refuse = |_| true;
    let said = run(&plan, &mut picky, &folder.path().join("b.csv"), &SweepOptions::default()).unwrap_err();
    assert!(said.to_string().contains("none of the first 10"), "{said}");
}

#[test]
fn layers_of_a_runner_are_rows_in_context() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let plan = planned(0, Wanted { operators: false, blocks: false, networks: true }, 1);
    let mut table = Table::open(&path, Fake::new(1, 0.0).about()).unwrap();
    let layers = vec![LayerTimes { layer: 1, samples_us: vec![3.0, 5.0, 4.0] }];
    table.write(&plan[0], &Times { samples_us: vec![20.0, 21.0], layers }, 0.05).unwrap();
    let read = read_measurements(&path).unwrap();
    let profile = &read.networks[0];
    assert_eq!((profile.latency_us, profile.layers[0].latency_us), (Some(20.5), 4.0));
    assert_eq!(profile.layers[0].layer, plan[0].network.layers()[1].name);
    assert!(fs::read_to_string(&path).unwrap().contains("3;5;4"), "raw times are kept");
}
