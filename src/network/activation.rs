//! Nonlinearities.

use std::fmt;

/// The nonlinearity after an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x · relu6(x + 3) / 6 (Howard et al. 2019, MobileNetV3).
    HardSwish,
    /// relu6(x + 3) / 6.
    HardSigmoid,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// x / (1 + exp(-x)), also called SiLU (Ramachandran et al. 2017; EfficientNet's).
    Swish,
}

impl Activation {
    /// Names as they stand in files.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("relu", Self::Relu),
        ("relu6", Self::Relu6),
        ("hard_swish", Self::HardSwish),
        ("hard_sigmoid", Self::HardSigmoid),
        ("sigmoid", Self::Sigmoid),
        ("swish", Self::Swish),
    ];

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The activation with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, activation)| *activation)
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for (name, activation) in Activation::NAMES {
            assert_eq!(activation.name(), name);
            assert_eq!(Activation::from_name(name), Some(activation));
        }
    }
}
