//! A fixed list of names, found in any case without going through all of it.

/// Names of up to 24 octets, of which each has a slot of its own.
pub(crate) struct Names<const N: usize> {
    names: [Name; N],
    /// The place of the name in each slot; `u8::MAX` where there is none.
    slots: [u8; SLOTS],
}

#[derive(Clone, Copy)]
struct Name {
    length: usize,
    words: Words,
    /// The bits of `words` that are the case of a letter.
    case: Words,
}

/// The octets of a name, the first lowest, with zeros behind the last.
type Words = [u64; 3];

impl<const N: usize> Names<N> {
    /// An index of `names`, which must be in upper case, for a constant: fails to compile where
    /// two of them have the same slot; then [`slot`] needs another factor.
    pub(crate) const fn new(names: [&'static str; N]) -> Self {
        let mut this = Self {
            names: [Name { length: 0, words: [0; 3], case: [0; 3] }; N],
            slots: [u8::MAX; SLOTS],
        };
        let mut place = 0;
        while place < N {
            let name = Name::new(names[place].as_bytes());
            let slot = slot(name.words);
            assert!(this.slots[slot] == u8::MAX, "two names have one slot");
            this.names[place] = name;
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

    /// The length of the word at the front of `octets`, 24 if it may go on behind them, and its
    /// place in the list. An octet of `%d0-32` ends it.
    #[inline]
    pub(crate) fn find_front(&self, octets: &[u8; 24]) -> (usize, Option<usize>) {
        let [a0, a1, a2, a3, a4, a5, a6, a7, b @ ..] = *octets;
        let [b0, b1, b2, b3, b4, b5, b6, b7, c @ ..] = b;
        let first = u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]);
        let mut words = [first, 0, 0];
        let mut length = front(&mut words[0]);
        if length == 8 {
            words[1] = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
            length += front(&mut words[1]);
            if length == 16 {
                words[2] = u64::from_le_bytes(c);
                length += front(&mut words[2]);
            }
        }
        (length, self.find_words(words, length))
    }

    #[inline]
    fn find_words(&self, words: Words, length: usize) -> Option<usize> {
        let place = usize::from(self.slots[slot(words)]);
        let found = self.names.get(place)?;
        let same = |at: usize| (words[at] ^ found.words[at]) & !found.case[at] == 0;
        // Names of one length end in the same word.
        let same = found.length == length
            && same(0)
            && (length <= 8 || same(1))
            && (length <= 16 || same(2));
        same.then_some(place)
    }
}

/// The octets in `word` before the first of `%d0-32`, which is put to zero with those behind it.
#[inline]
fn front(word: &mut u64) -> usize {
    // The lowest bit is that of the first octet below 33.
    let ends = word.wrapping_sub(EACH * 33) & !*word & (EACH * 0x80);
    if ends == 0 {
        return 8;
    }
    // All bits below the lowest, but for the seven that it shares an octet with.
    *word &= (ends ^ ends.wrapping_sub(1)) >> 8;
    (ends.trailing_zeros() / 8) as usize
}

impl Name {
    const fn new(octets: &[u8]) -> Self {
        assert!(octets.len() <= 24, "the name is too long");
        let mut name = Self { length: octets.len(), words: [0; 3], case: [0; 3] };
        let mut at = 0;
        while at < octets.len() {
            assert!(!octets[at].is_ascii_lowercase(), "the name is not in upper case");
            name.words[at / 8] |= (octets[at] as u64) << (at % 8 * 8);
            if octets[at].is_ascii_alphabetic() {
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
    // The last eight octets hold those of the last word, at its upper end.
    let last = |behind: usize| {
        let octets = name.last_chunk()?;
        Some(u64::from_le_bytes(*octets) >> (behind.saturating_sub(name.len()) * 8 % 64))
    };
    let word = |at: usize| Some(u64::from_le_bytes(*name.get(at..)?.first_chunk()?));
    Some(match name.len() {
        0..4 => [name.iter().rfold(0, |word, &octet| word << 8 | u64::from(octet)), 0, 0],
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

/// The slot of a name, the same in any case.
#[inline]
const fn slot([first, second, _]: Words) -> usize {
    let folded = (first | EACH_CASE) ^ (second | EACH_CASE).rotate_left(20);
    (folded.wrapping_mul(FACTOR) >> (64 - 7)) as usize % SLOTS
}

const EACH: u64 = 0x0101_0101_0101_0101;

/// The bit of the case in each octet.
const EACH_CASE: u64 = EACH * 0x20;

/// Found by trial: with it no two names of one list have the same slot.
const FACTOR: u64 = 0x38D9_431F_1861_0C9F;

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
            "SIXTEEN-OCTETS-X",
            "TWENTY-FOUR-OCTETS-ABCDE",
        ]);
        let names = [
            "A",
            "BC",
            "DEF",
            "GHI-",
            "SEVENTH",
            "8BITMIME",
            "NINE-NINE",
            "SIXTEEN-OCTETS-X",
            "TWENTY-FOUR-OCTETS-ABCDE",
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
                let mut octets = [b'-'; 24];
                octets[..name.len()].copy_from_slice(name.to_ascii_lowercase().as_bytes());
                octets[name.len()] = end;
                assert_eq!(NAMES.find_front(&octets), (name.len(), Some(place)), "{name}");
                octets[name.len() - 1] = 0xFF;
                assert_eq!(NAMES.find_front(&octets), (name.len(), None), "{name}");
            }
        }
        assert_eq!(NAMES.find_front(&[b'A'; 24]), (24, None));
        assert_eq!(NAMES.find_front(&[b' '; 24]), (0, None));
        assert_eq!(NAMES.find(b""), None);
        assert_eq!(NAMES.find(&[b'A'; 1000]), None);
    }
}
