//! What is measured at once: a network, of one layer or of many.

use crate::{
    measurement::{Kind, Operation},
    network::Network,
};

/// What a subject stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A whole network.
    Network,
    /// Layers that a network has one after another, such as an inverted bottleneck.
    Block,
    /// One operator.
    Operator(Kind),
}

impl SubjectKind {
    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Block => "block",
            Self::Operator(kind) => kind.name(),
        }
    }
}

/// Something to be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// What it stands for.
    pub kind: SubjectKind,
    /// What runs on the device; its name is unique among subjects.
    pub network: Network,
}

impl Subject {
    /// The subject's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.network.name()
    }

    /// The operation, if it is a single one.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        match (self.kind, self.network.layers()) {
            (SubjectKind::Operator(_), [layer]) => Some(Operation::of(&self.network, layer)),
            _ => None,
        }
    }
}
