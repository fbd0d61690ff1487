//! An index over a fixed list of names, which finds one in any case without a search through the
//! list: the EHLO keywords and the SASL mechanisms.
//!
//! # How it works
//!
//! A name is up to three words of eight bytes. The first two, without case, form the key of a
//! [perfect hash](perfect_hash), whose slot holds the only name that can match. That name is
//! compared word by word, without the bits of case. [`Names::find_front`] finds the end of the name
//! with the same words.
//!
//! # How to change it
//!
//! A new name needs no change here. The compiler stops with a message if two names have one key
//! (fold the third word in as well) or a name is longer than 24 bytes (compare a fourth word).
//!
//! Measure with `ci/instructions`, contest `replies/ehlo`.

use crate::syntax::grammar::perfect_hash;
use crate::syntax::grammar::words::{self, EACH, before, below, first, halves, load_few};

/// Names of up to 24 bytes; each has a slot that no other name shares.
pub(crate) struct Names<const N: usize> {
    list: [Name; N],
    multiplier: u64,
    /// The index of the name in each slot; `u8::MAX` for an empty slot.
    slots: [u8; SLOTS],
}

#[derive(Clone, Copy)]
struct Name {
    length: usize,
    words: Words,
    /// The bits of `words` that hold the case of a letter.
    case: Words,
}

/// The bytes of a name, the first lowest, with zeros behind the last.
type Words = [u64; 3];

impl<const N: usize> Names<N> {
    /// An index of `names`, which must be in upper case, for a constant.
    pub(crate) const fn new(names: [&'static str; N]) -> Self {
        let mut this = Self {
            list: [Name { length: 0, words: [0; 3], case: [0; 3] }; N],
            multiplier: 0,
            slots: [u8::MAX; SLOTS],
        };
        let mut keys = [0; N];
        let mut place = 0;
        while place < N {
            this.list[place] = Name::new(names[place].as_bytes());
            keys[place] = key(this.list[place].words);
            place += 1;
        }
        this.multiplier = perfect_hash::multiplier::<SLOTS>(&keys);
        let mut place = 0;
        while place < N {
            let slot = perfect_hash::slot::<SLOTS>(keys[place], this.multiplier);
            assert!(this.slots[slot] == u8::MAX, "two names have one key");
            // Fewer than 128, or else two of them had one slot.
            #[allow(clippy::cast_possible_truncation)]
            {
                this.slots[slot] = place as u8;
            }
            place += 1;
        }
        this
    }

    /// The place of `name` in the list, in any case.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.find_words(words(name)?, name.len())
    }

    /// The length of the word at the front of `bytes`, 24 if it may be longer, and its index in the
    /// list. A byte of `%d0-32` ends the word.
    #[inline]
    pub(crate) fn find_front(&self, bytes: &[u8]) -> (usize, Option<usize>) {
        let (low, high) = match bytes.first_chunk::<16>() {
            Some(bytes) => halves(*bytes),
            None => words(bytes).map_or((0, 0), |[low, high, _]| (low, high)),
        };
        let (low_end, high_end) = (end(low), end(high));
        let mut words = [low & before(low_end), high & before(high_end), 0];
        let length = if low_end != 0 {
            words[1] = 0;
            first(low_end)
        } else if high_end != 0 {
            8 + first(high_end)
        } else {
            let rest = bytes.get(16..).unwrap_or_default();
            let last = words::load(rest);
            let end = end(last);
            words[2] = last & before(end);
            16 + first(end)
        };
        (length, self.find_words(words, length))
    }

    #[inline]
    fn find_words(&self, words: Words, length: usize) -> Option<usize> {
        let slot = perfect_hash::slot::<SLOTS>(key(words), self.multiplier);
        let place = usize::from(self.slots[slot]);
        let found = self.list.get(place)?;
        let differs = |at: usize| (words[at] ^ found.words[at]) & !found.case[at];
        // Names of one length end in the same word.
        let same = found.length == length
            && differs(0) | differs(1) == 0
            && (length <= 16 || differs(2) == 0);
        same.then_some(place)
    }
}

/// The lowest bit is that of the first byte of `%d0-32`.
#[inline]
const fn end(word: u64) -> u64 {
    below(word, 33)
}

