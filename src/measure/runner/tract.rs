//! [tract](https://github.com/sonos/tract), a runtime in Rust, within this process: a CPU is measured without Python.
//!
//! It runs on one thread. It cannot tell the times of layers, since it rewrites a network before it runs it.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use tract_onnx::prelude::*;

use super::{ModelFormat, Runner, Times, checked};
use crate::{
    error::Result,
    measure::{about::About, subject::Subject},
    network::{DType, Shape},
};

/// Cargo.toml asks for this very version.
const VERSION: &str = "0.23.9";
/// Runs that are not counted.
const WARM_UP: u32 = 3;
/// A model runs as often as fits this time, within bounds.
const TIME: Duration = Duration::from_millis(40);
const LEAST: usize = 5;
const MOST: usize = 40;

/// The processor that this program runs on, with tract, in single precision on one thread.
pub struct Tract {
    about: About,
    start: Instant,
}

impl Tract {
    /// A runner on this processor; the device is called `device`, or after the processor's architecture.
    #[must_use]
    pub fn new(device: Option<&str>) -> Self {
        let about = About {
            device: device.map_or_else(|| format!("cpu-tract-{}", std::env::consts::ARCH), str::to_owned),
            accelerator: processor(),
            runtime: format!("tract {VERSION}"),
            threads: Some(1),
            dtype: DType::Fp32,
        };
        Self { about, start: Instant::now() }
    }
}

impl Runner for Tract {
    fn about(&self) -> &About {
        &self.about
    }

    fn measure(&mut self, subject: &Subject) -> Result<Result<Times, String>> {
        let model = match ModelFormat::Onnx.bytes(subject) {
            Ok(model) => model,
            Err(said) => return Ok(Err(said.to_string())),
        };
        // What tract does wrong with one model must not end the sweep.
        let run = AssertUnwindSafe(|| samples(&model, subject.network.input()));
        let samples = match catch_unwind(run) {
            Ok(Ok(samples)) => checked(samples),
            Ok(Err(said)) => Err(format!("{said:#}")),
            Err(panic) => Err(panicked(panic.as_ref())),
        };
        Ok(samples.map(|samples_us| Times { samples_us, layers: Vec::new() }))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Microseconds of single runs of an ONNX model that reads one picture.
fn samples(model: &[u8], input: Shape) -> TractResult<Vec<f64>> {
    let mut reader = model;
    let plan = onnx().model_for_read(&mut reader)?.into_optimized()?.into_runnable()?;
    let picture = picture(input)?;
    let start = Instant::now();
    for _ in 0..WARM_UP {
        plan.run(tvec!(picture.clone()))?;
    }
    let each = (start.elapsed() / WARM_UP).max(Duration::from_nanos(1));
    let runs = ((TIME.as_secs_f64() / each.as_secs_f64()) as usize).clamp(LEAST, MOST);
    let mut samples = Vec::with_capacity(runs);
    for _ in 0..runs {
        let inputs = tvec!(picture.clone());
        let start = Instant::now();
        let answers = plan.run(inputs)?;
        samples.push(start.elapsed().as_secs_f64() * 1e6);
        drop(answers);
    }
    Ok(samples)
}

/// Numbers from -1 to 1, the same each time: zeros may be faster than a picture.
fn picture(input: Shape) -> TractResult<TValue> {
    let shape = [1, input.c as usize, input.h as usize, input.w as usize];
    let value = |index: usize| ((index * 7919) % 2003) as f32 / 1001.0 - 1.0;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Ok(Tensor::from_shape(&shape, &values)?.into())
}

/// What the processor calls itself, or its architecture where the system does not tell.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        told.lines().filter(|line| line.starts_with("model name")).find_map(|line| line.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("tract gave up: {}", text.unwrap_or("it does not say why"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::SubjectKind,
        network::{Activation, NetworkBuilder, Source, ops::*},
    };

    #[test]
    fn the_version_is_the_one_that_is_built() {
        let manifest = include_str!("../../../Cargo.toml");
        assert!(manifest.contains(&format!("tract-onnx = {{ version = \"={VERSION}\"")));
    }

    #[test]
    fn a_network_with_every_kind_of_layer_has_times() {
        let mut b = NetworkBuilder::new("n", Shape::new(32, 32, 3), DType::Fp32);
        let stem = b.add("stem", Conv2d::square(8, 3, 2), &[Source::Input], Activation::HardSwish).unwrap();
        let spatial = b.add("depthwise", DepthwiseConv2d::square(3, 1), &[stem], Activation::Relu6).unwrap();
        let sum = b.add("add", Add, &[stem, spatial], Activation::Relu).unwrap();
        let pool = b.add("pool", GlobalAvgPool, &[sum], Activation::None).unwrap();
        let gate = b.add("gate", Conv2d::square(8, 1, 1), &[pool], Activation::HardSigmoid).unwrap();
        let gated = b.add("mul", Mul, &[sum, gate], Activation::None).unwrap();
        let size = Resize { size: [32, 32], mode: ResizeMode::Bilinear };
        let large = b.add("up", size, &[gated], Activation::Swish).unwrap();
        let both = b.add("concat", Concat, &[large, large], Activation::None).unwrap();
        let average = b.add("average", GlobalAvgPool, &[both], Activation::None).unwrap();
        b.add("classes", Dense { cout: 10, bias: true }, &[average], Activation::None).unwrap();
        let subject = Subject { kind: SubjectKind::Network, network: b.finish() };
        let mut tract = Tract::new(Some("mine"));
        let times = tract.measure(&subject).unwrap().unwrap();
        assert!((LEAST..=MOST).contains(&times.samples_us.len()), "{}", times.samples_us.len());
        assert_eq!((tract.about().device.as_str(), tract.about().threads), ("mine", Some(1)));
    }

    #[test]
    fn what_it_cannot_run_is_said_and_no_panic_ends_a_sweep() {
        assert!(samples(b"no model", Shape::new(8, 8, 3)).is_err());
        assert_eq!(panicked(&"too large"), "tract gave up: too large");
    }
}
