//! Typed integer costs.
//!
//! A count of multiply-adds is not a count of bytes; giving each its own type
//! lets the compiler notice when they are mixed up. Seconds are absent on
//! purpose: time only ever comes out of an estimator.

use std::{fmt, iter::Sum, ops::Add};

use serde::{Deserialize, Serialize};

macro_rules! count {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self(0), Self::add)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

count! {
    /// Multiply-adds of convolutions and dense layers;
    /// no bias, batch-norm or activation. One MAC is two FLOPs.
    Macs
}
count! {
    /// Trained numbers (weights and biases) after batch-norm is folded.
    Params
}
count! {
    /// Bytes.
    Bytes
}

/// Writes a count with a decimal prefix and one decimal, `300.8 M`.
#[must_use]
pub fn si(count: u64) -> String {
    const PREFIXES: [(f64, &str); 3] = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    let value = count as f64;
    PREFIXES
        .iter()
        .find(|(scale, _)| value >= *scale)
        .map_or_else(|| count.to_string(), |(scale, prefix)| format!("{:.1}{prefix}", value / scale))
}

/// Writes bytes with a binary prefix, `5.74 MiB`.
#[must_use]
pub fn binary_bytes(bytes: Bytes) -> String {
    const PREFIXES: [(f64, &str); 2] = [(1_048_576.0, "MiB"), (1024.0, "KiB")];
    let value = bytes.0 as f64;
    PREFIXES
        .iter()
        .find(|(scale, _)| value >= *scale)
        .map_or_else(|| format!("{bytes} B"), |(scale, prefix)| format!("{:.2} {prefix}", value / scale))
}

/// Writes an energy in microjoules with a prefix and four digits, `812.3 µJ`.
#[must_use]
pub fn energy(uj: f64) -> String {
    const UNITS: [(f64, &str); 5] = [(1e6, "J"), (1e3, "mJ"), (1.0, "µJ"), (1e-3, "nJ"), (1e-6, "pJ")];
    if uj == 0.0 {
        return "0 µJ".into();
    }
    let (size, unit) = UNITS.into_iter().find(|(size, _)| uj >= *size).unwrap_or((1e-6, "pJ"));
    let value = uj / size;
    let decimals = if value >= 1000.0 { 0 } else { 3 - value.log10().floor().clamp(0.0, 2.0) as usize };
    format!("{value:.decimals$} {unit}")
}

/// Writes a count in groups of three digits, `1,000,000`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Units that bytes are written in, with their sizes.
const BYTE_UNITS: [(&str, f64); 8] = [
    ("", 1.0),
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
];

/// Reads bytes as people write them: `393216`, `384KiB`, `1.5 MB`; none if that is no whole number of bytes.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<Bytes> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, size) = BYTE_UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let bytes = number.parse::<f64>().ok()? * size;
    // Beyond 2^53 a float no longer counts single bytes.
    (bytes.fract() == 0.0 && bytes <= 9e15).then_some(Bytes(bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_print_with_a_prefix() {
        assert_eq!(si(300_774_272), "300.8 M");
        assert_eq!(si(999), "999");
        assert_eq!(binary_bytes(Bytes(6_021_120)), "5.74 MiB");
        assert_eq!(binary_bytes(Bytes(512)), "512 B");
    }

    #[test]
    fn energies_print_with_four_digits() {
        let shown = [0.0, 812.34, 1234.5, 0.012_345, 2.5e6, 3e-7, 12.0].map(energy);
        assert_eq!(shown, ["0 µJ", "812.3 µJ", "1.234 mJ", "12.35 nJ", "2.500 J", "0.300 pJ", "12.00 µJ"]);
        assert_eq!([7, 999, 1000, 1_234_567].map(grouped), ["7", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn bytes_are_read_with_and_without_a_unit() {
        let known = [("393216", 393_216), ("384KiB", 393_216), ("1.5 MB", 1_500_000), ("4GiB", 1 << 32)];
        for (text, bytes) in known {
            assert_eq!(parse_bytes(text), Some(Bytes(bytes)), "{text}");
        }
        for text in ["", "KiB", "384KB", "-1", "0.3", "1e3", "99999999GiB", "1..2"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn a_sum_of_counts_saturates_instead_of_wrapping() {
        assert_eq!([Macs(u64::MAX), Macs(1)].into_iter().sum::<Macs>(), Macs(u64::MAX));
    }
}
