//! Operators that need more than their number: weights, borders, sides.

use super::{
    layer::LayerWriter,
    model::{Quantization, Tensor, TensorId},
    quantise::Range,
    schema::{Code, Fused, Options, Padding, TensorType},
    tensors::side,
    weights::{Layout, Weights, zero_biases},
    window::{Border, border, steps},
};
use crate::{
    error::{Error, Result},
    network::{
        Layer, Op, Shape, Window,
        ops::{Resize, ResizeMode, Slice},
    },
};

impl LayerWriter<'_> {
    pub(super) fn convolution(&self, layer: &Layer, layout: Layout, window: &Window, depth: u32) -> Weights {
        let [rows, columns] = window.kernel;
        Weights { layout, sides: [layer.output.c, depth, rows, columns] }
    }

    /// An operator with weights and biases. Biases are written where the layer has none, too: many readers ask
    /// for them, and zeros add nothing.
    pub(super) fn trained(
        &mut self,
        index: usize,
        layer: &Layer,
        (code, options): (Code, Options),
        input: TensorId,
        output: TensorId,
        weights: &Weights,
    ) {
        let drawn = weights.draw(self.seed, index, self.network.dtype());
        let kind = if self.is_float() { TensorType::Float32 } else { TensorType::Int8 };
        let kernel = self.model.fresh(Tensor {
            name: format!("{}.weight", layer.name),
            shape: drawn.shape.iter().copied().map(side).collect(),
            kind,
            quantization: drawn.quantization,
            data: Some(drawn.data),
        });
        let scale = match self.model.quantization(input) {
            Quantization::Tensor { scale, .. } => *scale,
            _ => 1.0,
        };
        let (kind, quantization) = zero_biases(layer.output.c, scale, drawn.scale, weights.layout);
        let bias = self.model.fresh(Tensor {
            name: format!("{}.bias", layer.name),
            shape: vec![side(layer.output.c)],
            kind,
            quantization,
            data: Some(vec![0; 4 * layer.output.c as usize]),
        });
        self.add(code, vec![input, kernel, bias], output, options);
    }

    pub(super) fn dense(
        &mut self,
        index: usize,
        layer: &Layer,
        mut input: TensorId,
        output: TensorId,
        fused: Fused,
        shape: Shape,
    ) {
        if shape.pixels() > 1 {
            let flat = Shape::new(1, 1, u32::try_from(shape.elements()).unwrap_or(u32::MAX));
            let range = layer.inputs.first().map_or(Range::Signed, |source| self.ranges.source(*source));
            let output = self.activation(&format!("{}_input", layer.name), flat, range);
            let sides = self.integers(&format!("{}.shape", layer.name), &[4], &[1, 1, 1, flat.c]);
            self.add(Code::Reshape, vec![input, sides], output, Options::RESHAPE);
            input = output;
        }
        let weights = Weights { layout: Layout::Dense, sides: [layer.output.c, shape.c, shape.h, shape.w] };
        let operator = (Code::FullyConnected, Options::FullyConnected(fused));
        self.trained(index, layer, operator, input, output, &weights);
    }

    pub(super) fn pool(
        &mut self,
        layer: &Layer,
        (code, window): (Code, &Window),
        input: TensorId,
        output: TensorId,
        fused: Fused,
        shape: Shape,
    ) -> Result<()> {
        if window.dilation != [1; 2] {
            return Err(refused(layer, "a pool over a dilated window", "--format onnx, which can say it"));
        }
        if code == Code::AveragePool2d && matches!(border(window, shape), Border::Explicit(_)) {
            let found = format!("an average over pixels with a border of {:?}", window.pads(shape));
            let expected = "pad \"same\" or \"valid\", or --format onnx, which can leave a border out";
            return Err(refused(layer, &found, expected));
        }
        let (input, padding) = self.padded(layer, input, shape, window)?;
        self.add(code, vec![input], output, Options::Pool2d(steps(window, padding), fused));
        Ok(())
    }

    pub(super) fn resize(&mut self, layer: &Layer, resize: Resize, input: TensorId, output: TensorId) {
        let size = self.integers(&format!("{}.size", layer.name), &[2], &resize.size);
        let (code, options) = match resize.mode {
            ResizeMode::Nearest => (Code::ResizeNearestNeighbor, Options::RESIZE_NEAREST_NEIGHBOR),
            ResizeMode::Bilinear => (Code::ResizeBilinear, Options::RESIZE_BILINEAR),
        };
        self.add(code, vec![input, size], output, options);
    }

    pub(super) fn slice(&mut self, layer: &Layer, slice: Slice, input: TensorId, output: TensorId) {
        let Shape { h, w, .. } = layer.output;
        let begin = self.integers(&format!("{}.begin", layer.name), &[4], &[0, 0, 0, slice.start]);
        let size = self.integers(&format!("{}.size", layer.name), &[4], &[1, h, w, slice.cout]);
        self.add(Code::Slice, vec![input, begin, size], output, Options::SLICE);
    }

    /// TFLite adds and multiplies two at a time.
    pub(super) fn pairwise(
        &mut self,
        layer: &Layer,
        code: Code,
        inputs: &[TensorId],
        output: TensorId,
        fused: Fused,
    ) {
        let options = |fused| if code == Code::Add { Options::Add(fused) } else { Options::Mul(fused) };
        let mut shapes = self.network.input_shapes(layer).into_iter();
        let (Some((last, rest)), Some(mut shape)) = (inputs.split_last(), shapes.next()) else { return };
        let mut rest = rest.iter();
        let Some(mut sum) = rest.next().copied() else { return };
        for (next, side) in rest.zip(shapes) {
            shape = Shape::new(shape.h.max(side.h), shape.w.max(side.w), shape.c.max(side.c));
            let name = format!("{}_intermediate", layer.name);
            let between = self.activation(&name, shape, Range::Signed);
            self.add(code, vec![sum, *next], between, options(Fused::None));
            sum = between;
        }
        self.add(code, vec![sum, *last], output, options(fused));
    }

    /// What a window reads, with a border where neither of TFLite's two ways to meet it is meant.
    pub(super) fn padded(
        &mut self,
        layer: &Layer,
        input: TensorId,
        shape: Shape,
        window: &Window,
    ) -> Result<(TensorId, Padding)> {
        let pads = match border(window, shape) {
            Border::Padding(padding) => return Ok((input, padding)),
            Border::Explicit(pads) => pads,
        };
        let [top, left, bottom, right] = pads;
        let range = layer.inputs.first().map_or(Range::Signed, |source| self.ranges.source(*source));
        let amounts = [0, 0, top, bottom, left, right, 0, 0];
        let amounts = self.integers(&format!("{}.pads", layer.name), &[4, 2], &amounts);
        let sides = Shape::new(shape.h + top + bottom, shape.w + left + right, shape.c);
        let output = self.activation(&format!("{}_input", layer.name), sides, range);
        if matches!(layer.op, Op::MaxPool(_)) && !range.starts_at_zero() {
            // Zeros would win over what is below; nothing is less than this.
            let least = self.least(&format!("{}.least", layer.name), range);
            self.add(Code::PadV2, vec![input, amounts, least], output, Options::PAD_V2);
        } else {
            self.add(Code::Pad, vec![input, amounts], output, Options::PAD);
        }
        Ok((output, Padding::Valid))
    }
}

fn refused(layer: &Layer, found: &str, expected: &str) -> Error {
    Error::unusable(format!("layer `{}`: found {found}, expected {expected}", layer.name))
}
