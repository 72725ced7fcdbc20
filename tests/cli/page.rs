//! The HTML page of a run: well-formed, self-contained, small, and right for runs of every size.

use std::{fs, path::Path};

use nas::{
    estimator::Estimator,
    report::{
        Bound, BoundAt, Curve, CurvePrice, Entry, ExactGap, FrontGap, FrontPoint, Landscape, Report, Run,
        Width, report_html,
    },
    space::Space,
    trainability::trainability,
    units::Macs,
};

use crate::{
    common::{nas, refusal, stderr},
    fixture::{base, landscape, quality, report, save},
};

fn run(report: Report) -> Run {
    Run::of(report)
}

/// Every tag is closed in order, attributes are quoted, and no text holds a bare `<`.
pub(crate) fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let rest = without(&without(page, "script"), "style");
    for tag in rest.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("`<{tag}` is not closed"));
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "`{tag}` closes another"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(!page.contains("NaN") && !page.contains("inf\""), "a number is none");
}

fn without(page: &str, tag: &str) -> String {
    let (head, tail) = page.split_once(&format!("<{tag}>")).unwrap();
    let (_, tail) = tail.split_once(&format!("</{tag}>")).unwrap();
    head.to_owned() + tail
}

/// Each id is given once, and each link leads to one.
fn assert_links_lead_somewhere(page: &str) {
    let values = |name: &str| -> Vec<String> {
        let start = format!(" {name}=\"");
        page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = values("id");
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "{id} is there twice");
    }
    for link in values("href") {
        assert!(ids.contains(&link.replace('#', "")), "{link} leads nowhere");
    }
}

pub(crate) fn checked(run: &Run) -> String {
    let page = report_html(run);
    assert_well_formed(&page);
    assert_links_lead_somewhere(&page);
    for outside in ["http:", "https:", "//", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "the page reaches out with {outside}");
    }
    page
}

#[test]
fn the_page_holds_every_section_in_order() {
    let page = checked(&Run { landscape: Some(landscape()), quality: Some(quality()), ..run(base()) });
    let sections = [
        "class=\"verdict\"",
        "Pareto front</h2>",
        "Latency by layer</h2>",
        "What changed</h2>",
        "Ablation</h2>",
        "Convergence</h2>",
        "Cost landscape</h2>",
        "Estimator quality</h2>",
        "Architecture</h2>",
    ];
    let places = sections.map(|section| page.find(section).unwrap_or_else(|| panic!("no {section}")));
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.contains("<strong>s1.b1</strong>: IBN x96 → IBN x64"), "the change in plain words");
}

#[test]
fn every_drawing_also_stands_in_a_table() {
    let page = checked(&Run { landscape: Some(landscape()), ..run(base()) });
    for section in page.split("<section>").skip(1).filter(|section| section.contains("<svg")) {
        assert!(section.contains("<table"), "{section}");
    }
}

#[test]
fn what_has_no_data_is_left_out() {
    let mut nothing = report(Vec::new());
    nothing.ablation.clear();
    nothing.convergence.clear();
    nothing.hypervolume_reference.clear();
    let page = checked(&run(nothing));
    assert!(page.contains("No architecture meets the requirement"));
    for section in [
        "Pareto front",
        "What changed",
        "Ablation",
        "Convergence",
        "landscape",
        "Estimator quality",
        "chosen</th>",
    ] {
        assert!(!page.contains(section), "{section}");
    }
}

#[test]
fn the_exact_front_is_a_level_line_where_it_is_known() {
    let mut report = base();
    assert!(!checked(&run(report.clone())).contains("class=\"exact\""));
    let (architectures, latency_pct, hypervolume_pct) = (144, 0.5, 99.5);
    report.gap = Some(ExactGap { architectures, latency_pct, hypervolume_pct, hypervolume: Some(1457.8) });
    let page = checked(&run(report.clone()));
    assert!(page.contains("hypervolume of 1457.8; the search reached 99.50 % of it"));
    assert!(page.contains("; a level line: the exact front") && page.contains("the exact front</"));
    report.gap.as_mut().unwrap().hypervolume = None;
    assert!(!checked(&run(report)).contains("class=\"exact\""), "a report of an older version");
}

fn front_gap() -> FrontGap {
    let at = |trainability, latency_ms| BoundAt { trainability, latency_ms };
    FrontGap {
        median_pct: 2.04,
        most_pct: 5.0,
        hypervolume_pct: Some(97.25),
        bounds: vec![at(14.5, 1.1), at(14.6, 1.6), at(14.7, 2.1)],
    }
}

#[test]
fn how_near_the_optimum_it_is_stands_with_the_verdict() {
    let mut report = base();
    assert!(!checked(&run(report.clone())).contains("on the way"));
    report.bound = Some(Bound {
        latency_ms: 1.1,
        latency_pct: 3.26,
        networks: 100_000,
        tried: 500,
        surprise_pct: 0.0,
        regions: 300,
        closed: false,
        front: Some(front_gap()),
    });
    let page = checked(&run(report.clone()));
    assert!(
        page.contains(
            "The least latency is within 3.3 % of the best, none is below 1.100 ms; the front is within 5.0 % at every \
             score, 2.0 % at half of them, and at least 97.2 % of the hypervolume there is; if no part"
        )
    );
    assert!(page.contains("in 500 more on the way so it was."));
    assert!(
        page.contains("<path class=\"barred\"")
            && page.contains("nothing that meets the requirement lies here")
    );
    let bound = report.bound.as_mut().unwrap();
    (bound.closed, bound.latency_pct, bound.surprise_pct) = (true, 0.01, 0.25);
    bound.front = None;
    let page = checked(&run(report));
    assert!(!page.contains("class=\"barred\""), "a report of an older version");
    assert!(page.contains("The least latency is the least there is, to 0.01 %; if no part"));
    assert!(page.contains("in 500 more on the way it was so to 0.25 %, which is counted."));
}

