//! The rows that were predicted worst.

use serde::Serialize;

use crate::{
    estimator::{held_out::HeldOut, training::Origin},
    measurement::Operation,
};

/// Rows in the list.
const ROWS: usize = 10;

/// A row that was predicted badly by a fit that had not seen it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorstRow {
    /// The file as the user named it.
    pub file: String,
    /// The network; none for an isolated operator.
    pub network: Option<String>,
    /// The layer; none for an isolated operator or a whole network.
    pub layer: Option<String>,
    /// What was computed: `conv2d 28x28x32 to 28x28x17, 3x3, stride 1`; none for a whole network.
    pub operation: Option<String>,
    /// Predicted microseconds.
    pub predicted_us: f64,
    /// Measured microseconds.
    pub measured_us: f64,
    /// Prediction less measurement, in percent of the measurement.
    pub error_pct: f64,
}

/// The worst rows, by the factor between prediction and measurement; whole networks where no layer was measured.
pub(super) fn worst(held_out: &HeldOut<'_>) -> Vec<WorstRow> {
    let training = held_out.training();
    if training.samples.is_empty() {
        let pairs = held_out.networks();
        return farthest(&pairs, |index| {
            let origin = training.whole_origin(training.wholes.get(index)?)?;
            Some((origin, None, None))
        });
    }
    let measured = training.samples.iter().map(|sample| sample.latency_us);
    let pairs: Vec<(f64, f64)> = held_out.layers().iter().copied().zip(measured).collect();
    farthest(&pairs, |index| {
        let (origin, layer) = training.sample_origin(index)?;
        let operation = training.placed(training.samples.get(index)?).operation();
        Some((origin, Some(layer.to_owned()).filter(|layer| !layer.is_empty()), Some(words(operation))))
    })
}

/// The rows farthest from their measurement; `describe` gives origin, layer and operation.
fn farthest<'o>(
    pairs: &[(f64, f64)],
    describe: impl Fn(usize) -> Option<(&'o Origin, Option<String>, Option<String>)>,
) -> Vec<WorstRow> {
    let distance = |index: &usize| (pairs[*index].0 / pairs[*index].1).ln().abs();
    let mut order: Vec<usize> =
        (0..pairs.len()).filter(|index| pairs[*index].1 > 0.0 && distance(index).is_finite()).collect();
    order.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
    let row = |index: &usize| {
        let (origin, layer, operation) = describe(*index)?;
        let (predicted_us, measured_us) = pairs[*index];
        let error_pct = 100.0 * (predicted_us / measured_us - 1.0);
        let Origin { file, network } = origin.clone();
        Some(WorstRow { file, network, layer, operation, predicted_us, measured_us, error_pct })
    };
    order.iter().take(ROWS).filter_map(row).collect()
}

/// The operation in a few words.
pub(in crate::estimator) fn words(operation: &Operation) -> String {
    let Operation { kind, input, output, kernel, stride, .. } = operation;
    let shapes = format!(
        "{} {}x{}x{} to {}x{}x{}",
        kind.name(),
        input.h,
        input.w,
        input.c,
        output.h,
        output.w,
        output.c
    );
    if kind.has_macs() {
        format!("{shapes}, {}x{}, stride {}", kernel[0], kernel[1], stride[0].max(stride[1]))
    } else {
        shapes
    }
}
