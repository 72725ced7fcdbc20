//! The pictures that need more than the report: cost landscape, random line, estimator quality; and each as a file.

use std::{fs, path::Path};

use nas::{
    report::{Curve, Figure, Landscape, RandomLine, Report, Run, Width, figure_svg, report_html},
    space::Architecture,
};

use crate::{
    common::{nas, refusal, search, stderr, stdout},
    fixture::{base, landscape, quality, save},
    page::{assert_well_formed, checked},
};

/// A finished search of the tiny space.
fn searched(folder: &Path) -> Run {
    let output = search(folder, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    Run::load(folder).unwrap()
}

fn full() -> Run {
    Run { landscape: Some(landscape()), quality: Some(quality()), ..Run::of(base()) }
}

#[test]
fn a_landscape_is_priced_by_the_estimator_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = searched(folder.path());
    let landscape = Landscape::of(&run).unwrap().unwrap();
    let entry = &run.report.front[0];
    let chosen = Architecture::parse(&entry.blocks).unwrap();
    let blocks = chosen.stages.iter().map(Vec::len).sum::<usize>();
    assert_eq!((landscape.lanes, landscape.curves.len()), (16, blocks));
    for curve in &landscape.curves {
        let prefix = format!("{}.", curve.block);
        let layers = || entry.layers.iter().filter(|layer| layer.name.starts_with(&prefix));
        let latency_ms: f64 = layers().map(|layer| layer.latency_ms).sum();
        let point = curve.at(curve.chosen).unwrap();
        assert!((point.latency_ms - latency_ms).abs() < 1e-5, "{}: {point:?}, {latency_ms}", curve.block);
        assert_eq!(point.macs.0, layers().map(|layer| layer.macs.0).sum::<u64>());
        assert!(curve.curated.contains(&curve.chosen), "what was found was offered: {curve:?}");
        let all = curve.points.iter().map(|point| point.channels).filter(|channels| *channels >= 8);
        let last = curve.points.last().unwrap().channels;
        assert_eq!(all.collect::<Vec<_>>(), (8..=last).collect::<Vec<_>>(), "every width is priced");
    }
    let two = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(two.install(|| Landscape::of(&run)).unwrap().unwrap(), landscape, "on any number of threads");
}

#[test]
fn the_offered_widths_are_those_of_the_space() {
    let folder = tempfile::tempdir().unwrap();
    let run = searched(folder.path());
    let landscape = Landscape::of(&run).unwrap().unwrap();
    let find = |width: Width| landscape.curves.iter().find(|curve| curve.width == width);
    let hidden: &Curve = find(Width::Hidden).unwrap();
    assert_eq!(hidden.curated.len(), 3, "expansions of 2, 4 and 6: {:?}", hidden.curated);
    assert!(hidden.curated.iter().all(|channels| hidden.at(*channels).is_some()));
    fs::remove_file(folder.path().join("space.json")).unwrap();
    let without = Landscape::of(&Run::load(folder.path()).unwrap()).unwrap().unwrap();
    assert!(without.curves.iter().all(|curve| curve.curated.is_empty()));
    assert_eq!(without.curves[0].block, landscape.curves[0].block);
}

#[test]
fn a_copy_of_something_else_counts_as_not_there() {
    let folder = tempfile::tempdir().unwrap();
    searched(folder.path());
    let space = folder.path().join("space.json");
    let text = fs::read_to_string(&space).unwrap();
    fs::write(&space, text.replace("\"tiny\"", "\"other\"")).unwrap();
    fs::copy("estimators/ethos-u65-512.json", folder.path().join("estimator.json")).unwrap();
    let run = Run::load(folder.path()).unwrap();
    assert!(run.space.is_none() && run.estimator.is_none() && run.quality.is_none());
    assert_eq!(Landscape::of(&run).unwrap(), None);
}

#[test]
fn the_page_shows_the_landscape_and_says_its_steepest_step() {
    let page = checked(&full());
    assert!(page.contains("<h2>Cost landscape</h2>") && page.contains("<h2>Estimator quality</h2>"));
    assert!(
        page.contains(
            "from 16 to 17 channels the block takes <strong>50.0 %</strong> longer, for 6.2 % more MACs"
        ),
        "the step is computed"
    );
    assert!(page.contains("<td>48</td><td>0.2500</td><td>48.0 k</td><td>baseline, offered</td>"));
    assert!(page.contains("40 networks were predicted with an error of 2.5 % in the mean"));
    assert!(page.contains("held 90.0 % of the unseen networks"));
}

#[test]
fn a_smooth_landscape_has_no_step() {
    let mut run = full();
    for point in &mut run.landscape.as_mut().unwrap().curves[0].points {
        point.latency_ms = 1.0 + 0.001 * f64::from(point.channels);
    }
    assert!(checked(&run).contains("never grows by 2 %"));
}

