//! Linear programs with a handful of variables.
//!
//! The simplex method on a dense tableau (Dantzig 1951), for maxima where all variables at zero are a solution. Libraries
//! for large programs tell the solution but not the dual, which is what is wanted here as well.

/// Pivots until it is taken for stuck; what has been reached by then is a solution all the same.
const MOST_PIVOTS: usize = 2_000;
/// Pivots by the steepest column; after these the first column counts, which never goes in circles (Bland 1977).
const STEEPEST: usize = 500;
const TINY: f64 = 1e-9;

/// Where the maximum lies.
#[derive(Clone, Debug)]
pub(super) struct Optimum {
    pub(super) value: f64,
    pub(super) variables: Vec<f64>,
    /// How much the maximum would rise with each row's limit.
    pub(super) duals: Vec<f64>,
}

/// The maximum of `objective · x` over `x ≥ 0` with `row · x ≤ limit` for all rows, whose limits must not be negative.
pub(super) fn maximum(objective: &[f64], rows: &[(Vec<f64>, f64)]) -> Optimum {
    let (variables, width) = (objective.len(), objective.len() + rows.len() + 1);
    let mut table: Vec<Vec<f64>> = Vec::with_capacity(rows.len() + 1);
    for (index, (row, limit)) in rows.iter().enumerate() {
        let mut line = vec![0.0; width];
        line[..variables].copy_from_slice(row);
        line[variables + index] = 1.0;
        line[width - 1] = limit.max(0.0);
        table.push(line);
    }
    let mut gains = vec![0.0; width];
    gains[..variables].iter_mut().zip(objective).for_each(|(gain, worth)| *gain = -worth);
    table.push(gains);
    let mut basis: Vec<usize> = (variables..width - 1).collect();
    for pivot in 0..MOST_PIVOTS {
        let Some(column) = entering(&table[rows.len()][..width - 1], pivot < STEEPEST) else { break };
        let Some(row) = leaving(&table[..rows.len()], column, &basis) else { break };
        turn(&mut table, row, column);
        basis[row] = column;
    }
    let mut solution = vec![0.0; width - 1];
    for (row, variable) in basis.iter().enumerate() {
        solution[*variable] = table[row][width - 1];
    }
    solution.truncate(variables);
    let last = &table[rows.len()];
    Optimum { value: last[width - 1], variables: solution, duals: last[variables..width - 1].to_vec() }
}

/// The column that makes the maximum rise.
fn entering(gains: &[f64], steepest: bool) -> Option<usize> {
    let mut rising = (0..gains.len()).filter(|column| gains[*column] < -TINY);
    if steepest { rising.min_by(|a, b| gains[*a].total_cmp(&gains[*b])) } else { rising.next() }
}

/// The row that limits a column first.
fn leaving(rows: &[Vec<f64>], column: usize, basis: &[usize]) -> Option<usize> {
    let ratio = |row: usize| rows[row][rows[row].len() - 1] / rows[row][column];
    let limiting = (0..rows.len()).filter(|row| rows[*row][column] > TINY);
    limiting.min_by(|a, b| ratio(*a).total_cmp(&ratio(*b)).then(basis[*a].cmp(&basis[*b])))
}

fn turn(table: &mut [Vec<f64>], row: usize, column: usize) {
    let by = table[row][column];
    table[row].iter_mut().for_each(|value| *value /= by);
    let pivot = table[row].clone();
    for (_, line) in table.iter_mut().enumerate().filter(|(index, _)| *index != row) {
        let times = line[column];
        if times != 0.0 {
            line.iter_mut().zip(&pivot).for_each(|(value, from)| *value -= times * from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_lies_in_a_corner_and_duals_tell_what_limits_are_worth() {
        // Wyndor Glass (Hillier & Lieberman): 3 x + 5 y; x <= 4, 2 y <= 12, 3 x + 2 y <= 18.
        let rows = [(vec![1.0, 0.0], 4.0), (vec![0.0, 2.0], 12.0), (vec![3.0, 2.0], 18.0)];
        let optimum = maximum(&[3.0, 5.0], &rows);
        assert_eq!((optimum.value, optimum.variables), (36.0, vec![2.0, 6.0]));
        assert_eq!(optimum.duals, [0.0, 1.5, 1.0]);
    }

    #[test]
    fn a_degenerate_program_comes_to_an_end() {
        // Beale's example, where always taking the steepest column goes in circles.
        let rows = [
            (vec![0.25, -60.0, -0.04, 9.0], 0.0),
            (vec![0.5, -90.0, -0.02, 3.0], 0.0),
            (vec![0.0, 0.0, 1.0, 0.0], 1.0),
        ];
        let optimum = maximum(&[0.75, -150.0, 0.02, -6.0], &rows);
        assert!((optimum.value - 0.05).abs() < 1e-9, "{optimum:?}");
    }
}
