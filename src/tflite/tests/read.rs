//! A file as its reader sees it, with what must hold in any file.

use std::collections::HashSet;

use super::reader::{Table, root};

/// A tensor of the file.
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<i32>,
    pub(super) kind: i8,
    pub(super) scales: Vec<f32>,
    pub(super) zeros: Vec<i64>,
    pub(super) axis: usize,
    pub(super) data: Vec<u8>,
}

/// An operator of the file.
pub(super) struct Operator<'f> {
    pub(super) code: i32,
    pub(super) version: i32,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    pub(super) options_kind: i8,
    pub(super) options: Option<Table<'f>>,
}

/// A file.
pub(super) struct File<'f> {
    pub(super) tensors: Vec<Tensor>,
    pub(super) operators: Vec<Operator<'f>>,
    pub(super) outputs: Vec<usize>,
    pub(super) metadata: Vec<(String, String)>,
}

pub(super) const FLOAT: i8 = 0;
pub(super) const INT: i8 = 2;
pub(super) const BYTE: i8 = 9;

impl<'f> File<'f> {
    pub(super) fn read(bytes: &'f [u8]) -> Self {
        let model = root(bytes, "TFL3");
        assert_eq!(model.int(0, 0), 3, "the schema's version");
        assert!(model.text(3).starts_with("nas "));
        let buffers = model.tables(4);
        assert_eq!(buffers[0].length(0), 0, "the first buffer is empty");
        for buffer in &buffers[1..] {
            assert_eq!(buffer.start(0) % 16, 0, "data begins at a multiple of sixteen");
        }
        let [graph] = model.tables(2)[..] else { panic!("one graph") };
        let codes = model.tables(1);
        let note = |note: Table<'f>| (note.text(0), buffers[note.int(1, 0) as usize].text(0));
        let numbers = |of: Table<'f>, slot| of.ints(slot).into_iter().map(|n| n as usize).collect::<Vec<_>>();
        let operator = |of: Table<'f>| {
            let code = codes[of.int(0, 0) as usize];
            assert_eq!(i32::from(code.byte(0)), code.int(3, 0).min(127), "both fields of the code");
            Operator {
                code: code.int(3, 0),
                version: code.int(2, 1),
                inputs: numbers(of, 1),
                output: numbers(of, 2)[0],
                options_kind: of.byte(3),
                options: of.table(4),
            }
        };
        let file = Self {
            tensors: graph.tables(0).into_iter().map(|table| tensor(table, &buffers)).collect(),
            operators: graph.tables(3).into_iter().map(operator).collect(),
            outputs: numbers(graph, 2),
            metadata: model.tables(6).into_iter().map(note).collect(),
        };
        assert_eq!(numbers(graph, 1), [0], "the input is the first tensor");
        file.check_order();
        file
    }

    /// Nothing is read before it is written, nothing is written twice, and all tensors have their own names.
    fn check_order(&self) {
        let constants = self.tensors.iter().enumerate().filter(|(_, tensor)| !tensor.data.is_empty());
        let mut there: HashSet<usize> = constants.map(|(index, _)| index).chain([0]).collect();
        for operator in &self.operators {
            assert!(operator.inputs.iter().all(|input| there.contains(input)), "read before it is written");
            assert!(there.insert(operator.output), "written twice");
        }
        assert_eq!(there.len(), self.tensors.len(), "no tensor is left over");
        let names: HashSet<&str> = self.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names.len(), self.tensors.len());
        assert!(!names.contains(""));
    }

    pub(super) fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.iter().find(|tensor| tensor.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    pub(super) fn writer(&self, name: &str) -> &Operator<'f> {
        let found = self.operators.iter().find(|operator| self.tensors[operator.output].name == name);
        found.unwrap_or_else(|| panic!("nothing writes {name}"))
    }

    pub(super) fn input(&self, operator: &Operator<'_>, place: usize) -> &Tensor {
        &self.tensors[operator.inputs[place]]
    }
}

fn tensor(table: Table<'_>, buffers: &[Table<'_>]) -> Tensor {
    let quantization = table.table(4);
    let kind = table.byte(1);
    let shape = table.ints(0);
    let data = buffers[table.int(2, 0) as usize].bytes(0);
    let width = if kind == BYTE { 1 } else { 4 };
    let elements: usize = shape.iter().map(|side| *side as usize).product();
    assert!(data.is_empty() || data.len() == width * elements, "{}", table.text(3));
    Tensor {
        name: table.text(3),
        shape,
        kind,
        scales: quantization.map_or(vec![], |table| table.floats(2)),
        zeros: quantization.map_or(vec![], |table| table.longs(3)),
        axis: quantization.map_or(0, |table| table.int(6, 0) as usize),
        data,
    }
}
