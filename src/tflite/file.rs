//! A model as the bytes of a file (flatbuffers), with the bytes of tensors at multiples of sixteen.

use flatbuffers::{
    FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset, field_index_to_field_offset as field,
};

use super::{
    model::{Model, Operator, Quantization, Tensor, TensorId},
    schema::{
        self, Code, Field, IDENTIFIER, buffer, metadata, operator, operator_code, quantization, subgraph,
        tensor,
    },
};

type Builder = FlatBufferBuilder<'static>;
type Table = WIPOffset<TableFinishedWIPOffset>;

/// The schema demands that the bytes of a buffer begin at a multiple of this.
const ALIGNMENT: usize = 16;
/// The root's place and the identifier, which stand before all else.
const HEAD: usize = 8;
/// Operator numbers from here on do not fit the old field, which then says this.
const PLACEHOLDER: i32 = 127;

/// The bytes of a file with `model`.
pub(super) fn bytes(model: &Model) -> Vec<u8> {
    let data: usize = model.tensors.iter().filter_map(|tensor| tensor.data.as_ref().map(Vec::len)).sum();
    let mut to = Builder::with_capacity(data + 256 * (model.tensors.len() + 16));
    let buffers = buffers(&mut to, model);
    let notes = notes(&mut to, model);
    let (codes, graph) = graph(&mut to, model);
    let (codes, graphs) = (to.create_vector(&codes), to.create_vector(&[graph]));
    let description = to.create_string(concat!("nas ", env!("CARGO_PKG_VERSION")));
    let start = to.start_table();
    to.push_slot_always(field(schema::model::VERSION), schema::VERSION);
    to.push_slot_always(field(schema::model::OPERATOR_CODES), codes);
    to.push_slot_always(field(schema::model::SUBGRAPHS), graphs);
    to.push_slot_always(field(schema::model::DESCRIPTION), description);
    to.push_slot_always(field(schema::model::BUFFERS), buffers);
    to.push_slot_always(field(schema::model::METADATA), notes);
    let root = to.end_table(start);
    // A file is written from its end: with this its length, too, is a multiple.
    fill(&mut to, HEAD);
    to.finish(root, Some(IDENTIFIER));
    to.finished_data().to_vec()
}

/// Fills up with zeros, so that a multiple of the alignment is reached with `coming` bytes.
fn fill(to: &mut Builder, coming: usize) {
    while !(to.unfinished_data().len() + coming).is_multiple_of(ALIGNMENT) {
        to.push(0_u8);
    }
}

/// The buffers: an empty one, which tensors without data share, then those of tensors, then those of notes.
fn buffers(
    to: &mut Builder,
    model: &Model,
) -> WIPOffset<flatbuffers::Vector<'static, flatbuffers::ForwardsUOffset<TableFinishedWIPOffset>>> {
    let constants = model.tensors.iter().filter_map(|tensor| tensor.data.as_deref());
    let notes = model.metadata.iter().map(|(_, text)| text.as_bytes());
    let mut tables = vec![table(to, |_| {})];
    for bytes in constants.chain(notes) {
        fill(to, bytes.len());
        let data = to.create_vector(bytes);
        tables.push(table(to, |to| to.push_slot_always(field(buffer::DATA), data)));
    }
    to.create_vector(&tables)
}

/// The notes, whose buffers stand behind those of tensors.
fn notes(
    to: &mut Builder,
    model: &Model,
) -> WIPOffset<flatbuffers::Vector<'static, flatbuffers::ForwardsUOffset<TableFinishedWIPOffset>>> {
    let constants = model.tensors.iter().filter(|tensor| tensor.data.is_some()).count();
    let note = |(index, (name, _)): (usize, &(String, String))| {
        let name = to.create_string(name);
        table(to, |to| {
            to.push_slot_always(field(metadata::NAME), name);
            to.push_slot(field(metadata::BUFFER), count(1 + constants + index), 0);
        })
    };
    let tables: Vec<Table> = model.metadata.iter().enumerate().map(note).collect();
    to.create_vector(&tables)
}

/// A number as it stands in the file; counts of tensors and the like are far smaller than its limit.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn table(to: &mut Builder, fill: impl FnOnce(&mut Builder)) -> Table {
    let start = to.start_table();
    fill(to);
    to.end_table(start)
}

