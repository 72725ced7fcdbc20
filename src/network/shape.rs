//! The shape of an activation tensor.

use std::fmt;

/// Height, width and channels of an activation tensor; the batch is always one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// Rows.
    pub h: u32,
    /// Columns.
    pub w: u32,
    /// Channels.
    pub c: u32,
}

impl Shape {
    /// The largest height, width or channel count that a file may ask for.
    pub const MAX_DIM: u32 = 65_536;

    /// A shape of `h` rows, `w` columns and `c` channels.
    #[must_use]
    pub fn new(h: u32, w: u32, c: u32) -> Self {
        Self { h, w, c }
    }

    /// Rows times columns.
    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.h) * u64::from(self.w)
    }

    /// Rows times columns times channels.
    #[must_use]
    pub fn elements(self) -> u64 {
        self.pixels().saturating_mul(u64::from(self.c))
    }

    /// The same picture with `c` channels.
    #[must_use]
    pub fn with_channels(self, c: u32) -> Self {
        Self { c, ..self }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.h, self.w, self.c)
    }
}
