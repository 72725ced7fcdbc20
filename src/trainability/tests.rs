//! What an expert would say of two networks side by side.

use super::trainability;
use crate::{
    network::{
        Activation, Block, BlockKind, DType, Network, NetworkBuilder, Shape, Source, SqueezeExcite,
        ops::{Add, Concat, Conv2d, Dense, DepthwiseConv2d, GlobalAvgPool, Resize, ResizeMode},
    },
    units::Params,
};

/// A MobileNetV2-like classifier whose genes can be turned one at a time.
#[derive(Clone)]
struct Genes {
    input: u32,
    widths: [u32; 5],
    repeats: [u32; 5],
    expansion: f64,
    kernel: u32,
    fused: bool,
    activation: Activation,
    excite: bool,
}

const GENES: Genes = Genes {
    input: 224,
    widths: [16, 24, 40, 96, 160],
    repeats: [1, 2, 3, 6, 3],
    expansion: 6.0,
    kernel: 3,
    fused: false,
    activation: Activation::Relu6,
    excite: false,
};

impl Genes {
    fn build(&self) -> Network {
        let mut b = NetworkBuilder::new("n", Shape::new(self.input, self.input, 3), DType::Int8);
        let mut x = b.add("stem", Conv2d::square(32, 3, 2), &[Source::Input], self.activation).unwrap();
        for (stage, (cout, repeats)) in self.widths.into_iter().zip(self.repeats).enumerate() {
            for repeat in 0..repeats {
                let hidden = (f64::from(b.shape(x).c) * self.expansion).round().max(1.0) as u32;
                let se = SqueezeExcite {
                    reduced: hidden.div_ceil(4),
                    squeezed: Activation::Relu,
                    gate: Activation::HardSigmoid,
                };
                let block = Block {
                    kind: BlockKind::Ibn,
                    fused: self.fused,
                    kernel: self.kernel,
                    stride: if repeat == 0 && stage > 0 { 2 } else { 1 },
                    hidden,
                    cout,
                    activation: self.activation,
                    groups: 1,
                    se: self.excite.then_some(se),
                };
                x = block.build(&mut b, format!("s{stage}.b{repeat}"), x).unwrap();
            }
        }
        x = b.add("features", Conv2d::square(640, 1, 1), &[x], self.activation).unwrap();
        x = b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
        b.add("classes", Dense { cout: 100, bias: true }, &[x], Activation::None).unwrap();
        b.finish()
    }

    fn score(&self) -> f64 {
        trainability(&self.build()).score
    }
}

