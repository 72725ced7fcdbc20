//! Any program that runs one model and prints its times.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use super::{ModelFormat, Models, Parser, Runner, Times, checked};
use crate::{
    error::{Error, Result},
    measure::{about::About, subject::Subject},
    process::{Process, Silence, Template},
};

/// Starts a program for each measurement, such as `benchmark_model --graph={model}`.
pub struct Command {
    about: About,
    template: Template,
    parser: Parser,
    timeout: Duration,
    models: Models,
    start: Instant,
}

impl Command {
    /// A program that `parser` understands, on the device `about`; it is given models in `format`.
    ///
    /// # Errors
    /// The command has no place for the model, or there is no folder for models.
    pub fn new(
        about: About,
        template: Template,
        parser: Parser,
        timeout: Duration,
        format: ModelFormat,
    ) -> Result<Self> {
        if !template.has("model") {
            return Err(Error::unusable(
                "--runner-command: found no {model}, expected it where the path of the model goes",
            ));
        }
        Ok(Self { about, template, parser, timeout, models: Models::new(format)?, start: Instant::now() })
    }

    fn run(&self, path: &str) -> Result<Result<String, String>> {
        let (program, arguments) = self.template.filled(&[("model", path)]);
        let mut process = Process::start(&program, &arguments, Stdio::null())?;
        let start = Instant::now();
        let mut output = String::new();
        loop {
            match process.line(self.timeout.saturating_sub(start.elapsed())) {
                Ok(line) => output += &(line + "\n"),
                Err(Silence::Ended) => break,
                Err(Silence::Late) => return Ok(Err(self.late())),
            }
        }
        Ok(match process.finish(self.timeout.saturating_sub(start.elapsed())) {
            Ok(true) => Ok(output),
            Ok(false) => Err(format!("`{program}` failed{}", process.last_words())),
            Err(_) => Err(self.late()),
        })
    }

    fn late(&self) -> String {
        format!("no answer within {} s; --timeout allows more", self.timeout.as_secs_f64())
    }
}

impl Runner for Command {
    fn about(&self) -> &About {
        &self.about
    }

    fn measure(&mut self, subject: &Subject) -> Result<Result<Times, String>> {
        let path = match self.models.write(subject)? {
            Ok(path) => path,
            Err(said) => return Ok(Err(said)),
        };
        let output = self.run(&path)?;
        let samples = output.and_then(|output| self.parser.parse(&output)).and_then(checked);
        Ok(samples.map(|samples_us| Times { samples_us, layers: Vec::new() }))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
