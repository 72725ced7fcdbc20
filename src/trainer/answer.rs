//! What a training program says.

use serde_json::Value;

/// What a network reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The accuracy, in whatever unit the program measures; more is better.
    pub accuracy: f64,
    /// What it is called, such as `top-1`, if the program says so.
    pub metric: Option<String>,
}

impl Answer {
    /// The answer in a line of output; none in a line of anything else. The error is what is wrong with an answer.
    pub(super) fn in_line(line: &str) -> Option<Result<Self, String>> {
        let value: Value = serde_json::from_str(line).ok()?;
        let accuracy = value.get("accuracy")?;
        let Some(number) = accuracy.as_f64() else {
            return Some(Err(format!("accuracy {accuracy}, expected a number")));
        };
        let metric = value.get("metric").and_then(Value::as_str).map(str::to_owned);
        Some(Ok(Self { accuracy: number, metric }))
    }
}
