//! What an estimator knows least about in given networks, so that this may be measured next.
//!
//! The error to be expected of a layer is its predicted latency times the mean error that its kind of operator
//! showed on held-out data. Of a layer outside the measured range nothing is known, so its whole latency counts.
//! What occurs in many networks, or often in one, counts as often.

use super::{Accuracy, Estimator, NetworkEstimate, Quality};
use crate::{
    measure::{Doubt, Place, SubjectKind},
    network::Network,
};

/// How sure an estimator is of the layers of some networks.
#[derive(Clone, Debug)]
pub struct Doubts {
    networks: Vec<Doubted>,
}

/// What is not known of one network.
#[derive(Clone, Debug)]
struct Doubted {
    whole: Doubt,
    layers: Vec<Doubt>,
}

impl Doubts {
    /// What `estimator` knows of `networks`, which are to be in the number format of the device.
    #[must_use]
    pub fn of(estimator: &Estimator, networks: &[Network]) -> Self {
        Self { networks: networks.iter().map(|network| doubted(estimator, network)).collect() }
    }

    /// What is not known of a subject that occurs at `places`: its error in a network is the mean over all networks.
    #[must_use]
    pub fn doubt(&self, kind: SubjectKind, places: &[Place]) -> Doubt {
        let found = places.iter().filter_map(|place| Some((self.networks.get(place.network)?, place)));
        let doubts: Vec<&Doubt> = match kind {
            // Errors of layers average out in a network, so it has an error of its own.
            SubjectKind::Network => found.map(|(network, _)| &network.whole).collect(),
            _ => {
                found.flat_map(|(n, place)| n.layers.get(place.layers.clone()).unwrap_or_default()).collect()
            }
        };
        let error_us = doubts.iter().map(|doubt| doubt.error_us).sum::<f64>();
        Doubt {
            out_of_range: doubts.iter().find_map(|doubt| doubt.out_of_range.clone()),
            error_us: error_us / self.networks.len().max(1) as f64,
        }
    }
}

fn doubted(estimator: &Estimator, network: &Network) -> Doubted {
    let estimate = estimator.estimate(network);
    let graph = estimator.graph(network);
    let named = network.layers().iter().zip(&estimate.layers).zip(graph.layers());
    let layers = named.map(|((layer, priced), placed)| {
        let out_of_range = estimate.out_of_range.iter().find(|out| out.layer == layer.name);
        let kind = placed.operation().kind.name();
        let share = if out_of_range.is_some() { 1.0 } else { layer_share(estimator, kind) };
        Doubt { out_of_range: out_of_range.map(ToString::to_string), error_us: share * priced.latency_us }
    });
    Doubted { layers: layers.collect(), whole: whole(estimator, &estimate) }
}

/// The network as such: the half width of its interval, which is wider where a layer is out of range, if the
/// estimator has seen no whole networks, or where it cannot be trusted.
fn whole(estimator: &Estimator, estimate: &NetworkEstimate) -> Doubt {
    let width = (estimate.high_us - estimate.low_us) / 2.0;
    let error_us = match &estimator.quality().networks {
        Some(accuracy) if estimate.in_range() => share(accuracy) * estimate.latency_us,
        _ => width,
    };
    Doubt { out_of_range: estimate.out_of_range.first().map(ToString::to_string), error_us }
}

/// The mean held-out error of a kind of operator, as a share of its latency; of all kinds where this one was not
/// held out, and half the width of the interval where none was.
fn layer_share(estimator: &Estimator, kind: &str) -> f64 {
    let Quality { layers_by_kind, isolated_by_kind, layers, isolated, .. } = estimator.quality();
    let by_kind = layers_by_kind.iter().chain(isolated_by_kind).find(|(name, _)| name == kind);
    let known = by_kind.map(|(_, accuracy)| accuracy).or(layers.as_ref()).or(isolated.as_ref());
    let (low, high) = estimator.interval();
    known.map_or((high - low) / 2.0, share)
}

