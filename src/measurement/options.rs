//! How a file of measurements is to be read.

use super::target::Target;

/// Options of reading; the default takes the latency and refuses every file with a bad row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    /// Leave out rows that cannot be used, and count and list them, where they are errors otherwise.
    pub skip_bad_rows: bool,
    /// The column to be predicted in the place of the latency.
    pub target: Option<Target>,
    /// Columns that are not known and not wanted.
    pub ignored_columns: Vec<String>,
    /// The clock in MHz that turns cycles into time where the file does not say it.
    pub clock_mhz: Option<f64>,
}
