//! What a fit can be asked for.

use super::Estimator;

/// Options of a fit; the default is right for most.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// The estimator's name; the device named in the data if none is given.
    pub name: Option<String>,
    /// Where the numbers come from, in a sentence; the statement beside the data if none is given.
    pub provenance: Option<String>,
    /// Parts that the networks are split into for held-out figures; each is predicted by the others.
    pub folds: usize,
    /// Whether a boosted correction is fitted on top of the physical model.
    pub correction: bool,
    /// Whether fits to parts of the data tell how the error falls with more of it.
    pub learning_curve: bool,
    /// An estimator that is compared with the new one on the same rows.
    pub old: Option<Estimator>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { name: None, provenance: None, folds: 5, correction: true, learning_curve: true, old: None }
    }
}
