//! What a nonlinearity does to a normalised signal.
//!
//! For x ~ N(0, 1) and y = φ(x) the mean-field theory needs E\[y\], Var\[y\] and E\[φ'(x)\]. The share
//! of Var\[y\] that is linear in x, E\[φ'\]² / Var\[φ\], is the slope at zero of the correlation map
//! (the first coefficient of the Hermite series; Daniely et al. 2016): by that factor a layer shrinks
//! the correlation of inputs that have little in common. Its logarithm is 1 / ξ, the reciprocal of the
//! depth scale (Schoenholz et al. 2017, *Deep Information Propagation*): 0.31 for ReLU, 0.20 for
//! hard-swish.

use crate::network::Activation;

/// Moments of a nonlinearity under a standard normal input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moments {
    /// E\[φ(x)\].
    pub(super) mean: f64,
    /// Var\[φ(x)\].
    pub(super) variance: f64,
    /// E\[φ'(x)\]² Var\[x\] / Var\[φ(x)\].
    pub(super) linear: f64,
}

impl Moments {
    /// The moments of `activation`; the ones without a short closed form are tabulated.
    pub(super) fn of(activation: Activation) -> Self {
        let (mean, variance, first) = match activation {
            Activation::None => (0.0, 1.0, 1.0),
            // 1 / √(2π), (1 − 1/π) / 2, 1 / 2; the cut at 6 is nine orders of magnitude away.
            Activation::Relu | Activation::Relu6 => (0.398_942, 0.340_845, 0.5),
            Activation::HardSwish => (0.166_217, 0.303_939, 0.5),
            Activation::HardSigmoid => (0.5, 0.027_639, 0.166_217),
            Activation::Sigmoid => (0.5, 0.043_379, 0.206_621),
            Activation::Swish => (0.206_621, 0.313_083, 0.5),
        };
        Self { mean, variance, linear: first * first / variance }
    }

    /// The moments under an input of this mean and variance.
    ///
    /// ReLU after a sum, as in ResNet, sees a skip connection that ReLU has already made positive; it then
    /// passes most of the signal unchanged. With t = mean / σ, density ϕ and distribution Φ of the normal law:
    /// E\[y\] = σ (t Φ(t) + ϕ(t)), E\[y²\] = σ² ((t² + 1) Φ(t) + t ϕ(t)), E\[φ'\] = Φ(t).
    pub(super) fn under(activation: Activation, mean: f64, variance: f64) -> Self {
        let standard = Self::of(activation);
        let relu = matches!(activation, Activation::Relu | Activation::Relu6);
        if activation == Activation::None {
            return Self { mean, variance, ..standard };
        }
        if !relu || mean == 0.0 {
            return Self { variance: variance * standard.variance, ..standard };
        }
        let deviation = variance.sqrt();
        let t = mean / deviation;
        let (density, below) = ((-t * t / 2.0).exp() / std::f64::consts::TAU.sqrt(), distribution(t));
        let first = t * below + density;
        let second = (t * t + 1.0) * below + t * density;
        let left = second - first * first;
        Self { mean: deviation * first, variance: variance * left, linear: below * below / left }
    }
}

/// Φ, the distribution of the normal law (Zelen & Severo 1964; error below 1e-5).
fn distribution(t: f64) -> f64 {
    let k = 1.0 / (1.0 + 0.332_67 * t.abs());
    let tail = (-t * t / 2.0).exp() / std::f64::consts::TAU.sqrt()
        * k
        * (0.436_183_6 + k * (-0.120_167_6 + k * 0.937_298));
    if t > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// φ and φ' of an activation.
    fn curve(activation: Activation, x: f64) -> (f64, f64) {
        let inside = |low: f64, high: f64| f64::from(x > low && x < high);
        match activation {
            Activation::None => (x, 1.0),
            Activation::Relu => (x.max(0.0), inside(0.0, f64::INFINITY)),
            Activation::Relu6 => (x.clamp(0.0, 6.0), inside(0.0, 6.0)),
            Activation::HardSwish => {
                let gate = (x + 3.0).clamp(0.0, 6.0) / 6.0;
                (x * gate, gate + x * inside(-3.0, 3.0) / 6.0)
            }
            Activation::HardSigmoid => ((x + 3.0).clamp(0.0, 6.0) / 6.0, inside(-3.0, 3.0) / 6.0),
            Activation::Sigmoid => {
                let y = 1.0 / (1.0 + (-x).exp());
                (y, y * (1.0 - y))
            }
            Activation::Swish => {
                let gate = 1.0 / (1.0 + (-x).exp());
                (x * gate, gate + x * gate * (1.0 - gate))
            }
        }
    }

    #[test]
    fn the_table_holds_what_integration_finds() {
        for (name, activation) in Activation::NAMES {
            let (mut mean, mut square, mut first) = (0.0, 0.0, 0.0);
            for step in -100_000..100_000 {
                let x = (f64::from(step) + 0.5) * 1e-4;
                let weight = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * 1e-4;
                let (y, derivative) = curve(activation, x);
                mean += weight * y;
                square += weight * y * y;
                first += weight * derivative;
            }
            let table = Moments::of(activation);
            let near = |found: f64, known: f64| (found - known).abs() < 2e-6;
            assert!(near(mean, table.mean), "{name}: {mean}");
            assert!(near(square - mean * mean, table.variance), "{name}: {}", square - mean * mean);
            let linear = first * first / (square - mean * mean);
            assert!((linear - table.linear).abs() < 1e-4, "{name}: {linear}");
        }
    }
}
