//! The network while it is read: layers whose activation and bias are still open.
//!
//! A nonlinearity that is the only thing ever read of a layer becomes the
//! layer's own; a batch-norm that is the only reader of a convolution becomes
//! its bias. Both are known only when all of the model has been read.

use std::collections::{HashMap, HashSet};

use crate::{
    error::Result,
    io::plain_line,
    network::{
        Activation, DType, Network, NetworkBuilder, Op, Pad, Shape, Source, Window,
        ops::{DepthwiseConv2d, MaxPool, Mismatch},
    },
};

/// What a layer or an output reads: the input or a draft, after a nonlinearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) from: Base,
    pub(super) activation: Activation,
}

/// The input or a draft.
pub(super) type Base = Source;

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// An operator of the network.
    Op(Op),
    /// Each channel times a number plus a number, as batch-norm.
    Affine,
}

#[derive(Clone, Debug)]
struct Draft {
    name: String,
    kind: Kind,
    inputs: Vec<Read>,
    shape: Shape,
}

/// The drafts of a network, in execution order.
#[derive(Clone, Debug)]
pub(super) struct Drafts {
    input: Shape,
    drafts: Vec<Draft>,
    names: HashSet<String>,
}

impl Drafts {
    pub(super) fn new(input: Shape) -> Self {
        Self { input, drafts: Vec::new(), names: HashSet::from(["input".to_owned()]) }
    }

    pub(super) fn len(&self) -> usize {
        self.drafts.len()
    }

    pub(super) fn shape(&self, base: Base) -> Shape {
        match base {
            Source::Input => self.input,
            Source::Layer(index) => self.drafts[index].shape,
        }
    }

    /// Adds a layer.
    ///
    /// # Errors
    /// The operator cannot read these inputs, or makes something too large.
    pub(super) fn add(&mut self, name: &str, op: impl Into<Op>, inputs: Vec<Read>) -> Result<Base, Mismatch> {
        let op = op.into();
        let shapes: Vec<Shape> = inputs.iter().map(|read| self.shape(read.from)).collect();
        let shape = op.operator().output_shape(&shapes)?;
        if [shape.h, shape.w, shape.c].iter().any(|side| *side == 0 || *side > Shape::MAX_DIM) {
            return Err(Mismatch::new(
                format!("an output of {shape}"),
                format!("sides from 1 to {}", Shape::MAX_DIM),
            ));
        }
        Ok(self.push(name, Kind::Op(op), inputs, shape))
    }

    /// Adds a factor and a sum for each channel.
    pub(super) fn affine(&mut self, name: &str, input: Read) -> Base {
        let shape = self.shape(input.from);
        self.push(name, Kind::Affine, vec![input], shape)
    }

    fn push(&mut self, name: &str, kind: Kind, inputs: Vec<Read>, shape: Shape) -> Base {
        let name = self.unique(name);
        self.drafts.push(Draft { name, kind, inputs, shape });
        Source::Layer(self.drafts.len() - 1)
    }

    fn unique(&mut self, name: &str) -> String {
        let name = plain_line(name);
        let mut unique = name.to_string();
        let mut number = 1;
        while !self.names.insert(unique.clone()) {
            number += 1;
            unique = format!("{name}.{number}");
        }
        unique
    }

    /// Whether the layer's own output may be the outcome of a clamp that a quantiser left out.
    pub(super) fn may_be_clamped(&self, base: Base) -> bool {
        let Source::Layer(index) = base else { return false };
        match self.drafts[index].kind {
            Kind::Affine => true,
            Kind::Op(op) => matches!(op, Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::Dense(_) | Op::Add(_)),
        }
    }

    /// The network, of all layers that `outputs` depend on; all that were read if `keep_all`.
    ///
    /// Notes are added for what is priced otherwise than it is written.
    ///
    /// # Errors
    /// A layer does not fit, which [`Drafts::add`] has ruled out.
    pub(super) fn finish(
        mut self,
        name: &str,
        dtype: DType,
        mut outputs: Vec<Read>,
        keep_all: bool,
        notes: &mut Vec<String>,
    ) -> Result<Network> {
        self.fold_affine(&mut outputs);
        let live = if keep_all { vec![true; self.drafts.len()] } else { self.live(&outputs) };
        let live: Vec<bool> =
            live.iter().zip(&self.drafts).map(|(live, draft)| *live && !draft.inputs.is_empty()).collect();
        let mut writer =
            Writer { builder: NetworkBuilder::new(name, self.input, dtype), written: HashMap::new() };
        let reads = self.activations_read(&live, &outputs);
        writer.write_activations(
            Source::Input,
            Source::Input,
            "input",
            reads.first().map_or(&[][..], Vec::as_slice),
            notes,
        )?;
        let (mut alone, mut macs) = (0, 0);
        for (index, draft) in self.drafts.iter().enumerate() {
            let activations = reads.get(index + 1).map_or(&[][..], Vec::as_slice);
            if !live[index] {
                continue;
            }
            let op = match draft.kind {
                Kind::Op(op) => op,
                Kind::Affine => {
                    alone += 1;
                    macs += draft.shape.elements();
                    DepthwiseConv2d { window: Window::square(1, 1), cout: None, bias: true }.into()
                }
            };
            writer.write(index, draft, op, activations, notes)?;
        }
        if alone > 0 {
            notes.push(format!(
                "{alone} batch-norms or per-channel factors that no convolution can take in are 1x1 depthwise \
                 convolutions, with {macs} MACs"
            ));
        }
        Ok(writer.builder.finish())
    }

