//! Rows of a profile joined with the layers of a model by name.

use std::collections::HashSet;

use super::names::{Found, Match, Names, split};
use crate::{
    error::Problem,
    measurement::noted::{Noted, problem, problem_at},
    network::{Network, Source},
};

/// One name in a profile, whatever the number of its runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) name: String,
    /// Line and column of its first row.
    pub(super) position: (usize, usize),
    /// Whether it is known to be no layer: a change of layout, an input, or a row that takes no time.
    pub(super) helper: bool,
    /// Whether it also reads a tensor that it adds to its result.
    pub(super) adds: bool,
}

/// Which layer each name's time belongs to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Joined {
    /// The layer of each name; none for helpers and for what was noted as a problem.
    pub(super) owners: Vec<Option<usize>>,
    /// Layers that were merged into others, in order.
    pub(super) merged: Vec<usize>,
    /// What was joined otherwise than by name, for people.
    pub(super) notes: Vec<String>,
}

/// Names that converters give to a network's output, whatever the layer is called.
const OUTPUTS: [&str; 4] = ["StatefulPartitionedCall", "PartitionedCall", "Identity", "output"];

/// Joins `rows` with the layers of `network`; what does not fit is noted.
///
/// The time of a row that joins several layers belongs to the one with the most multiply-adds, the first of equals.
pub(super) fn join(file: &str, network: &Network, rows: &[Named], noted: &Noted) -> Joined {
    let mut join = Join {
        file,
        network,
        rows,
        noted,
        found: Vec::new(),
        ambiguous: Default::default(),
        joined: Joined::default(),
    };
    let names = Names::of(network);
    join.found = (0..rows.len()).map(|row| join.layers(&names, row)).collect();
    join.check_scopes();
    join.own();
    join.merge_added();
    join.name_output();
    join.note_rest();
    join.joined
}

struct Join<'j> {
    file: &'j str,
    network: &'j Network,
    rows: &'j [Named],
    noted: &'j Noted,
    /// The layers that each row names, in order.
    found: Vec<Vec<Found>>,
    /// Rows, and layers, that are said to be ambiguous, and need not be said to be without a partner as well.
    ambiguous: (HashSet<usize>, HashSet<usize>),
    joined: Joined,
}

