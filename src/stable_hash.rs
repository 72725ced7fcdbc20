//! Hashes that are the same on every machine, in every release.
//!
//! Architecture ids, space hashes and data hashes are written to files and
//! compared across runs, so they must not depend on the standard library's
//! hasher, on pointer width or on byte order.

use xxhash_rust::xxh3::xxh3_128;

/// The 128-bit XXH3 of `bytes` as 16 hexadecimal digits of its upper half.
///
/// Sixty-four bits make an accidental clash among a million architectures a
/// one-in-thirty-million event, and stay short enough to read out loud.
#[must_use]
pub fn short_id(bytes: &[u8]) -> String {
    format!("{:016x}", (xxh3_128(bytes) >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_known_bytes_never_changes() {
        assert_eq!(short_id(b""), "99aa06d3014798d8");
        assert_eq!(short_id(b"nas"), short_id(b"nas"));
        assert_ne!(short_id(b"nas"), short_id(b"nsa"));
    }
}
