//! Least squares with coefficients that cannot be negative.
//!
//! A latency is a sum of costs, and no cost is negative: an estimator with
//! negative prices would reward a search for adding work. The active-set method
//! of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23)
//! decides which coefficients are zero; linfa solves for the others. This is the
//! only file that knows linfa.

use linfa::{Dataset, traits::Fit as _};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, Axis};

use crate::error::{Error, Result};

/// A little ridge, relative to each column's own size: it shares a cost evenly between columns that say
/// the same, where plain least squares would split it arbitrarily.
const RIDGE: f64 = 1e-8;
/// Least gain, relative to the columns' size, for which a coefficient leaves zero.
const TOLERANCE: f64 = 1e-9;

/// A sum of squares over rows of predictors, kept as the products of all pairs of columns.
#[derive(Clone, Debug)]
pub(super) struct Normal {
    /// Square, one more than the predictors; the target is the last.
    products: Array2<f64>,
    rows: usize,
}

impl Normal {
    /// No rows yet, of `width` predictors each.
    pub(super) fn new(width: usize) -> Self {
        Self { products: Array2::zeros((width + 1, width + 1)), rows: 0 }
    }

    /// Adds a row. linfa ignores sample weights, so the row is scaled here.
    pub(super) fn push(&mut self, predictors: &[f64], target: f64, weight: f64) {
        let width = predictors.len();
        let value = |column: usize| if column == width { target } else { predictors[column] };
        for i in (0..=width).filter(|i| value(*i) != 0.0) {
            for j in i..=width {
                self.products[[i, j]] += weight * value(i) * value(j);
            }
        }
        self.rows += 1;
    }

    /// The same problem with a spring from each coefficient to where it is `at`, of the given strength.
    pub(super) fn held(&self, at: &[f64], strengths: &[f64]) -> Self {
        let mut held = self.clone();
        let last = at.len();
        for (i, (at, strength)) in at.iter().zip(strengths).enumerate() {
            held.products[[i, i]] += strength;
            held.products[[i, last]] += strength * at;
            held.products[[last, last]] += strength * at * at;
        }
        held
    }

    /// The coefficients, none negative, that bring the rows nearest to their targets.
    ///
    /// # Errors
    /// There are no rows, or they hold a number that is not finite.
    pub(super) fn solve(&self) -> Result<Vec<f64>> {
        if self.rows == 0 || self.products.iter().any(|product| !product.is_finite()) {
            return Err(Error::unusable("a regression needs rows of finite numbers"));
        }
        let scaled = Scaled::new(&self.products);
        let coefficients = scaled.active_set()?;
        Ok(coefficients.iter().zip(&scaled.sizes).map(|(c, size)| c / size).collect())
    }
}

/// The problem with columns of size one, squeezed into as many rows as columns.
struct Scaled {
    /// Size of each predictor column; one where a column is all zeros.
    sizes: Vec<f64>,
    gram: Array2<f64>,
    triangle: Array2<f64>,
}

impl Scaled {
    fn new(products: &Array2<f64>) -> Self {
        let n = products.nrows();
        let size = |i: usize| if products[[i, i]] > 0.0 { products[[i, i]].sqrt() } else { 1.0 };
        let sizes: Vec<f64> = (0..n).map(size).collect();
        let entry = |(i, j): (usize, usize)| {
            let ridge = if i == j { RIDGE } else { 0.0 };
            products[[i.min(j), i.max(j)]] / (sizes[i] * sizes[j]) + ridge
        };
        let gram = Array2::from_shape_fn((n, n), entry);
        let target = sizes[n - 1];
        let sizes = sizes[..n - 1].iter().map(|size| size / target).collect();
        Self { sizes, triangle: cholesky(&gram), gram }
    }

    fn width(&self) -> usize {
        self.sizes.len()
    }

    fn active_set(&self) -> Result<Vec<f64>> {
        let mut coefficients = vec![0.0; self.width()];
        let mut free = Vec::new();
        // Each round frees one column; cycling is impossible in exact arithmetic and cut off in ours.
        for _ in 0..4 * self.width() {
            let Some(column) = self.steepest(&coefficients, &free) else { break };
            free.push(column);
            self.descend(&mut coefficients, &mut free)?;
        }
        Ok(coefficients)
    }

    /// The column held at zero that would reduce the error most.
    fn steepest(&self, coefficients: &[f64], free: &[usize]) -> Option<usize> {
        let slope = |column: usize| {
            let fitted: f64 = coefficients.iter().enumerate().map(|(j, c)| c * self.gram[[column, j]]).sum();
            self.gram[[column, self.width()]] - fitted
        };
        let held = (0..self.width()).filter(|column| !free.contains(column));
        let slopes = held.map(|column| (column, slope(column))).filter(|(_, slope)| *slope > TOLERANCE);
        slopes.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(column, _)| column)
    }

    /// Goes to the best point of the free columns, dropping those that would turn negative.
    fn descend(&self, coefficients: &mut [f64], free: &mut Vec<usize>) -> Result<()> {
        while !free.is_empty() {
            let best = self.least_squares(free)?;
            let step = free
                .iter()
                .zip(&best)
                .filter(|(_, goal)| **goal <= 0.0)
                .map(|(column, goal)| coefficients[*column] / (coefficients[*column] - goal))
                .fold(1.0, f64::min);
            for (column, goal) in free.iter().zip(&best) {
                coefficients[*column] += step.max(0.0) * (goal - coefficients[*column]);
            }
            if best.iter().all(|goal| *goal > 0.0) {
                return Ok(());
            }
            drop_zeros(coefficients, free, &best);
        }
        Ok(())
    }

    fn least_squares(&self, columns: &[usize]) -> Result<Vec<f64>> {
        let records = self.triangle.select(Axis(1), columns);
        let targets: Array1<f64> = self.triangle.column(self.width()).to_owned();
        let model = LinearRegression::new().with_intercept(false).fit(&Dataset::new(records, targets));
        let model = model.map_err(|error| Error::unusable(format!("the regression failed: {error}")))?;
        Ok(model.params().to_vec())
    }
}

