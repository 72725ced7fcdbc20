//! A search written down so that it can go on as if nothing had happened.

use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    evaluation::Objectives,
    outcome::{Candidate, Convergence},
    seen::Seen,
};
use crate::{
    error::{Error, Problem, Result},
    io::{read_text, write_atomically_with},
};

const SCHEMA: &str = "nas.checkpoint/1";

/// What a search must have in common with the checkpoint that it resumes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// Hash of the problem's genes, objectives and own identity.
    pub(super) problem: String,
    pub(super) algorithm: String,
    pub(super) seed: u64,
    pub(super) population: Option<usize>,
}

/// The state between two generations, but for the archive and the algorithm, which keep their own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) evaluations: u64,
    pub(super) elapsed_seconds: f64,
    /// Generations in a row that brought nothing new.
    pub(super) barren: u32,
    /// How much of a small space was swept in order.
    pub(super) swept: u64,
    pub(super) reference: Option<Objectives>,
    pub(super) convergence: Vec<Convergence>,
    pub(super) nearest: Option<Candidate>,
    pub(super) seen: Seen,
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    identity: &'a Identity,
    state: &'a State,
    archive: Vec<Candidate>,
    algorithm: Value,
}

/// A checkpoint as it was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Checkpoint {
    schema: String,
    identity: Identity,
    pub(super) state: State,
    pub(super) archive: Vec<Candidate>,
    pub(super) algorithm: Value,
}

/// Writes a checkpoint in place of the former one.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(
    path: &Path,
    identity: &Identity,
    state: &State,
    archive: Vec<Candidate>,
    algorithm: Value,
) -> Result<()> {
    let written = Written { schema: SCHEMA, identity, state, archive, algorithm };
    write_atomically_with(path, |file| Ok(serde_json::to_writer(file, &written)?))
}

/// Reads the checkpoint of this very search.
///
/// # Errors
/// The file cannot be read, is no checkpoint, or is one of another search.
pub(super) fn read(path: &Path, identity: &Identity) -> Result<Checkpoint> {
    let checkpoint: Checkpoint = parse(path, &read_text(path)?)?;
    if checkpoint.schema != SCHEMA {
        return Err(damaged(path, format!("schema `{}`", checkpoint.schema)));
    }
    if checkpoint.identity != *identity {
        return Err(differs(path, &checkpoint.identity, identity));
    }
    Ok(checkpoint)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(path, error.to_string()))
}

/// The file is not what [`write`] wrote.
pub(super) fn damaged(path: &Path, found: String) -> Error {
    Error::from(Problem {
        file: path.display().to_string(),
        position: None,
        path: String::new(),
        found,
        expected: format!("a checkpoint `{SCHEMA}` that this version wrote; start without resuming"),
    })
}

fn differs(path: &Path, theirs: &Identity, mine: &Identity) -> Error {
    let population =
        |identity: &Identity| identity.population.map_or("automatic".into(), |size| size.to_string());
    let differing = [
        ("problem", theirs.problem.clone(), mine.problem.clone()),
        ("algorithm", theirs.algorithm.clone(), mine.algorithm.clone()),
        ("seed", theirs.seed.to_string(), mine.seed.to_string()),
        ("population", population(theirs), population(mine)),
    ];
    let list: Vec<String> = differing
        .into_iter()
        .filter(|(_, theirs, mine)| theirs != mine)
        .map(|(what, theirs, mine)| format!("{what} {theirs} there, {mine} here"))
        .collect();
    Error::unusable(format!(
        "{} belongs to another search: {}; resume with the same input and settings, or start without resuming",
        path.display(),
        list.join("; ")
    ))
}
