//! Exact searches of small spaces, as a user asks for them.

use std::path::Path;

use crate::common::{TINY, refusal, search, stderr, stdout};
use nas::{
    estimator::Estimator,
    objective::Metrics,
    report::Report,
    space::{GeneKind, Space},
};

fn report(run: &Path) -> Report {
    Report::load(&run.join("report.json")).unwrap()
}

/// The least latency at no less trainability among all genotypes that differ from the baseline in genes of `kind`.
fn least_ms(kind: GeneKind) -> f64 {
    let space = Space::load(Path::new(TINY)).unwrap();
    let estimator = Estimator::load(Path::new("estimators/ethos-u55-128.json")).unwrap();
    let metrics = |genes: &[u8]| Metrics::of(&space.network(genes).unwrap(), &estimator);
    let required = metrics(&space.baseline().0).trainability;
    let mut all = vec![space.baseline().0.to_vec()];
    for (index, gene) in space.genes().iter().enumerate().filter(|(_, gene)| gene.kind == kind) {
        let with = |genes: &Vec<u8>, allele: usize| {
            let mut genes = genes.clone();
            genes[index] = allele as u8;
            genes
        };
        all = all.iter().flat_map(|genes| (0..gene.labels.len()).map(move |a| with(genes, a))).collect();
    }
    let metrics = all.iter().map(|genes| metrics(genes));
    let good = metrics.filter(|metrics| metrics.trainability >= required);
    good.map(|metrics| metrics.latency_us / 1e3).fold(f64::INFINITY, f64::min)
}

#[test]
fn an_exact_search_of_some_genes_finds_the_least_latency_there_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in [("fused", GeneKind::Fused), ("expansion", GeneKind::Expansion)] {
        let run = folder.path().join(name);
        let output = search(&run, &["--free", name, "--algorithm", "exact"]);
        let report = report(&run);
        assert_eq!(report.free, Some(vec![name.to_owned()]));
        assert_eq!(report.termination, "space exhausted");
        let found = report.front[0].latency_ms;
        assert!((found / least_ms(kind) - 1.0).abs() < 1e-5, "{name}: {found} for {}", least_ms(kind));
        assert!(stdout(&output).contains(&format!("only these genes free: {name}")), "{}", stdout(&output));
    }
}

#[test]
fn a_gap_is_told_against_all_architectures() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = search(&run, &["--free", "expansion,kernel,fused", "-n", "150", "--gap"]);
    let gap = report(&run).gap.unwrap();
    assert!(gap.latency_pct >= 0.0 && gap.hypervolume_pct <= 100.0 && gap.architectures > 150, "{gap:?}");
    assert!(gap.hypervolume_pct > 80.0 && gap.latency_pct < 10.0, "150 are a fair part of them: {gap:?}");
    assert!(stdout(&output).contains("optimality: the least latency is within"), "{}", stdout(&output));
}

#[test]
fn a_gap_of_a_large_space_is_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = search(&run, &["-n", "1000", "--gap"]);
    let report = report(&run);
    let bound = report.bound.unwrap();
    assert!(report.gap.is_none() && bound.networks > 1000 && bound.regions > 0, "{bound:?}");
    assert!((0.0..5.0).contains(&bound.latency_pct) && bound.surprise_pct < 1.0, "{bound:?}");
    assert!(report.front[0].latency_ms >= bound.latency_ms, "{bound:?}");
    let front = bound.front.as_ref().unwrap();
    assert!(front.bounds.len() > 2 && front.bounds.is_sorted_by_key(|at| at.latency_ms), "{bound:?}");
    assert!(0.0 <= front.median_pct && front.median_pct <= front.most_pct, "{bound:?}");
    assert!(front.hypervolume_pct.is_none_or(|share| (30.0..=100.0).contains(&share)), "{bound:?}");
    assert!(stdout(&output).contains("optimality: the least latency is"), "{}", stdout(&output));
}

#[test]
fn exhaustive_rows_of_an_ablation_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = search(&run, &["--ablate"]);
    let rows = report(&run).ablation;
    let exact: Vec<&str> = rows.iter().filter(|row| row.exact).map(|row| row.name.as_str()).collect();
    assert_eq!(exact, ["depth multiplier only", "fusion only", "both"]);
    assert!(stdout(&output).contains("fusion only (exact)"), "{}", stdout(&output));
}

#[test]
fn an_exact_search_that_is_cut_short_says_that_it_is_not_exact() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        search(&folder.path().join("run"), &["--free", "expansion", "--algorithm", "exact", "-n", "20"]);
    assert!(stderr(&output).contains("not the exact one; raise --evaluations"), "{}", stderr(&output));
}

#[test]
fn what_cannot_be_exact_is_refused() {
    let refused = refusal(&["search", TINY, "--algorithm", "exact", "-q"]);
    assert!(
        refused.contains("an exact search looks at every genotype")
            && refused.contains("leave fewer genes free"),
        "{refused}"
    );
    let refused = refusal(&["search", TINY, "--free", "fusd", "-q"]);
    assert!(refused.contains("did you mean `fused`?"), "{refused}");
    let refused = refusal(&["search", TINY, "--free", "output-stride", "-q"]);
    assert!(refused.contains("no gene of the kind `output stride`"), "{refused}");
}