/// Holds at zero the columns whose goal is not positive and that have come down to nothing.
fn drop_zeros(coefficients: &mut [f64], free: &mut Vec<usize>, best: &[f64]) {
    let least = |column: &usize| coefficients[*column];
    let floor = free.iter().zip(best).filter(|(_, goal)| **goal <= 0.0).map(|(column, _)| least(column));
    let floor = floor.fold(f64::INFINITY, f64::min).max(0.0) * (1.0 + 1e-12) + 1e-300;
    let mut goals = best.iter();
    free.retain(|column| {
        let keep = goals.next().is_some_and(|goal| *goal > 0.0) || coefficients[*column] > floor;
        if !keep {
            coefficients[*column] = 0.0;
        }
        keep
    });
}

/// The upper triangle whose square is `gram`; rows that rounding would make imaginary are zero.
fn cholesky(gram: &Array2<f64>) -> Array2<f64> {
    let n = gram.nrows();
    let mut triangle = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        let above = |j: usize, triangle: &Array2<f64>| -> f64 {
            (0..i).map(|k| triangle[[k, i]] * triangle[[k, j]]).sum()
        };
        let pivot = gram[[i, i]] - above(i, &triangle);
        if pivot <= 0.0 {
            continue;
        }
        for j in i..n {
            triangle[[i, j]] = (gram[[i, j]] - above(j, &triangle)) / pivot.sqrt();
        }
    }
    triangle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(rows: &[(&[f64], f64)]) -> Vec<f64> {
        let mut normal = Normal::new(rows[0].0.len());
        for (predictors, target) in rows {
            normal.push(predictors, *target, 1.0);
        }
        normal.solve().unwrap()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-5 * (1.0 + b.abs())
    }

    #[test]
    fn positive_prices_are_recovered() {
        let rows: Vec<[f64; 3]> = (1..40).map(|i| [f64::from(i), f64::from(i * i % 17), 1.0]).collect();
        let priced: Vec<(&[f64], f64)> =
            rows.iter().map(|row| (row.as_slice(), 3e-6 * row[0] + 20.0 * row[1] + 0.5 * row[2])).collect();
        let found = solve(&priced);
        assert!(near(found[0], 3e-6) && near(found[1], 20.0) && near(found[2], 0.5), "{found:?}");
    }

    #[test]
    fn a_price_that_would_be_negative_is_zero() {
        let found = solve(&[(&[1.0, 0.0], 2.0), (&[1.0, 1.0], 1.0), (&[1.0, 2.0], 0.1)]);
        assert_eq!(found[1], 0.0);
        assert!(near(found[0], 3.1 / 3.0), "{found:?}");
    }

    #[test]
    fn columns_that_say_the_same_share_the_price_and_constant_zeros_cost_nothing() {
        let found = solve(&[(&[1.0, 2.0, 0.0], 4.0), (&[2.0, 4.0, 0.0], 8.0), (&[3.0, 6.0, 0.0], 12.0)]);
        assert!(near(found[0] + 2.0 * found[1], 4.0), "{found:?}");
        assert_eq!(found[2], 0.0);
    }

    /// No coefficient can be changed for the better: those above zero have no slope, the others none upwards.
    #[test]
    fn many_nearly_collinear_columns_end_at_an_optimum() {
        let wave = |i: u32, j: u32| 1.0 + (f64::from(i * (j + 3) % 23) / 7.0).sin();
        let row = |i: u32| -> Vec<f64> {
            let own = (0..8).map(|j| wave(i, j) * 10_f64.powi(j as i32 - 4));
            own.chain((0..8).map(|j| 3.0 * wave(i, j) + 1e-3 * wave(i, j + 9))).collect()
        };
        let rows: Vec<(Vec<f64>, f64)> =
            (0..200).map(|i| (row(i), 1.0 + 0.3 * wave(i, 20) + wave(i, 2) + wave(i, 5))).collect();
        let borrowed: Vec<(&[f64], f64)> = rows.iter().map(|(row, y)| (row.as_slice(), *y)).collect();
        let found = solve(&borrowed);
        let residual =
            |(row, y): &(Vec<f64>, f64)| y - row.iter().zip(&found).map(|(x, c)| x * c).sum::<f64>();
        for (column, coefficient) in found.iter().enumerate() {
            let slope: f64 = rows.iter().map(|row| row.0[column] * residual(row)).sum();
            let size: f64 = rows.iter().map(|row| row.0[column].powi(2)).sum::<f64>().sqrt();
            assert!(slope / size < 1e-3, "column {column} at {coefficient} could gain {}", slope / size);
            assert!(
                *coefficient == 0.0 || slope.abs() / size < 1e-3,
                "column {column}: {coefficient}, {slope}"
            );
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused() {
        let mut normal = Normal::new(1);
        assert!(normal.solve().is_err());
        normal.push(&[f64::NAN], 1.0, 1.0);
        assert!(normal.solve().is_err());
    }
}
