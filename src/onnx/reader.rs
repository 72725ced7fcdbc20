//! Running a graph on shapes: each node makes constants or pictures of what it reads.

use std::collections::HashMap;

use super::{
    curve::{self, Curve},
    draft::{Drafts, Read},
    external::External,
    fold::fold,
    lower::lower,
    node::Attributes,
    picture::{Picture, Refusal, Value},
    proto::{Attribute, Function, Graph, Node, data_type},
    tensor::Constant,
};
use crate::{
    error::Problem,
    network::{Activation, DType},
};

/// The values of a graph or of a function's body, by name.
pub(super) type Scope = HashMap<String, Value>;

/// More than any network has; functions that call functions can ask for any number.
const MOST_NODES: usize = 200_000;
/// More problems than this are not kept.
const MOST_PROBLEMS: usize = 1000;
/// Branches within branches and functions within functions.
const DEEPEST: usize = 32;

/// A model while it is read.
pub(super) struct Reader<'m> {
    pub(super) file: String,
    pub(super) drafts: Drafts,
    pub(super) external: External,
    pub(super) notes: Vec<String>,
    pub(super) problems: Vec<Problem>,
    /// Nodes that only read what others left missing.
    pub(super) behind: Vec<String>,
    /// Elements of weights of convolutions and dense layers, by `DataType`.
    pub(super) weights: HashMap<i32, u64>,
    pub(super) quantised: bool,
    /// What a quantiser left out where its range begins at zero.
    pub(super) dropped: Activation,
    functions: HashMap<(&'m str, &'m str), &'m Function>,
    run: usize,
}

impl<'m> Reader<'m> {
    pub(super) fn new(file: &str, drafts: Drafts, external: External, functions: &'m [Function]) -> Self {
        let by_name = |function: &'m Function| ((function.domain.as_str(), function.name.as_str()), function);
        Self {
            file: file.to_owned(),
            drafts,
            external,
            notes: Vec::new(),
            problems: Vec::new(),
            behind: Vec::new(),
            weights: HashMap::new(),
            quantised: false,
            dropped: Activation::Relu6,
            functions: functions.iter().map(by_name).collect(),
            run: 0,
        }
    }

    /// Runs the nodes in their order; `depth` counts the graphs around them.
    pub(super) fn run(&mut self, nodes: &[Node], scope: &mut Scope, depth: usize) {
        for node in nodes {
            self.run += 1;
            if self.run > MOST_NODES {
                self.problem(node, Refusal::new(format!("more than {MOST_NODES} nodes to run"), "a network"));
                return;
            }
            let values = self.node(node, scope, depth);
            for (name, value) in node.output.iter().zip(values) {
                if !name.is_empty() {
                    scope.insert(name.clone(), value);
                }
            }
        }
    }

