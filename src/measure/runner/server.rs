//! A program that measures one model after another, so that its runtime starts only once.
//!
//! It writes a line of JSON about the device, then answers each line `{"model": PATH, "nodes": BOOL}` with one
//! line `{"latency_us": […], "nodes": [{"name": …, "op": …, "inputs": …, "us": […]}]}` or `{"error": "…"}`, until its
//! input ends. Nodes are wanted for whole networks and blocks, and may be left out.

use std::{
    io::Write,
    process::{ChildStdin, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ModelFormat, Models, Runner, Times, checked, parser};
use crate::{
    error::{Error, Result, one_of},
    measure::{about::About, subject::Subject},
    measurement::{LayerTimes, NodeTimes, join_nodes},
    network::DType,
    process::{Process, Silence, Template},
};

/// A program that stays.
pub struct Server {
    about: About,
    process: Process,
    stdin: ChildStdin,
    timeout: Duration,
    models: Models,
    start: Instant,
}

impl Server {
    /// Starts the program and reads what it says of the device; `device` names the device otherwise. It is given
    /// models in `format`.
    ///
    /// # Errors
    /// The program cannot be started, or its first line is not about a device.
    pub fn start(
        template: &Template,
        device: Option<&str>,
        timeout: Duration,
        format: ModelFormat,
    ) -> Result<Self> {
        if template.has("model") {
            return Err(Error::unusable(
                "--runner-command: found {model}, which a server reads from its input; leave it out, or take \
                 --runner command",
            ));
        }
        let (program, arguments) = template.filled(&[]);
        let mut process = Process::start(&program, &arguments, Stdio::piped())?;
        let hello = match process.line(timeout) {
            Ok(line) => line,
            Err(silence) => return Err(gone(&process, &silence, "a line about the device")),
        };
        let about = about(&hello, device)
            .map_err(|said| Error::unusable(format!("`{program}` said {hello:.200}: {said}")))?;
        let stdin = process.stdin().ok_or_else(|| gone(&process, &Silence::Ended, "its input"))?;
        Ok(Self { about, process, stdin, timeout, models: Models::new(format)?, start: Instant::now() })
    }

    fn ask(&mut self, path: &str, nodes: bool) -> Result<String> {
        let request = json!({ "model": path, "nodes": nodes }).to_string() + "\n";
        let sent = self.stdin.write_all(request.as_bytes()).and_then(|()| self.stdin.flush());
        if sent.is_err() {
            return Err(gone(&self.process, &Silence::Ended, "it to read a request"));
        }
        self.process.line(self.timeout).map_err(|silence| gone(&self.process, &silence, "an answer"))
    }
}

fn gone(process: &Process, silence: &Silence, expected: &str) -> Error {
    let name = &process.name;
    let said = process.last_words();
    Error::unusable(match silence {
        Silence::Ended => format!("`{name}` ended, expected {expected}{said}"),
        Silence::Late => format!("`{name}` says nothing, expected {expected}; --timeout allows more{said}"),
    })
}

/// What the first line says of the device.
fn about(hello: &str, device: Option<&str>) -> Result<About, String> {
    let hello: Value =
        serde_json::from_str(hello).map_err(|error| format!("{error}, expected a line of JSON"))?;
    let text = |name: &str| hello.get(name).and_then(Value::as_str).map(str::to_owned);
    let dtype = text("dtype").unwrap_or_else(|| DType::Fp32.name().to_owned());
    let known = DType::NAMES.iter().find(|(name, _)| *name == dtype);
    let names = DType::NAMES.map(|(name, _)| name);
    Ok(About {
        device: device.map(str::to_owned).or(text("device")).ok_or("no `device`, expected its name")?,
        accelerator: text("accelerator").unwrap_or_default(),
        runtime: text("runtime").unwrap_or_default(),
        threads: hello.get("threads").and_then(Value::as_u64).and_then(|threads| u32::try_from(threads).ok()),
        dtype: known.ok_or_else(|| format!("dtype {dtype}, expected {}", one_of(&dtype, &names)))?.1,
    })
}

/// The times in an answer.
fn times(answer: &str, subject: &Subject) -> Result<Times, String> {
    let answer: Value =
        serde_json::from_str(answer).map_err(|error| format!("{error}, expected a line of JSON"))?;
    if let Some(said) = answer.get("error") {
        return Err(said.as_str().map_or_else(|| said.to_string(), str::to_owned));
    }
    let latency = answer.get("latency_us").ok_or("no `latency_us`, expected a number or a list")?;
    let samples =
        parser::times(latency, 1.0).ok_or_else(|| format!("latency_us {latency}, expected numbers"))?;
    let nodes = answer.get("nodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok(Times { samples_us: checked(samples)?, layers: layers(nodes, subject)? })
}

/// Times of layers in context; an operator on its own has none.
fn layers(nodes: &[Value], subject: &Subject) -> Result<Vec<LayerTimes>, String> {
    if nodes.is_empty() || subject.operation().is_some() {
        return Ok(Vec::new());
    }
    let node = |node: &Value| {
        let text = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let samples_us = node.get("us").and_then(|us| parser::times(us, 1.0));
        let samples_us = samples_us.filter(|us| us.iter().all(|us| us.is_finite() && *us >= 0.0));
        Some(NodeTimes {
            name: text("name"),
            op: text("op"),
            inputs: node.get("inputs").and_then(Value::as_u64).unwrap_or(0) as usize,
            samples_us: samples_us.filter(|us| !us.is_empty())?,
        })
    };
    let nodes: Option<Vec<NodeTimes>> = nodes.iter().map(node).collect();
    let nodes = nodes.ok_or("a node without times under `us`, expected numbers")?;
    join_nodes("nodes", &subject.network, &nodes).map_err(|error| error.to_string())
}

impl Runner for Server {
    fn about(&self) -> &About {
        &self.about
    }

    fn measure(&mut self, subject: &Subject) -> Result<Result<Times, String>> {
        let path = match self.models.write(subject)? {
            Ok(path) => path,
            Err(said) => return Ok(Err(said)),
        };
        let answer = self.ask(&path, subject.operation().is_none())?;
        Ok(times(&answer, subject))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
