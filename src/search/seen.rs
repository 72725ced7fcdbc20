//! Which genotypes were scored already.

use std::collections::HashSet;

use serde::{Deserialize, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use crate::stable_hash::AsIs;

/// How many hashes one half holds before the older half is dropped: as many as a table of 2^20 places takes.
const HALF: usize = (1 << 20) / 8 * 7;

/// The hash by which genotypes are told apart. Among a million genotypes two clash with
/// a probability of one in 37 million; then one of them is left out.
pub(crate) fn hash(genes: &[u8]) -> u64 {
    xxh3_64(genes)
}

/// A set of hashes that hashes them no further.
pub(crate) type Hashes = HashSet<u64, AsIs>;

/// A hash set that forgets the oldest.
///
/// Memory stays flat in endless searches: the latest 0.9 to 1.8 million genotypes are
/// remembered, in two halves of which the older one is dropped when the younger is full.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    young: Half,
    old: Half,
}

impl Seen {
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.young.0.contains(&hash) || self.old.0.contains(&hash)
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        if self.young.0.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.0.insert(hash);
    }
}

/// Written as strings of hexadecimal digits, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Half(Hashes);

/// How many hashes one string holds.
const LINE: usize = 4096;

impl Serialize for Half {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hashes: Vec<u64> = self.0.iter().copied().collect();
        hashes.sort_unstable();
        serializer.collect_seq(hashes.chunks(LINE).map(|line| {
            let digits = line.iter().flat_map(|hash| (0..16).rev().map(move |digit| hash >> (4 * digit)));
            digits.map(hex_digit).collect::<String>()
        }))
    }
}

fn hex_digit(value: u64) -> char {
    char::from(b"0123456789abcdef"[(value & 15) as usize])
}

impl TryFrom<Vec<String>> for Half {
    type Error = String;

    fn try_from(lines: Vec<String>) -> Result<Self, String> {
        let digits =
            |chunk| std::str::from_utf8(chunk).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
        let hashes: Option<_> =
            lines.iter().flat_map(|line| line.as_bytes().chunks(16)).map(digits).collect();
        hashes.map(Self).ok_or_else(|| "something else than hexadecimal digits".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seen_set_survives_its_own_text() {
        let mut seen = Seen::default();
        (0..10_000_u64).for_each(|value| seen.insert(hash(&value.to_le_bytes())));
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), seen);
        assert!(serde_json::from_str::<Seen>("{\"young\":[\"xyz\"],\"old\":[]}").is_err());
    }

    #[test]
    fn what_was_inserted_is_contained() {
        let mut seen = Seen::default();
        seen.insert(7);
        assert!(seen.contains(7) && !seen.contains(8));
    }
}
