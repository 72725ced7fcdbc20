//! A comparison as JUnit XML: one test case a gate.

use std::fmt::Write;

use super::{Comparison, GateResult, Verdict, summary};
use crate::report::markup::escape;

/// The comparison as a JUnit test suite; runs that cannot be compared are an error, not a failure.
#[must_use]
pub fn comparison_junit(comparison: &Comparison) -> String {
    let not_comparable = comparison.verdict == Verdict::NotComparable;
    let failures = comparison.gates.iter().filter(|gate| gate.failed).count();
    let tests = if not_comparable { 1 } else { comparison.gates.len() };
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"{}\" skipped=\"0\">\n",
        escape(&format!("nas compare: {}", comparison.subject)),
        u8::from(not_comparable)
    );
    if not_comparable {
        xml += &error(comparison);
    }
    for gate in &comparison.gates {
        xml += &case(gate, comparison);
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

fn error(comparison: &Comparison) -> String {
    let reasons: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
    format!(
        "    <testcase classname=\"nas.compare\" name=\"comparable\">\n      <error message=\"{}\">{}</error>\n    \
         </testcase>\n",
        escape(&summary::advice(comparison)),
        escape(&reasons.join("\n"))
    )
}

fn case(gate: &GateResult, comparison: &Comparison) -> String {
    let mut xml = format!(
        "    <testcase classname=\"nas.compare\" name=\"{}\">\n",
        escape(&format!("fails if {}", gate.condition))
    );
    // Writing to a string cannot fail.
    let _ = match gate.failed {
        true => writeln!(
            xml,
            "      <failure message=\"{}\">{}</failure>",
            escape(&gate.observed),
            escape(&summary::sentence(comparison))
        ),
        false => writeln!(xml, "      <system-out>{}</system-out>", escape(&gate.observed)),
    };
    xml + "    </testcase>\n"
}
