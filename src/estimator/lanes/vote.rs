//! Which candidate wins, and how often it does when the rows are drawn again.

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

/// Times that the rows are drawn again.
const DRAWS: usize = 400;
/// A staircase must lessen the error by this share to win a draw.
const LEAST_GAIN: f64 = 0.003;
/// A staircase is believed if it beats none in this share of the draws.
const BELIEVED: f64 = 0.9;
/// Errors this near to each other are one and the same.
const SAME: f64 = 1e-9;
const SEED: u64 = 0x6c61_6e65_7321;

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ballot {
    /// Which candidate.
    pub(super) winner: usize,
    /// Share of the draws that it wins; candidates that cannot be told apart share a draw.
    pub(super) certainty: f64,
}

/// `losses` of each row for each candidate, the first being that there is nothing; rows with the same number
/// in `draws` are drawn together.
pub(super) fn vote(losses: &[Vec<f64>], draws: &[usize]) -> Ballot {
    let clusters = clusters(losses, draws);
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut shares = vec![0.0; losses.len()];
    let mut beaten = vec![0.0; losses.len()];
    for _ in 0..DRAWS {
        let mut sums = vec![0.0; losses.len()];
        for _ in 0..clusters.len() {
            let drawn = &clusters[random.random_range(0..clusters.len())];
            sums.iter_mut().zip(drawn).for_each(|(sum, loss)| *sum += loss);
        }
        give(&sums, &mut shares);
        let nothing = sums.first().copied().unwrap_or(0.0);
        beaten.iter_mut().zip(&sums).filter(|(_, sum)| **sum < nothing).for_each(|(count, _)| *count += 1.0);
    }
    let winner =
        (0..shares.len()).fold(0, |best, index| if shares[index] > shares[best] { index } else { best });
    let share = |counts: &[f64]| counts.get(winner).copied().unwrap_or(0.0) / DRAWS as f64;
    if winner > 0 && share(&beaten) < BELIEVED {
        return Ballot { winner: 0, certainty: 1.0 - share(&beaten) };
    }
    Ballot { winner, certainty: share(&shares) }
}

/// The sum of the losses of rows drawn together, for each candidate.
fn clusters(losses: &[Vec<f64>], draws: &[usize]) -> Vec<Vec<f64>> {
    let mut clusters = std::collections::BTreeMap::new();
    for (row, draw) in draws.iter().enumerate() {
        let sums = clusters.entry(*draw).or_insert_with(|| vec![0.0; losses.len()]);
        sums.iter_mut().zip(losses).for_each(|(sum, losses)| *sum += losses[row]);
    }
    clusters.into_values().collect()
}

/// Gives the draw to the candidate with the least sum, or to those that cannot be told apart.
fn give(sums: &[f64], shares: &mut [f64]) {
    let handicapped = |(index, sum): (usize, &f64)| if index == 0 { (1.0 - LEAST_GAIN) * sum } else { *sum };
    let least = sums.iter().copied().fold(f64::INFINITY, f64::min);
    let nothing = sums.first().copied().unwrap_or(0.0);
    // What is exactly as good as nothing is a grid that no row is off: that cannot be told.
    let tied: Vec<usize> = if nothing <= least * (1.0 + SAME) {
        (0..sums.len()).filter(|index| sums[*index] <= least * (1.0 + SAME)).collect()
    } else {
        let sums: Vec<f64> = sums.iter().enumerate().map(handicapped).collect();
        let least = sums.iter().copied().fold(f64::INFINITY, f64::min);
        (0..sums.len()).filter(|index| sums[*index] <= least * (1.0 + SAME)).collect()
    };
    tied.iter().for_each(|index| shares[*index] += 1.0 / tied.len() as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_candidate_with_the_least_loss_in_every_row_is_certain() {
        let losses = [vec![2.0; 30], vec![1.0; 30], vec![1.5; 30]];
        let draws: Vec<usize> = (0..30).collect();
        assert_eq!(vote(&losses, &draws), Ballot { winner: 1, certainty: 1.0 });
    }

    #[test]
    fn candidates_that_cannot_be_told_apart_share_the_certainty() {
        let losses = [vec![1.0; 30], vec![1.0; 30], vec![3.0; 30]];
        let draws: Vec<usize> = (0..30).collect();
        assert_eq!(vote(&losses, &draws), Ballot { winner: 0, certainty: 0.5 });
    }

    #[test]
    fn one_row_that_decides_all_is_not_believed() {
        let mut losses = [vec![1.0; 30], vec![1.0; 30]];
        losses[1][7] = 0.0;
        let draws: Vec<usize> = (0..30).collect();
        let ballot = vote(&losses, &draws);
        assert!(ballot.winner == 0 && (0.2..0.5).contains(&ballot.certainty), "{ballot:?}");
    }
}
