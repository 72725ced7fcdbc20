//! The rank test of Mann and Whitney: whether one set of samples tends to be larger than another.
//!
//! Ranks and not means, since latencies have long tails and a few interrupted
//! runs would decide a test of means. Source: H. B. Mann and D. R. Whitney,
//! "On a test of whether one of two random variables is stochastically larger
//! than the other", Annals of Mathematical Statistics 18 (1947), for the
//! statistic and the recursion of its exact distribution; E. L. Lehmann,
//! "Nonparametrics" (1975), section 1.4, for the variance under ties.

/// Samples of each set up to which the distribution is counted out; with more, the normal curve is as good.
const MOST_EXACT: usize = 40;

/// How a rank test came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RankTest {
    /// Pairs in which the second set's sample is larger; a tie counts half.
    pub(super) u: f64,
    /// The probability of a difference at least this large, in either direction, if there were none.
    pub(super) p: f64,
    /// Whether `p` was counted out; it is an approximation by the normal curve otherwise.
    pub(super) exact: bool,
}

/// Tests two sets of finite samples; none where either is empty.
pub(super) fn rank_test(first: &[f64], second: &[f64]) -> Option<RankTest> {
    let (m, n) = (first.len(), second.len());
    if m == 0 || n == 0 {
        return None;
    }
    let mut sorted = first.to_vec();
    sorted.sort_by(f64::total_cmp);
    // A win counts two and a tie one: those below, and those not above.
    let halves = |b: &f64| sorted.partition_point(|a| a < b) + sorted.partition_point(|a| a <= b);
    let u = second.iter().map(halves).sum::<usize>() as f64 / 2.0;
    let ties = ties(first, second);
    let exact = ties == 0.0 && m.max(n) <= MOST_EXACT;
    let p = if exact { exact_p(m, n, u) } else { normal_p(m as f64, n as f64, u, ties) };
    Some(RankTest { u, p, exact })
}

/// The sum of t³ − t over groups of t equal samples.
fn ties(first: &[f64], second: &[f64]) -> f64 {
    let mut all = [first, second].concat();
    all.sort_by(f64::total_cmp);
    let groups = all.chunk_by(|a, b| a == b).map(|group| group.len() as f64);
    groups.map(|t| t * t * t - t).sum()
}

/// Twice the smaller tail of the distribution of U, which is symmetric.
fn exact_p(m: usize, n: usize, u: f64) -> f64 {
    let smaller = u.min((m * n) as f64 - u) as usize;
    let tail: f64 = distribution(m, n).iter().take(smaller + 1).sum();
    (2.0 * tail).min(1.0)
}

/// The probability of each value of U without ties.
///
/// The largest of all samples is one of the first `m` or one of the other `n`: p(u; m, n) =
/// m/(m+n) p(u; m−1, n) + n/(m+n) p(u−m; m, n−1), where U counts pairs won by the others.
fn distribution(m: usize, n: usize) -> Vec<f64> {
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for i in 1..=m {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for (j, fewer) in row.iter().enumerate().skip(1) {
            let (first, second) = (i as f64 / (i + j) as f64, j as f64 / (i + j) as f64);
            let mut counts = vec![0.0; i * j + 1];
            counts.iter_mut().zip(fewer).for_each(|(count, p)| *count += first * p);
            let shorter = next.last().map_or(&[][..], Vec::as_slice);
            counts.iter_mut().skip(i).zip(shorter).for_each(|(count, p)| *count += second * p);
            next.push(counts);
        }
        row = next;
    }
    row.pop().unwrap_or_default()
}

/// Both tails of the normal curve, with the correction for continuity and for ties.
fn normal_p(m: f64, n: f64, u: f64, ties: f64) -> f64 {
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let distance = ((u - m * n / 2.0).abs() - 0.5).max(0.0);
    // All samples alike: nothing differs.
    if variance <= 0.0 { 1.0 } else { erfc(distance / (2.0 * variance).sqrt()).min(1.0) }
}

