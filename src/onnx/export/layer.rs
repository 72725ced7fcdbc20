//! From layers to ONNX nodes.

use super::graph::{GraphWriter, INPUT, float, int, ints, picture, text};
use crate::{
    error::{Error, Result},
    network::{
        Activation, Layer, Network, Op, Shape, Source, Window, he_normal,
        ops::{Resize, ResizeMode, Slice},
    },
    onnx::proto::{Attribute, Graph},
};

/// Writes one layer after another.
pub(super) struct LayerWriter<'n> {
    network: &'n Network,
    graph: GraphWriter,
    seed: u64,
    /// What each layer wrote.
    values: Vec<Value>,
}

/// A value of the graph that stands for what a layer writes.
#[derive(Clone)]
struct Value {
    name: String,
    /// Whether it has two sides, batch and features, as what a dense layer writes.
    flat: bool,
}

/// A node that is still to be given its output.
struct Step {
    /// What is added to the layer's name; nothing for the operator itself.
    suffix: &'static str,
    op_type: &'static str,
    /// What it reads beside the value before it.
    constants: Vec<String>,
    attributes: Vec<Attribute>,
}

impl<'n> LayerWriter<'n> {
    pub(super) fn new(network: &'n Network, graph: GraphWriter, seed: u64) -> Self {
        Self { network, graph, seed, values: Vec::new() }
    }

    /// Writes the layer at `index`, with batch-norm as a node of its own if asked to.
    ///
    /// # Errors
    /// The operator set cannot say it.
    pub(super) fn layer(&mut self, index: usize, batch_norm: bool) -> Result<()> {
        let layer = &self.network.layers()[index];
        let (inputs, flat) = self.inputs(layer);
        let (operator, inputs) = self.operator(index, layer, inputs, !batch_norm)?;
        let norm = batch_norm.then(|| self.batch_norm(layer));
        let activation = self.activation(layer.activation);
        let steps: Vec<Step> = [operator].into_iter().chain(norm).chain(activation).collect();
        let name = self.steps(layer, inputs, steps);
        self.values.push(Value { name, flat });
        Ok(())
    }

    /// The finished graph. Values that no layer reads are its outputs.
    pub(super) fn finish(mut self) -> Graph {
        let readers = self.network.consumers();
        for ((layer, value), readers) in self.network.layers().iter().zip(&self.values).zip(readers) {
            let picture = picture(layer.output);
            let dims = if value.flat { &picture[..2] } else { &picture[..] };
            self.graph.describe(&value.name, dims, readers.is_empty());
        }
        self.graph.finish()
    }

    /// Writes `steps` one after another; the last writes the layer's value.
    fn steps(&mut self, layer: &Layer, mut inputs: Vec<String>, steps: Vec<Step>) -> String {
        let last = steps.len().saturating_sub(1);
        for (place, step) in steps.into_iter().enumerate() {
            let suffixed = |suffix: &str| format!("{}{suffix}", layer.name);
            let output = match place == last {
                true if layer.name.is_empty() => self.graph.fresh_value("layer"),
                true => layer.name.clone(),
                false => self.graph.fresh_value(&suffixed(if place == 0 { "_raw" } else { step.suffix })),
            };
            let name = match step.suffix {
                "" if layer.name.is_empty() => self.graph.fresh_node("layer"),
                "" => layer.name.clone(),
                suffix => self.graph.fresh_node(&suffixed(suffix)),
            };
            inputs.extend(step.constants);
            let gate = match step.op_type {
                "HardSwish" if self.graph.opset() < 14 => Some(("HardSigmoid", hard_sigmoid())),
                "Swish" => Some(("Sigmoid", vec![])),
                _ => None,
            };
            if let Some((gate, attributes)) = gate {
                inputs.extend(self.gate(layer, gate, attributes, &inputs));
                self.graph.node(name, "Mul", inputs, output.clone(), step.attributes);
            } else {
                self.graph.node(name, step.op_type, inputs, output.clone(), step.attributes);
            }
            inputs = vec![output];
        }
        inputs.pop().unwrap_or_default()
    }

    /// What swish and hard-swish multiply their input with, for operator sets that do not know them.
    fn gate(
        &mut self,
        layer: &Layer,
        gate: &'static str,
        attributes: Vec<Attribute>,
        input: &[String],
    ) -> Option<String> {
        let output = self.graph.fresh_value(&format!("{}_gate", layer.name));
        let name = self.graph.fresh_node(&format!("{}_gate", layer.name));
        self.graph.node(name, gate, input.to_vec(), output.clone(), attributes);
        Some(output)
    }

