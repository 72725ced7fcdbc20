//! The energy of an inference, from the search to a fleet's year.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nas::{
    energy::EnergyModel,
    estimator::Estimator,
    report::{EnergyOrigin, Entry, Report, report_markdown, report_text},
};

use crate::{
    common::{ENERGY, ESTIMATOR, TINY, nas, refusal, search, stderr, stdout},
    fixture::{base, new, save},
};

/// The fixture's run with the energies that the shipped table tells.
fn with_energy(mut report: Report) -> Report {
    let model = EnergyModel::load(Path::new(ENERGY)).unwrap();
    let estimator = Estimator::load(Path::new(ESTIMATOR)).unwrap();
    let told = |entry: &Entry| {
        entry.clone().with_energy(&model, &model.estimate(&entry.network, &estimator).unwrap())
    };
    for entry in report.front.iter_mut().chain([&mut report.baseline]) {
        *entry = told(entry);
    }
    report.energy = Some(EnergyOrigin::of(&model));
    report
}

/// The tiny space with a limit on the energy.
fn limited(folder: &Path, limit: &str) -> PathBuf {
    let mut space: serde_json::Value = serde_json::from_str(&fs::read_to_string(TINY).unwrap()).unwrap();
    space["constraints"]["energy_uj"] = serde_json::from_str(limit).unwrap();
    let file = folder.join("limited.json");
    fs::write(&file, space.to_string()).unwrap();
    file
}

/// An estimator as if it had been fitted on energies.
fn fitted(folder: &Path) -> PathBuf {
    let mut estimator: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(ESTIMATOR).unwrap()).unwrap();
    estimator["target"] = "energy_mj".into();
    estimator["unit"] = "mJ".into();
    estimator["name"] = "joules".into();
    let file = folder.join("joules.json");
    fs::write(&file, estimator.to_string()).unwrap();
    file
}

#[test]
fn a_search_reports_energies_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = search(&run, &["--energy", ENERGY, "--ablate"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("energy µJ") && text.contains("a relative comparison, absolute joules"), "{text}");
    let report = Report::load(&run.join("report.json")).unwrap();
    let model = EnergyModel::load(Path::new(ENERGY)).unwrap();
    assert_eq!(report.energy, Some(EnergyOrigin::of(&model)));
    assert!(report.front.iter().chain([&report.baseline]).all(|entry| entry.energy_uj.is_some()));
    let csv = fs::read_to_string(run.join("front.csv")).unwrap();
    assert_eq!(csv.lines().next(), Some("id,latency_ms,trainability,energy_uj,genotype"));
    let first = csv.lines().nth(1).unwrap().split(',').nth(3).unwrap();
    assert_eq!(first.parse::<f64>().ok(), report.front[0].energy_uj);
    assert_eq!(fs::read_to_string(run.join("energy.json")).unwrap(), fs::read_to_string(ENERGY).unwrap());
    assert!(fs::read_to_string(run.join("report.md")).unwrap().contains("Energy of an inference"));

    // An entry is estimated with the run's own model.
    let entry = format!("{}#0", run.display());
    let told: serde_json::Value =
        serde_json::from_str(&stdout(&nas(&["estimate", &entry, "--format", "json"]))).unwrap();
    assert_eq!(told["energy_uj"].as_f64(), report.front[0].energy_uj);
    let page = folder.path().join("page.html");
    let written = nas(&["report", run.to_str().unwrap(), "-o", page.to_str().unwrap(), "--random-line"]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(fs::read_to_string(page).unwrap().contains("energy µJ"));
}

#[test]
fn a_search_is_the_same_with_any_number_of_threads_and_finds_as_without_energies() {
    let folder = tempfile::tempdir().unwrap();
    let report = |name: &str, more: &[&str]| {
        let run = folder.path().join(name);
        assert!(search(&run, more).status.success());
        fs::read_to_string(run.join("report.json")).unwrap()
    };
    let joules = fitted(folder.path());
    for energy in [ENERGY, joules.to_str().unwrap()] {
        let one = report("one", &["--energy", energy, "-j", "1", "--force"]);
        let two = report("two", &["--energy", energy, "-j", "2", "--force"]);
        assert_eq!(one, two);
        let plain: Report = serde_json::from_str(&report("plain", &["--force"])).unwrap();
        let told: Report = serde_json::from_str(&one).unwrap();
        let ids = |report: &Report| report.front.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&plain), ids(&told), "knowing energies changes no search that does not limit them");
    }
}