fn share(accuracy: &Accuracy) -> f64 {
    accuracy.mape_pct / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        estimator::{FitOptions, fit},
        measure::{Doubted, PlanOptions, Wanted, plan_where_uncertain},
        measurement::parse_measurements,
        network::{Activation, DType, NetworkBuilder, Shape, Source, ops::*},
    };

    /// 3x3 convolutions of up to 100 channels, on a device that does a hundred multiply-adds a microsecond.
    fn estimator() -> Estimator {
        let mut text = "op,in_h,in_w,cin,cout,kernel,stride,latency_us\n".to_owned();
        for h in [4, 7, 14, 28] {
            for cin in [8, 24, 40, 64, 100] {
                for cout in [8, 16, 40, 64, 100] {
                    let latency = 3.0 + f64::from(h * h * 9 * cin * cout) / 100.0;
                    text += &format!("conv2d,{h},{h},{cin},{cout},3,1,{latency}\n");
                }
            }
        }
        let measured = parse_measurements("d.csv", &text).unwrap();
        fit(&[measured], &[], &FitOptions::default()).unwrap().estimator
    }

    /// Convolutions one after another.
    fn chain(name: &str, size: u32, channels: &[u32]) -> Network {
        let mut b = NetworkBuilder::new(name, Shape::new(size, size, 8), DType::Int8);
        let mut x = Source::Input;
        for (index, cout) in channels.iter().enumerate() {
            let conv = Conv2d::square(*cout, 3, 1);
            x = b.add(format!("l{index}"), conv, &[x], Activation::None).unwrap();
        }
        b.finish()
    }

    fn planned(networks: &[Network], networks_too: bool) -> Vec<Doubted> {
        let wanted = Wanted { operators: true, blocks: false, networks: networks_too };
        let options = PlanOptions { wanted, dtype: DType::Int8, most: 100 };
        let doubts = Doubts::of(&estimator(), networks);
        plan_where_uncertain(networks, &options, |kind, places| doubts.doubt(kind, places)).unwrap()
    }

    fn couts(plan: &[Doubted]) -> Vec<u32> {
        plan.iter().map(|doubted| doubted.subject.network.layers()[0].output.c).collect()
    }

    #[test]
    fn what_was_never_measured_comes_before_what_costs_more() {
        let plan = planned(&[chain("n", 14, &[100, 100, 101, 8])], false);
        // 100 to 101 is just outside the range, and 8 behind it reads more channels than were measured.
        assert_eq!(couts(&plan), [101, 8, 100, 100]);
        let said = plan[0].doubt.out_of_range.clone().unwrap();
        assert!(said.contains("cout 101") && said.contains("8 to 100"), "{said}");
        assert!(plan[2].doubt.out_of_range.is_none());
    }

    #[test]
    fn what_contributes_most_error_comes_first_and_repeats_add_up() {
        let plan = planned(&[chain("n", 14, &[16, 40, 16, 40, 16, 64])], false);
        // 16 to 40 and 40 to 16 stand there twice; 8 to 16 is the least, though it is the first.
        let places: Vec<usize> = plan.iter().map(|doubted| doubted.places.len()).collect();
        assert_eq!((couts(&plan).last(), places.last()), (Some(&16), Some(&1)));
        assert_eq!((couts(&plan)[0], places[0]), (16, 2), "40 to 16 fills more than 16 to 64 alone");
        let errors: Vec<f64> = plan.iter().map(|doubted| doubted.doubt.error_us).collect();
        assert!(errors.is_sorted_by(|a, b| a >= b) && errors[errors.len() - 1] > 0.0, "{errors:?}");
    }

    #[test]
    fn what_many_networks_share_outweighs_what_one_has() {
        let networks: Vec<Network> =
            (0..5).map(|n| chain(&format!("n{n}"), 14, &[if n == 0 { 64 } else { 40 }])).collect();
        let plan = planned(&networks, true);
        let operators: Vec<&Doubted> =
            plan.iter().filter(|doubted| doubted.subject.kind != SubjectKind::Network).collect();
        assert_eq!(operators[0].places.len(), 4);
        assert_eq!(operators[0].subject.network.layers()[0].output.c, 40);
        assert_eq!(plan.len(), 7, "five networks and two operators");
    }
}
