//! Accelerator-aware neural-architecture search.
//!
//! Neural chips run easily parallelised work fast even when it costs more FLOPs,
//! so the network with the fewest FLOPs is seldom the fastest one. This library
//! searches a curated space for the architecture with the least *latency on a
//! given accelerator* at no less expected accuracy.

pub mod energy;
pub mod error;
pub mod estimator;
pub mod io;
pub mod measure;
pub mod measurement;
pub mod network;
pub mod objective;
pub mod onnx;
pub mod process;
pub mod report;
pub mod schemas;
pub mod search;
pub mod space;
pub mod stable_hash;
pub mod tflite;
pub mod torch;
pub mod trainability;
pub mod trainer;
pub mod units;