#[test]
fn a_limit_on_the_energy_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let space = limited(folder.path(), r#"{ "max_of_baseline": 0.9 }"#);
    let run = folder.path().join("run");
    let args = |more: &[&str]| {
        let plain = ["search", space.to_str().unwrap(), "-q", "-n", "1500", "-e", ESTIMATOR, "--out"];
        [&plain[..], &[run.to_str().unwrap()], more].concat().into_iter().map(str::to_owned).collect()
    };
    let with: Vec<String> = args(&["--energy", ENERGY]);
    let with: Vec<&str> = with.iter().map(String::as_str).collect();
    let output = nas(&with);
    assert!(output.status.success(), "{}", stderr(&output));
    let report = Report::load(&run.join("report.json")).unwrap();
    let most = 0.9 * report.baseline.energy_uj.unwrap();
    assert!(!report.front.is_empty());
    assert!(report.front.iter().all(|entry| entry.energy_uj.unwrap() <= most * (1.0 + 1e-9)));
    assert!(report.requirement.contains("energy_uj <= 0.9 x baseline"));

    let without: Vec<String> = args(&["--force"]);
    let said = refusal(&without.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("energy_uj <= 0.9 x baseline") && said.contains("--energy FILE"), "{said}");
}

/// The front holds what no other beats in latency, trainability and energy, and a search may go on with it.
#[test]
fn latency_and_energy_may_both_be_minimised() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, goal: &str, more: &[&str]| {
        let run = folder.path().join(name);
        let output = search(&run, &[&["--energy", ENERGY, "--objective", goal], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        (Report::load(&run.join("report.json")).unwrap(), run)
    };
    let (plain, plain_run) = run("plain", "latency", &[]);
    let (both, both_run) = run("both", "latency,energy", &["--ablate"]);
    let (again, _) = run("again", "latency,energy", &["--ablate", "-j", "1"]);
    assert_eq!(both, again, "on any number of threads");
    assert_eq!((plain.goal, both.goal.as_deref()), (None, Some("latency,energy")));
    assert_eq!(both.hypervolume_reference.len(), 3);
    let energies = |run: &Path| -> Vec<f64> {
        let csv = fs::read_to_string(run.join("front.csv")).unwrap();
        csv.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect()
    };
    let least = |energies: Vec<f64>| energies.into_iter().fold(f64::INFINITY, f64::min);
    let exact = ["--algorithm", "exact", "--free", "kernel,expansion", "-n", "5000"];
    let (of_latency, latency_run) = run("exact", "latency", &exact);
    let (of_both, exact_run) = run("exact-both", "latency,energy", &exact);
    assert!(of_both.front_size > of_latency.front_size, "what is good in energy alone is on it too");
    assert!(least(energies(&exact_run)) <= least(energies(&latency_run)));
    let reported = of_both.front.iter().filter_map(|entry| entry.energy_uj).fold(f64::INFINITY, f64::min);
    assert_eq!(reported, least(energies(&exact_run)), "the one with the least energy is reported");
    let page = folder.path().join("page.html");
    let written = nas(&["report", both_run.to_str().unwrap(), "-o", page.to_str().unwrap(), "--random-line"]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(fs::read_to_string(page).unwrap().contains("µs × trainability × µJ"));

    let compared = nas(&["compare", both_run.to_str().unwrap(), both_run.to_str().unwrap()]);
    let text = stdout(&compared);
    assert!(compared.status.success() && text.contains("hypervolume (µs × trainability × µJ)"), "{text}");
    let volume = both.convergence.last().unwrap().hypervolume;
    assert!(text.contains(&format!("{volume:.1}")), "as the search reckoned it, {volume}: {text}");
    let compared = nas(&["compare", plain_run.to_str().unwrap(), both_run.to_str().unwrap()]);
    assert_eq!(compared.status.code(), Some(3), "{}", stdout(&compared));
    assert!(stdout(&compared).contains("--allow reference"));

    let said = refusal(&["search", TINY, "--objective", "latency,energy"]);
    assert!(said.contains("there is no energy model; give one with --energy"), "{said}");
    let said = refusal(&["search", TINY, "--objective", "energy", "--energy", ENERGY]);
    assert!(said.contains("take the entry with the least energy"), "{said}");
}

#[test]
fn a_space_may_name_its_energy_model() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(ENERGY, folder.path().join("table.json")).unwrap();
    let mut space: serde_json::Value = serde_json::from_str(&fs::read_to_string(TINY).unwrap()).unwrap();
    space["target"]["energy"] = "table.json".into();
    let (file, run) = (folder.path().join("space.json"), folder.path().join("run"));
    fs::write(&file, space.to_string()).unwrap();
    let (file, run) = (file.to_str().unwrap(), run.to_str().unwrap());
    let output = nas(&["search", file, "-q", "-n", "200", "-e", ESTIMATOR, "--out", run]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("energy µJ"));
}

#[test]
fn an_estimate_tells_what_energy_is_spent_on() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("n.json");
    fs::write(&network, serde_json::to_string(&base().baseline.network).unwrap()).unwrap();
    let network = network.to_str().unwrap();
    let estimate = |energy: &str, form: &str| {
        stdout(&nas(&["estimate", network, "-e", ESTIMATOR, "--energy", energy, "--format", form]))
    };
    let text = estimate(ENERGY, "text");
    let line = text.lines().find(|line| line.starts_with("  energy")).unwrap();
    insta::assert_snapshot!("estimate_line", line);
    let told: serde_json::Value = serde_json::from_str(&estimate(ENERGY, "json")).unwrap();
    let parts = told["energy"]["parts"].as_object().unwrap();
    let sum: f64 = parts.values().map(|part| part.as_f64().unwrap()).sum();
    assert!((sum - told["energy_uj"].as_f64().unwrap()).abs() < 1e-5);

    let joules = fitted(folder.path());
    let told: serde_json::Value = serde_json::from_str(&estimate(joules.to_str().unwrap(), "json")).unwrap();
    let (uj, ms) = (told["energy_uj"].as_f64().unwrap(), told["latency_ms"].as_f64().unwrap());
    assert!((uj / (1e6 * ms) - 1.0).abs() < 1e-3, "a microsecond stands for a millijoule here: {uj} {ms}");
    assert_eq!(told["energy"]["interval_uj"].as_array().unwrap().len(), 2);
}

