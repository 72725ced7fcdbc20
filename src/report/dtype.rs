//! What a report says where the number format was free.

use super::Report;
use crate::{objective::ArchitectureSearch, space::GeneKind};

/// The formats that a search could choose from; empty where it could not.
pub(super) fn free(search: &ArchitectureSearch<'_>) -> Vec<String> {
    let dtypes = search.space().dtypes();
    let is_free = search.free_kinds().is_none_or(|kinds| kinds.contains(&GeneKind::Dtype));
    if dtypes.len() < 2 || !is_free {
        return Vec::new();
    }
    dtypes.iter().map(ToString::to_string).collect()
}

impl Report {
    /// What the score cannot know, in a sentence without a full stop; none where the number format was not free.
    pub(super) fn dtype_line(&self) -> Option<String> {
        if self.dtypes.is_empty() {
            return None;
        }
        let found = self.finding()?;
        let [from, to] = [found.baseline, found.entry].map(|entry| entry.network.dtype());
        let change = if from == to { format!("{to} as the baseline") } else { format!("{from} → {to}") };
        Some(format!(
            "number format {change}: it was free ({}), and the trainability score knows nothing of it, so of one \
             architecture the format that costs least always wins; what quantisation loses in accuracy is not in these \
             numbers, measure it with your trainer or by post-training quantisation",
            self.dtypes.join(", ")
        ))
    }
}
