//! Measured latencies: what an operator application is, and reading the files that measurements come in.

mod content;
mod csv_columns;
mod csv_file;
mod csv_row;
mod operation;
mod provenance;

pub use content::{Isolated, LayerTime, Measurements, Profile, Unit};
pub use csv_file::{parse_measurements, read_measurements};
pub use operation::{Kind, Operation};