#[test]
fn what_tells_no_energy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let joules = fitted(folder.path());
    let network = folder.path().join("n.json");
    fs::write(&network, serde_json::to_string(&base().baseline.network).unwrap()).unwrap();
    let network = network.to_str().unwrap();
    let said = refusal(&["search", TINY, "--energy", ESTIMATOR]);
    assert!(said.contains("found an estimator of latency") && said.contains("--target energy_uj"), "{said}");
    let said = refusal(&["estimate", network, "-e", joules.to_str().unwrap(), "--energy", ENERGY]);
    assert!(said.contains("predicts `energy_mj`"), "{said}");
    let said = refusal(&["estimate", network, "-e", ESTIMATOR, "--energy", "no-such.json"]);
    assert!(said.contains("cannot read no-such.json"), "{said}");
}

#[test]
fn reports_tell_the_energy_and_a_fleets_year() {
    let mut report = with_energy(base());
    report.set_fleet(1_000_000, 1000.0).unwrap();
    insta::assert_snapshot!("text", report_text(&report));
    insta::assert_snapshot!("md", report_markdown(&report));
    let fleet = report.fleet.clone().unwrap();
    let kwh = |entry: &Entry| 1e6 * 1000.0 * 365.0 * entry.energy_uj.unwrap() * 1e-6 / 3.6e6;
    assert!((fleet.baseline_kwh - kwh(&report.baseline)).abs() < 1e-5);
    assert!((fleet.chosen_kwh - kwh(&report.front[0])).abs() < 1e-5);
    assert!((fleet.saved_kwh - (fleet.baseline_kwh - fleet.chosen_kwh)).abs() < 1e-5);
}

