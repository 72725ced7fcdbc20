//! Training by a program of the user's: what a trained network is worth, where a score can only guess.
//!
//! The program is started once for each network, without a shell. It is given the path of a model with fresh weights,
//! trains it as it sees fit, and prints a line of JSON with what it reached, such as `{"accuracy": 0.7312}`; the last
//! such line counts. Accuracy is whatever the program measures and more of is better: top-1, mAP, mean IoU.

mod answer;

pub use answer::Answer;

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    error::{Error, Result},
    io::write_atomically,
    network::Network,
    onnx::{ExportOptions, export},
    process::{Process, Silence, Template},
    torch::{TorchOptions, torch_module},
};

/// How often a program that says nothing is looked after.
const LOOK: Duration = Duration::from_millis(200);
/// The longest that a program may take to end once it has closed its output.
const LAST: Duration = Duration::from_secs(60);

/// The form of the models that a trainer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A PyTorch module: Python source with a class `Network`, which needs `torch` and nothing else.
    #[default]
    Torch,
    /// An ONNX model with batch-norm present and random weights.
    Onnx,
}

impl Form {
    /// Names on the command line.
    pub const NAMES: [(&'static str, Self); 2] = [("torch", Self::Torch), ("onnx", Self::Onnx)];

    fn file(self) -> &'static str {
        match self {
            Self::Torch => "model.py",
            Self::Onnx => "model.onnx",
        }
    }

    fn bytes(self, network: &Network, seed: u64) -> Result<Vec<u8>> {
        match self {
            Self::Torch => torch_module(network, &TorchOptions::default()).map(String::into_bytes),
            Self::Onnx => {
                export(network, &ExportOptions { seed, batch_norm: true, ..ExportOptions::default() })
            }
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What went wrong with this network.
    Said(String),
    /// The user wants to stop.
    Stopped,
}

/// A program that trains networks.
pub struct Trainer {
    template: Template,
    form: Form,
    timeout: Option<Duration>,
    folder: TempDir,
}

impl Trainer {
    /// A program that is given models in `form`, each of which may take as long as `timeout`.
    ///
    /// # Errors
    /// The command has no place for the model, or there is no folder for models.
    pub fn new(template: Template, form: Form, timeout: Option<Duration>) -> Result<Self> {
        if !template.has("model") {
            return Err(Error::unusable(
                "--trainer-command: found no {model}, expected it where the path of the model goes",
            ));
        }
        let folder = tempfile::Builder::new().prefix("nas-train-").tempdir();
        let folder = folder.map_err(|error| Error::io("create", &std::env::temp_dir(), error))?;
        Ok(Self { template, form, timeout, folder })
    }

    /// Whether runs with other seeds can differ.
    #[must_use]
    pub fn takes_seed(&self) -> bool {
        self.template.has("seed") || self.form == Form::Onnx
    }

    /// Trains `network`; `hear` is told each line that the program prints. The inner error is about this network alone.
    ///
    /// # Errors
    /// The program cannot be started, or the model not be written.
    pub fn train(
        &self,
        network: &Network,
        seed: u64,
        stop: &AtomicBool,
        hear: &mut dyn FnMut(&str),
    ) -> Result<Result<Answer, Failure>> {
        let path = self.folder.path().join(self.form.file());
        match self.form.bytes(network, seed) {
            Ok(bytes) => write_atomically(&path, &bytes)?,
            Err(said) => return Ok(Err(Failure::Said(said.to_string()))),
        }
        let (path, seed) = (path.display().to_string(), seed.to_string());
        let (program, arguments) = self.template.filled(&[("model", &path), ("seed", &seed)]);
        let mut process = Process::start(&program, &arguments, Stdio::null())?;
        let answer = match self.listen(&process, stop, hear) {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(match (process.finish(LAST), answer) {
            (Ok(true), Some(answer)) => answer.map_err(Failure::Said),
            (Ok(true), None) => Err(Failure::Said(format!(
                "`{program}` printed no accuracy, expected a line such as {{\"accuracy\": 0.73}}"
            ))),
            (Ok(false), _) => Err(Failure::Said(format!("`{program}` failed{}", process.last_words()))),
            (Err(_), _) => Err(Failure::Said(format!("`{program}` does not end"))),
        })
    }

    /// The last answer among the lines that the program prints until it ends.
    fn listen(
        &self,
        process: &Process,
        stop: &AtomicBool,
        hear: &mut dyn FnMut(&str),
    ) -> Result<Option<Result<Answer, String>>, Failure> {
        let start = Instant::now();
        let mut answer = None;
        loop {
            match process.line(LOOK) {
                Ok(line) => {
                    hear(&line);
                    answer = Answer::in_line(&line).or(answer);
                }
                Err(Silence::Ended) => return Ok(answer),
                Err(Silence::Late) => {}
            }
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::Stopped);
            }
            if let Some(timeout) = self.timeout.filter(|timeout| start.elapsed() > *timeout) {
                let said = format!("no end within {} s; --timeout allows more", timeout.as_secs_f64());
                return Err(Failure::Said(said));
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::network::{Activation, DType, NetworkBuilder, Shape, Source, ops::Dense};

    fn network() -> Network {
        let mut b = NetworkBuilder::new("n", Shape::new(1, 1, 4), DType::Fp32);
        b.add("classes", Dense { cout: 2, bias: true }, &[Source::Input], Activation::None).unwrap();
        b.finish()
    }

    fn trained(
        script: &str,
        timeout: Option<Duration>,
        stop: bool,
    ) -> (Result<Answer, Failure>, Vec<String>) {
        let command = format!("sh -c '{script}' {{model}} {{seed}}");
        let template = Template::parse("--trainer-command", &command).unwrap();
        let trainer = Trainer::new(template, Form::Torch, timeout).unwrap();
        let mut heard = Vec::new();
        let mut hear = |line: &str| heard.push(line.to_owned());
        let answer = trainer.train(&network(), 3, &AtomicBool::new(stop), &mut hear).unwrap();
        (answer, heard)
    }

    fn said(script: &str, timeout: Option<Duration>) -> String {
        match trained(script, timeout, false).0 {
            Err(Failure::Said(said)) => said,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_last_accuracy_counts_and_every_line_is_heard() {
        let script = "grep -c \"class Network\" \"$0\"; echo \"{\\\"accuracy\\\": 0.1}\"; \
                      echo \"{\\\"accuracy\\\": 0.$1, \\\"metric\\\": \\\"top-1\\\"}\"";
        let (answer, heard) = trained(script, None, false);
        assert_eq!(answer.unwrap(), Answer { accuracy: 0.3, metric: Some("top-1".into()) });
        assert_eq!(heard.len(), 3);
        assert_eq!(heard[0], "1", "the model is a module with a class");
    }

    #[test]
    fn a_program_that_fails_says_nothing_or_takes_too_long_is_told_apart() {
        assert!(said("echo no memory >&2; exit 3", None).ends_with("failed: no memory"));
        assert!(said("echo done", None).contains("printed no accuracy"));
        assert!(said("echo \"{\\\"accuracy\\\": \\\"high\\\"}\"", None).contains("expected a number"));
        assert!(said("sleep 60", Some(Duration::from_millis(10))).contains("--timeout"));
    }

    #[test]
    fn a_program_is_ended_when_the_user_stops() {
        let start = Instant::now();
        assert_eq!(trained("sleep 60", None, true).0, Err(Failure::Stopped));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_command_without_a_place_for_the_model_is_refused() {
        let template = Template::parse("--trainer-command", "python train.py").unwrap();
        assert!(Trainer::new(template, Form::Torch, None).is_err());
    }
}
