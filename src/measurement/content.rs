//! Measured latencies, checked and with repeats merged.

use super::{noise::Noise, noted::Skipped, operation::Operation, target::Target};
use crate::network::DType;

/// What the latencies of a file were given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Cycles, with the clock beside them.
    Cycles,
    /// Another quantity than time; see [`Measurements::target`].
    Target,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Cycles => "cycles",
            Self::Target => "as the target's name says",
        })
    }
}

/// The content of one measurement CSV; latencies are in microseconds whatever the file's unit.
#[derive(Clone, Debug)]
pub struct Measurements {
    /// The file as the user named it.
    pub file: String,
    /// The unit that was read.
    pub unit: Unit,
    /// Hash of the file's content.
    pub hash: String,
    /// Device named in the file, if it is one and the same in all rows.
    pub device: Option<String>,
    /// Where the numbers come from, from the `targets.json` beside the file.
    pub provenance: Option<String>,
    /// Data rows in the file.
    pub rows: usize,
    /// Operators measured on their own.
    pub isolated: Vec<Isolated>,
    /// Networks measured in context, layer by layer or as a whole.
    pub networks: Vec<Profile>,
    /// How far repeats are apart; none where there are too few.
    pub noise: Option<Noise>,
    /// What was read in the place of the latency; all fields called `latency_us` hold it, in its unit.
    pub target: Option<Target>,
    /// Rows that were left out because they cannot be used.
    pub skipped: Skipped,
    /// What a reader should know: names that stood for others, doubtful rows, what cannot be learnt.
    pub notes: Vec<String>,
}

/// An operator measured on its own; repeats are merged into their median.
#[derive(Clone, Debug, PartialEq)]
pub struct Isolated {
    /// What was measured: one operation, or the operations of a block in execution order.
    pub operations: Vec<Operation>,
    /// Median latency in microseconds.
    pub latency_us: f64,
}

/// A network measured in context.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The network's name, to be found among the networks given to the fit.
    pub network: String,
    /// The number format that it was measured in, where the rows say it; else the network's own.
    pub dtype: Option<DType>,
    /// Its layers in execution order; empty if only the whole was measured.
    pub layers: Vec<LayerTime>,
    /// Latency of the whole network in microseconds, if it was measured.
    pub latency_us: Option<f64>,
}

/// A layer measured in context.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTime {
    /// The layer's name; empty if the file has none.
    pub layer: String,
    /// What the row says was computed.
    pub operation: Operation,
    /// Median latency in microseconds; zero where a compiler has merged the layer into another.
    pub latency_us: f64,
}
