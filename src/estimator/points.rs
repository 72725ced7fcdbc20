//! What a fit predicted beside what was measured, as points for a picture.
//!
//! A file keeps some two hundred of them: every so many in order of latency, so that their spread is that of all,
//! and those that were predicted worst, which a picture has to name.

use serde::{Deserialize, Serialize};

use super::{
    report::words,
    training::{Sample, Training},
};

/// Points that are spread over the latencies.
const SPREAD: usize = 200;
/// Points that were predicted worst, kept whether or not they are among the spread ones.
const WORST: usize = 10;
/// No file of this program holds more points than this.
pub(super) const MOST: usize = SPREAD + WORST;

/// Measurements that the fit has not seen, with what it predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutPoints {
    /// What was measured.
    pub of: Unseen,
    /// By ascending measurement.
    pub points: Vec<HeldOutPoint>,
}

/// What points stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// Whole networks.
    Networks,
    /// Operators measured on their own.
    IsolatedOperators,
    /// Layers of networks, where no network was measured whole.
    Layers,
}

/// One measurement; `[measured, predicted, name]` in a file, in the estimator's unit, with five digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(f64, f64, String)", into = "(f64, f64, String)")]
pub struct HeldOutPoint {
    /// As measured, in the estimator's unit (microseconds).
    pub measured: f64,
    /// As predicted by a fit that has not seen it.
    pub predicted: f64,
    /// The network, the operator in words, or network and layer.
    pub name: String,
}

impl From<(f64, f64, String)> for HeldOutPoint {
    fn from((measured, predicted, name): (f64, f64, String)) -> Self {
        Self { measured, predicted, name }
    }
}

impl From<HeldOutPoint> for (f64, f64, String) {
    fn from(HeldOutPoint { measured, predicted, name }: HeldOutPoint) -> Self {
        (measured, predicted, name)
    }
}

impl HeldOutPoint {
    /// Prediction less measurement, in percent of the measurement.
    #[must_use]
    pub fn error_pct(&self) -> f64 {
        100.0 * (self.predicted / self.measured - 1.0)
    }

    /// How far apart both are, as the logarithm of the factor between them.
    #[must_use]
    pub fn distance(&self) -> f64 {
        (self.predicted / self.measured).ln().abs()
    }
}

impl Unseen {
    /// What is counted, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Networks => "networks",
            Self::IsolatedOperators => "isolated operators",
            Self::Layers => "layers in networks",
        }
    }
}

impl HeldOutPoints {
    /// The points of a fit: of whole networks, else of isolated operators, else of layers. `networks` are predicted and
    /// measured latencies in the order of the networks, `samples` predicted ones in that of the samples. None where
    /// nothing can be shown.
    pub(super) fn of(training: &Training, networks: &[(f64, f64)], samples: &[f64]) -> Option<Self> {
        if !networks.is_empty() {
            return Self::kept(Unseen::Networks, networks, |index| {
                training.whole_origin(training.wholes.get(index)?)?.network.clone()
            });
        }
        let isolated = training.samples.iter().any(|sample| sample.network.is_none());
        let wanted = |(_, sample): &(usize, &Sample)| sample.network.is_none() == isolated;
        let numbers: Vec<usize> =
            training.samples.iter().enumerate().filter(wanted).map(|(number, _)| number).collect();
        let pair = |number: &usize| Some((*samples.get(*number)?, training.samples.get(*number)?.latency_us));
        let pairs: Vec<(f64, f64)> = numbers.iter().filter_map(pair).collect();
        let of = if isolated { Unseen::IsolatedOperators } else { Unseen::Layers };
        Self::kept(of, &pairs, |index| sample_name(training, *numbers.get(index)?))
    }

    /// What is kept of pairs of prediction and measurement; none where no pair is above zero.
    fn kept(of: Unseen, pairs: &[(f64, f64)], name: impl Fn(usize) -> Option<String>) -> Option<Self> {
        let usable = |value: f64| value.is_finite() && value > 0.0;
        let mut order: Vec<usize> =
            (0..pairs.len()).filter(|index| usable(pairs[*index].0) && usable(pairs[*index].1)).collect();
        order.sort_by(|a, b| pairs[*a].1.total_cmp(&pairs[*b].1));
        let point = |index: &usize| {
            let (predicted, measured) = pairs[*index];
            let name = name(*index).unwrap_or_default();
            HeldOutPoint { measured: digits(measured), predicted: digits(predicted), name }
        };
        let points: Vec<HeldOutPoint> =
            thinned(&order, |index| (pairs[index].0 / pairs[index].1).ln().abs()).iter().map(point).collect();
        (!points.is_empty()).then_some(Self { of, points })
    }

