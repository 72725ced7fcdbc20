//! The `nas` command line.

fn main() {
    println!("nas {}", env!("CARGO_PKG_VERSION"));
}
