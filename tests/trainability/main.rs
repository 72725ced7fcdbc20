//! What the trainability score is worth: its rank correlations, and that a search cannot fool it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cell;
mod published;
mod ranks;
mod spaces;

use std::path::Path;

use nas::{
    network::Network,
    trainability::{KNOWN_CORRELATION, trainability},
};
use published::{Published, SOURCES};
use ranks::{kendall, partial, spearman};

/// Multiply-adds and params in millions as the authors publish them.
const PUBLISHED: [(&str, f64, f64); 28] = [
    ("mobilenet_v1_1_224", 569.0, 4.24),
    ("mobilenet_v1_0.5_160", 77.0, 1.34),
    ("mobilenet_v2_1_224", 300.0, 3.47),
    ("mobilenet_v2_1.4_224", 582.0, 6.06),
    ("mobilenet_v2_0.35_96", 11.0, 1.66),
    ("mobilenet_v3_large_1_224", 219.0, 5.4),
    ("mobilenet_v3_small_1_224", 56.0, 2.5),
    ("mobilenet_v3_large_minimal_1_224", 209.0, 3.9),
    ("mnasnet_a1_1_224", 315.0, 3.9),
    ("mnasnet_a1_1.4_224", 591.5, 6.1),
    ("mnasnet_a1_0.35_96", 12.7, 1.7),
    ("efficientnet_b0", 390.0, 5.3),
    ("efficientnet_b7", 37000.0, 66.0),
    ("efficientnet_lite4", 2640.0, 13.0),
    ("mobilenet_edgetpu_1_224", 990.0, 4.0),
    ("regnet_y_400mf", 402.0, 4.34),
    ("regnet_y_32gf", 32280.0, 145.05),
    ("resnet_18", 1814.0, 11.69),
    ("resnet_50", 4089.0, 25.56),
    ("resnet_50_32x4d", 4230.0, 25.03),
    ("vgg_16", 15470.0, 138.37),
    ("shufflenet_v2_1.0", 146.0, 2.28),
    ("proxyless_mobile", 320.0, 4.08),
    ("fbnet_c", 375.0, 5.5),
    ("tinynet_a", 339.0, 6.2),
    ("tinynet_e", 24.0, 2.0),
    ("pp_lcnet_1", 161.0, 3.0),
    ("densenet_121", 2834.0, 7.98),
];

#[test]
fn known_networks_have_their_published_macs_and_params() {
    let all: Vec<Published> = published::seen().into_iter().chain(published::unseen()).collect();
    for (name, macs, params) in PUBLISHED {
        let network = &all.iter().find(|one| one.network.name() == name).unwrap().network;
        let [found_macs, found_params] =
            [network.macs().0, network.params().0].map(|count| count as f64 / 1e6);
        // Some tables round to whole millions and count biases or batch-norm.
        assert!((found_macs - macs).abs() < 0.035 * macs + 0.6, "{name}: {found_macs} M MACs, not {macs}");
        assert!(
            (found_params - params).abs() < 0.03 * params,
            "{name}: {found_params} M params, not {params}"
        );
    }
}

/// What may rank networks, beside what they are to be ranked by.
struct Columns {
    score: Vec<f64>,
    macs: Vec<f64>,
    params: Vec<f64>,
    accuracy: Vec<f64>,
}

impl Columns {
    fn of<'a>(networks: impl Iterator<Item = &'a Published>) -> Self {
        let mut columns = Self { score: vec![], macs: vec![], params: vec![], accuracy: vec![] };
        for Published { top1, network, .. } in networks {
            columns.score.push(trainability(network).score);
            columns.macs.push(network.macs().0 as f64);
            columns.params.push(network.params().0 as f64);
            columns.accuracy.push(*top1);
        }
        columns
    }

    /// ρ, τ, and ρ at equal MACs.
    fn correlations(&self) -> [f64; 3] {
        let (x, y) = (&self.score, &self.accuracy);
        [spearman(x, y), kendall(x, y), partial(x, y, &self.macs)]
    }

    fn assert_at_least(&self, floors: [f64; 3]) {
        let found = self.correlations();
        assert!(found.iter().zip(floors).all(|(found, floor)| *found >= floor), "{found:?}, not {floors:?}");
        for other in [&self.macs, &self.params] {
            assert!(found[0] > spearman(other, &self.accuracy));
            assert!(found[1] > kendall(other, &self.accuracy));
        }
    }
}

#[test]
fn published_networks_are_ranked_better_than_by_macs_or_params() {
    let seen = published::seen();
    assert_eq!(seen.len(), 119);
    Columns::of(seen.iter()).assert_at_least([0.968, 0.875, 0.84]);
    let small = seen.iter().filter(|one| one.network.macs().0 < 1_200_000_000);
    Columns::of(small).assert_at_least([0.978, 0.885, 0.87]);
}

#[test]
fn networks_that_the_score_was_not_tuned_on_are_ranked_better_than_by_macs_or_params() {
    let unseen = published::unseen();
    assert_eq!(unseen.len(), 41);
    Columns::of(unseen.iter()).assert_at_least([0.98, 0.915, 0.5]);
}

#[test]
fn every_family_is_ranked_well_by_itself() {
    let all: Vec<Published> = published::seen().into_iter().chain(published::unseen()).collect();
    for (family, _) in SOURCES {
        let own = Columns::of(all.iter().filter(|one| one.family == family));
        assert!(own.correlations()[0] >= 0.9 - 1e-9, "{family}: {:?}", own.correlations());
    }
}

/// Every 78th of the 15,625 cells from the 39th on, in the order of accuracy and then of operations.
///
/// Accuracies on CIFAR-10 after 200 epochs: NAS-Bench-201 (Dong & Yang 2020), as tabulated by HamsterMimi/MeCo.
#[test]
fn a_sample_of_nasbench201_is_ranked_better_than_by_macs_or_params() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nasbench201-sample.csv");
    let mut columns = Columns::of([].iter());
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let operations: Vec<&str> = row.iter().take(6).collect();
        let network = cell::network(&operations).unwrap();
        let count = |of: fn(&Network) -> u64| network.as_ref().map_or(0.0, |network| of(network) as f64);
        columns.score.push(cell::score(&operations).unwrap()[0].value);
        columns.macs.push(count(|network| network.macs().0));
        columns.params.push(count(|network| network.params().0));
        columns.accuracy.push(row[6].parse().unwrap());
    }
    assert_eq!(columns.accuracy.len(), 200);
    columns.assert_at_least([0.9, 0.7, 0.7]);
}

#[test]
fn what_is_said_of_the_correlation_is_what_is_measured() {
    let all: Vec<Published> = published::seen().into_iter().chain(published::unseen()).collect();
    let [rho, _, at_equal_macs] = Columns::of(all.iter()).correlations();
    let said = format!("{rho:.2} over 160 published ImageNet classifiers ({at_equal_macs:.2} at equal MACs)");
    assert!(KNOWN_CORRELATION.contains(&said), "{said}");
}
