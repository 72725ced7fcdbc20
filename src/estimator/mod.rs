//! Latency from measurements: fitting, storing and asking an estimator.
//!
//! A network's latency is the sum over its layers plus a constant. First it is
//! guessed how a compiler runs the network (which tensors stay on the chip, which
//! layers run in stripes) and how each layer is cut into tiles. A layer's price is
//! a physical model (work in whole tiles, results, bytes; the slowest decides)
//! times a bounded correction by its shapes, its place and its neighbours.

mod assembly;
mod boost;
mod calibration;
mod context;
mod correction;
mod datasheet;
mod descent;
mod document;
mod doubt;
mod estimate;
mod evaluate;
mod features;
mod fingerprint;
mod fit;
mod formats;
mod graph;
mod held_out;
mod lanes;
mod machine;
mod manner;
mod memo;
mod model;
mod moved;
mod noise;
mod options;
mod physical;
mod points;
mod priced;
mod prices;
mod quality;
mod range;
mod reason;
mod regression;
mod report;
mod schedule;
mod sequence;
mod store;
mod tile;
mod traffic;
mod training;
mod wholes;

pub use assembly::Assembly;
pub use datasheet::Datasheet;
pub use doubt::Doubts;
pub use estimate::{LayerEstimate, NetworkEstimate, OutOfRange};
pub use evaluate::Estimator;
pub use fit::{Fit, fit};
pub use graph::{Graph, GraphSection, Placed};
pub use lanes::{FoundLane, FoundLanes};
pub use memo::{PricedPart, Pricer};
pub use moved::Moved;
pub use noise::Floor;
pub use options::FitOptions;
pub use physical::Lanes;
pub use points::{HeldOutPoint, HeldOutPoints, Unseen};
pub use quality::{Accuracy, Additivity, Quality};
pub use report::{CurvePoint, FitReport, LearningCurve, MeasureNext, OldComparison, OldNew, WorstRow};
pub use sequence::{Outline, Sequence};

#[cfg(test)]
mod tests;
