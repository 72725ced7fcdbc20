//! The columns of a measurement CSV.

use csv::StringRecord;

use crate::error::{Error, Problem, Result, nearest};

/// Columns by name, with where they stand in the file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    places: Vec<(&'static str, usize)>,
}

/// Names that may stand for a column, after the column's own.
const KNOWN: [(&str, &[&str]); 24] = [
    ("op", &[]),
    ("in_h", &["input_h", "h", "hw"]),
    ("in_w", &["input_w", "w"]),
    ("cin", &[]),
    ("cout", &[]),
    ("kernel", &["ks", "kernel_size"]),
    ("stride", &["strides"]),
    ("groups", &[]),
    ("activation", &[]),
    ("out_h", &[]),
    ("out_w", &[]),
    ("expansion", &[]),
    ("residual", &[]),
    ("repeat", &[]),
    ("network", &[]),
    ("layer", &[]),
    ("latency_us", &[]),
    ("latency_ms", &["avg_ms", "averageMs", "medianMs"]),
    ("cycles", &[]),
    ("clock_mhz", &[]),
    ("dtype", &[]),
    ("device", &[]),
    ("energy_uj", &[]),
    ("sram_bytes", &[]),
];

/// Columns without which no operator can be told from another.
const REQUIRED: [&str; 7] = ["op", "in_h", "in_w", "cin", "cout", "kernel", "stride"];

/// Columns that a latency can stand in.
pub(super) const LATENCIES: [&str; 3] = ["latency_us", "latency_ms", "cycles"];

impl Columns {
    /// Finds the columns in the header of `file`.
    ///
    /// # Errors
    /// A column is unknown, given twice or missing; all problems are returned.
    pub(super) fn read(file: &str, header: &StringRecord) -> Result<Self> {
        let mut columns = Self { places: Vec::new() };
        let mut problems = Vec::new();
        let mut note = |column: usize, found: String, expected: String| {
            let position = Some((1, column + 1));
            problems.push(Problem { file: file.to_owned(), position, path: String::new(), found, expected });
        };
        for (place, name) in header.iter().enumerate() {
            match canonical(name) {
                None => note(place, format!("unknown column `{name}`"), hint(name)),
                Some(name) if columns.place(name).is_some() => {
                    note(place, format!("column `{name}` a second time"), "each column once".into());
                }
                Some(name) => columns.places.push((name, place)),
            }
        }
        for name in REQUIRED.iter().filter(|name| columns.place(name).is_none()) {
            // One number may stand for height and width.
            if *name != "in_w" || header.iter().all(|name| name != "hw") {
                note(0, format!("no column `{name}`"), format!("columns {}", REQUIRED.join(", ")));
            }
        }
        if LATENCIES.iter().all(|name| columns.place(name).is_none()) {
            note(0, "no column with a latency".into(), format!("one of {}", LATENCIES.join(", ")));
        }
        if problems.is_empty() { Ok(columns) } else { Err(Error::Input(problems)) }
    }

    /// Where the column stands, counted from zero.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
    }
}

fn canonical(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, aliases)| *known == name || aliases.contains(&name)).map(|(known, _)| *known)
}

fn hint(name: &str) -> String {
    match nearest(name, KNOWN.iter().map(|(known, _)| *known)) {
        Some(near) => format!("`{near}`"),
        None => format!("one of {}", KNOWN.map(|(known, _)| known).join(", ")),
    }
}
