//! Random weights as TFLite lays them out: the same numbers that an ONNX export with the same seed has.

use super::{model::Quantization, schema::TensorType};
use crate::network::{DType, he_normal};

/// How weights are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Of a convolution: output channels, rows, columns, input channels; each output channel has a scale.
    Convolution,
    /// Of a depthwise convolution: one, rows, columns, channels; each channel has a scale.
    Depthwise,
    /// Of a dense layer: outputs, inputs; one scale for all, as the converters of TFLite write it.
    Dense,
}

/// Weights of a layer as ONNX orders their sides: output channels, input channels, rows, columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) layout: Layout,
    pub(super) sides: [u32; 4],
}

/// What a layer's weights and biases are in the file.
pub(super) struct Trained {
    pub(super) shape: Vec<u32>,
    pub(super) data: Vec<u8>,
    pub(super) quantization: Quantization,
    /// The step of a weight, where there is one.
    pub(super) scale: Option<f32>,
}

impl Weights {
    /// The weights of the layer at `index`, drawn from `seed`.
    pub(super) fn draw(&self, seed: u64, index: usize, dtype: DType) -> Trained {
        let [outputs, inputs, rows, columns] = self.sides.map(u64::from);
        let fan_in = inputs * rows * columns;
        let drawn = self.ordered(&he_normal(seed, index, outputs * fan_in, fan_in));
        let [outputs, inputs, rows, columns] = self.sides;
        let shape = match self.layout {
            Layout::Convolution => vec![outputs, rows, columns, inputs],
            Layout::Depthwise => vec![1, rows, columns, outputs],
            Layout::Dense => vec![outputs, inputs * rows * columns],
        };
        match dtype {
            DType::Int8 => self.quantised(shape, &drawn, fan_in),
            _ => {
                let data = drawn.iter().flat_map(|weight| weight.to_le_bytes()).collect();
                Trained { shape, data, quantization: Quantization::None, scale: None }
            }
        }
    }

    /// From ONNX's order to TFLite's, where input channels come last, or a depthwise convolution's channels.
    fn ordered(&self, drawn: &[f32]) -> Vec<f32> {
        let [outputs, inputs, rows, columns] = self.sides.map(|side| side as usize);
        let pixels = rows * columns;
        let at = |output: usize, input: usize, pixel: usize| {
            drawn.get((output * inputs + input) * pixels + pixel).copied().unwrap_or_default()
        };
        if self.layout == Layout::Depthwise {
            return (0..pixels).flat_map(|pixel| (0..outputs).map(move |o| at(o, 0, pixel))).collect();
        }
        let one = |output| (0..pixels).flat_map(move |pixel| (0..inputs).map(move |i| at(output, i, pixel)));
        (0..outputs).flat_map(one).collect()
    }

    /// Four standard deviations fill the eight bits, as in trained networks: the distribution decides how far a
    /// compiler can compress weights, and with it what their transport costs.
    fn quantised(&self, shape: Vec<u32>, drawn: &[f32], fan_in: u64) -> Trained {
        const REACH: f64 = 4.0;
        const LARGEST: f32 = 127.0;
        let scale = (REACH * (2.0 / fan_in.max(1) as f64).sqrt() / f64::from(LARGEST)) as f32;
        let number = |weight: &f32| (weight / scale).round().clamp(-LARGEST, LARGEST) as i8;
        let data = drawn.iter().flat_map(|weight| number(weight).to_le_bytes()).collect();
        let channels = || vec![scale; self.sides[0] as usize];
        let quantization = match self.layout {
            Layout::Convolution => Quantization::Channels { scales: channels(), axis: 0 },
            Layout::Depthwise => Quantization::Channels { scales: channels(), axis: 3 },
            Layout::Dense => Quantization::Tensor { scale, zero: 0 },
        };
        Trained { shape, data, quantization, scale: Some(scale) }
    }
}

/// Biases of zero, in the product of the scales of input and weights; in single precision without weights' scale.
pub(super) fn zero_biases(
    count: u32,
    input: f32,
    weights: Option<f32>,
    layout: Layout,
) -> (TensorType, Quantization) {
    let Some(weights) = weights else { return (TensorType::Float32, Quantization::None) };
    let scale = input * weights;
    let quantization = match layout {
        Layout::Dense => Quantization::Tensor { scale, zero: 0 },
        _ => Quantization::Channels { scales: vec![scale; count as usize], axis: 0 },
    };
    (TensorType::Int32, quantization)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_channels_come_last_and_depthwise_channels_too() {
        let numbers: Vec<f32> = (0..12).map(|n| n as f32).collect();
        let convolution = Weights { layout: Layout::Convolution, sides: [2, 3, 1, 2] };
        assert_eq!(
            convolution.ordered(&numbers),
            [0., 2., 4., 1., 3., 5., 6., 8., 10., 7., 9., 11.],
            "from o,i,w to o,w,i"
        );
        let depthwise = Weights { layout: Layout::Depthwise, sides: [3, 1, 2, 2] };
        assert_eq!(depthwise.ordered(&numbers), [0., 4., 8., 1., 5., 9., 2., 6., 10., 3., 7., 11.]);
    }

    #[test]
    fn eight_bits_stand_for_the_numbers_that_were_drawn() {
        let weights = Weights { layout: Layout::Convolution, sides: [64, 32, 3, 3] };
        let exact = weights.draw(5, 2, DType::Fp32);
        let exact = exact.data.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let eight = weights.draw(5, 2, DType::Int8);
        let scale = eight.scale.unwrap();
        let (mut clipped, mut extremes) = (0, 0);
        for (number, exact) in eight.data.iter().map(|b| f32::from(*b as i8)).zip(exact) {
            let inside = exact.abs() <= 127.0 * scale;
            assert!(!inside || (number * scale - exact).abs() <= 0.5001 * scale, "{number} {exact}");
            clipped += u32::from(!inside);
            extremes += u32::from(number.abs() > 100.0);
        }
        assert!(
            clipped < 10 && extremes > 5,
            "{clipped} {extremes}: eight bits are filled, and little is cut off"
        );
    }
}