    /// The worst of the points, the farthest first; at most `count`.
    #[must_use]
    pub fn worst(&self, count: usize) -> Vec<&HeldOutPoint> {
        let mut points: Vec<&HeldOutPoint> = self.points.iter().collect();
        points.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        points.truncate(count);
        points
    }

    /// Place and kind of what no fit writes; a picture on logarithmic axes has no place for it.
    pub(super) fn problem(&self) -> Option<(String, String)> {
        if self.points.len() > MOST {
            return Some(("quality.held_out.points".into(), format!("{} points", self.points.len())));
        }
        let unusable = |value: f64| !(value.is_finite() && value > 0.0);
        let index = self.points.iter().position(|p| unusable(p.measured) || unusable(p.predicted))?;
        Some((format!("quality.held_out.points[{index}]"), "a latency that is not above zero".into()))
    }
}

/// Of what stands in order, every so many and the worst by `distance`, in the same order.
fn thinned(order: &[usize], distance: impl Fn(usize) -> f64) -> Vec<usize> {
    if order.len() <= MOST {
        return order.to_vec();
    }
    let mut places: Vec<usize> = (0..order.len()).collect();
    places.sort_by(|a, b| distance(order[*b]).total_cmp(&distance(order[*a])));
    places.truncate(WORST);
    places.extend((0..SPREAD).map(|step| step * (order.len() - 1) / (SPREAD - 1)));
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| order[place]).collect()
}

/// Five digits that count: errors of a thousandth stay to be seen, and files short.
fn digits(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// The operator in words; for a layer of a network, where it stands.
fn sample_name(training: &Training, number: usize) -> Option<String> {
    let (origin, layer) = training.sample_origin(number)?;
    match &origin.network {
        Some(network) => Some(format!("{network}/{layer}")),
        None => Some(words(training.placed(training.samples.get(number)?).operation())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pairs: &[(f64, f64)]) -> Option<HeldOutPoints> {
        HeldOutPoints::kept(Unseen::Networks, pairs, |index| Some(format!("n{index}")))
    }

    #[test]
    fn few_points_are_all_kept_by_ascending_measurement() {
        let points = kept(&[(3.0, 30.0), (1.234_567_8, 10.0), (0.0, 5.0), (5.0, 0.0)]).unwrap().points;
        let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        assert_eq!(names, ["n1", "n0"], "what no logarithm takes is left out");
        assert_eq!(points[0].predicted, 1.2346);
        assert_eq!(kept(&[(0.0, 1.0)]), None);
    }

    #[test]
    fn of_many_points_the_ends_and_the_worst_are_kept() {
        let mut pairs: Vec<(f64, f64)> = (1..=5000).map(|n| (f64::from(n), f64::from(n))).collect();
        for worst in 0..WORST {
            pairs[1234 + 2 * worst].0 *= 2.0;
        }
        let kept = kept(&pairs).unwrap();
        assert!(kept.points.len() <= MOST && kept.points.len() > SPREAD, "{}", kept.points.len());
        assert!(kept.points.is_sorted_by(|a, b| a.measured < b.measured));
        assert_eq!((kept.points[0].measured, kept.points.last().unwrap().measured), (1.0, 5000.0));
        let worst = kept.worst(WORST);
        assert!(worst.iter().all(|point| point.error_pct() == 100.0), "{worst:?}");
        let gaps = kept.points.windows(2).map(|pair| pair[1].measured - pair[0].measured);
        assert!(gaps.fold(0.0, f64::max) <= 26.0, "spread evenly");
    }

    #[test]
    fn a_point_is_a_short_list_in_the_file() {
        let points = kept(&[(1234.567, 1200.0)]).unwrap();
        let text = serde_json::to_string(&points).unwrap();
        assert_eq!(text, r#"{"of":"networks","points":[[1200.0,1234.6,"n0"]]}"#);
        assert_eq!(serde_json::from_str::<HeldOutPoints>(&text).unwrap(), points);
    }

    #[test]
    fn points_that_no_fit_writes_are_found() {
        let good = kept(&[(1.0, 1.0), (2.0, 2.0)]).unwrap();
        assert_eq!(good.problem(), None);
        let mut bad = good.clone();
        bad.points[1].predicted = -1.0;
        assert!(bad.problem().unwrap().0.ends_with("points[1]"));
        let many = HeldOutPoints { points: vec![good.points[0].clone(); MOST + 1], ..good };
        assert!(many.problem().unwrap().1.contains("211 points"));
    }
}