/// `depth` pairs of 3x3 convolutions at one width, with or without a residual around each pair.
fn tower(depth: u32, width: u32, residual: bool) -> Network {
    let mut b = NetworkBuilder::new("tower", Shape::new(32, 32, 3), DType::Int8);
    let conv = Conv2d::square(width, 3, 1);
    let mut x = b.add("stem", conv, &[Source::Input], Activation::Relu).unwrap();
    for pair in 0..depth {
        let a = b.add(format!("a{pair}"), conv, &[x], Activation::Relu).unwrap();
        let last = if residual { Activation::None } else { Activation::Relu };
        let c = b.add(format!("b{pair}"), conv, &[a], last).unwrap();
        x = if residual { b.add(format!("add{pair}"), Add, &[x, c], Activation::None).unwrap() } else { c };
    }
    x = b.add("pool", GlobalAvgPool, &[x], Activation::None).unwrap();
    b.add("classes", Dense { cout: 10, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

fn tower_score(depth: u32, residual: bool) -> f64 {
    trainability(&tower(depth, 32, residual)).score
}

#[test]
fn the_score_is_the_sum_of_its_terms() {
    let found = trainability(&GENES.build());
    assert_eq!(found.score, found.terms.iter().map(|term| term.value).sum::<f64>());
    assert!(found.terms.iter().all(|term| term.value.is_finite()));
}

#[test]
fn a_too_deep_plain_network_ranks_below_its_residual_twin_and_below_a_shallower_one() {
    assert!(tower_score(30, false) < tower_score(30, true));
    assert!(tower_score(60, false) < tower_score(20, false));
    assert!(tower_score(60, true) > tower_score(20, true));
}

#[test]
fn depth_has_diminishing_returns() {
    let [two, four, six] = [2, 4, 6].map(|depth| tower_score(depth, true));
    assert!(four > two && six > four && six - four < four - two);
}

#[test]
fn a_squeezed_bottleneck_is_penalised() {
    let squeezed = Genes { expansion: 0.125, ..GENES };
    let thin = Genes { widths: [16, 24, 1, 96, 160], ..GENES };
    let narrow = Genes { widths: GENES.widths.map(|width| width / 2), ..GENES };
    assert!(squeezed.score() < narrow.score(), "{} {}", squeezed.score(), narrow.score());
    assert!(thin.score() < narrow.score(), "{} {}", thin.score(), narrow.score());
}

#[test]
fn a_fused_block_is_worth_as_much_as_an_ibn_or_slightly_more() {
    let gain = Genes { fused: true, ..GENES }.score() - GENES.score();
    let wider = Genes { widths: GENES.widths.map(|width| width * 3 / 2), ..GENES }.score() - GENES.score();
    assert!(gain >= 0.0 && gain < wider, "{gain} against {wider}");
}

#[test]
fn width_in_one_stage_loses_against_the_same_params_spread() {
    let lopsided = Genes { widths: [8, 8, 16, 32, 240], ..GENES };
    assert!(lopsided.build().params() > GENES.build().params());
    assert!(lopsided.score() < GENES.score());
}

#[test]
fn depth_in_one_stage_loses_against_the_same_depth_spread() {
    let lopsided = Genes { repeats: [1, 1, 1, 1, 11], ..GENES };
    assert!(lopsided.build().params() > GENES.build().params());
    assert!(lopsided.score() < GENES.score());
}

#[test]
fn sensible_growth_raises_the_score_less_and_less() {
    let base = GENES.score();
    let grown = [
        Genes { input: 256, ..GENES },
        Genes { kernel: 5, ..GENES },
        Genes { widths: GENES.widths.map(|width| width * 2), ..GENES },
        Genes { repeats: GENES.repeats.map(|repeats| repeats + 1), ..GENES },
        Genes { activation: Activation::HardSwish, ..GENES },
        Genes { excite: true, ..GENES },
    ];
    for genes in grown {
        let score = genes.score();
        assert!(score > base, "{score} {base} {:?}", trainability(&genes.build()).terms);
    }
    let width = |factor: u32| Genes { widths: GENES.widths.map(|width| width * factor), ..GENES }.score();
    assert!(width(3) - width(2) < width(2) - width(1));
}

#[test]
fn equal_params_do_not_make_an_equal_score() {
    let [low, high] = [160, 224].map(|input| Genes { input, ..GENES });
    assert_eq!(low.build().params(), high.build().params());
    assert!(low.score() < high.score());
    let [plain, residual] = [false, true].map(|residual| tower(20, 32, residual));
    assert_eq!(plain.params(), residual.params());
    assert!(trainability(&plain).score < trainability(&residual).score);
    assert!(plain.params() > Params(0));
}

/// Two detection outputs on a small trunk, or a segmenter with a skip connection.
fn dense_prediction(width: u32, head: u32, detector: bool) -> Network {
    let mut b = NetworkBuilder::new("dense", Shape::new(128, 96, 3), DType::Int8);
    let relu = Activation::Relu;
    let fine = b.add("fine", Conv2d::square(width, 3, 8), &[Source::Input], relu).unwrap();
    let coarse = b.add("coarse", Conv2d::square(width * 2, 3, 2), &[fine], relu).unwrap();
    if detector {
        for (name, x) in [("fine", fine), ("coarse", coarse)] {
            let x = b.add(format!("{name}.dw"), DepthwiseConv2d::square(3, 1), &[x], relu).unwrap();
            let x = b.add(format!("{name}.head"), Conv2d::square(head, 1, 1), &[x], relu).unwrap();
            b.add(format!("{name}.boxes"), Conv2d::square(24, 1, 1), &[x], Activation::None).unwrap();
        }
        return b.finish();
    }
    let up = Resize { size: [16, 12], mode: ResizeMode::Bilinear };
    let up = b.add("up", up, &[coarse], Activation::None).unwrap();
    let both = b.add("both", Concat, &[fine, up], Activation::None).unwrap();
    let x = b.add("head", Conv2d::square(head, 1, 1), &[both], relu).unwrap();
    b.add("classes", Conv2d::square(19, 1, 1), &[x], Activation::None).unwrap();
    b.finish()
}

#[test]
fn detectors_and_segmenters_are_scored_over_all_their_outputs() {
    for detector in [true, false] {
        let score = |width, head| trainability(&dense_prediction(width, head, detector)).score;
        assert!(score(8, 32).is_finite() && score(8, 32) < score(16, 32));
        assert!(score(16, 1) < score(16, 8) && score(16, 8) < score(16, 32), "thinner heads");
    }
}
#[test]
fn degenerate_changes_do_not_pay() {
    let base = GENES.score();
    let lower = [
        ("linear", Genes { activation: Activation::None, ..GENES }),
        ("sigmoid", Genes { activation: Activation::Sigmoid, ..GENES }),
        ("wide at stride 16 only", Genes { widths: [8, 8, 16, 160, 64], ..GENES }),
        ("deep at stride 4 only", Genes { repeats: [11, 1, 1, 1, 1], ..GENES }),
        ("deep at stride 16 only", Genes { repeats: [1, 1, 1, 11, 1], ..GENES }),
        ("no depth but wide", Genes { repeats: [1; 5], widths: GENES.widths.map(|w| w * 17 / 10), ..GENES }),
        ("no expansion but wide", Genes { expansion: 1.0, widths: GENES.widths.map(|w| w * 3), ..GENES }),
        ("thin and very deep", {
            Genes { repeats: GENES.repeats.map(|r| r * 16), widths: GENES.widths.map(|w| w / 4), ..GENES }
        }),
        ("small picture but wide", Genes { input: 112, widths: GENES.widths.map(|w| w * 17 / 10), ..GENES }),
        ("large picture but thin", Genes { input: 448, widths: GENES.widths.map(|w| w / 4), ..GENES }),
    ];
    for (name, genes) in lower {
        assert!(genes.score() < base, "{name}: {}", genes.score() - base);
    }
}

#[test]
fn large_kernels_are_worth_less_than_half_as_much_width_again() {
    let wider = Genes { widths: GENES.widths.map(|width| width * 3 / 2), ..GENES }.score();
    assert!(Genes { kernel: 7, ..GENES }.score() < wider);
}

#[test]
fn equal_macs_at_equal_published_accuracy_score_alike() {
    // MobileNetV2 at width 1.0, 128 px and at 0.5, 224 px: 65.3 and 65.4 % (its authors' table).
    let halved = Genes { widths: GENES.widths.map(|width| width / 2), ..GENES };
    let small = Genes { input: 128, ..GENES };
    assert!((halved.score() - small.score()).abs() < 0.15, "{} {}", halved.score(), small.score());
}