    fn node(&mut self, node: &Node, scope: &mut Scope, depth: usize) -> Vec<Value> {
        let missing = || vec![Value::Missing; node.output.len()];
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            match scope.get(name) {
                _ if name.is_empty() => inputs.push(None),
                Some(Value::Missing) => {
                    self.behind.push(title(node));
                    return missing();
                }
                Some(value) => inputs.push(Some(value.clone())),
                None => {
                    let found = format!("`{name}`, which nothing before it writes");
                    self.problem(node, Refusal::new(found, "inputs that are there"));
                    return missing();
                }
            }
        }
        match self.apply(node, &inputs, scope, depth) {
            Ok(values) => values.into_iter().chain(missing()).collect(),
            Err(refusal) => {
                let instead = refusal.instead.clone().map(|value| *value);
                self.problem(node, refusal);
                instead.into_iter().chain(missing()).collect()
            }
        }
    }

    fn apply(
        &mut self,
        node: &Node,
        inputs: &[Option<Value>],
        scope: &mut Scope,
        depth: usize,
    ) -> Result<Vec<Value>, Refusal> {
        let own = matches!(node.domain.as_str(), "" | "ai.onnx");
        if let Some(function) = self.functions.get(&(node.domain.as_str(), node.op_type.as_str())).copied() {
            return self.call(function, node, inputs, depth);
        }
        match node.op_type.as_str() {
            "Constant" if own => {
                let constant = Attributes::of(node).constant(&mut self.external)?;
                return Ok(vec![constant.into()]);
            }
            "If" if own => return self.branch(node, inputs, scope, depth),
            _ => {}
        }
        let constants: Vec<Option<&Constant>> = inputs
            .iter()
            .map(|input| match input {
                Some(Value::Constant(constant)) => Some(constant.as_ref()),
                _ => None,
            })
            .collect();
        let no_picture = !inputs.iter().any(|input| matches!(input, Some(Value::Picture(_))));
        if own
            && no_picture
            && let Some(folded) = fold(&node.op_type, &Attributes::of(node), &constants)
        {
            return Ok(folded?.into_iter().map(Value::from).collect());
        }
        lower(self, node, inputs)
    }

    /// The branch that a known condition takes.
    fn branch(
        &mut self,
        node: &Node,
        inputs: &[Option<Value>],
        scope: &mut Scope,
        depth: usize,
    ) -> Result<Vec<Value>, Refusal> {
        let condition = match inputs.first() {
            Some(Some(Value::Constant(constant))) => constant.scalar(),
            _ => None,
        };
        let condition = condition.ok_or_else(|| {
            Refusal::new(
                "a condition that depends on the picture",
                "one that is known before the network runs",
            )
        })?;
        let name = if condition != 0.0 { "then_branch" } else { "else_branch" };
        let graph: &Graph = Attributes::of(node)
            .get(name)
            .and_then(|attribute| attribute.g.as_deref())
            .ok_or_else(|| Refusal::new("no graph", format!("a graph as {name}")))?;
        if depth >= DEEPEST {
            return Err(Refusal::new(format!("more than {DEEPEST} graphs within each other"), "a network"));
        }
        self.initialize(graph, scope);
        self.run(&graph.node, scope, depth + 1);
        let of = |name: &str| scope.get(name).cloned().unwrap_or(Value::Missing);
        Ok(graph.output.iter().map(|output| of(&output.name)).collect())
    }

    /// The constants of a graph.
    pub(super) fn initialize(&mut self, graph: &Graph, scope: &mut Scope) {
        for tensor in &graph.initializer {
            let value = match Constant::read(tensor, &mut self.external) {
                Ok(constant) => constant.into(),
                Err((found, expected)) => {
                    self.problem_at(format!("initializer `{}`", tensor.name), Refusal::new(found, expected));
                    Value::Missing
                }
            };
            scope.insert(tensor.name.clone(), value);
        }
        if !graph.sparse_initializer.is_empty() {
            let found = format!("{} sparse constants", graph.sparse_initializer.len());
            self.problem_at(
                "graph".into(),
                Refusal::new(found, "dense ones; export without sparse initializers"),
            );
        }
    }

    /// A function of the file, with the caller's parameters in the place of its own.
    fn call(
        &mut self,
        function: &Function,
        node: &Node,
        inputs: &[Option<Value>],
        depth: usize,
    ) -> Result<Vec<Value>, Refusal> {
        if depth >= DEEPEST {
            return Err(Refusal::new(
                format!("more than {DEEPEST} functions within each other"),
                "a network",
            ));
        }
        let given = function.input.iter().zip(inputs);
        let mut scope: Scope =
            given.filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
        let body: Vec<Node> = function.node.iter().map(|inner| bound(inner, function, node)).collect();
        self.run(&body, &mut scope, depth + 1);
        let of = |name: &String| scope.get(name).cloned().unwrap_or(Value::Missing);
        Ok(function.output.iter().map(of).collect())
    }

    /// What a layer reads when it reads the picture: a base with a nonlinearity.
    ///
    /// # Errors
    /// The picture's nonlinearity is none that networks have.
    pub(super) fn read(&mut self, picture: &Picture) -> Result<Read, Refusal> {
        let activation = match picture.curve.shape() {
            _ if picture.curve.is_identity() => Activation::None,
            curve::Shape::Known(activation) => activation,
            curve::Shape::Affine => {
                let input = Read { from: picture.base, activation: Activation::None };
                let from = self.drafts.affine(&picture.touched_by, input);
                return Ok(Read { from, activation: Activation::None });
            }
            curve::Shape::Other => {
                let known: Vec<&str> = Activation::NAMES.iter().map(|(name, _)| *name).collect();
                let refusal =
                    Refusal::new("a nonlinearity that is not known", format!("one of {}", known.join(", ")));
                self.problem_once(format!("node `{}`", picture.touched_by), refusal);
                Activation::None
            }
        };
        Ok(Read { from: picture.base, activation })
    }

    /// As [`Reader::read`], for an operator that reads batch, channels, rows and columns.
    ///
    /// # Errors
    /// The picture's axes are others, or borders are around it.
    pub(super) fn read_nchw(&mut self, picture: &Picture) -> Result<Read, Refusal> {
        if picture.is_bordered() {
            return Err(bordered());
        }
        self.expect_nchw(picture)?;
        self.read(picture)
    }

    /// # Errors
    /// The tensor is not batch, channels, rows, columns.
    pub(super) fn expect_nchw(&mut self, picture: &Picture) -> Result<(), Refusal> {
        let shape = self.drafts.shape(picture.base);
        if !picture.layout.is_picture(shape) {
            let found = format!("a tensor of {:?} made of a picture of {shape}", picture.dims());
            return Err(Refusal::new(found, "batch, channels, rows, columns of that picture, in this order"));
        }
        if picture.layout.is_shuffled() {
            self.note_shuffle();
        }
        Ok(())
    }

    /// Notes how the weights of a layer are stored.
    pub(super) fn count_weights(&mut self, weights: &Constant) {
        *self.weights.entry(weights.stored).or_default() += weights.elements().max(1);
    }

    /// The type of the network: what most of its weights are stored in.
    pub(super) fn dtype(&self) -> DType {
        let total = |kinds: &[i32]| kinds.iter().filter_map(|kind| self.weights.get(kind)).sum::<u64>();
        let eight = total(&[data_type::INT8, data_type::UINT8]);
        let half = total(&[data_type::FLOAT16, data_type::BFLOAT16]);
        let single = total(&[data_type::FLOAT, data_type::DOUBLE]);
        match () {
            () if eight > half + single || self.weights.is_empty() && self.quantised => DType::Int8,
            () if half > single => DType::Fp16,
            () => DType::Fp32,
        }
    }

    /// Notes that channels are read in another order than they were written.
    pub(super) fn note_shuffle(&mut self) {
        self.note("a channel shuffle moves numbers without multiplying any; it is priced as free");
    }

    /// Adds a note unless it is there.
    pub(super) fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    pub(super) fn problem(&mut self, node: &Node, refusal: Refusal) {
        self.problem_at(title(node), refusal);
    }

    fn problem_once(&mut self, path: String, refusal: Refusal) {
        if !self.problems.iter().any(|problem| problem.path == path) {
            self.problem_at(path, refusal);
        }
    }

    pub(super) fn problem_at(&mut self, path: String, refusal: Refusal) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let Refusal { found, expected, .. } = refusal;
        self.problems.push(Problem { file: self.file.clone(), position: None, path, found, expected });
    }
}

