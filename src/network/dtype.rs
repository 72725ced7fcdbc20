//! Number formats of weights and activations.

use std::fmt;

/// The type of a network's activations and weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DType {
    /// 8-bit integers with 32-bit biases.
    #[default]
    Int8,
    /// Half precision.
    Fp16,
    /// Single precision.
    Fp32,
}

impl DType {
    /// Names as they stand in files.
    pub const NAMES: [(&'static str, Self); 3] =
        [("int8", Self::Int8), ("fp16", Self::Fp16), ("fp32", Self::Fp32)];

    /// Bytes of one activation or weight.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::Int8 => 1,
            Self::Fp16 => 2,
            Self::Fp32 => 4,
        }
    }

    /// The type of which one activation or weight has so many bytes.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Option<Self> {
        Self::NAMES.into_iter().map(|(_, dtype)| dtype).find(|dtype| dtype.bytes() == bytes)
    }

    /// Bytes of one bias.
    #[must_use]
    pub fn bias_bytes(self) -> u64 {
        match self {
            Self::Int8 => 4,
            other => other.bytes(),
        }
    }

    /// The name as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Fp16 => "fp16",
            Self::Fp32 => "fp32",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
