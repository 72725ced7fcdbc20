//! What programs print of their times.

use serde_json::Value;

/// How the times stand in a program's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    /// The last line that is a JSON object with `latency_us` or `latency_ms`, a number or a list.
    Json,
    /// A number a line, in microseconds; other lines do not count.
    Microseconds,
    /// A number a line, in milliseconds; other lines do not count.
    Milliseconds,
    /// TFLite's `benchmark_model`: the average of `Inference (avg)` in microseconds.
    BenchmarkModel,
}

impl Parser {
    /// Names as they are given on the command line.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("json", Self::Json),
        ("us", Self::Microseconds),
        ("ms", Self::Milliseconds),
        ("benchmark-model", Self::BenchmarkModel),
    ];

    /// The times in `output`, in microseconds.
    ///
    /// # Errors
    /// There are none, or they are no numbers; says what was expected.
    pub fn parse(self, output: &str) -> Result<Vec<f64>, String> {
        let times = match self {
            Self::Json => json(output)?,
            Self::Microseconds => numbers(output, 1.0),
            Self::Milliseconds => numbers(output, 1e3),
            Self::BenchmarkModel => benchmark_model(output).into_iter().collect(),
        };
        let expected = match self {
            Self::Json => "a line of JSON with `latency_us` or `latency_ms`",
            Self::Microseconds | Self::Milliseconds => "a line with a number",
            Self::BenchmarkModel => "`Inference (avg): …`",
        };
        if times.is_empty() { Err(format!("found no times, expected {expected}")) } else { Ok(times) }
    }
}

fn json(output: &str) -> Result<Vec<f64>, String> {
    for line in output.lines().rev() {
        if let Ok(Value::Object(object)) = serde_json::from_str(line) {
            for (name, unit) in [("latency_us", 1.0), ("latency_ms", 1e3)] {
                if let Some(value) = object.get(name) {
                    return times(value, unit).ok_or_else(|| {
                        format!("found {name} {value}, expected a number, or a list of numbers")
                    });
                }
            }
        }
    }
    Ok(Vec::new())
}

/// One number or a list of them.
pub(super) fn times(value: &Value, unit: f64) -> Option<Vec<f64>> {
    match value {
        Value::Array(list) => list.iter().map(|value| Some(value.as_f64()? * unit)).collect(),
        value => Some(vec![value.as_f64()? * unit]),
    }
}

fn numbers(output: &str, unit: f64) -> Vec<f64> {
    output.lines().filter_map(|line| Some(line.trim().parse::<f64>().ok()? * unit)).collect()
}

fn benchmark_model(output: &str) -> Option<f64> {
    let line = output.lines().rev().find(|line| line.contains("Inference (avg)"))?;
    line.rsplit_once("Inference (avg)")?
        .1
        .trim_start_matches([':', ' '])
        .split([' ', ','])
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let json = "starting\n{\"latency_us\": 1}\n{\"latency_ms\": [1.5, 2]}\ndone\n";
        assert_eq!(Parser::Json.parse(json), Ok(vec![1500.0, 2000.0]));
        assert_eq!(Parser::Microseconds.parse("warm\n12.5\n 13 \n"), Ok(vec![12.5, 13.0]));
        assert_eq!(Parser::Milliseconds.parse("0.5\n"), Ok(vec![500.0]));
        let tflite = "INFO: Inference timings in us: Init: 8203, First inference: 512, Warmup (avg): 401.3, \
                      Inference (avg): 398.75\n";
        assert_eq!(Parser::BenchmarkModel.parse(tflite), Ok(vec![398.75]));
    }

    #[test]
    fn output_without_times_is_refused() {
        for (_, parser) in Parser::NAMES {
            assert!(parser.parse("Segmentation fault\n").unwrap_err().contains("found no times"));
        }
        assert!(Parser::Json.parse("{\"latency_us\": \"fast\"}").unwrap_err().contains("fast"));
    }
}
