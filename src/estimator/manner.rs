//! How a layer is run, as far as the layers that read it depend on that.

use super::schedule::{Place, Role};
use crate::stable_hash::{Fingerprint, fingerprint};

/// All that the price of a layer depends on which reads this one, but for what this one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) role: Role,
    pub(super) output: Place,
    pub(super) readers: u32,
    /// Bytes on the chip that no tensor needs meanwhile.
    pub(super) free: u64,
    /// Bytes of the tensors that are alive while it runs.
    pub(super) live: u64,
    /// The most bytes alive at any time while its output is.
    pub(super) peak: u64,
    /// Bytes of its output if that is kept for a later layer than the next.
    pub(super) held: u64,
    /// What the layer before it holds for later.
    pub(super) held_before: u64,
}

impl Manner {
    /// How many words it takes.
    pub(super) const WORDS: usize = 6;

    /// Stands for it and for the operation of the layer.
    pub(super) fn fingerprint(&self, operation: Fingerprint) -> Fingerprint {
        let [first, free, live, peak, held, held_before] = self.words();
        fingerprint(&[operation, first, free, live, peak, held, held_before])
    }

    pub(super) fn words(&self) -> [u64; Self::WORDS] {
        let Self { role, output, readers, free, live, peak, held, held_before } = *self;
        let places = u64::from(readers) << 16 | (role as u64) << 8 | output as u64;
        [places, free, live, peak, held, held_before]
    }

    pub(super) fn of_words([first, free, live, peak, held, held_before]: [u64; Self::WORDS]) -> Option<Self> {
        let role = [Role::Alone, Role::First, Role::Inside, Role::Last].get(usize::from((first >> 8) as u8));
        let output = [Place::OnChip, Place::OffChip, Place::Outside].get(usize::from(first as u8));
        let readers = (first >> 16) as u32;
        Some(Self { role: *role?, output: *output?, readers, free, live, peak, held, held_before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manner_is_its_words() {
        for (role, output) in
            [(Role::Alone, Place::Outside), (Role::First, Place::OnChip), (Role::Last, Place::OffChip)]
        {
            let manner = Manner {
                role,
                output,
                readers: 3,
                free: 5,
                live: 6,
                peak: u64::MAX,
                held: 7,
                held_before: 8,
            };
            assert_eq!(Manner::of_words(manner.words()), Some(manner));
        }
        assert_eq!(Manner::of_words([4 << 8, 0, 0, 0, 0, 0]), None);
    }
}
