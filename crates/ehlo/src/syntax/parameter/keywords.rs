//! A table of keywords, which finds the one at the front of a text, in any case, by two loads and
//! two comparisons.
//!
//! # How it works
//!
//! The first two letters of a keyword, without case, are the key of a [perfect hash](perfect_hash).
//! Its slot holds the one or two keywords that begin with them. A candidate is compared as a word
//! of its first eight bytes, and a second of its last eight if it is longer. Both comparisons leave
//! out the bit of case.
//!
//! # How to change it
//!
//! A new keyword needs no change here. The compiler stops with a message if a third keyword has the
//! same first two letters (make the slots three wide), or one has more than sixteen bytes (compare
//! a third word).
//!
//! Measure with `ci/instructions`, contests `commands/parameters`, `commands/every-parameter` and
//! `hostile/two-letters`.

use crate::syntax::grammar::perfect_hash::{self, slot};
use crate::syntax::grammar::{LDH, fold, words};

/// An index of keywords, each with a value of type `K`.
pub(super) struct Keywords<K> {
    multiplier: u64,
    /// A slot with fewer than two keywords is filled with keywords that begin with other letters.
    slots: [[Keyword<K>; 2]; SLOTS],
}

/// A keyword: its first eight bytes, and its last eight if it has more.
#[derive(Clone, Copy)]
struct Keyword<K> {
    head: u64,
    tail: u64,
    /// The bits that are compared: all but the case of letters.
    head_case: u64,
    tail_case: u64,
    /// The offset of the last eight bytes; 0 if the first eight are the whole keyword.
    tail_at: u8,
    length: u8,
    value: K,
}

impl<K: Copy> Keywords<K> {
    /// An index of `keywords`, for a constant.
    pub(super) const fn new<const N: usize>(keywords: [(&'static str, K); N]) -> Self {
        let mut pairs = [0; N];
        let mut i = 0;
        while i < N {
            pairs[i] = pair(Keyword::new(keywords[i]).head);
            i += 1;
        }
        let multiplier = perfect_hash::multiplier::<SLOTS>(&pairs);
        let mut slots = [[Keyword::new(keywords[0]); 2]; SLOTS];
        let mut used = [0; SLOTS];
        let mut i = 0;
        while i < N {
            let keyword = Keyword::new(keywords[i]);
            let at = slot::<SLOTS>(pair(keyword.head), multiplier);
            assert!(used[at] < 2, "three keywords begin with the same two letters");
            slots[at][used[at]] = keyword;
            used[at] += 1;
            i += 1;
        }
        Self { multiplier, slots }
    }

    /// The value of the keyword, in any case, that stands at the front of `input`.
    #[inline]
    pub(super) fn find(&self, input: &[u8]) -> Option<K> {
        let keyword = self.starting(input, words::load(input))?;
        let next = input.get(usize::from(keyword.length));
        (!next.is_some_and(|byte| LDH[usize::from(*byte)])).then_some(keyword.value)
    }

    /// The value of the keyword with which `input` starts, in any case; `word` is the first
    /// [word](words::load) of `input`. The keyword in `input` may be a longer one.
    #[inline]
    pub(super) fn find_start(&self, input: &[u8], word: u64) -> Option<K> {
        self.starting(input, word).map(|keyword| keyword.value)
    }

    #[inline]
    fn starting(&self, input: &[u8], word: u64) -> Option<&Keyword<K>> {
        let [first, second] = &self.slots[slot::<SLOTS>(pair(word), self.multiplier)];
        let keyword = if first.is_headed(word) {
            first
        } else if second.is_headed(word) {
            second
        } else {
            return None;
        };
        // Its first bytes were compared; the others follow.
        if keyword.tail_at > 0 {
            let tail = input.get(usize::from(keyword.tail_at)..).map_or(0, words::load);
            if (tail ^ keyword.tail) & keyword.tail_case != 0 {
                return None;
            }
        }
        Some(keyword)
    }
}

impl<K: Copy> Keyword<K> {
    const fn new((keyword, value): (&'static str, K)) -> Self {
        let keyword = keyword.as_bytes();
        assert!(matches!(keyword.len(), 2..=16), "a keyword has two to sixteen bytes here");
        let tail_at = keyword.len().saturating_sub(8);
        let (head, head_case) = word(keyword, 0);
        let (tail, tail_case) = word(keyword, tail_at);
        #[allow(clippy::cast_possible_truncation)] // sixteen at most
        let (tail_at, length) = (tail_at as u8, keyword.len() as u8);
        Self { head, tail, head_case, tail_case, tail_at, length, value }
    }

    /// Returns `true` if `word` begins with the first bytes of the keyword.
    #[inline]
    const fn is_headed(&self, word: u64) -> bool {
        (word ^ self.head) & self.head_case == 0
    }
}

const SLOTS: usize = 64;

/// The value that selects the slot: the first two letters of a word, without their case and without
/// all bytes behind them.
const fn pair(word: u64) -> u64 {
    word & 0xDFDF
}

/// Eight bytes of a keyword from `start` on, padded with zeros, and the bits of them that are
/// compared.
const fn word(keyword: &[u8], start: usize) -> (u64, u64) {
    let (mut bytes, mut case) = (0, 0);
    let mut i = 0;
    while i < 8 && start + i < keyword.len() {
        let byte = keyword[start + i];
        bytes |= (byte as u64) << (8 * i);
        case |= (fold(byte) as u64) << (8 * i);
        i += 1;
    }
    (bytes, case)
}
