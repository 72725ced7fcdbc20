//! Reading `nas.space/1`.

mod baseline;
mod constraints;
mod head;
mod property;
mod stage;
mod targets;

use baseline::Baseline;
use property::{CHANNELS, DEPTH_MULTIPLIER, DTYPE, INPUT_SIZE, Registry};
use targets::Estimators;

use super::{Genotype, Space, gene::Choice, target::FROM_ESTIMATOR};
use crate::{
    error::Result,
    io::json::{Fields, Node, read_document},
    network::Shape,
    stable_hash::short_id,
};

const SCHEMA: &str = "nas.space/1";
const FIELDS: [&str; 11] = [
    "schema",
    "name",
    "description",
    "target",
    "dtype",
    "input",
    "depth_multipliers",
    "stem",
    "stages",
    "head",
    "constraints",
];

/// Reads a space from `text`, which came from `file`.
///
/// # Errors
/// The text is not a valid `nas.space/1` object; all its problems are returned together.
pub fn read_space(file: &str, text: &str) -> Result<Space> {
    read_space_for(file, text, None)
}

/// The same for an estimator with this parallelism factor, which counts where the file leaves it to the
/// estimator.
///
/// # Errors
/// As [`read_space`]; or the file leaves the factor to the estimator, and none is given.
pub fn read_space_for(file: &str, text: &str, parallelism: Option<u32>) -> Result<Space> {
    read_document(file, text, |root| {
        let space = space(root, parallelism)?;
        let hash = content_hash(text, space.parallelism);
        Some(Space { hash, ..space })
    })
}

/// Two files that differ in layout only have the same hash, and so has a file that leaves the factor to the
/// estimator and one that names the same number.
fn content_hash(text: &str, parallelism: u32) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let resolved = |mut value: serde_json::Value| {
        if let Some(factor) = value.pointer_mut("/target/parallelism").filter(|factor| factor.is_string()) {
            *factor = parallelism.into();
        }
        value.to_string()
    };
    short_id(value.map_or_else(|| text.to_owned(), resolved).as_bytes())
}

struct Target {
    parallelism: u32,
    estimators: Estimators,
}

struct Input {
    size: Choice<[u32; 2]>,
    channels: u32,
}

fn space(root: &Node<'_>, factor: Option<u32>) -> Option<Space> {
    let fields = root.fields(&[&FIELDS[..], &["baseline"]].concat())?;
    fields.check_schema(SCHEMA);
    let name = fields.required("name").and_then(Node::name);
    let described = fields.or("description", "", Node::string);
    let target = fields.required("target").and_then(|node| target(node, factor));
    // Widths snap to the factor; without one the rest is still read, for its problems.
    let mut genes = Registry::new(target.as_ref().map_or(1, |target| target.parallelism));
    let dtype = DTYPE.alternatives(&fields).map(|dtypes| genes.choice(&DTYPE, "", dtypes));
    let input = fields.required("input").and_then(|node| input(node, &mut genes));
    let multiplier = multipliers(&fields, &mut genes);
    genes.next_group();
    let stem = fields.required("stem").and_then(|node| stage::stem(node, &mut genes));
    let stages = fields.required("stages").and_then(|node| stage::stages(node, &mut genes));
    let stage_count = stages.as_ref().map(Vec::len);
    let head = fields.required("head").and_then(|node| head::head(node, &mut genes, stage_count));
    let constraints = fields.or("constraints", Vec::new(), constraints::constraints);
    let baseline = fields.required("baseline");
    let (target, input) = (target?, input?);
    described?;
    let mut space = Space {
        name: name?.to_owned(),
        hash: String::new(),
        estimator: target.estimators.one,
        targets: target.estimators.several,
        dtype: dtype?,
        parallelism: target.parallelism,
        input_channels: input.channels,
        input: input.size,
        multiplier: multiplier?,
        stem: stem?,
        stages: stages?,
        head: head?,
        constraints: constraints::with_default(constraints?),
        baseline: Genotype::first(genes.genes.len()),
        genes: genes.genes,
    };
    if space.widest() > f64::from(Shape::MAX_DIM) {
        let found = format!("blocks of up to {:.0} channels", space.widest());
        root.problem(found, format!("at most {} after multiplier and expansion", Shape::MAX_DIM));
        return None;
    }
    let written = Baseline::read(baseline?, &space)?;
    let mut canonical = written.clone();
    space.canonicalise_against(&mut canonical.0, &written.0);
    space.baseline = canonical;
    Some(space)
}

fn target(node: &Node<'_>, factor: Option<u32>) -> Option<Target> {
    let fields = node.fields(&["parallelism", "estimator", "estimators", "objective", "energy"])?;
    let parallelism = fields.required("parallelism").and_then(|node| parallelism(node, factor));
    let estimators = targets::estimators(&fields);
    // Energies matter to a search alone, which looks for the file itself (`space::Target`).
    let energy = fields.or("energy", "", Node::string);
    energy?;
    Some(Target { parallelism: parallelism?, estimators: estimators? })
}

/// A number, or the factor of the estimator.
fn parallelism(node: &Node<'_>, factor: Option<u32>) -> Option<u32> {
    const MOST: u32 = 1024;
    if !node.is_string() {
        return node.u32_in(1..=MOST);
    }
    if node.string()? != FROM_ESTIMATOR {
        node.expected(format_args!("a whole number from 1 to {MOST}, or \"{FROM_ESTIMATOR}\""));
        return None;
    }
    let factor = factor.filter(|factor| (1..=MOST).contains(factor));
    if factor.is_none() {
        node.expected(
            "the estimator whose lanes are meant: give it with --estimator EST, or name it in target.estimator or target.estimators",
        );
    }
    factor
}

fn input(node: &Node<'_>, genes: &mut Registry) -> Option<Input> {
    let fields = node.fields(&["size", "channels"])?;
    let sizes = INPUT_SIZE.alternatives(&fields);
    let channels = fields.or("channels", 3, |node| node.u32_in(1..=Shape::MAX_DIM));
    let size = genes.choice(&INPUT_SIZE, "input", sizes?);
    Some(Input { size, channels: channels? })
}

fn multipliers(fields: &Fields<'_>, genes: &mut Registry) -> Option<Choice<f64>> {
    let multipliers = DEPTH_MULTIPLIER.named("depth_multipliers").alternatives(fields)?;
    Some(genes.choice(&DEPTH_MULTIPLIER, "", multipliers))
}

/// The widths of a field that may be absent.
fn optional_widths(
    fields: &Fields<'_>,
    field: &'static str,
    prefix: &str,
    genes: &mut Registry,
) -> Option<Option<Choice<u32>>> {
    match fields.optional(field) {
        None => Some(None),
        Some(node) => {
            let widths = genes.widths(node)?;
            Some(Some(genes.choice(&CHANNELS.named(field), prefix, widths)))
        }
    }
}
