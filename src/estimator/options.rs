//! What a fit can be asked for.

/// Options of a fit; the default is right for most.
#[derive(Clone, Debug, PartialEq)]
pub struct FitOptions {
    /// The estimator's name; the device named in the data if none is given.
    pub name: Option<String>,
    /// Where the numbers come from, in a sentence; the statement beside the data if none is given.
    pub provenance: Option<String>,
    /// Parts that the networks are split into for held-out figures; each is predicted by the others.
    pub folds: usize,
    /// Whether a boosted correction is fitted on top of the physical model.
    pub correction: bool,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { name: None, provenance: None, folds: 5, correction: true }
    }
}
