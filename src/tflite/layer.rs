//! From layers to TFLite operators.

use super::{
    activation::activate,
    model::{Model, TensorId},
    quantise::{Ranges, is_fused, keeps},
    schema::{Code, Fused, Options},
    tensors::side,
    weights::Layout,
    window::steps,
};
use crate::{
    error::{Error, Result},
    network::{Activation, Layer, Network, Op, Source},
};

/// The name of the graph's input.
pub(super) const INPUT: &str = "input";

/// Writes one layer after another.
pub(super) struct LayerWriter<'n> {
    pub(super) network: &'n Network,
    pub(super) model: Model,
    pub(super) ranges: Ranges,
    pub(super) seed: u64,
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
}

fn fused(activation: Activation) -> Fused {
    match activation {
        Activation::Relu => Fused::Relu,
        Activation::Relu6 => Fused::Relu6,
        _ => Fused::None,
    }
}