/// The operators' codes, and the graph.
fn graph(to: &mut Builder, model: &Model) -> (Vec<Table>, Table) {
    let mut buffers = 0;
    let tensors: Vec<Table> = model
        .tensors
        .iter()
        .map(|tensor| {
            buffers += usize::from(tensor.data.is_some());
            write_tensor(to, tensor, if tensor.data.is_some() { buffers } else { 0 })
        })
        .collect();
    let mut known: Vec<(Code, i32)> = Vec::new();
    let operators: Vec<Table> = model
        .operators
        .iter()
        .map(|operator| {
            let code = (operator.code, operator.version);
            let place = known.iter().position(|known| *known == code).unwrap_or_else(|| {
                known.push(code);
                known.len() - 1
            });
            write_operator(to, operator, place)
        })
        .collect();
    let codes = known.into_iter().map(|(code, version)| write_code(to, code, version)).collect();
    let (tensors, operators) = (to.create_vector(&tensors), to.create_vector(&operators));
    let (inputs, outputs) = (ids(to, &model.inputs), ids(to, &model.outputs));
    let name = to.create_string("main");
    let graph = table(to, |to| {
        to.push_slot_always(field(subgraph::TENSORS), tensors);
        to.push_slot_always(field(subgraph::INPUTS), inputs);
        to.push_slot_always(field(subgraph::OUTPUTS), outputs);
        to.push_slot_always(field(subgraph::OPERATORS), operators);
        to.push_slot_always(field(subgraph::NAME), name);
    });
    (codes, graph)
}

fn ids(to: &mut Builder, tensors: &[TensorId]) -> WIPOffset<flatbuffers::Vector<'static, i32>> {
    let numbers: Vec<i32> = tensors.iter().map(|tensor| tensor.number()).collect();
    to.create_vector(&numbers)
}

fn write_tensor(to: &mut Builder, this: &Tensor, place: usize) -> Table {
    let (name, shape) = (to.create_string(&this.name), to.create_vector(&this.shape));
    let quantization = write_quantization(to, &this.quantization);
    table(to, |to| {
        to.push_slot_always(field(tensor::SHAPE), shape);
        to.push_slot(field(tensor::TYPE), this.kind as i8, 0);
        to.push_slot(field(tensor::BUFFER), count(place), 0);
        to.push_slot_always(field(tensor::NAME), name);
        if let Some(quantization) = quantization {
            to.push_slot_always(field(tensor::QUANTIZATION), quantization);
        }
    })
}

fn write_quantization(to: &mut Builder, this: &Quantization) -> Option<Table> {
    let (scales, zeros, axis) = match this {
        Quantization::None => return None,
        Quantization::Tensor { scale, zero } => (vec![*scale], vec![*zero], 0),
        Quantization::Channels { scales, axis } => (scales.clone(), vec![0; scales.len()], *axis),
    };
    let (scales, zeros) = (to.create_vector(&scales), to.create_vector::<i64>(&zeros));
    Some(table(to, |to| {
        to.push_slot_always(field(quantization::SCALE), scales);
        to.push_slot_always(field(quantization::ZERO_POINT), zeros);
        to.push_slot(field(quantization::DIMENSION), axis, 0);
    }))
}

fn write_operator(to: &mut Builder, this: &Operator, code: usize) -> Table {
    let (inputs, outputs) = (ids(to, &this.inputs), ids(to, &[this.output]));
    let options = (this.options.table() > 0).then(|| {
        table(to, |to| {
            for option in this.options.fields() {
                match option {
                    Field::Int(place, value, default) => to.push_slot(field(place), value, default),
                    Field::Byte(place, value) => to.push_slot(field(place), value, 0),
                    Field::Flag(place, value) => to.push_slot(field(place), value, false),
                }
            }
        })
    });
    table(to, |to| {
        to.push_slot(field(operator::OPCODE), count(code), 0);
        to.push_slot_always(field(operator::INPUTS), inputs);
        to.push_slot_always(field(operator::OUTPUTS), outputs);
        if let Some(options) = options {
            to.push_slot_always(field(operator::OPTIONS_TYPE), this.options.table());
            to.push_slot_always(field(operator::OPTIONS), options);
        }
    })
}

fn write_code(to: &mut Builder, code: Code, version: i32) -> Table {
    let code = code as i32;
    table(to, |to| {
        // Readers that do not know the wide field yet read the narrow one.
        to.push_slot(field(operator_code::DEPRECATED), code.min(PLACEHOLDER) as i8, 0);
        to.push_slot(field(operator_code::VERSION), version, 1);
        to.push_slot(field(operator_code::BUILTIN), code, 0);
    })
}