/// A border where nothing can take it in.
pub(super) fn bordered() -> Refusal {
    Refusal::new("a padded picture", "a Pad only before a convolution or a pool, which takes it in")
}

/// The node as messages call it.
pub(super) fn title(node: &Node) -> String {
    format!("node `{}` ({})", name(node), node.op_type)
}

/// The node's name, or that of its first output.
pub(super) fn name(node: &Node) -> &str {
    let output = node.output.first().map_or("", String::as_str);
    if node.name.is_empty() { output } else { &node.name }
}

/// A node of a function's body with the caller's parameters, named after the caller too.
fn bound(inner: &Node, function: &Function, caller: &Node) -> Node {
    let given = |name: &str| {
        caller.attribute.iter().chain(&function.attribute_proto).find(|given| given.name == name)
    };
    let resolve = |attribute: &Attribute| match attribute.ref_attr_name.as_str() {
        "" => Some(attribute.clone()),
        reference => {
            given(reference).map(|given| Attribute { name: attribute.name.clone(), ..given.clone() })
        }
    };
    Node {
        name: format!("{}/{}", name(caller), name(inner)),
        attribute: inner.attribute.iter().filter_map(resolve).collect(),
        ..inner.clone()
    }
}

/// A function of one number as a curve on `picture`.
pub(super) fn bend(picture: &Picture, node: &Node, f: impl Fn(f64) -> f64) -> Picture {
    let curve: Curve = picture.curve.then(f);
    picture.bent(curve, name(node))
}
