//! One row of a measurement CSV.

use std::str::FromStr;

use csv::StringRecord;

use super::{
    checks::{LONGEST_US, MOST_MACS_PER_US},
    csv_columns::{Columns, LATENCIES, TARGET},
    noted::Noted,
    operation::{Kind, Operation},
    options::ReadOptions,
};
use crate::{
    error::{Problem, one_of},
    network::{Activation, Block, BlockKind, DType, NetworkBuilder, Shape, Source},
};

/// Operators as they stand in the column `op`.
const OPS: [&str; 13] = [
    "conv2d",
    "depthwise_conv2d",
    "dense",
    "add",
    "mul",
    "concat",
    "avg_pool",
    "max_pool",
    "global_avg_pool",
    "resize",
    "ibn",
    "fused_ibn",
    "network",
];

/// What one row measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) subject: Subject,
    pub(super) network: Option<String>,
    pub(super) layer: String,
    pub(super) device: Option<String>,
    /// The number format, where the row says it.
    pub(super) dtype: Option<DType>,
    /// Which latency column was filled: an index into [`LATENCIES`], or one more for another quantity.
    pub(super) latency_column: usize,
    /// Microseconds, or the unit of the quantity that is predicted in the place of latency.
    pub(super) latency_us: f64,
    /// The line of the file.
    pub(super) line: usize,
}

/// What a latency belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    /// Operations in execution order: one, or those of a block.
    Operations(Vec<Operation>),
    /// A whole network.
    Network,
}

/// A row's cells, read by column name; what is wrong with them is noted.
pub(super) struct Cells<'r> {
    pub(super) file: &'r str,
    pub(super) columns: &'r Columns,
    pub(super) record: &'r StringRecord,
    pub(super) noted: &'r Noted,
    pub(super) options: &'r ReadOptions,
}

impl<'r> Cells<'r> {
    /// The cell under `name`; none where the column is absent or the cell is empty.
    fn text(&self, name: &str) -> Option<&'r str> {
        self.record.get(self.columns.place(name)?).filter(|cell| !cell.is_empty())
    }

    fn line(&self) -> usize {
        self.record.position().map_or(0, |position| position.line() as usize)
    }

    fn note(&self, name: &str, found: impl Into<String>, expected: impl Into<String>) {
        let column = self.columns.place(name).map_or(1, |place| place + 1);
        self.noted.push(Problem {
            file: self.file.to_owned(),
            position: Some((self.line(), column)),
            path: name.to_owned(),
            found: found.into(),
            expected: expected.into(),
        });
    }

    fn required(&self, name: &str, expected: &str) -> Option<&'r str> {
        let cell = self.text(name);
        if cell.is_none() {
            self.note(name, "an empty cell", expected);
        }
        cell
    }

    /// A whole number of at least one.
    fn count(&self, name: &str) -> Option<u32> {
        const EXPECTED: &str = "a whole number of at least 1";
        let cell = self.required(name, EXPECTED)?;
        let count = parse_count(cell);
        if count.is_none() {
            self.note(name, cell, EXPECTED);
        }
        count
    }

    fn count_or(&self, name: &str, default: u32) -> Option<u32> {
        if self.text(name).is_some() { self.count(name) } else { Some(default) }
    }

    /// A size for both axes, or `3x1` for height and width.
    fn pair(&self, name: &str) -> Option<[u32; 2]> {
        const EXPECTED: &str = "a whole number of at least 1, or height and width as in 3x1";
        let Some(cell) = self.text(name) else { return Some([1; 2]) };
        let pair = match cell.split_once('x') {
            Some((h, w)) => parse_count(h).zip(parse_count(w)).map(|(h, w)| [h, w]),
            None => parse_count(cell).map(|both| [both; 2]),
        };
        if pair.is_none() {
            self.note(name, cell, EXPECTED);
        }
        pair
    }

    fn named<T: Copy>(&self, name: &str, names: &[(&str, T)], default: T) -> Option<T> {
        let Some(cell) = self.text(name) else { return Some(default) };
        let known = names.iter().find(|(known, _)| *known == cell).map(|(_, value)| *value);
        if known.is_none() {
            self.note(name, cell, one_of(cell, &names.iter().map(|(name, _)| *name).collect::<Vec<_>>()));
        }
        known
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.named(name, &[("0", false), ("1", true), ("false", false), ("true", true)], false)
    }
}

/// A count; spreadsheets write whole numbers as `8.0`, so that is one too.
fn parse_count(cell: &str) -> Option<u32> {
    let cell = cell.strip_suffix(".0").unwrap_or(cell);
    u32::from_str(cell).ok().filter(|count| (1..=Shape::MAX_DIM).contains(count))
}

