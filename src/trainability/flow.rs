//! What of the output passes through a place in a network, and how much of that gradients see.
//!
//! A residual network is a sum over paths (Veit et al. 2016). At every sum a path keeps the share of the
//! variance with which it enters, so the shares of all paths add up to one; what passes through a tensor
//! is the sum over its paths.

use super::local::POWER;

/// What passes through one tensor, added up over the paths to the outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// The share of the outputs' variance whose path passes through the tensor.
    pub(super) share: f64,
    /// What the nonlinearities on one path leave of the gradient.
    fade: f64,
    /// Where there are several paths: the sum of their shares, each faded, to the power of the mean.
    faded: f64,
    /// How many paths were added up.
    paths: u32,
    /// For what feeds a gate: the octave of the gated tensor.
    pub(super) gated: Option<Gated>,
}

/// The octave of a gated tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gated {
    /// This one.
    At(u8),
    /// The one that the tensor feeds which the region writes, if it feeds any.
    AsExit,
}

impl Flow {
    /// All of a tensor's flow where it is the only one, with no layer behind it.
    pub(super) fn whole(share: f64, gated: Option<Gated>) -> Self {
        Self { share, fade: 1.0, faded: 0.0, paths: 1, gated }
    }

    /// The share of the outputs' variance whose path passes through the tensor.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Adds a path with this share, of which so much is left of the gradient.
    pub fn join(&mut self, share: f64, fade: f64) {
        // Powers take time, and a mean of one path needs none.
        match self.paths {
            0 => self.fade = fade,
            1 => self.faded = self.share * self.fade.powi(POWER) + share * fade.powi(POWER),
            _ => self.faded += share * fade.powi(POWER),
        }
        self.share += share;
        self.paths += 1;
    }

    /// What is left of the gradient: the power mean over the paths.
    #[must_use]
    pub fn fade(&self) -> f64 {
        match self.paths {
            0 | 1 => self.fade,
            _ if self.share > 0.0 => (self.faded / self.share).powf(1.0 / f64::from(POWER)),
            _ => 0.0,
        }
    }
}
