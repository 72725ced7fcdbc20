//! Files: whole or not at all, and with positions when they are wrong.

mod atomic;
pub mod json;
mod text;

pub use atomic::{check_writable, write_atomically};
pub use text::{read_bytes, read_text};
