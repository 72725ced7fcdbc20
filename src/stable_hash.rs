//! Hashes that are the same on every machine, in every release.
//!
//! Architecture ids, space hashes and data hashes are written to files and
//! compared across runs, so they must not depend on the standard library's
//! hasher, on pointer width or on byte order.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The 128-bit XXH3 of `bytes` as 16 hexadecimal digits of its upper half.
///
/// Sixty-four bits make an accidental clash among a million architectures a
/// one-in-thirty-million event, and stay short enough to read out loud.
#[must_use]
pub fn short_id(bytes: &[u8]) -> String {
    format!("{:016x}", (xxh3_128(bytes) >> 64) as u64)
}

/// Sixty-four well mixed bits.
pub type Fingerprint = u64;

const START: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344];
const MULTIPLIERS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

/// Bits that stand for some words, for keys within one process. There are two chains, so that the processor can follow
/// both at once.
#[must_use]
pub fn fingerprint(words: &[u64]) -> Fingerprint {
    let [mut even, mut odd] = START;
    for pair in words.chunks(2) {
        even = fold(even ^ pair[0], MULTIPLIERS[0]);
        odd = fold(odd ^ pair.get(1).copied().unwrap_or(0), MULTIPLIERS[1]);
    }
    fold(even ^ odd.rotate_left(32), MULTIPLIERS[0])
}

/// Both halves of a product, one laid over the other, after Wang Yi's wyhash.
fn fold(word: u64, multiplier: u64) -> u64 {
    let product = u128::from(word) * u128::from(multiplier);
    (product as u64) ^ (product >> 64) as u64
}

/// For sets and maps by fingerprints, which need not be hashed again.
pub type AsIs = BuildHasherDefault<PassThrough>;

/// Takes a word for its own hash.
#[derive(Clone, Debug, Default)]
pub struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
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
