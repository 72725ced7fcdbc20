//! `nas measure --where-uncertain`: what an estimator knows least about comes first.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nas::{
    estimator::{Doubts, Estimator},
    measure::{Doubted, PlanOptions, SubjectKind, plan_where_uncertain},
    network::Network,
    report::{Report, Table},
    space::Target,
};

use super::{
    output,
    report::{report_path, run_and_entry},
    targets,
};

/// The most rows that are shown of a plan.
const SHOWN: usize = 15;

/// The estimator that is asked: the one given, or the one that the subject names or has beside it.
pub(super) fn estimator(
    given: Option<&PathBuf>,
    subject: &str,
    target: Option<&str>,
) -> anyhow::Result<Estimator> {
    let path = match given {
        Some(_) if target.is_some() => bail!("--target and --estimator both say which estimator; give one"),
        Some(given) => Some(given.clone()),
        None => beside(subject, target)?,
    };
    let path = path.context(
        "which estimator is to be asked? give it with --estimator, such as estimators/ethos-u55-128.json",
    )?;
    let estimator = Estimator::load(&path)?;
    if let Some(target) = estimator.target() {
        bail!("{} predicts {}, expected an estimator of latency", path.display(), target.name);
    }
    Ok(estimator)
}

fn beside(subject: &str, target: Option<&str>) -> anyhow::Result<Option<PathBuf>> {
    let (run, _) = run_and_entry(subject);
    let is_run = Path::new(run).is_dir() || run.ends_with("report.json");
    if is_run && let Ok(path) = report_path(Path::new(run)) {
        let number = targets::number(&Report::load(&path)?, target, false)?;
        return Ok(targets::beside(&path, number));
    }
    if target.is_some() {
        bail!("--target names an accelerator of a run; {subject} is none, so give --estimator");
    }
    let mut named = Target::load(Path::new(subject)).map_or(Vec::new(), |target| target.estimators);
    if named.len() > 1 {
        bail!("{subject} names several estimators; say which with --estimator");
    }
    Ok(named.pop())
}

/// What is to be measured of `networks`, what `estimator` knows least about first.
pub(super) fn plan(
    estimator: &Estimator,
    networks: &[Network],
    options: &PlanOptions,
) -> anyhow::Result<Vec<Doubted>> {
    let networks: Vec<Network> =
        networks.iter().map(|network| network.relabelled(network.name(), options.dtype)).collect();
    let doubts = Doubts::of(estimator, &networks);
    let plan = plan_where_uncertain(&networks, options, |kind, places| doubts.doubt(kind, places))?;
    if plan.is_empty() {
        bail!("nothing of these sorts is there to be measured; --sorts names others");
    }
    let unknown = plan.iter().filter(|doubted| doubted.doubt.out_of_range.is_some()).count();
    output::tell(format_args!(
        "{unknown} of {} subjects are outside what {} was fitted to, and come first",
        plan.len(),
        estimator.name()
    ));
    Ok(plan)
}

/// The first of a plan, with what is not known of them.
pub(super) fn text(plan: &[Doubted], networks: &[Network]) -> String {
    let mut rows =
        Table::new(&["first", "sort", "in places", "expected error us", "outside what was measured"])
            .left(1)
            .left(4);
    for doubted in plan.iter().take(SHOWN) {
        rows.push([
            name(doubted, networks),
            doubted.subject.kind.name().to_owned(),
            doubted.places.len().to_string(),
            format!("{:.3}", doubted.doubt.error_us),
            doubted.doubt.out_of_range.clone().unwrap_or_default(),
        ]);
    }
    rows.text()
}

/// Where a subject occurs first: a layer, a block, a network.
fn name(doubted: &Doubted, networks: &[Network]) -> String {
    let place = doubted.places.first();
    let network = place.and_then(|place| networks.get(place.network));
    let layer = network.zip(place).and_then(|(network, place)| network.layers().get(place.layers.start));
    let layer = layer.map_or("", |layer| layer.name.as_str());
    match doubted.subject.kind {
        SubjectKind::Network => doubted.subject.name().to_owned(),
        SubjectKind::Block => layer.rsplit_once('.').map_or(layer, |(block, _)| block).to_owned(),
        SubjectKind::Operator(_) => layer.to_owned(),
    }
}
