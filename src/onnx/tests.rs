//! Facts of the reader.