    /// For the input (first) and each draft, the nonlinearities that are read of it, each once.
    fn activations_read(&self, live: &[bool], outputs: &[Read]) -> Vec<Vec<Activation>> {
        let mut reads = vec![Vec::new(); self.drafts.len() + 1];
        let inputs =
            self.drafts.iter().zip(live).filter(|(_, live)| **live).flat_map(|(draft, _)| &draft.inputs);
        for read in inputs.chain(outputs) {
            let of = &mut reads[slot(read.from)];
            if !of.contains(&read.activation) {
                of.push(read.activation);
            }
        }
        reads
    }

    /// Batch-norms become the bias of the layer before them where nothing else reads that.
    fn fold_affine(&mut self, outputs: &mut [Read]) {
        let mut readers = vec![0u32; self.drafts.len() + 1];
        for read in self.drafts.iter().flat_map(|draft| &draft.inputs).chain(outputs.iter()) {
            readers[slot(read.from)] += 1;
        }
        // Where the output of a draft is to be found now.
        let mut moved: Vec<Base> = (0..self.drafts.len()).map(Source::Layer).collect();
        for index in 0..self.drafts.len() {
            for input in &mut self.drafts[index].inputs {
                if let Source::Layer(from) = input.from {
                    input.from = moved[from];
                }
            }
            let (Kind::Affine, [read]) = (self.drafts[index].kind, self.drafts[index].inputs.as_slice())
            else {
                continue;
            };
            let Read { from: Source::Layer(before), activation: Activation::None } = *read else { continue };
            if readers[before + 1] == 1 && self.take_bias(before) {
                readers[before + 1] = readers[index + 1];
                moved[index] = Source::Layer(before);
                self.drafts[index].inputs.clear();
            }
        }
        for output in outputs {
            if let Source::Layer(from) = output.from {
                output.from = moved[from];
            }
        }
    }

    /// Gives the layer a bias, if it is one that can have a bias.
    fn take_bias(&mut self, index: usize) -> bool {
        match &mut self.drafts[index].kind {
            Kind::Op(Op::Conv2d(conv)) => conv.bias = true,
            Kind::Op(Op::DepthwiseConv2d(conv)) => conv.bias = true,
            Kind::Op(Op::Dense(dense)) => dense.bias = true,
            Kind::Affine => {}
            Kind::Op(_) => return false,
        }
        true
    }

    fn live(&self, outputs: &[Read]) -> Vec<bool> {
        let mut live = vec![false; self.drafts.len()];
        let mut mark = |read: &Read| {
            if let Source::Layer(index) = read.from {
                live[index] = true;
            }
        };
        outputs.iter().for_each(&mut mark);
        for index in (0..self.drafts.len()).rev() {
            if live[index] {
                for read in &self.drafts[index].inputs {
                    if let Source::Layer(from) = read.from {
                        live[from] = true;
                    }
                }
            }
        }
        live
    }
}

fn slot(base: Base) -> usize {
    match base {
        Source::Input => 0,
        Source::Layer(index) => index + 1,
    }
}

/// The network's layers, and where each read of a draft is found among them.
struct Writer {
    builder: NetworkBuilder,
    written: HashMap<(Base, Activation), Source>,
}

impl Writer {
    fn write(
        &mut self,
        index: usize,
        draft: &Draft,
        op: Op,
        activations: &[Activation],
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let found =
            |read: &Read| self.written.get(&(read.from, read.activation)).copied().unwrap_or(read.from);
        let inputs: Vec<Source> = draft.inputs.iter().map(found).collect();
        let own = match activations {
            [only] => *only,
            _ => Activation::None,
        };
        let source = self.builder.add(&draft.name, op, &inputs, own)?;
        self.written.insert((Source::Layer(index), own), source);
        if activations.len() > 1 {
            self.write_activations(Source::Layer(index), source, &draft.name, activations, notes)?;
        }
        Ok(())
    }

    /// Nonlinearities of a tensor that is read without them too: layers of their own, which a maximum over
    /// one pixel is.
    fn write_activations(
        &mut self,
        base: Base,
        source: Source,
        name: &str,
        activations: &[Activation],
        notes: &mut Vec<String>,
    ) -> Result<()> {
        self.written.insert((base, Activation::None), source);
        for activation in activations.iter().filter(|activation| **activation != Activation::None) {
            let mut own = format!("{name}.{activation}");
            while self.builder.find(&own).is_some() {
                own.push('_');
            }
            let alone = self.builder.add(&own, MaxPool { window: one_pixel() }, &[source], *activation)?;
            notes.push(format!(
                "{own}: {activation} on its own is a 1x1 max_pool, since `{name}` is read without it too"
            ));
            self.written.insert((base, *activation), alone);
        }
        Ok(())
    }
}

fn one_pixel() -> Window {
    Window { pad: Pad::Same, ..Window::square(1, 1) }
}
