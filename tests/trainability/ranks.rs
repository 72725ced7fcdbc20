//! Rank correlations.

/// Ranks with ties shared.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = start as f64 + (tied.len() - 1) as f64 / 2.0;
        tied.iter().for_each(|index| ranks[*index] = rank);
        start += tied.len();
    }
    ranks
}

/// Spearman's ρ: Pearson's correlation of the ranks.
pub(crate) fn spearman(x: &[f64], y: &[f64]) -> f64 {
    let (x, y) = (ranks(x), ranks(y));
    let middle = (x.len() - 1) as f64 / 2.0;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
}

/// Kendall's τ-b.
pub(crate) fn kendall(x: &[f64], y: &[f64]) -> f64 {
    let sign = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
    let (mut both, mut in_x, mut in_y) = (0, 0, 0);
    for i in 0..x.len() {
        for j in 0..i {
            let (dx, dy) = (sign(x[i], x[j]), sign(y[i], y[j]));
            both += dx * dy;
            in_x += dx * dx;
            in_y += dy * dy;
        }
    }
    both as f64 / (in_x as f64 * in_y as f64).sqrt()
}

/// The partial rank correlation of `x` and `y` at equal `z`.
#[allow(dead_code, reason = "not every program that shares this file needs it")]
pub(crate) fn partial(x: &[f64], y: &[f64], z: &[f64]) -> f64 {
    let (xy, xz, yz) = (spearman(x, y), spearman(x, z), spearman(y, z));
    (xy - xz * yz) / ((1.0 - xz * xz) * (1.0 - yz * yz)).sqrt()
}
