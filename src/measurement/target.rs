//! What is measured and predicted, if it is not the latency.

/// Units by the end of a column's name.
const UNITS: [(&str, &str); 18] = [
    ("_us", "us"),
    ("_ms", "ms"),
    ("_ns", "ns"),
    ("_s", "s"),
    ("_pj", "pJ"),
    ("_nj", "nJ"),
    ("_uj", "uJ"),
    ("_mj", "mJ"),
    ("_j", "J"),
    ("_uw", "uW"),
    ("_mw", "mW"),
    ("_w", "W"),
    ("_bytes", "bytes"),
    ("_kb", "kB"),
    ("_kib", "KiB"),
    ("_mb", "MB"),
    ("_mib", "MiB"),
    ("_cycles", "cycles"),
];

/// A measured quantity other than latency, by the column that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The column's name, such as `energy_uj`.
    pub name: String,
    /// The unit of its values: by the end of the name, or `1`.
    pub unit: String,
}

impl Target {
    /// The quantity in the column called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let unit = UNITS.iter().find(|(end, _)| lower.ends_with(end)).map_or("1", |(_, unit)| unit);
        Self { name: name.to_owned(), unit: unit.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_end_of_the_name() {
        let cases = [("energy_uj", "uJ"), ("sram_bytes", "bytes"), ("Energy_mJ", "mJ"), ("accuracy", "1")];
        for (name, unit) in cases {
            assert_eq!(Target::new(name).unit, unit, "{name}");
        }
    }
}