    /// The values that a layer reads, in the form that its operator takes; and whether it writes a flat one.
    fn inputs(&mut self, layer: &Layer) -> (Vec<String>, bool) {
        let values: Vec<(Value, Shape)> =
            layer.inputs.iter().map(|source| (self.value(*source), self.network.shape(*source))).collect();
        let mixes = matches!(layer.op, Op::Add(_) | Op::Mul(_) | Op::Concat(_));
        let dense = matches!(layer.op, Op::Dense(_));
        let flat = dense || (mixes && values.iter().all(|(value, _)| value.flat));
        let form = |(value, shape): (Value, Shape)| match (value.flat, flat) {
            (true, false) => self.unflatten(layer, &value.name, shape),
            (false, true) => self.flatten(layer, &value.name),
            _ => value.name,
        };
        (values.into_iter().map(form).collect(), flat)
    }

    fn value(&self, source: Source) -> Value {
        match source {
            Source::Input => Value { name: INPUT.into(), flat: false },
            Source::Layer(index) => self.values[index].clone(),
        }
    }

    fn flatten(&mut self, layer: &Layer, value: &str) -> String {
        let output = self.graph.fresh_value(&format!("{}_flat", layer.name));
        let name = self.graph.fresh_node(&format!("{}_flatten", layer.name));
        self.graph.node(name, "Flatten", vec![value.to_owned()], output.clone(), vec![int("axis", 1)]);
        output
    }

    fn unflatten(&mut self, layer: &Layer, value: &str, shape: Shape) -> String {
        let output = self.graph.fresh_value(&format!("{}_picture", layer.name));
        let name = self.graph.fresh_node(&format!("{}_reshape", layer.name));
        let sides =
            self.graph.integers(&format!("{}.shape", layer.name), &picture(shape).map(|side| side as i64));
        self.graph.node(name, "Reshape", vec![value.to_owned(), sides], output.clone(), vec![]);
        output
    }

    /// The operator's node and what it reads.
    fn operator(
        &mut self,
        index: usize,
        layer: &Layer,
        inputs: Vec<String>,
        bias: bool,
    ) -> Result<(Step, Vec<String>)> {
        let shapes = self.network.input_shapes(layer);
        let first = shapes.first().copied().unwrap_or(layer.output);
        let step = match layer.op {
            Op::Conv2d(conv) => self.conv(index, layer, &conv.window, first, conv.groups, bias),
            Op::DepthwiseConv2d(conv) => self.conv(index, layer, &conv.window, first, first.c, bias),
            Op::Dense(_) => self.dense(index, layer, first),
            Op::AvgPool(pool) => self.pool(layer, "AveragePool", &pool.window, first)?,
            Op::MaxPool(pool) => self.pool(layer, "MaxPool", &pool.window, first)?,
            Op::GlobalAvgPool(_) => step("GlobalAveragePool", vec![], vec![]),
            Op::Concat(_) => step("Concat", vec![], vec![int("axis", 1)]),
            Op::Resize(resize) => self.resize(layer, resize),
            Op::Slice(slice) => self.slice(layer, slice),
            Op::Add(_) => return Ok((step("Add", vec![], vec![]), self.pairwise(layer, "Add", inputs))),
            Op::Mul(_) => return Ok((step("Mul", vec![], vec![]), self.pairwise(layer, "Mul", inputs))),
        };
        Ok((step, inputs))
    }

    /// ONNX adds and multiplies two at a time: all but the last are combined here.
    fn pairwise(&mut self, layer: &Layer, op_type: &str, mut inputs: Vec<String>) -> Vec<String> {
        while inputs.len() > 2 {
            let output = self.graph.fresh_value(&format!("{}_raw", layer.name));
            let name = self.graph.fresh_node(&format!("{}_raw", layer.name));
            let pair = inputs.drain(..2).collect();
            self.graph.node(name, op_type, pair, output.clone(), vec![]);
            inputs.insert(0, output);
        }
        inputs
    }

    fn conv(
        &mut self,
        index: usize,
        layer: &Layer,
        window: &Window,
        input: Shape,
        groups: u32,
        bias: bool,
    ) -> Step {
        let [h, w] = window.kernel.map(u64::from);
        let (outputs, depth) = (u64::from(layer.output.c), u64::from(input.c / groups.max(1)));
        let constants = self.trained(index, layer, &[outputs, depth, h, w], bias);
        let mut attributes = windowed(window, input);
        attributes.extend([ints("dilations", &window.dilation), int("group", groups)]);
        step("Conv", constants, attributes)
    }

    fn dense(&mut self, index: usize, layer: &Layer, input: Shape) -> Step {
        let constants = self.trained(index, layer, &[layer.output.c.into(), input.elements()], true);
        step("Gemm", constants, vec![int("transB", 1)])
    }

    /// Weights, and the bias if the layer has one and it is not left to batch-norm.
    fn trained(&mut self, index: usize, layer: &Layer, dims: &[u64], bias: bool) -> Vec<String> {
        let count = dims.iter().product();
        let fan_in = dims.iter().skip(1).product();
        let weights = he_normal(self.seed, index, count, fan_in);
        let mut constants = vec![self.graph.floats(&format!("{}.weight", layer.name), dims, &weights)];
        if bias && layer.biases > 0 {
            let zeros = vec![0.0; layer.biases as usize];
            constants.push(self.graph.floats(&format!("{}.bias", layer.name), &[layer.biases], &zeros));
        }
        constants
    }

