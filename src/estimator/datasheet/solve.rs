//! Least squares of few unknowns with a spring on each.

/// The normal equations of a least-squares problem with springs: `matrix * x = right`.
pub(super) struct Equations {
    size: usize,
    /// Row by row, the lower triangle.
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl Equations {
    /// No rows yet, and no springs.
    pub(super) fn new(size: usize) -> Self {
        Self { size, matrix: vec![0.0; size * size], right: vec![0.0; size] }
    }

    /// Adds the row `slopes * x = target`; slopes are given with their place, those that are zero left out.
    pub(super) fn push(&mut self, slopes: &[(usize, f64)], target: f64, weight: f64) {
        for (i, a) in slopes {
            self.right[*i] += weight * a * target;
            for (j, b) in slopes.iter().filter(|(j, _)| j <= i) {
                self.matrix[i * self.size + j] += weight * a * b;
            }
        }
    }

    /// Adds a spring that pulls unknown `i` to `at`.
    pub(super) fn hold(&mut self, i: usize, at: f64, strength: f64) {
        self.matrix[i * self.size + i] += strength;
        self.right[i] += strength * at;
    }

    /// The unknowns (Cholesky). With a spring on each unknown there is exactly one solution.
    pub(super) fn solve(mut self) -> Vec<f64> {
        let n = self.size;
        for i in 0..n {
            for j in 0..=i {
                let (row, other) = (&self.matrix[i * n..i * n + j], &self.matrix[j * n..j * n + j]);
                let known: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
                let left = self.matrix[i * n + j] - known;
                self.matrix[i * n + j] = match i == j {
                    true => left.max(f64::MIN_POSITIVE).sqrt(),
                    false => left / self.matrix[j * n + j],
                };
            }
        }
        let mut x = self.right;
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.matrix[i * n + k] * x[k]).sum();
            x[i] = (x[i] - known) / self.matrix[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| self.matrix[k * n + i] * x[k]).sum();
            x[i] = (x[i] - known) / self.matrix[i * n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_decide_where_they_speak_and_springs_elsewhere() {
        let mut equations = Equations::new(3);
        for (a, b) in [(1.0, 2.0), (2.0, -1.0), (0.5, 3.0)] {
            equations.push(&[(0, a), (2, b)], 4.0 * a - 7.0 * b, 1.0);
        }
        (0..3).for_each(|i| equations.hold(i, 0.25, 1e-9));
        let found = equations.solve();
        for (found, truth) in found.iter().zip([4.0, 0.25, -7.0]) {
            assert!((found - truth).abs() < 1e-6, "{found} for {truth}");
        }
    }
}
