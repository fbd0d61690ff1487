//! Perfect hashes: one multiplication gives each of a few dozen keys a slot that no other key has.
//!
//! [`Names`](crate::syntax::keyword::Names) finds whole keywords with it,
//! [`Keywords`](crate::syntax::parameter) the keywords of parameters, and
//! [`Verb`](crate::syntax::command::Verb) the verbs of commands.
//!
//! The slot of a key is the upper bits of its product with a multiplier: two instructions. The
//! compiler tries one multiplier after the other until no two keys share a slot, so a new key needs
//! no search by hand. If it finds no multiplier, the table needs twice the slots.

/// The slot of `key` among `SLOTS`, a power of two.
#[inline]
pub(crate) const fn slot<const SLOTS: usize>(key: u64, multiplier: u64) -> usize {
    // The remainder shows the compiler that the value is below `SLOTS`.
    #[allow(clippy::cast_possible_truncation)]
    {
        (key.wrapping_mul(multiplier) >> (64 - SLOTS.trailing_zeros())) as usize % SLOTS
    }
}

/// A multiplier that gives different `keys` different slots: the first of a fixed sequence.
pub(crate) const fn multiplier<const SLOTS: usize>(keys: &[u64]) -> u64 {
    let mut multiplier = 0x9E37_79B9_7F4A_7C15_u64;
    let mut tries = 0;
    while tries < MOST_TRIES {
        if is_perfect::<SLOTS>(keys, multiplier) {
            return multiplier;
        }
        // Knuth's generator for MMIX.
        multiplier = multiplier
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        tries += 1;
    }
    panic!("no multiplier was found: the table needs more slots");
}

/// Returns `true` if no two different keys have the same slot.
const fn is_perfect<const SLOTS: usize>(keys: &[u64], multiplier: u64) -> bool {
    let mut taken = [false; SLOTS];
    let mut holds = [0; SLOTS];
    let mut i = 0;
    while i < keys.len() {
        let at = slot::<SLOTS>(keys[i], multiplier);
        if taken[at] && holds[at] != keys[i] {
            return false;
        }
        (taken[at], holds[at]) = (true, keys[i]);
        i += 1;
    }
    true
}

const MOST_TRIES: u32 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_slot() {
        const KEYS: [u64; 6] = [0, 1, 2, 0x4849, u64::MAX, 1 << 63];
        const MULTIPLIER: u64 = multiplier::<16>(&KEYS);
        let mut taken = [false; 16];
        for key in KEYS {
            let at = slot::<16>(key, MULTIPLIER);
            assert!(!taken[at], "{key}");
            taken[at] = true;
        }
    }

    #[test]
    fn the_same_key_twice_is_one_key() {
        assert!(is_perfect::<2>(&[7, 7], 3));
    }
}
