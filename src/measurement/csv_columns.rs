//! The columns of a measurement CSV.

use csv::StringRecord;

use super::{
    noted::{LISTED, Noted, problem},
    options::ReadOptions,
};
use crate::error::{Problem, Result, nearest};

/// Columns by name, with where they stand in the file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    places: Vec<(&'static str, usize)>,
    /// Names in the file that stand for other names.
    aliases: Vec<(String, &'static str)>,
}

/// The name under which the column to be predicted stands, if it is not the latency.
pub(super) const TARGET: &str = "target";

/// Names that may stand for a column, after the column's own.
const KNOWN: [(&str, &[&str]); 27] = [
    ("op", &["operator", "op_type"]),
    ("in_h", &["input_h", "input_height", "height", "h", "hw"]),
    ("in_w", &["input_w", "input_width", "width", "w"]),
    ("cin", &["in_c", "in_channels", "input_channels", "c_in"]),
    ("cout", &["out_c", "out_channels", "output_channels", "c_out", "filters"]),
    ("kernel", &["ks", "k", "kernel_size"]),
    ("stride", &["s", "strides"]),
    ("groups", &["group"]),
    ("activation", &["act"]),
    ("out_h", &["output_h", "output_height"]),
    ("out_w", &["output_w", "output_width"]),
    ("expansion", &["expand_ratio"]),
    ("residual", &[]),
    ("repeat", &["run"]),
    ("network", &[]),
    ("layer", &["layer_name"]),
    ("latency_us", &["avg_us", "mean_us", "median_us", "averageUs", "medianUs", "time_us"]),
    ("latency_ms", &["avg_ms", "mean_ms", "median_ms", "averageMs", "medianMs", "time_ms"]),
    ("cycles", &["op_cycles", "cycle_count"]),
    ("clock_mhz", &["freq_mhz", "frequency_mhz"]),
    ("dtype", &["data_type", "precision"]),
    ("device", &["accelerator", "chip"]),
    ("energy_uj", &[]),
    ("sram_bytes", &[]),
    ("mad_us", &[]),
    ("noisy", &[]),
    ("samples_us", &[]),
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
    pub(super) fn read(file: &str, header: &StringRecord, options: &ReadOptions) -> Result<Self> {
        let mut columns = Self { places: Vec::new(), aliases: Vec::new() };
        let noted = Noted::default();
        for (place, name) in header.iter().enumerate() {
            columns.add(file, place, name, options, &noted);
        }
        columns.check_complete(file, header, options, &noted);
        if noted.count() == 0 { Ok(columns) } else { Err(noted.into_error(file)) }
    }

    fn add(&mut self, file: &str, place: usize, name: &str, options: &ReadOptions, noted: &Noted) {
        if options.target.as_ref().is_some_and(|target| target.name == name) {
            match canonical(name).filter(|name| LATENCIES.contains(name)) {
                Some(_) => noted.push(at(file, place, format!("target `{name}`"), LATENCY_IS_NO_TARGET)),
                None => self.take(file, place, name, TARGET, noted),
            }
        } else if options.ignored_columns.iter().all(|ignored| ignored != name) {
            match canonical(name) {
                Some(known) => self.take(file, place, name, known, noted),
                // A header of a million unknown names shall not be looked up a million times.
                None if noted.count() >= LISTED => noted.push(problem(file, "", "")),
                None => noted.push(at(file, place, format!("unknown column `{name}`"), &hint(name))),
            }
        }
    }

    fn take(&mut self, file: &str, place: usize, name: &str, known: &'static str, noted: &Noted) {
        if self.place(known).is_some() {
            let found = format!("column `{known}` a second time, as `{name}`");
            noted.push(at(file, place, found, &format!("each column once; --ignore-column {name}")));
            return;
        }
        if known != name && known != TARGET {
            self.aliases.push((name.to_owned(), known));
        }
        self.places.push((known, place));
    }

    fn check_complete(&self, file: &str, header: &StringRecord, options: &ReadOptions, noted: &Noted) {
        for name in REQUIRED.iter().filter(|name| self.place(name).is_none()) {
            if *name != "in_w" || !self.is_square(header) {
                noted.push(at(
                    file,
                    0,
                    format!("no column `{name}`"),
                    &format!("columns {}", REQUIRED.join(", ")),
                ));
            }
        }
        let latency = LATENCIES.iter().any(|name| self.place(name).is_some());
        match &options.target {
            Some(target) if self.place(TARGET).is_none() && noted.count() == 0 => {
                let near = nearest(&target.name, header.iter());
                let expected = near.map_or("a column of that name".into(), |near| format!("`{near}`"));
                noted.push(at(file, 0, format!("no column `{}` for --target", target.name), &expected));
            }
            None if !latency => {
                let expected = format!("one of {}", LATENCIES.join(", "));
                noted.push(at(file, 0, "no column with a latency".into(), &expected));
            }
            _ => {}
        }
    }

    /// Whether one number stands for height and width.
    fn is_square(&self, header: &StringRecord) -> bool {
        let name = self.place("in_h").and_then(|place| header.get(place));
        name.is_some_and(|name| ["hw", "h"].iter().any(|square| name.eq_ignore_ascii_case(square)))
    }

    /// Where the column stands, counted from zero.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
    }

    /// What was read under another name, for people.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> =
            self.aliases.iter().map(|(name, known)| format!("column `{name}` read as `{known}`")).collect();
        if self.place("in_h").is_some() && self.place("in_w").is_none() {
            notes.push("one column for height and width: all pictures are square".into());
        }
        notes
    }
}

const LATENCY_IS_NO_TARGET: &str = "another column; latency is what is fitted without --target";

fn at(file: &str, place: usize, found: String, expected: &str) -> Problem {
    Problem { position: Some((1, place + 1)), ..problem(file, found, expected) }
}

fn canonical(name: &str) -> Option<&'static str> {
    let exact = KNOWN.iter().find(|(known, _)| *known == name);
    let alias = |aliases: &[&str]| aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name));
    let like = |(known, aliases): &&(&str, &[&str])| known.eq_ignore_ascii_case(name) || alias(aliases);
    exact.or_else(|| KNOWN.iter().find(like)).map(|(known, _)| *known)
}

fn hint(name: &str) -> String {
    let names = KNOWN.iter().flat_map(|(known, aliases)| std::iter::once(known).chain(aliases.iter()));
    match nearest(name, names.copied()) {
        Some(near) => format!("`{near}`, or --ignore-column {name}"),
        None => format!(
            "one of {}; or leave it out with --ignore-column {name}",
            KNOWN.map(|(known, _)| known).join(", ")
        ),
    }
}