    fn batch_norm(&mut self, layer: &Layer) -> Step {
        let channels = layer.output.c;
        let parts = [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)];
        let part = |(part, value): (&str, f32)| {
            let values = vec![value; channels as usize];
            self.graph.floats(&format!("{}.bn.{part}", layer.name), &[channels.into()], &values)
        };
        let constants = parts.map(part).into();
        let attributes = vec![float("epsilon", 1e-5), float("momentum", 0.9)];
        Step { suffix: "_bn", ..step("BatchNormalization", constants, attributes) }
    }

    fn pool(&mut self, layer: &Layer, op_type: &'static str, window: &Window, input: Shape) -> Result<Step> {
        let refuse = |found: &str, expected: &str| {
            let said = format!("layer `{}`: found {found}, expected {expected}", layer.name);
            Err(Error::unusable(said))
        };
        let pads = window.pads(input);
        if (0..4).any(|side| pads[side] >= window.kernel[side % 2]) {
            return refuse("a pool whose border is as wide as its window", "a narrower border");
        }
        let mut attributes = windowed(window, input);
        if window.dilation != [1; 2] {
            if op_type == "AveragePool" && self.graph.opset() < 19 {
                return refuse("an average over a dilated window", "--opset 19 or higher");
            }
            attributes.push(ints("dilations", &window.dilation));
        }
        Ok(step(op_type, vec![], attributes))
    }

    fn resize(&mut self, layer: &Layer, resize: Resize) -> Step {
        let sides = picture(layer.output).map(|side| side as i64);
        let sides = self.graph.integers(&format!("{}.size", layer.name), &sides);
        // Region and scales are not used; only since opset 13 can they be left out.
        let unused = match self.graph.opset() {
            ..13 => self.graph.floats(&format!("{}.unused", layer.name), &[0], &[]),
            _ => String::new(),
        };
        let (mode, place) = match resize.mode {
            ResizeMode::Nearest => ("nearest", "asymmetric"),
            ResizeMode::Bilinear => ("linear", "half_pixel"),
        };
        let mut attributes = vec![text("mode", mode), text("coordinate_transformation_mode", place)];
        if resize.mode == ResizeMode::Nearest {
            attributes.push(text("nearest_mode", "floor"));
        }
        step("Resize", vec![unused.clone(), unused, sides], attributes)
    }

    fn slice(&mut self, layer: &Layer, slice: Slice) -> Step {
        let (start, end) = (i64::from(slice.start), i64::from(slice.start) + i64::from(slice.cout));
        let parts = [("start", start), ("end", end), ("axis", 1)];
        let constant =
            |(part, value): (&str, i64)| self.graph.integers(&format!("{}.{part}", layer.name), &[value]);
        step("Slice", parts.map(constant).into(), vec![])
    }

    fn activation(&mut self, activation: Activation) -> Vec<Step> {
        let (op_type, constants, attributes) = match activation {
            Activation::None => return vec![],
            Activation::Relu => ("Relu", vec![], vec![]),
            Activation::Relu6 => {
                let bounds = vec![self.graph.shared("relu6.min", 0.0), self.graph.shared("relu6.max", 6.0)];
                ("Clip", bounds, vec![])
            }
            Activation::HardSigmoid => ("HardSigmoid", vec![], hard_sigmoid()),
            Activation::Sigmoid => ("Sigmoid", vec![], vec![]),
            Activation::HardSwish => ("HardSwish", vec![], vec![]),
            // Known from operator set 24 on; written as x · sigmoid(x).
            Activation::Swish => ("Swish", vec![], vec![]),
        };
        vec![Step { suffix: suffix(activation), ..step(op_type, constants, attributes) }]
    }
}

fn step(op_type: &'static str, constants: Vec<String>, attributes: Vec<Attribute>) -> Step {
    Step { suffix: "", op_type, constants, attributes }
}

fn hard_sigmoid() -> Vec<Attribute> {
    vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)]
}

fn suffix(activation: Activation) -> &'static str {
    match activation {
        Activation::None => "",
        Activation::Relu => "_relu",
        Activation::Relu6 => "_relu6",
        Activation::HardSwish => "_hard_swish",
        Activation::Swish => "_swish",
        Activation::HardSigmoid => "_hard_sigmoid",
        Activation::Sigmoid => "_sigmoid",
    }
}

/// What convolutions and pools say of their windows.
fn windowed(window: &Window, input: Shape) -> Vec<Attribute> {
    vec![
        ints("kernel_shape", &window.kernel),
        ints("strides", &window.stride),
        ints("pads", &window.pads(input)),
    ]
}
