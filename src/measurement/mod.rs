//! Measured latencies: what an operator application is, and reading the files that measurements come in.

mod checks;
mod collect;
mod content;
mod csv_columns;
mod csv_file;
mod csv_row;
mod noise;
mod noted;
mod operation;
mod options;
mod profile;
mod provenance;
mod repeats;
mod target;

pub use content::{Isolated, LayerTime, Measurements, Profile, Unit};
pub use csv_file::{parse_measurements, parse_measurements_with, read_measurements, read_measurements_with};
pub use noise::{Noise, Spread};
pub use noted::Skipped;
pub use operation::{Kind, Operation};
pub use options::ReadOptions;
pub use profile::{LayerTimes, NodeTimes, ProfileFormat, join_nodes, parse_profiles, read_profiles};
pub use target::Target;

#[cfg(test)]
mod tests;
