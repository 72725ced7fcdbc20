//! Files: whole or not at all, and with positions when they are wrong.

mod atomic;
pub mod json;
mod plain;
mod serde_problem;
mod text;

pub use atomic::{check_writable, write_atomically, write_atomically_with};
pub use plain::{is_hidden, plain, plain_line};
pub use serde_problem::serde_problem;
pub use text::{read_bytes, read_text};
