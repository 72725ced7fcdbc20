//! ONNX files (<https://onnx.ai>).

mod export;
#[expect(dead_code, reason = "reading comes next")]
mod proto;

pub use export::{ExportOptions, export};
