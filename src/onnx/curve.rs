//! Nonlinearities by what they do, not by how they are spelled.
//!
//! Exporters spell hard-swish as Add, Clip, Mul and Div, or as HardSigmoid and
//! Mul, or as one node, with bounds in constants or attributes. A chain of
//! element-wise operators on one tensor is a function of one number; it is
//! followed at some sample points and compared with the functions that are known.

use crate::network::Activation;

const SAMPLES: usize = 41;
/// Half precision keeps three decimals.
const CLOSE: f64 = 4e-3;

/// A function of one number, at the sample points; none is the identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve(Option<Box<[f64; SAMPLES]>>);

/// What a curve is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// A known nonlinearity, or the identity.
    Known(Activation),
    /// A multiple plus a constant.
    Affine,
    /// Anything else.
    Other,
}

/// From -10 to 10, no kink of a known function among them.
fn samples() -> [f64; SAMPLES] {
    std::array::from_fn(|index| -10.0 + 0.499 * index as f64)
}

impl Curve {
    fn values(&self) -> [f64; SAMPLES] {
        self.0.as_ref().map_or_else(samples, |values| **values)
    }

    pub(super) fn is_identity(&self) -> bool {
        self.0.is_none()
    }

    /// `then` after this function.
    pub(super) fn then(&self, then: impl Fn(f64) -> f64) -> Self {
        Self(Some(Box::new(self.values().map(then))))
    }

    /// Two functions of the same number, combined.
    pub(super) fn with(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        let (a, b) = (self.values(), other.values());
        let both = a.iter().zip(&b).map(|(a, b)| combine(*a, *b));
        let mut values = [0.0; SAMPLES];
        values.iter_mut().zip(both).for_each(|(slot, value)| *slot = value);
        Self(Some(Box::new(values)))
    }

    fn is_close_to(&self, known: impl Fn(f64) -> f64) -> bool {
        let near = |(value, x): (&f64, f64)| (value - known(x)).abs() <= CLOSE * (1.0 + x.abs());
        self.values().iter().zip(samples()).all(near)
    }

    pub(super) fn shape(&self) -> Shape {
        for (_, activation) in Activation::NAMES {
            if self.is_close_to(|x| known(activation, x)) {
                return Shape::Known(activation);
            }
        }
        let values = self.values();
        let [first, .., last] = samples();
        let slope = (values[SAMPLES - 1] - values[0]) / (last - first);
        let at_zero = values[0] - slope * first;
        if slope.is_finite() && self.is_close_to(|x| slope * x + at_zero) {
            Shape::Affine
        } else {
            Shape::Other
        }
    }
}

/// The known nonlinearities as functions.
fn known(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Sigmoid => sigmoid(x),
        Activation::Swish => x * sigmoid(x),
    }
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_functions_are_told_apart() {
        for (_, activation) in Activation::NAMES {
            assert_eq!(Curve::default().then(|x| known(activation, x)).shape(), Shape::Known(activation));
        }
    }

    #[test]
    fn spellings_of_hard_swish_are_one() {
        let x = Curve::default();
        let clipped = x.then(|x| x + 3.0).then(|x| x.clamp(0.0, 6.0));
        let late = x.with(&clipped, |x, gate| x * gate).then(|y| y / 6.0);
        let early = x.with(&clipped.then(|y| y * 0.16666), |x, gate| x * gate);
        for spelled in [late, early] {
            assert_eq!(spelled.shape(), Shape::Known(Activation::HardSwish));
        }
    }

    #[test]
    fn scaling_is_affine_and_the_rest_is_unknown() {
        let x = Curve::default();
        assert_eq!(x.then(|x| 2.0 * x - 1.0).shape(), Shape::Affine);
        assert_eq!(x.then(f64::tanh).shape(), Shape::Other);
        assert_eq!(x.then(|x| x.max(0.1 * x)).shape(), Shape::Other, "a leaky relu is not a relu");
        assert_eq!(x.then(|_| f64::NAN).shape(), Shape::Other);
    }
}
