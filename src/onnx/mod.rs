//! ONNX files (<https://onnx.ai>).

#[expect(dead_code, reason = "reading and writing come next")]
mod proto;
