//! From layers to TFLite operators.

use super::{
    activation::activate,
    model::{Model, Operator, Quantization, Tensor, TensorId},
    quantise::{Range, Ranges, is_fused, keeps},
    schema::{Code, Fused, Options, Padding, TensorType},
    weights::{Layout, Weights, zero_biases},
    window::{Border, border, steps},
};
use crate::{
    error::{Error, Result},
    network::{
        Activation, DType, Layer, Network, Op, Shape, Source, Window,
        ops::{Resize, ResizeMode, Slice},
    },
};

/// The name of the graph's input.
pub(super) const INPUT: &str = "input";

/// Writes one layer after another.
pub(super) struct LayerWriter<'n> {
    pub(super) network: &'n Network,
    pub(super) model: Model,
    ranges: Ranges,
    seed: u64,
    input: TensorId,
    /// What each layer wrote.
    outputs: Vec<TensorId>,
}

impl<'n> LayerWriter<'n> {
    pub(super) fn new(network: &'n Network, seed: u64) -> Self {
        let names = network.layers().iter().map(|layer| layer.name.clone());
        let mut writer = Self {
            network,
            model: Model::reserving(names.filter(|name| !name.is_empty())),
            ranges: Ranges::of(network),
            seed,
            input: TensorId::default(),
            outputs: Vec::new(),
        };
        writer.input = writer.activation(INPUT, network.input(), writer.ranges.source(Source::Input));
        writer.model.inputs = vec![writer.input];
        writer
    }

    /// Writes the layer at `index`.
    ///
    /// # Errors
    /// TFLite cannot say it.
    pub(super) fn layer(&mut self, index: usize, layer: &Layer) -> Result<()> {
        let inputs = self.inputs(index, layer);
        let (own, range) = (self.ranges.output(index), self.ranges.raw(index));
        if is_fused(&layer.op, layer.activation) {
            let output = self.output(layer, own);
            self.operator(index, layer, &inputs, output, fused(layer.activation))?;
            self.outputs.push(output);
            return Ok(());
        }
        let raw = self.activation(&format!("{}_raw", layer.name), layer.output, range);
        self.operator(index, layer, &inputs, raw, Fused::None)?;
        let output = self.output(layer, own);
        activate(self, layer, raw, output);
        self.outputs.push(output);
        Ok(())
    }

    /// The finished model. What no layer reads are its outputs.
    pub(super) fn finish(mut self) -> Model {
        let unread = self.outputs.iter().zip(self.network.consumers());
        self.model.outputs =
            unread.filter(|(_, readers)| readers.is_empty()).map(|(output, _)| *output).collect();
        self.model
    }

    fn source(&self, source: Source) -> TensorId {
        match source {
            Source::Input => self.input,
            Source::Layer(index) => self.outputs.get(index).copied().unwrap_or_default(),
        }
    }

    /// What a layer reads, brought to the scale of what it writes where TFLite demands one scale of both.
    fn inputs(&mut self, index: usize, layer: &Layer) -> Vec<TensorId> {
        let written = match is_fused(&layer.op, layer.activation) {
            true => self.ranges.output(index),
            false => self.ranges.raw(index),
        };
        let read = |source: &Source| {
            let tensor = self.source(*source);
            if !keeps(&layer.op) || self.is_float() || self.ranges.source(*source) == written {
                return tensor;
            }
            let (name, shape) = (format!("{}_quantize", layer.name), self.network.shape(*source));
            let output = self.activation(&name, shape, written);
            self.add(Code::Quantize, vec![tensor], output, Options::QUANTIZE);
            output
        };
        layer.inputs.iter().map(read).collect()
    }

    pub(super) fn is_float(&self) -> bool {
        self.network.dtype() != DType::Int8
    }

    /// A tensor for what a layer writes in the end; it has the layer's name.
    fn output(&mut self, layer: &Layer, range: Range) -> TensorId {
        let mut tensor = self.picture(&layer.name, layer.output, range);
        if layer.name.is_empty() {
            tensor.name = "layer".into();
            return self.model.fresh(tensor);
        }
        self.model.named(tensor)
    }

    /// A tensor between operators.
    pub(super) fn activation(&mut self, name: &str, shape: Shape, range: Range) -> TensorId {
        let tensor = self.picture(name, shape, range);
        self.model.fresh(tensor)
    }

    fn picture(&self, name: &str, shape: Shape, range: Range) -> Tensor {
        let (kind, quantization) = match self.is_float() {
            true => (TensorType::Float32, Quantization::None),
            false => (TensorType::Int8, range.quantization()),
        };
        let shape = [1, shape.h, shape.w, shape.c].map(side).into();
        Tensor { name: name.to_owned(), shape, kind, quantization, data: None }
    }

    /// A list or table of integers that is known beforehand.
    fn integers(&mut self, name: &str, shape: &[u32], values: &[u32]) -> TensorId {
        let data = values.iter().flat_map(|value| side(*value).to_le_bytes()).collect();
        self.model.fresh(Tensor {
            name: name.to_owned(),
            shape: shape.iter().copied().map(side).collect(),
            kind: TensorType::Int32,
            quantization: Quantization::None,
            data: Some(data),
        })
    }

    /// One number that is known beforehand, to be added to or multiplied with pictures.
    pub(super) fn number(&mut self, name: &str, value: f32) -> TensorId {
        const LARGEST: f32 = 127.0;
        let (kind, quantization, data) = match self.is_float() {
            true => (TensorType::Float32, Quantization::None, value.to_le_bytes().to_vec()),
            false => {
                let quantization = Quantization::Tensor { scale: value / LARGEST, zero: 0 };
                (TensorType::Int8, quantization, vec![LARGEST as u8])
            }
        };
        self.model.fresh(Tensor {
            name: name.to_owned(),
            shape: vec![1; 4],
            kind,
            quantization,
            data: Some(data),
        })
    }

