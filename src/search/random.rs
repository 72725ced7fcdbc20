//! Random numbers that depend on seed, generation and index, never on the thread.

use rand::{Rng as _, SeedableRng, rngs::ChaCha8Rng};

/// The generator of every random choice of a search.
pub type Rng = ChaCha8Rng;

/// The independent streams of one seed.
pub(crate) struct Streams {
    key: [u8; 32],
}

impl Streams {
    pub(crate) fn new(seed: u64) -> Self {
        Self { key: Rng::seed_from_u64(seed).get_seed() }
    }

    /// The stream for the `index`-th proposal of a generation.
    pub(crate) fn stream(&self, generation: u64, index: usize) -> Rng {
        let mut rng = Rng::from_seed(self.key);
        begin(&mut rng, generation, index);
        rng
    }
}

/// Makes another stream of the same seed out of one, which is cheaper than a new one: a generator is large.
pub(crate) fn begin(rng: &mut Rng, generation: u64, index: usize) {
    rng.set_stream(generation << 32 | index as u64);
}

/// A whole number below `limit` by multiply and shift; the bias is below `limit / 2^32`.
pub(crate) fn below(rng: &mut Rng, limit: usize) -> usize {
    ((u64::from(rng.next_u32()) * limit as u64) >> 32) as usize
}

/// True with probability `p`.
pub(crate) fn chance(rng: &mut Rng, p: f64) -> bool {
    unit(rng) < p
}

/// A number from 0 to below 1.
pub(crate) fn unit(rng: &mut Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_generation_and_index_only() {
        let draw = |seed, generation, index| Streams::new(seed).stream(generation, index).next_u64();
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        let others = [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)];
        assert!(others.iter().all(|other| *other != draw(1, 2, 3)));
    }

    #[test]
    fn a_stream_that_is_used_again_begins_anew() {
        let streams = Streams::new(1);
        for drawn in [0, 1, 7, 64, 100] {
            let mut rng = streams.stream(5, 6);
            (0..drawn).for_each(|_| {
                rng.next_u32();
            });
            begin(&mut rng, 2, 3);
            let mut expected = streams.stream(2, 3);
            assert!((0..200).all(|_| rng.next_u32() == expected.next_u32()), "after {drawn}");
        }
    }

    #[test]
    fn numbers_below_a_limit_reach_every_value_and_no_more() {
        let mut rng = Streams::new(0).stream(0, 0);
        let mut met = [false; 5];
        (0..200).for_each(|_| met[below(&mut rng, 5)] = true);
        assert_eq!(met, [true; 5]);
    }
}
