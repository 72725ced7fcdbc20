//! A chip being designed: an estimator from the figures of its datasheet, before anything can be measured.
//!
//! The figures become prices of the terms of the physical model, so that such
//! an estimator is like any other. What few measurements there are then correct
//! the prices: each is multiplied by factors that stay near one unless the
//! measurements say otherwise.

mod calibrate;
mod factors;
mod prices;
mod read;
mod solve;
mod trial;

use std::path::Path;

use super::{Estimator, Fit, FitOptions};
use crate::{
    error::{Error, Result},
    io::read_text,
    measurement::Measurements,
    network::{DType, Network},
};

/// The value of a datasheet's `schema`.
pub(super) const SCHEMA: &str = "nas.datasheet/1";

/// What a datasheet says of an accelerator, `nas.datasheet/1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Datasheet {
    /// The file as the user named it.
    file: String,
    name: String,
    mac_array: MacArray,
    clock_mhz: f64,
    on_chip_bytes: u64,
    on_chip_gb_per_s: f64,
    off_chip_gb_per_s: f64,
    burst_bytes: u32,
    /// Whether a network's input and output lie on the chip.
    io_on_chip: bool,
    operator_overhead_us: f64,
    off_chip_latency_us: f64,
    network_overhead_us: f64,
    depthwise: Depthwise,
    /// Results of the MAC array that are finished and written in a cycle.
    results_per_cycle: f64,
    element_wise_per_cycle: f64,
    lookups_per_cycle: f64,
    /// Bytes for the inputs and for the partial sums of one tile.
    tile_bytes: (u32, u32),
    /// Whether its compiler fuses layers that do not fit on the chip in stripes.
    stripes: bool,
    /// Number formats with their throughput relative to the MAC array's.
    dtypes: Vec<(DType, f64)>,
}

/// What the MAC array multiplies in one cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MacArray {
    /// Input channels.
    rows: u32,
    /// Output channels.
    columns: u32,
    /// Output pixels.
    pixels: u32,
}

/// How a convolution with one filter for each channel is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Depthwise {
    /// On the MAC array, where each output channel has work for one of the input lanes.
    AsConvolution,
    /// So many multiply-adds a cycle, whatever the array.
    ChannelsPerCycle(f64),
}

impl Datasheet {
    /// Reads a datasheet.
    ///
    /// # Errors
    /// The file cannot be read or is no valid `nas.datasheet/1`; all its problems are returned together.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&path.display().to_string(), &read_text(path)?)
    }

    /// Reads a datasheet from `text`, which came from `file`.
    ///
    /// # Errors
    /// As [`Datasheet::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        read::datasheet(file, text)
    }

    /// The chip's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number format that estimators are made for: int8 where the chip has it.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtypes.first().map_or(DType::default(), |(dtype, _)| *dtype)
    }

    /// The same chip computing in `dtype`.
    ///
    /// # Errors
    /// The datasheet does not list it.
    pub fn with_dtype(mut self, dtype: DType) -> Result<Self> {
        let Some(index) = self.dtypes.iter().position(|(known, _)| *known == dtype) else {
            let known: Vec<&str> = self.dtypes.iter().map(|(dtype, _)| dtype.name()).collect();
            return Err(Error::unusable(format!(
                "{} lists no throughput for {}; it has {}, add to `dtypes` what is missing",
                self.file,
                dtype.name(),
                known.join(", ")
            )));
        };
        self.dtypes.swap(0, index);
        Ok(self)
    }

    /// The estimator that follows from the figures alone. Options that concern measurements are ignored.
    ///
    /// # Errors
    /// The figures give prices that no estimator can have.
    pub fn estimator(&self, options: &FitOptions) -> Result<Estimator> {
        Estimator::fitted(self.document(options))
    }

    /// The estimator of the figures as corrected by `measurements`; `networks` are the graphs behind the
    /// in-context rows. The more measurements, the less the figures count; without any, the figures stand.
    ///
    /// The result depends on the arguments only, not on the number of threads.
    ///
    /// # Errors
    /// Rows do not belong to `networks`, are of another number format, or there are too few to tell anything.
    pub fn calibrate(
        &self,
        measurements: &[Measurements],
        networks: &[Network],
        options: &FitOptions,
    ) -> Result<Fit> {
        calibrate::calibrate(self, measurements, networks, options)
    }
}

impl Estimator {
    /// Whether it follows from a datasheet alone: nothing was measured, so there is no measured range.
    #[must_use]
    pub fn is_analytic(&self) -> bool {
        self.document().data.is_empty()
    }
}

#[cfg(test)]
mod tests;
