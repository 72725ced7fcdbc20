//! What the parts of a head read.

use crate::error::{Error, Result};

/// What a head's part reads of the stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reads {
    /// The last one alone.
    Last,
    /// An earlier one alone.
    Tap(usize),
    /// An earlier one, and the last one or what comes of it.
    Both(usize),
}

/// What each part of a head reads of the stages, itself or by way of other parts.
pub(super) fn reads(head: &[Vec<usize>], stages: usize) -> Result<Vec<Reads>> {
    let mut sources: Vec<Vec<usize>> = Vec::new();
    for exits in head {
        let mut all: Vec<usize> = exits
            .iter()
            .flat_map(|exit| match exit.checked_sub(stages) {
                Some(part) => sources[part].clone(),
                None => vec![*exit],
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        sources.push(all);
    }
    let last = stages.saturating_sub(1);
    let of = |sources: &Vec<usize>| match sources[..] {
        [stage] if stage == last => Ok(Reads::Last),
        [stage] => Ok(Reads::Tap(stage)),
        [stage, other] if other == last => Ok(Reads::Both(stage)),
        _ => Err(Error::unusable("a head that reads several earlier stages at once")),
    };
    let reads = sources.iter().map(of).collect::<Result<Vec<_>>>()?;
    let mut far = reads.iter().filter(|reads| matches!(reads, Reads::Both(_)));
    if let Some(one) = far.next()
        && far.any(|other| other != one)
    {
        return Err(Error::unusable("a head that reads several earlier stages"));
    }
    Ok(reads)
}