#[test]
fn every_figure_is_a_file_of_its_own() {
    let run = full();
    for figure in Figure::ALL {
        let svg = figure_svg(&run, figure).unwrap();
        let (_, body) = svg.split_once("?>\n").unwrap();
        assert_well_formed(&body.replace("<svg ", "<script></script><svg "));
        assert!(body.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{}", figure.name());
        assert!(!svg.contains("href=") && !svg.contains("var("), "{} leans on the page", figure.name());
    }
}

#[test]
fn the_landscape_looks_as_it_did() {
    insta::assert_snapshot!("landscape.svg", figure_svg(&full(), Figure::Landscape).unwrap());
}

#[test]
fn predicted_against_measured_looks_as_it_did() {
    insta::assert_snapshot!("quality.svg", figure_svg(&full(), Figure::Quality).unwrap());
}

#[test]
fn the_worst_points_are_named_in_picture_and_table() {
    let page = checked(&full());
    assert!(page.contains("<h3>Predicted against measured</h3>") && page.contains("±10 %"));
    assert!(page.contains("1: n0038.mobilenet_v2</text>"), "the farthest comes first");
    assert!(
        page.contains("<td>n0003.mobilenet_v2</td><td>0.2136</td><td>0.2680</td><td>+25.5 %</td><td>2.</td>")
    );
    let mut old = full();
    old.quality.as_mut().unwrap().held_out = None;
    let page = checked(&old);
    assert!(page.contains("<h2>Estimator quality</h2>") && !page.contains("Predicted against measured"));
    let said = figure_svg(&old, Figure::Quality).unwrap_err().to_string();
    assert!(said.contains("no figure `quality`") && said.contains("fit it anew"), "{said}");
}

#[test]
fn one_point_or_names_of_any_length_still_make_a_picture() {
    let mut run = full();
    let points = &mut run.quality.as_mut().unwrap().held_out.as_mut().unwrap().points;
    points.truncate(1);
    points[0].name = "<long> ".repeat(90);
    let page = checked(&run);
    assert!(page.contains("Predicted against measured") && !page.contains("<long>"));
}

#[test]
fn a_figure_without_data_says_what_is_missing() {
    let mut nothing = base();
    nothing.ablation.clear();
    nothing.convergence.clear();
    nothing.front.clear();
    nothing.chosen = None;
    nothing.front_size = 0;
    let run = Run::of(nothing);
    let said = |figure| figure_svg(&run, figure).unwrap_err().to_string();
    assert!(said(Figure::Ablation).contains("search with --ablate"));
    assert!(said(Figure::Landscape).contains("estimator.json"));
    assert!(
        said(Figure::Front).contains("nothing feasible") && said(Figure::Convergence).contains("convergence")
    );
}

#[test]
fn plots_are_written_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&base(), &folder.path().join("run"));
    let run = run.to_str().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (front, layers) = (file("front.svg"), file("layers.svg"));
    let output = nas(&["report", run, "--plot", &front, "--plot", &layers]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "the figures are the result");
    assert!(fs::read_to_string(&front).unwrap().contains("latency in ms"));
    assert!(fs::read_to_string(&layers).unwrap().contains("compute-bound"));
    assert!(refusal(&["report", run, "--plot", &front]).contains("--force"));
    assert!(nas(&["report", run, "--plot", &front, "--force"]).status.success());

    let said = refusal(&["report", run, "--plot", &file("fronts.svg")]);
    assert!(
        said.contains(
            "one of front, layers, ablation, convergence, landscape, quality; did you mean `front`?"
        ),
        "{said}"
    );
    assert!(refusal(&["report", run, "--plot", &file("front.png")]).contains("ending in .svg"));
    let (ablation, landscape) = (file("ablation.svg"), file("landscape.svg"));
    let said = refusal(&["report", run, "--plot", &ablation, "--plot", &landscape]);
    assert!(
        said.contains("no figure `landscape`") && !Path::new(&ablation).exists(),
        "all or nothing: {said}"
    );
    assert!(refusal(&["report", run, "--plot", &ablation, "--plot", &ablation]).contains("twice"));
    assert!(refusal(&["report", run, "--force"]).contains("--out or --plot"));
}

#[test]
fn the_random_line_is_the_random_search_of_the_same_seed() {
    let folder = tempfile::tempdir().unwrap();
    let run = searched(&folder.path().join("nsga2"));
    let line = RandomLine::of(&run).unwrap();
    let random = folder.path().join("random");
    assert!(search(&random, &["--algorithm", "random"]).status.success());
    let random = Report::load(&random.join("report.json")).unwrap();
    assert_eq!((line.evaluations, line.rows), (random.evaluations, random.convergence));
}

#[test]
fn a_random_line_is_drawn_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    searched(folder.path());
    let run = folder.path().to_str().unwrap();
    let pages =
        ["plain.html", "random.html"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    assert!(nas(&["report", run, "-o", &pages[0]]).status.success());
    assert!(nas(&["report", run, "-o", &pages[1], "--random-line"]).status.success());
    let [plain, random] = pages.map(|page| fs::read_to_string(page).unwrap());
    assert!(!plain.contains("andom search") && plain.contains("Cost landscape</h2>"));
    assert!(random.contains("Random search reached") && random.contains("<th>random search</th>"));
    assert_well_formed(&random);
    assert!(refusal(&["report", run, "--random-line"]).contains("--out or --plot"));
    fs::remove_file(folder.path().join("space.json")).unwrap();
    let said = refusal(&["report", run, "-o", "never.html", "--random-line"]);
    assert!(said.contains("space.json of `tiny`") && !Path::new("never.html").exists(), "{said}");
}

#[test]
fn random_search_may_find_nothing() {
    let random = Some(RandomLine { evaluations: 700, rows: Vec::new() });
    let page = report_html(&Run { random, ..Run::of(base()) });
    assert!(page.contains("Random search found nothing feasible in 700 evaluations"));
}