#[test]
fn a_fleet_is_reckoned_in_every_form_and_nonsense_refused() {
    let folder = tempfile::tempdir().unwrap();
    let known = save(&with_energy(base()), &folder.path().join("known"));
    let unknown = save(&base(), &folder.path().join("unknown"));
    let (known, unknown) = (known.to_str().unwrap(), unknown.to_str().unwrap());
    let year = ["--fleet", "1000", "--inferences-per-day", "86400"];
    for form in ["text", "md", "json"] {
        let told = stdout(&nas(&[&["report", known, "--format", form], &year[..]].concat()));
        assert!(told.contains("kWh a year") || told.contains("\"saved_kwh\""), "{told}");
    }
    let page = folder.path().join("page.html");
    assert!(nas(&[&["report", known, "-o", page.to_str().unwrap()], &year[..]].concat()).status.success());
    assert!(fs::read_to_string(page).unwrap().contains("kWh a year"));

    let said = |more: &[&str]| refusal(&[&["report", known], more].concat());
    assert!(said(&["--fleet", "10"]).contains("--inferences-per-day"));
    assert!(said(&["--fleet", "0", "--inferences-per-day", "1"]).contains("--fleet 0"));
    assert!(said(&["--fleet", "-3", "--inferences-per-day", "1"]).contains("-3"));
    for count in ["0", "-5", "NaN", "inf"] {
        assert!(
            said(&["--fleet", "10", "--inferences-per-day", count]).contains("a number above 0"),
            "{count}"
        );
    }
    let figure = folder.path().join("front.svg");
    let plot = said(&[&["--plot", figure.to_str().unwrap()], &year[..]].concat());
    assert!(plot.contains("--fleet is told in a report"), "{plot}");
    let often = said(&["--fleet", "10", "--inferences-per-day", "1e12"]);
    assert!(often.contains("expected at most") && often.contains("the baseline takes"), "{often}");
    assert!(refusal(&[&["report", unknown], &year[..]].concat()).contains("search again with --energy"));
}

#[test]
fn a_gate_may_watch_the_energy() {
    let folder = tempfile::tempdir().unwrap();
    let saved = |report: &Report, name: &str| save(report, &folder.path().join(name)).display().to_string();
    let known = saved(&with_energy(base()), "known");
    let other = saved(&with_energy(new()), "other");
    let unknown = saved(&base(), "unknown");
    let mut foreign = with_energy(base());
    foreign.energy.as_mut().unwrap().hash = "else".into();
    let foreign = saved(&foreign, "foreign");
    let compared = |base: &str, new: &str, condition: &str| {
        let output = nas(&["compare", base, new, "--fail-if", condition]);
        (output.status.code(), stdout(&output))
    };
    let (code, text) = compared(&known, &other, "energy_uj>+2%");
    let (from, to) =
        (with_energy(base()).front[0].energy_uj.unwrap(), with_energy(new()).front[0].energy_uj.unwrap());
    assert_eq!(code, Some(i32::from(to > 1.02 * from)), "{text}");
    assert!(text.lines().any(|line| line.starts_with("energy") && line.contains("µJ")), "{text}");
    assert_eq!(compared(&known, &other, "energy_uj>1pJ").0, Some(1));
    assert_eq!(compared(&known, &known, "energy_uj>+2%").0, Some(0));
    let (code, text) = compared(&known, &unknown, "energy_uj>+2%");
    assert!(code == Some(1) && text.contains("NEW has no energy"), "{text}");
    let (code, text) = compared(&unknown, &known, "energy_uj>+2%");
    assert!(code == Some(1) && text.contains("BASE has no energy"), "{text}");
    let (code, text) = compared(&known, &foreign, "energy_uj>+2%");
    assert!(code == Some(3) && text.contains("--allow energy"), "{text}");
    let trend = nas(&["compare", &known, &other, &known, "--fail-if", "energy_uj>+2%"]);
    assert!(trend.status.success() && stdout(&trend).contains("energy"), "{}", stdout(&trend));
}