#[test]
fn one_entry_is_enough() {
    let mut one = base();
    one.front.truncate(1);
    assert!(checked(&run(one)).contains("href=\"#e0\""));
}

#[test]
fn the_baseline_itself_may_be_the_best() {
    let mut same = base();
    same.front = vec![same.baseline.clone().against(same.baseline.latency_ms)];
    assert!(checked(&run(same)).contains("Nothing: the baseline itself"));
}

#[test]
fn names_stay_text_however_they_look() {
    let mut odd = base();
    odd.space.name = format!("<script>alert(1)</script> & \"{}\"", "long-".repeat(60));
    odd.front[0].id = "</pre><b>".into();
    odd.front[0].blocks[2] = "s1.b1 <i>'k3".into();
    odd.front[0].layers[0].reason = "a \"reason\" <x> ".repeat(12);
    odd.provenance = "]]> --> </style>".into();
    let page = checked(&run(odd));
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("alert(1)</script>"));
}

/// Forty blocks whose latency jumps at every width.
fn rough_landscape() -> Landscape {
    let price = |channels: u32| CurvePrice {
        channels,
        latency_ms: 0.1 + 0.001 * f64::from(channels) + 0.02 * f64::from(channels * 7919 % 101) / 101.0,
        macs: Macs(u64::from(channels) * 123_457),
    };
    let curve = |block: u32| Curve {
        block: format!("s{}.b{}", 1 + block / 5, 1 + block % 5),
        width: Width::Hidden,
        points: (8..=1400).step_by(2).map(price).collect(),
        curated: vec![160, 320, 480, 640, 960],
        baseline: Some(960),
        chosen: 320,
    };
    Landscape { lanes: 16, curves: (0..40).map(curve).collect() }
}

#[test]
fn two_thousand_entries_fit_into_400_kilobytes() {
    let mut large = run(base());
    let point = |index: usize| FrontPoint {
        id: format!("{index:016x}"),
        latency_ms: 0.1 + 0.0001 * index as f64,
        relative_latency: None,
        trainability: 3.5 + 0.001 * index as f64,
        energy_uj: None,
    };
    large.landscape = Some(rough_landscape());
    large.front = Some((0..2000).map(point).collect());
    large.report.front_size = 2000;
    let page = checked(&large);
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(page.contains("all 2000 architectures"));
    let entry = large.report.front[1].clone();
    large.report.front = vec![entry; 2000];
    let page = checked(&large);
    assert!(page.len() < 400_000, "{} bytes with all of them reported", page.len());
}

/// What a search over a shipped space may end with, and more: every entry is a detector of some sixty layers.
#[test]
fn two_thousand_detectors_fit_into_400_kilobytes() {
    let space = Space::load(Path::new("search-spaces/presence-detector.json")).unwrap();
    let estimator = Estimator::load(Path::new("estimators/ethos-u85-2048.json")).unwrap();
    let genes = &space.baseline().0;
    let network = space.network(genes).unwrap();
    let mut entry = Entry::of(network.clone(), &estimator.estimate(&network), &trainability(&network));
    entry.blocks = space.architecture(genes).lines();
    let mut large = base();
    (large.baseline, large.front) = (entry.clone(), Vec::new());
    let mut points = Vec::new();
    for index in 0..2000 {
        entry.id = format!("{:016x}", 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index + 1));
        entry.latency_ms += 0.001;
        entry.trainability += 0.0003;
        let Entry { id, latency_ms, trainability, .. } = entry.clone();
        points.push(FrontPoint { id, latency_ms, relative_latency: None, trainability, energy_uj: None });
        large.front.push(entry.clone());
    }
    large.front_size = 2000;
    let quality = Some(estimator.quality().clone());
    let page =
        checked(&Run { front: Some(points), quality, landscape: Some(rough_landscape()), ..run(large) });
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

/// The command that writes `page`.
fn written<'a>(run: &'a Path, page: &'a Path) -> [&'a str; 4] {
    ["report", run.to_str().unwrap(), "-o", page.to_str().unwrap()]
}

#[test]
fn a_page_is_written_and_replaced_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&base(), folder.path());
    let page = folder.path().join("report.html");
    let words = written(&run, &page);
    let output = nas(&words);
    assert!(output.status.success(), "{}", stderr(&output));
    let first = fs::read_to_string(&page).unwrap();
    assert!(first.starts_with("<!DOCTYPE html>"));
    fs::write(&page, "mine").unwrap();
    assert!(refusal(&words).contains("--force"));
    assert_eq!(fs::read_to_string(&page).unwrap(), "mine");
    assert!(nas(&[&words[..], &["--force"]].concat()).status.success());
    assert_eq!(fs::read_to_string(&page).unwrap(), first, "the same run gives the same bytes");
}

#[test]
fn the_ending_of_the_file_gives_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let run = save(&base(), folder.path());
    for (name, start) in [("a.md", "# door-bell"), ("a.json", "{"), ("a.txt", "door-bell")] {
        let page = folder.path().join(name);
        assert!(nas(&written(&run, &page)).status.success());
        assert!(fs::read_to_string(&page).unwrap().starts_with(start), "{name}");
    }
    let said = refusal(&written(&run, &folder.path().join("a.pdf")));
    assert!(said.contains(".html, .md, .json or .txt"), "{said}");
}