    /// Adds an operator.
    pub(super) fn add(&mut self, code: Code, inputs: Vec<TensorId>, output: TensorId, options: Options) {
        let version = code.version(!self.is_float(), &options);
        self.model.operators.push(Operator { code, version, inputs, output, options });
    }

    /// The operator itself.
    fn operator(
        &mut self,
        index: usize,
        layer: &Layer,
        inputs: &[TensorId],
        output: TensorId,
        fused: Fused,
    ) -> Result<()> {
        let shape = self.network.input_shapes(layer).first().copied().unwrap_or(layer.output);
        let Some(&input) = inputs.first() else {
            return Err(Error::unusable(format!("layer `{}`: found no inputs, expected one", layer.name)));
        };
        match layer.op {
            Op::Conv2d(conv) => {
                let depth = shape.c / conv.groups.max(1);
                let weights = self.convolution(layer, Layout::Convolution, &conv.window, depth);
                let (input, padding) = self.padded(layer, input, shape, &conv.window)?;
                let options = Options::Conv2d(steps(&conv.window, padding), fused, conv.groups > 1);
                self.trained(index, layer, (Code::Conv2d, options), input, output, &weights);
            }
            Op::DepthwiseConv2d(conv) => {
                let weights = self.convolution(layer, Layout::Depthwise, &conv.window, 1);
                let (input, padding) = self.padded(layer, input, shape, &conv.window)?;
                let multiplier = side(layer.output.c / shape.c.max(1));
                let options = Options::DepthwiseConv2d(steps(&conv.window, padding), fused, multiplier);
                self.trained(index, layer, (Code::DepthwiseConv2d, options), input, output, &weights);
            }
            Op::Dense(_) => self.dense(index, layer, input, output, fused, shape),
            Op::AvgPool(pool) => {
                let pool = (Code::AveragePool2d, &pool.window);
                self.pool(layer, pool, input, output, fused, shape)?;
            }
            Op::MaxPool(pool) => {
                let pool = (Code::MaxPool2d, &pool.window);
                self.pool(layer, pool, input, output, fused, shape)?;
            }
            Op::GlobalAvgPool(_) => {
                let axes = self.integers(&format!("{}.axes", layer.name), &[2], &[1, 2]);
                self.add(Code::Mean, vec![input, axes], output, Options::Mean);
            }
            Op::Concat(_) => {
                self.add(Code::Concatenation, inputs.to_vec(), output, Options::Concatenation);
            }
            Op::Resize(resize) => self.resize(layer, resize, input, output),
            Op::Slice(slice) => self.slice(layer, slice, input, output),
            Op::Add(_) => self.pairwise(layer, Code::Add, inputs, output, fused),
            Op::Mul(_) => self.pairwise(layer, Code::Mul, inputs, output, fused),
        }
        Ok(())
    }

    fn convolution(&self, layer: &Layer, layout: Layout, window: &Window, depth: u32) -> Weights {
        let [rows, columns] = window.kernel;
        Weights { layout, sides: [layer.output.c, depth, rows, columns] }
    }

    /// An operator with weights and biases. Biases are written where the layer has none, too: many readers ask
    /// for them, and zeros add nothing.
    fn trained(
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

    fn dense(
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

    fn pool(
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

    fn resize(&mut self, layer: &Layer, resize: Resize, input: TensorId, output: TensorId) {
        let size = self.integers(&format!("{}.size", layer.name), &[2], &resize.size);
        let (code, options) = match resize.mode {
            ResizeMode::Nearest => (Code::ResizeNearestNeighbor, Options::RESIZE_NEAREST_NEIGHBOR),
            ResizeMode::Bilinear => (Code::ResizeBilinear, Options::RESIZE_BILINEAR),
        };
        self.add(code, vec![input, size], output, options);
    }

    fn slice(&mut self, layer: &Layer, slice: Slice, input: TensorId, output: TensorId) {
        let Shape { h, w, .. } = layer.output;
        let begin = self.integers(&format!("{}.begin", layer.name), &[4], &[0, 0, 0, slice.start]);
        let size = self.integers(&format!("{}.size", layer.name), &[4], &[1, h, w, slice.cout]);
        self.add(Code::Slice, vec![input, begin, size], output, Options::SLICE);
    }

    /// TFLite adds and multiplies two at a time.
    fn pairwise(&mut self, layer: &Layer, code: Code, inputs: &[TensorId], output: TensorId, fused: Fused) {
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
    fn padded(
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

    /// The least number that a tensor can hold.
    fn least(&mut self, name: &str, range: Range) -> TensorId {
        let (kind, quantization, data) = match self.is_float() {
            true => (TensorType::Float32, Quantization::None, f32::MIN.to_le_bytes().to_vec()),
            false => (TensorType::Int8, range.quantization(), i8::MIN.to_le_bytes().to_vec()),
        };
        let name = name.to_owned();
        self.model.fresh(Tensor { name, shape: vec![1], kind, quantization, data: Some(data) })
    }
}

/// Sides of pictures are far smaller than what a file can hold.
fn side(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

fn fused(activation: Activation) -> Fused {
    match activation {
        Activation::Relu => Fused::Relu,
        Activation::Relu6 => Fused::Relu6,
        _ => Fused::None,
    }
}

fn refused(layer: &Layer, found: &str, expected: &str) -> Error {
    Error::unusable(format!("layer `{}`: found {found}, expected {expected}", layer.name))
}
