//! One space searched for several chips: which chip is worth building.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Entry, Origin, Table};
use crate::{
    error::{Error, Result},
    io::{read_text, serde_problem, write_atomically},
    units::{binary_bytes, si},
};

/// The value of a co-design table's `schema`.
pub const CODESIGN_SCHEMA: &str = "nas.codesign/1";

/// The result of a search for several chips, `nas.codesign/1`.
///
/// Where channels snap to each chip's own lanes, the baselines of the chips may differ a little: an expansion
/// rounds up to more channels on more lanes. All chips therefore keep to one threshold, the highest
/// trainability among the baselines, so that no chip wins by a baseline that is easier to beat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoDesign {
    /// [`CODESIGN_SCHEMA`].
    pub schema: String,
    /// The version of `nas` that wrote it.
    pub version: String,
    /// The name of the space.
    pub space: String,
    /// The seed of every search.
    pub seed: u64,
    /// The budget of every search, in architectures.
    pub evaluations: u64,
    /// What the best architecture of every chip reaches at least: the highest trainability of the baselines.
    pub trainability: f64,
    /// Chips that were searched for, in the order given.
    pub chips: Vec<ChipRow>,
    /// Chips whose search an interruption cut short or left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<String>,
    /// The index in `chips` of the chip with the least latency.
    pub winner: Option<usize>,
}

/// What was found for one chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipRow {
    /// Its estimator; the run folder has a folder of this name, up to characters that no file has.
    pub estimator: Origin,
    /// Lanes of input and output channels.
    pub lanes: [u32; 2],
    /// The number that channels snap to.
    pub parallelism: u32,
    /// The hash of the space as it was searched.
    pub space_hash: String,
    /// The baseline on this chip.
    pub baseline: Design,
    /// The fastest architecture that reaches the threshold; absent if none was found.
    pub best: Option<Design>,
    /// How much less latency that is than the baseline's on this chip.
    pub latency_reduction_pct: Option<f64>,
}

/// The figures of one architecture on one chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// The architecture id.
    pub id: String,
    /// Estimated latency.
    pub latency_ms: f64,
    /// The zero-shot trainability score.
    pub trainability: f64,
    /// Multiply-adds.
    pub macs: u64,
    /// Peak activation bytes, activations in place.
    pub peak_activation_bytes: u64,
}

impl Design {
    /// The figures of `entry`.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            latency_ms: entry.latency_ms,
            trainability: entry.trainability,
            macs: entry.macs.0,
            peak_activation_bytes: entry.peak_activation_bytes.0,
        }
    }
}

impl ChipRow {
    fn latency_ms(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |best| best.latency_ms)
    }
}

impl CoDesign {
    /// The table of `chips`; the winner is the first with the least latency.
    #[must_use]
    pub fn of(space: &str, seed: u64, evaluations: u64, trainability: f64, chips: Vec<ChipRow>) -> Self {
        let faster = |best: usize, chip: usize| {
            if chips[chip].latency_ms() < chips[best].latency_ms() { chip } else { best }
        };
        let winner = (0..chips.len()).reduce(faster).filter(|winner| chips[*winner].best.is_some());
        Self {
            schema: CODESIGN_SCHEMA.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            space: space.into(),
            seed,
            evaluations,
            trainability,
            chips,
            unfinished: Vec::new(),
            winner,
        }
    }