/// Reads a row; problems are noted and leave none.
pub(super) fn read_row(cells: &Cells<'_>) -> Option<Row> {
    let op = cells.required("op", &format!("one of {}", OPS.join(", ")))?;
    let network = cells.text("network").map(str::to_owned);
    let dtype = cells.named("dtype", &DType::NAMES, DType::Int8);
    let subject = subject(cells, op, network.as_deref(), dtype);
    let latency = latency(cells, network.is_some());
    let (subject, (latency_column, latency_us)) = (subject?, latency?);
    if latency_column < LATENCIES.len() {
        check_plausible(cells, LATENCIES[latency_column], &subject, latency_us)?;
    }
    Some(Row {
        line: cells.line(),
        subject,
        network,
        layer: cells.text("layer").unwrap_or_default().to_owned(),
        device: cells.text("device").map(str::to_owned),
        dtype: dtype.filter(|_| cells.text("dtype").is_some()),
        latency_column,
        latency_us,
    })
}

fn subject(cells: &Cells<'_>, op: &str, network: Option<&str>, dtype: Option<DType>) -> Option<Subject> {
    if !OPS.contains(&op) {
        cells.note("op", op, one_of(op, &OPS));
        return None;
    }
    if op == "network" {
        if network.is_none() {
            cells.note("network", "an empty cell", "the name of the network that was measured");
        }
        dtype?;
        return network.map(|_| Subject::Network);
    }
    let in_h = cells.count("in_h");
    let shape = (in_h, in_w(cells, in_h), cells.count("cin"), cells.count("cout"));
    let window = (cells.pair("kernel"), cells.pair("stride"));
    let activation = cells.named("activation", &Activation::NAMES, Activation::None);
    let plain = Plain {
        op,
        input: Shape::new(shape.0?, shape.1?, shape.2?),
        cout: shape.3?,
        kernel: window.0?,
        stride: window.1?,
        activation: activation?,
        dtype: dtype?,
    };
    if !op.ends_with("ibn") {
        return plain.operation(cells);
    }
    if network.is_some() {
        cells.note("op", op, "single operators within a network; blocks are measured on their own");
        return None;
    }
    plain.block(cells)
}

/// Without a column of its own the width is the height.
fn in_w(cells: &Cells<'_>, in_h: Option<u32>) -> Option<u32> {
    if cells.columns.place("in_w").is_some() { cells.count("in_w") } else { in_h }
}

/// What all operators have in common.
struct Plain<'r> {
    op: &'r str,
    input: Shape,
    cout: u32,
    kernel: [u32; 2],
    stride: [u32; 2],
    activation: Activation,
    dtype: DType,
}

impl Plain<'_> {
    fn operation(&self, cells: &Cells<'_>) -> Option<Subject> {
        let kind = self.kind();
        let groups =
            if kind == Kind::DepthwiseConv2d { Some(self.input.c) } else { cells.count_or("groups", 1) };
        let groups = self.checked_groups(cells, kind, groups?)?;
        let same = |size: u32, stride: u32| size.div_ceil(stride);
        let (h, w) = match kind {
            Kind::Dense | Kind::GlobalAvgPool => (Some(1), Some(1)),
            _ => (
                cells.count_or("out_h", same(self.input.h, self.stride[0])),
                cells.count_or("out_w", same(self.input.w, self.stride[1])),
            ),
        };
        let global = kind == Kind::GlobalAvgPool;
        Some(Subject::Operations(vec![Operation {
            kind,
            input: self.input,
            input_elements: self.input_elements(kind),
            output: Shape::new(h?, w?, self.cout),
            kernel: if global { [self.input.h, self.input.w] } else { self.kernel },
            stride: if global { [1; 2] } else { self.stride },
            groups,
            activation: self.activation,
            bytes: self.dtype.bytes(),
        }]))
    }

    fn kind(&self) -> Kind {
        let name = if self.op == "conv2d" && self.kernel == [1; 2] { "pointwise_conv2d" } else { self.op };
        Kind::NAMES.iter().find(|(known, _)| *known == name).map_or(Kind::Conv2d, |(_, kind)| *kind)
    }

    fn checked_groups(&self, cells: &Cells<'_>, kind: Kind, groups: u32) -> Option<u32> {
        let divides = self.input.c.is_multiple_of(groups) && self.cout.is_multiple_of(groups);
        if kind.has_macs() && kind != Kind::Dense && !divides {
            let found = format!("{groups} for {} input and {} output channels", self.input.c, self.cout);
            cells.note("groups", found, "groups that divide both");
            return None;
        }
        Some(groups)
    }

    /// A sum reads two pictures; a product reads one and a number for each channel (a gate).
    fn input_elements(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Add => 2 * self.input.elements(),
            Kind::Mul => self.input.elements() + u64::from(self.input.c),
            _ => self.input.elements(),
        }
    }

    fn block(&self, cells: &Cells<'_>) -> Option<Subject> {
        let expansion = cells.count("expansion");
        let residual = cells.flag("residual")?;
        if self.kernel[0] != self.kernel[1] || self.stride[0] != self.stride[1] {
            cells.note("kernel", "a window that is not square", "a square one for a block");
            return None;
        }
        let fits = self.stride == [1; 2] && self.input.c == self.cout;
        if residual && !fits {
            cells.note("residual", "1", "0 where the stride is not 1 or cin is not cout");
            return None;
        }
        let block = Block {
            kind: BlockKind::Ibn,
            fused: self.op == "fused_ibn",
            kernel: self.kernel[0],
            stride: self.stride[0],
            hidden: self.input.c.saturating_mul(expansion?).min(Shape::MAX_DIM),
            cout: self.cout,
            activation: self.activation,
            groups: 1,
            se: None,
        };
        let mut builder = NetworkBuilder::new("block", self.input, self.dtype);
        block.build(&mut builder, "b", Source::Input).ok()?;
        let network = builder.finish();
        // The builder adds a residual wherever it fits; a row may have been measured without.
        let wanted = |layer: &&crate::network::Layer| residual || layer.op.name() != "add";
        let layers = network.layers().iter().filter(wanted);
        Some(Subject::Operations(layers.map(|layer| Operation::of(&network, layer)).collect()))
    }
}