impl Join<'_> {
    fn problem(&self, row: usize, found: String, expected: String) -> Problem {
        problem_at(self.file, self.rows[row].position, found, expected)
    }

    fn layer(&self, index: usize) -> &str {
        &self.network.layers()[index].name
    }

    fn layers(&mut self, names: &Names<'_>, place: usize) -> Vec<Found> {
        let row = &self.rows[place];
        let mut layers: Vec<Found> = Vec::new();
        for name in split(&row.name) {
            match names.find(name) {
                Match::None => {}
                Match::One(found) if layers.iter().any(|known| known.layer == found.layer) => {}
                Match::One(found) => layers.push(found),
                Match::Ambiguous(a, b) => {
                    self.ambiguous.0.insert(place);
                    self.ambiguous.1.extend([a, b]);
                    let expected = "a name that only one layer has; rename one in the model";
                    let layers = format!("`{}` and `{}`", self.layer(a), self.layer(b));
                    let found = format!("row `{name}`, which fits both layers {layers}");
                    self.noted.push(problem_at(self.file, row.position, found, expected));
                }
            }
        }
        layers
    }

    /// One layer in two scopes is two layers that the model calls the same or does not have.
    fn check_scopes(&self) {
        let mut seen: Vec<Option<(usize, &str)>> = vec![None; self.network.layers().len()];
        for (row, found) in self.found.iter().enumerate() {
            let Some(first) = found.first() else { continue };
            match seen[first.layer] {
                Some((other, scope)) if !within(scope, &first.scope) => {
                    let (a, b) = (&self.rows[other].name, &self.rows[row].name);
                    let found =
                        format!("rows `{a}` and `{b}`, which both fit layer `{}`", self.layer(first.layer));
                    let expected = "one scope for a layer; name the layers in full in the model";
                    self.noted.push(self.problem(row, found, expected.into()));
                }
                Some(_) => {}
                None => seen[first.layer] = Some((row, &first.scope)),
            }
        }
    }

    /// Gives each row's time to one layer. A layer that a row only mentions is merged into that row's unless it
    /// has a row of its own.
    fn own(&mut self) {
        let mut first = vec![false; self.network.layers().len()];
        for found in self.found.iter().filter_map(|found| found.first()) {
            first[found.layer] = true;
        }
        let mut mentioned: Vec<Option<usize>> = vec![None; first.len()];
        for row in 0..self.rows.len() {
            let mut members = Vec::new();
            for (place, found) in self.found[row].iter().enumerate() {
                if place > 0 && first[found.layer] {
                    continue;
                }
                if let (true, Some(other)) = (place > 0, mentioned[found.layer]) {
                    let (a, b) = (&self.rows[other].name, &self.rows[row].name);
                    let found = format!("layer `{}` in both rows `{a}` and `{b}`", self.layer(found.layer));
                    self.noted.push(self.problem(row, found, "one row for each layer".into()));
                    continue;
                }
                mentioned[found.layer] = Some(row);
                members.push(found.layer);
            }
            self.joined.owners.push(self.most_macs(&members));
        }
        let owned = |layer: &usize| self.joined.owners.contains(&Some(*layer));
        self.joined.merged =
            (0..first.len()).filter(|layer| mentioned[*layer].is_some() && !owned(layer)).collect();
    }

    fn most_macs(&self, members: &[usize]) -> Option<usize> {
        let macs = |layer: &usize| self.network.layers()[*layer].macs;
        members.iter().copied().reduce(|best, layer| if macs(&layer) > macs(&best) { layer } else { best })
    }

    fn is_joined(&self, layer: usize) -> bool {
        self.joined.owners.contains(&Some(layer)) || self.joined.merged.contains(&layer)
    }

    fn missing(&self) -> Vec<usize> {
        (0..self.network.layers().len()).filter(|layer| !self.is_joined(*layer)).collect()
    }

    /// A layer without a row that adds what a row with a sum computes is merged into that row.
    fn merge_added(&mut self) {
        for layer in self.missing() {
            let reads = |owner: &Option<usize>| {
                owner.is_some_and(|owner| self.network.layers()[layer].inputs.contains(&Source::Layer(owner)))
            };
            let mut rows = self.rows.iter().zip(&self.joined.owners);
            if self.network.layers()[layer].op.name() == "add"
                && rows.any(|(row, owner)| row.adds && reads(owner))
            {
                self.joined.merged.push(layer);
            }
        }
        self.joined.merged.sort_unstable();
    }

    /// The one row that is called like an output is the one layer that is left.
    fn name_output(&mut self) {
        let nameless = |row: &usize| {
            let start = self.rows[*row].name.trim_start_matches(['[', ' ']);
            self.joined.owners[*row].is_none() && OUTPUTS.iter().any(|output| start.starts_with(output))
        };
        let rows: Vec<usize> = (0..self.rows.len()).filter(nameless).collect();
        if let ([row], [layer]) = (&rows[..], &self.missing()[..]) {
            self.joined.owners[*row] = Some(*layer);
            let note = format!(
                "row `{}` read as layer `{}`, the only one left",
                self.rows[*row].name,
                self.layer(*layer)
            );
            self.joined.notes.push(note);
        }
    }

    /// Notes rows without a layer and layers without a row.
    fn note_rest(&mut self) {
        let mut helpers = Vec::new();
        for (row, named) in self.rows.iter().enumerate() {
            if self.joined.owners[row].is_some()
                || !self.found[row].is_empty()
                || self.ambiguous.0.contains(&row)
            {
                continue;
            }
            if named.helper {
                helpers.push(format!("`{}`", named.name));
                continue;
            }
            let near = crate::error::nearest(
                &named.name,
                self.network.layers().iter().map(|layer| layer.name.as_str()),
            );
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let found = format!("row `{}`", named.name);
            let expected = format!("the name of a layer of network `{}`{hint}", self.network.name());
            self.noted.push(self.problem(row, found, expected));
        }
        for layer in self.missing().into_iter().filter(|layer| !self.ambiguous.1.contains(layer)) {
            let found =
                format!("no row for layer `{}` of network `{}`", self.layer(layer), self.network.name());
            let expected = "a row for each layer; is it the model that was profiled?";
            self.noted.push(problem(self.file, found, expected));
        }
        if !helpers.is_empty() {
            helpers.dedup();
            let more = helpers.len().saturating_sub(5);
            helpers.truncate(5);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let rows = helpers.join(", ");
            self.joined.notes.push(format!("counted for the network but for no layer: {rows}{more}"));
        }
    }
}

/// Whether one scope is the end of the other, as where only some rows name the model.
fn within(a: &str, b: &str) -> bool {
    a.ends_with(b) || b.ends_with(a)
}
