//! From checked rows to measurements: repeats merged, noise and oddities found.

use std::collections::HashMap;

use super::{
    checks,
    content::{Isolated, LayerTime, Measurements, Profile, Unit},
    csv_row::{Row, Subject},
    noise::Noise,
    noted::{LISTED, Noted, problem},
    operation::Operation,
    options::ReadOptions,
    repeats::{Repeats, Value, conflicts, median, spread},
};
use crate::{error::Result, network::DType};

/// What one file holds, before it is checked as a whole.
pub(super) struct Content<'t> {
    pub(super) file: &'t str,
    pub(super) hash: String,
    pub(super) unit: Unit,
    pub(super) rows: Vec<Row>,
    pub(super) noted: Noted,
    pub(super) notes: Vec<String>,
}

/// Checks the rows together and merges those that say the same.
///
/// # Errors
/// Rows cannot be used and may not be skipped, none is left, or they are in two units.
pub(super) fn collect(content: Content<'_>, options: &ReadOptions) -> Result<Measurements> {
    let Content { file, hash, unit, rows, noted, mut notes } = content;
    if rows.is_empty() && (noted.count() == 0 || options.skip_bad_rows) {
        noted.push(problem(file, "no row that can be used", "one measurement a line, or what a tool writes"));
        return Err(noted.into_error(file));
    }
    let skipped = noted.settle(file, options.skip_bad_rows)?;
    if let Some(problem) = checks::mixed_units(file, &rows).filter(|_| options.target.is_none()) {
        return Err(problem.into());
    }
    notes.extend(checks::constants(&rows));
    let (device, count) = (device(&rows), rows.len());
    let (mut isolated, mut networks) = (Repeats::default(), Networks::default());
    let formats = formats(&rows);
    for row in rows {
        let value = Value { value: row.latency_us, line: row.line };
        match (row.network, row.subject) {
            (None, Subject::Operations(operations)) => isolated.add(operations, value),
            (Some(network), subject) => {
                let dtype = row.dtype.or_else(|| formats.get(&network).copied().flatten());
                networks.add((network, dtype), &row.layer, subject, value);
            }
            (None, Subject::Network) => {}
        }
    }
    let noise = Noise {
        layers: spread(isolated.groups().chain(networks.layers())),
        networks: spread(networks.wholes()),
    };
    let groups = isolated.groups().chain(networks.layers()).chain(networks.wholes());
    notes.extend(conflict_notes(conflicts(groups)));
    let networks = networks.profiles();
    let mixed = Noted::default();
    checks::mixed_networks(file, &networks).into_iter().for_each(|problem| mixed.push(problem));
    if options.target.is_none() {
        mixed.settle(file, false)?;
    }
    let isolated = isolated.medians().map(|(operations, latency_us)| Isolated { operations, latency_us });
    Ok(Measurements {
        file: file.to_owned(),
        unit,
        hash,
        device,
        rows: count,
        isolated: isolated.collect(),
        networks,
        noise: (noise != Noise::default()).then_some(noise),
        target: options.target.clone(),
        skipped,
        notes,
        provenance: None,
    })
}

/// The number format of each network of which rows name one; none where they name several.
fn formats(rows: &[Row]) -> HashMap<String, Option<DType>> {
    let mut formats: HashMap<String, Option<DType>> = HashMap::new();
    for row in rows {
        let (Some(network), Some(dtype)) = (&row.network, row.dtype) else { continue };
        let known = formats.entry(network.clone()).or_insert(Some(dtype));
        *known = known.filter(|known| *known == dtype);
    }
    formats
}

fn conflict_notes(conflicts: Vec<String>) -> Vec<String> {
    let count = conflicts.len();
    let mut notes: Vec<String> = conflicts.into_iter().map(|said| format!("warning: {said}")).collect();
    if count > LISTED {
        notes.truncate(LISTED);
        notes.push(format!("warning: {} more rows are in conflict like these", count - LISTED));
    }
    notes
}

fn device(rows: &[Row]) -> Option<String> {
    let first = rows.first()?.device.as_ref()?;
    rows.iter().all(|row| row.device.as_ref() == Some(first)).then(|| first.clone())
}

/// A layer's name and what it computes.
type LayerKey = (String, Operation);

/// All that was measured of one network.
#[derive(Default)]
struct Measured {
    layers: Repeats<LayerKey>,
    whole: Vec<Value>,
}

/// A network's name, and its number format where rows say it: one network may be measured in several.
type NetworkKey = (String, Option<DType>);

/// Networks in order of first appearance.
#[derive(Default)]
struct Networks {
    places: HashMap<NetworkKey, usize>,
    list: Vec<(NetworkKey, Measured)>,
}

impl Networks {
    fn add(&mut self, network: NetworkKey, layer: &str, subject: Subject, value: Value) {
        let place = *self.places.entry(network.clone()).or_insert_with(|| {
            self.list.push((network, Measured::default()));
            self.list.len() - 1
        });
        let measured = &mut self.list[place].1;
        match subject {
            Subject::Network => measured.whole.push(value),
            Subject::Operations(operations) => {
                for operation in operations {
                    measured.add_layer((layer.to_owned(), operation), value);
                }
            }
        }
    }

    /// Repeats of all layers.
    fn layers(&self) -> impl Iterator<Item = &[Value]> {
        self.list.iter().flat_map(|(_, measured)| measured.layers.groups())
    }

    /// Repeats of all networks as a whole.
    fn wholes(&self) -> impl Iterator<Item = &[Value]> {
        self.list.iter().map(|(_, measured)| measured.whole.as_slice())
    }

    fn profiles(self) -> Vec<Profile> {
        self.list.into_iter().map(|(network, measured)| measured.profile(network)).collect()
    }
}

impl Measured {
    /// Rows of the same name are repeats; rows without a name are layers of their own.
    fn add_layer(&mut self, key: LayerKey, value: Value) {
        if key.0.is_empty() {
            self.layers.add_apart(key, value);
        } else {
            self.layers.add(key, value);
        }
    }

    fn profile(self, (network, dtype): NetworkKey) -> Profile {
        let mut whole: Vec<f64> = self.whole.iter().map(|value| value.value).collect();
        let latency_us = (!whole.is_empty()).then(|| median(&mut whole));
        let layers = self.layers.medians();
        let layers =
            layers.map(|((layer, operation), latency_us)| LayerTime { layer, operation, latency_us });
        Profile { network, dtype, layers: layers.collect(), latency_us }
    }
}