/// A latency that no chip has is a slip of the unit.
fn check_plausible(cells: &Cells<'_>, column: &str, subject: &Subject, latency_us: f64) -> Option<()> {
    let macs = match subject {
        Subject::Operations(operations) => operations.iter().map(Operation::macs).sum::<u64>() as f64,
        Subject::Network => 0.0,
    };
    if latency_us > 0.0 && macs / latency_us > MOST_MACS_PER_US {
        let found = format!("{latency_us} us for {macs} multiply-adds");
        cells.note(column, found, "at most 10^6 GMAC/s; is the unit right?");
        return None;
    }
    if latency_us > LONGEST_US {
        cells.note(column, format!("{latency_us} us"), "less than eleven days; is the unit right?");
        return None;
    }
    Some(())
}

/// The one latency column that is filled, and its value in microseconds; or the target's value.
fn latency(cells: &Cells<'_>, in_context: bool) -> Option<(usize, f64)> {
    if cells.columns.place(TARGET).is_some() {
        return Some((LATENCIES.len(), positive(cells, TARGET, in_context)?));
    }
    let filled: Vec<usize> = (0..LATENCIES.len()).filter(|i| cells.text(LATENCIES[*i]).is_some()).collect();
    let [column] = filled[..] else {
        let names: Vec<&str> = filled.iter().map(|i| LATENCIES[*i]).collect();
        let name = names.first().copied().unwrap_or(present(cells));
        let found =
            if names.is_empty() { "an empty cell".into() } else { names.join(" and ") + " both filled" };
        cells.note(name, found, "one latency in one unit");
        return None;
    };
    let value = positive(cells, LATENCIES[column], in_context)?;
    let per_unit = match column {
        0 => 1.0,
        1 => 1000.0,
        _ => 1.0 / clock_mhz(cells)?,
    };
    Some((column, value * per_unit))
}

/// Cycles need a clock, in the row or for all rows.
fn clock_mhz(cells: &Cells<'_>) -> Option<f64> {
    match cells.options.clock_mhz {
        Some(clock) if cells.text("clock_mhz").is_none() => Some(clock),
        _ => positive(cells, "clock_mhz", false),
    }
}

fn present(cells: &Cells<'_>) -> &'static str {
    LATENCIES.into_iter().find(|name| cells.columns.place(name).is_some()).unwrap_or(LATENCIES[0])
}

/// A finite number above zero; in context a layer may cost nothing, since compilers merge layers.
fn positive(cells: &Cells<'_>, name: &str, or_zero: bool) -> Option<f64> {
    /// Sums and products of larger ones may overflow.
    const LARGEST: f64 = 1e30;
    let expected = if or_zero { "a number that is not negative" } else { "a number above zero" };
    let cell = cells.required(name, expected)?;
    let fits = |v: &f64| *v <= LARGEST && (*v > 0.0 || (or_zero && *v == 0.0));
    let value = cell.parse().ok().filter(fits);
    if value.is_none() {
        cells.note(name, cell, expected);
    }
    value
}