/// The complementary error function from zero on.
///
/// Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964): the series 7.1.6 where it is short, the
/// continued fraction 7.1.14 beyond.
fn erfc(x: f64) -> f64 {
    const TERMS: u32 = 80;
    let gauss = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let mut term = x;
        let mut sum = x;
        for k in 1..=TERMS {
            term *= 2.0 * x * x / f64::from(2 * k + 1);
            sum += term;
        }
        return 1.0 - 2.0 * gauss * sum;
    }
    gauss / (1..=TERMS).rev().fold(x, |below, k| x + f64::from(k) / 2.0 / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(first: &[f64], second: &[f64]) -> f64 {
        rank_test(first, second).unwrap().p
    }

    /// The two-sided p of U by the exact distribution.
    fn p_of(m: usize, n: usize, u: usize) -> f64 {
        exact_p(m, n, u as f64)
    }

    #[test]
    fn small_samples_are_as_counted_by_hand() {
        assert!((p(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]) - 2.0 / 20.0).abs() < 1e-12);
        assert!((p(&[1.0, 2.0], &[3.0]) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(p(&[1.0], &[2.0]), 1.0, "one sample each tells nothing");
        assert!(rank_test(&[], &[1.0]).is_none());
    }

    /// Critical values for a two-sided test at 5 %, as in every table since Mann and Whitney's.
    #[test]
    fn critical_values_are_those_of_the_tables() {
        for (m, n, critical) in
            [(5, 5, 2), (6, 6, 5), (8, 8, 13), (10, 10, 23), (5, 10, 8), (15, 15, 64), (20, 20, 127)]
        {
            assert!(p_of(m, n, critical) <= 0.05, "{m} {n}: {}", p_of(m, n, critical));
            assert!(p_of(m, n, critical + 1) > 0.05, "{m} {n}: {}", p_of(m, n, critical + 1));
        }
    }

    /// The distribution against every way to choose which ranks are the first set's.
    #[test]
    fn the_recursion_is_what_counting_gives() {
        let (m, n) = (4_usize, 5_usize);
        let mut counts = vec![0.0; m * n + 1];
        for chosen in 0_u32..1 << (m + n) {
            if chosen.count_ones() as usize == m {
                let bits = |rank: &usize| chosen >> rank & 1 == 1;
                let wins = (0..m + n).filter(|rank| !bits(rank));
                counts[wins.map(|rank| (0..rank).filter(bits).count()).sum::<usize>()] += 1.0;
            }
        }
        for (found, count) in distribution(m, n).iter().zip(&counts) {
            assert!((found - count / 126.0).abs() < 1e-15, "{found} {count}");
        }
    }

    /// The worked example in the documentation of SciPy's `mannwhitneyu`: U = 17 of 5 and 4 samples.
    #[test]
    fn a_published_example_gives_its_published_values() {
        let (males, females) = ([19.0, 22.0, 16.0, 29.0, 24.0], [20.0, 11.0, 17.0, 12.0]);
        let test = rank_test(&females, &males).unwrap();
        assert_eq!((test.u, test.exact), (17.0, true));
        assert!((test.p - 0.111_111_111_111_111_1).abs() < 1e-12, "{}", test.p);
        assert!((normal_p(5.0, 4.0, 17.0, 0.0) - 0.111_346_886_533_140_41).abs() < 1e-12);
    }

    #[test]
    fn ties_take_the_normal_curve_with_less_variance() {
        let test = rank_test(&[1.0, 2.0, 2.0, 3.0], &[2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!(!test.exact);
        assert_eq!(test.u, 13.5);
        // 16/12 (9 − (24 + 6)/56) = 11.2857; (13.5 − 8 − 0.5)/3.35943 = 1.48835.
        assert!((test.p - erfc(1.488_35 / 2.0_f64.sqrt())).abs() < 1e-5, "{}", test.p);
        assert_eq!(p(&[2.0; 12], &[2.0; 12]), 1.0);
    }

    #[test]
    fn the_normal_curve_has_its_known_tails() {
        for (z, both_tails) in [
            (0.0, 1.0),
            (1.0, 0.317_310_507_862_914_15),
            (1.959_963_984_540_054, 0.05),
            (2.575_829_303_548_900_4, 0.01),
            (3.290_526_731_491_894, 0.001),
        ] {
            let found = erfc(z / 2.0_f64.sqrt());
            assert!((found - both_tails).abs() < 1e-13, "{z}: {found}");
        }
    }

    #[test]
    fn both_ways_agree_where_both_can_be_taken() {
        for u in [300, 420, 500] {
            let difference = p_of(35, 35, u) - normal_p(35.0, 35.0, u as f64, 0.0);
            assert!(difference.abs() < 2e-3, "{u}: {difference}");
        }
    }
}