    /// Reads a co-design table.
    ///
    /// # Errors
    /// The file cannot be read or is not a table of this version.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        let mut json = serde_json::Deserializer::from_str(&text);
        let table: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let expected = format!("a {CODESIGN_SCHEMA} file as `nas search` writes it");
            let file = path.display().to_string();
            serde_problem(&file, &error.path().to_string(), error.inner(), &expected)
        })?;
        json.end().map_err(|_| Error::unusable(format!("{}: text after the table", path.display())))?;
        if table.schema != CODESIGN_SCHEMA {
            let message =
                format!("{}: schema is {}, expected {CODESIGN_SCHEMA}", path.display(), table.schema);
            return Err(Error::unusable(message));
        }
        Ok(table)
    }

    /// Writes the table, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_json().as_bytes())
    }

    /// The table as indented JSON with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with non-string keys are the only thing that could fail, and there are none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The table for people.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n\n{}{}", self.title(), self.table().text(), self.notes())
    }

    /// The table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        format!("# {}\n\n{}\n{}", self.title(), self.table().markdown(), self.notes())
    }

    fn title(&self) -> String {
        format!("{} on {} chips", self.space, self.chips.len())
    }

    fn notes(&self) -> String {
        let mut notes = format!(
            "required of every chip: trainability >= {:.3}, the highest of the baselines; {} architectures \
             each, seed {}\n",
            self.trainability,
            si(self.evaluations),
            self.seed
        );
        if !self.unfinished.is_empty() {
            notes += &format!("interrupted; not searched to the end: {}\n", self.unfinished.join(", "));
        }
        notes
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            "chip",
            "lanes in x out",
            "snap to",
            "baseline ms",
            "MACs",
            "trainability",
            "best ms",
            "reduction",
            "MACs",
            "trainability",
            "peak act.",
            "",
        ])
        .left(11);
        for (index, chip) in self.chips.iter().enumerate() {
            table.push(chip.cells(self.winner == Some(index)));
        }
        table
    }
}

impl ChipRow {
    fn cells(&self, wins: bool) -> [String; 12] {
        let best = |show: fn(&Design) -> String| self.best.as_ref().map_or(String::new(), show);
        [
            self.estimator.name.clone(),
            format!("{} x {}", self.lanes[0], self.lanes[1]),
            self.parallelism.to_string(),
            format!("{:.3}", self.baseline.latency_ms),
            si(self.baseline.macs),
            format!("{:.3}", self.baseline.trainability),
            self.best.as_ref().map_or("none found".into(), |best| format!("{:.3}", best.latency_ms)),
            self.latency_reduction_pct.map_or(String::new(), |percent| format!("{percent:.1} %")),
            best(|best| si(best.macs)),
            best(|best| format!("{:.3}", best.trainability)),
            best(|best| binary_bytes(crate::units::Bytes(best.peak_activation_bytes))),
            if wins { "least latency".into() } else { String::new() },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chip(name: &str, best_ms: Option<f64>) -> ChipRow {
        let design = |latency_ms| Design {
            id: "a".into(),
            latency_ms,
            trainability: 5.0,
            macs: 1_000_000,
            peak_activation_bytes: 2048,
        };
        ChipRow {
            estimator: Origin { name: name.into(), hash: "e".into() },
            lanes: [8, 16],
            parallelism: 16,
            space_hash: "5".into(),
            baseline: design(4.0),
            best: best_ms.map(design),
            latency_reduction_pct: best_ms.map(|ms| 100.0 * (1.0 - ms / 4.0)),
        }
    }

    #[test]
    fn the_fastest_chip_wins_and_a_chip_without_a_result_never_does() {
        let table =
            CoDesign::of("s", 1, 10, 5.0, vec![chip("a", None), chip("b", Some(2.0)), chip("c", Some(1.0))]);
        assert_eq!(table.winner, Some(2));
        assert_eq!(CoDesign::of("s", 1, 10, 5.0, vec![chip("a", None)]).winner, None);
        let text = table.text();
        assert!(text.contains("none found") && text.contains("75.0 %"), "{text}");
        let marked: Vec<&str> = text.lines().filter(|line| line.ends_with("least latency")).collect();
        assert!(marked.len() == 1 && marked[0].starts_with('c'), "{text}");
    }

    #[test]
    fn a_table_reads_back_as_it_was_written() {
        let table = CoDesign::of("s", 1, 10, 5.0, vec![chip("b", Some(2.0))]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("codesign.json");
        table.save(&path).unwrap();
        assert_eq!(CoDesign::load(&path).unwrap(), table);
        std::fs::write(&path, "{}").unwrap();
        assert!(CoDesign::load(&path).unwrap_err().to_string().contains("nas.codesign/1"));
    }
}
