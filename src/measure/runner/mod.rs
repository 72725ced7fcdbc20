//! What runs a model and tells how long it took; one way to do so is one file.

mod command;
mod fake;
mod models;
mod parser;
mod server;
#[cfg(feature = "tract")]
mod tract;

pub use command::Command;
pub use fake::Fake;
pub use models::ModelFormat;
pub use parser::Parser;
pub use server::Server;
#[cfg(feature = "tract")]
pub use tract::Tract;

use std::time::Duration;

use self::models::Models;
use super::{about::About, subject::Subject};
use crate::{error::Result, measurement::LayerTimes};

/// The raw times of one measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// Microseconds of single runs, after those that warm up.
    pub samples_us: Vec<f64>,
    /// The same for each layer, of runs with profiling; empty where the runner cannot tell.
    pub layers: Vec<LayerTimes>,
}

/// A device to measure on.
pub trait Runner {
    /// What it is.
    fn about(&self) -> &About;

    /// Measures `subject`. The inner error is what the device said of this one subject, which is left out.
    ///
    /// # Errors
    /// The runner is gone, or does not keep to what it should; the sweep cannot go on.
    fn measure(&mut self, subject: &Subject) -> Result<Result<Times, String>>;

    /// Time since the runner was made.
    fn elapsed(&self) -> Duration;
}

/// Times as they may be: at least one, finite and above zero.
fn checked(samples_us: Vec<f64>) -> Result<Vec<f64>, String> {
    let fits = |sample: &f64| sample.is_finite() && *sample > 0.0;
    match samples_us.iter().find(|sample| !fits(sample)) {
        Some(sample) => Err(format!("a time of {sample} us, expected times above zero")),
        None if samples_us.is_empty() => Err("no times".into()),
        None => Ok(samples_us),
    }
}