impl Name {
    const fn new(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= 24, "the name is too long");
        let mut name = Self { length: bytes.len(), words: [0; 3], case: [0; 3] };
        let mut at = 0;
        while at < bytes.len() {
            assert!(!bytes[at].is_ascii_lowercase(), "the name is not in upper case");
            name.words[at / 8] |= (bytes[at] as u64) << (at % 8 * 8);
            if bytes[at].is_ascii_alphabetic() {
                name.case[at / 8] |= 0x20 << (at % 8 * 8);
            }
            at += 1;
        }
        name
    }
}

/// `name` as words, unless it is longer than they are.
#[inline]
fn words(name: &[u8]) -> Option<Words> {
    // The last eight bytes hold those of the last word, at its upper end.
    let last = |behind: usize| {
        let bytes = name.last_chunk()?;
        Some(u64::from_le_bytes(*bytes) >> (behind.saturating_sub(name.len()) * 8 % 64))
    };
    let word = |at: usize| Some(u64::from_le_bytes(*name.get(at..)?.first_chunk()?));
    Some(match name.len() {
        0..4 => [load_few(name), 0, 0],
        length @ 4..8 => {
            let first = u64::from(u32::from_le_bytes(*name.first_chunk()?));
            let last = u64::from(u32::from_le_bytes(*name.last_chunk()?));
            [first | last << ((length - 4) * 8), 0, 0]
        }
        8 => [word(0)?, 0, 0],
        9..=16 => [word(0)?, last(16)?, 0],
        17..=24 => [word(0)?, word(8)?, last(24)?],
        _ => return None,
    })
}

/// The value that selects the slot of a name; the same in any case.
#[inline]
const fn key([first, second, _]: Words) -> u64 {
    (first | EACH_CASE) ^ (second | EACH_CASE).rotate_left(20)
}

/// The bit of the case in each byte.
const EACH_CASE: u64 = EACH * 0x20;

const SLOTS: usize = 128;

#[cfg(test)]
mod tests {
    extern crate std;

    use super::Names;

    #[test]
    fn names_of_every_length() {
        const NAMES: Names<9> = Names::new([
            "A",
            "BC",
            "DEF",
            "GHI-",
            "SEVENTH",
            "8BITMIME",
            "NINE-NINE",
            "SIXTEEN-BYTES-X",
            "TWENTY-FOUR-BYTES-ABCDE",
        ]);
        let names = [
            "A",
            "BC",
            "DEF",
            "GHI-",
            "SEVENTH",
            "8BITMIME",
            "NINE-NINE",
            "SIXTEEN-BYTES-X",
            "TWENTY-FOUR-BYTES-ABCDE",
        ];
        for (place, name) in names.into_iter().enumerate() {
            assert_eq!(NAMES.find(name.as_bytes()), Some(place), "{name}");
            assert_eq!(NAMES.find(name.to_ascii_lowercase().as_bytes()), Some(place), "{name}");
            for at in 0..name.len() {
                let mut near = name.as_bytes().to_vec();
                near[at] ^= 0x10;
                assert_eq!(NAMES.find(&near), None, "{name}");
                near[at] = name.as_bytes()[at] ^ 0x20;
                assert_eq!(NAMES.find(&near).is_some(), near[at].is_ascii_alphabetic(), "{name}");
                near.truncate(at);
                assert_eq!(NAMES.find(&near), None, "{name}");
            }
            for more in ["\0", " ", "X"] {
                assert_eq!(NAMES.find((std::string::String::from(name) + more).as_bytes()), None);
            }
        }
        for (place, name) in names.into_iter().enumerate().take(8) {
            for end in [b' ', b'\r', b'\0', b'\t'] {
                let mut bytes = [b'-'; 24];
                bytes[..name.len()].copy_from_slice(name.to_ascii_lowercase().as_bytes());
                bytes[name.len()] = end;
                assert_eq!(NAMES.find_front(&bytes), (name.len(), Some(place)), "{name}");
                bytes[name.len() - 1] = 0xFF;
                assert_eq!(NAMES.find_front(&bytes), (name.len(), None), "{name}");
            }
        }
        assert_eq!(NAMES.find_front(&[b'A'; 24]), (24, None));
        assert_eq!(NAMES.find_front(&[b' '; 24]), (0, None));
        assert_eq!(NAMES.find(b""), None);
        assert_eq!(NAMES.find(&[b'A'; 1000]), None);
    }
}
