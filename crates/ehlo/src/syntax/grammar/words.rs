//! Eight bytes at a time: the tricks with `u64` that the other files share.
//!
//! A word holds eight bytes of input, the first in its lowest bits. An operation on the word acts
//! on all eight bytes, as long as nothing carries from a byte into the next. A result is a set of
//! high bits, one for each byte. If an operation does carry, its lowest set bit is still right and
//! the bits above it may be wrong, so callers may use the lowest alone, through [`first`].
//!
//! # How to change it
//!
//! - A new comparison: write it as [`below`] of a word that was prepared by `^` with [`spread`], or as
//!   sums that cannot carry; the tests below go through all 256 values at all eight places, so add a
//!   row there.
//! - Wider runs, of which the end depends on the byte before, are in [`scan`](super::scan), in a form
//!   that the compiler turns into vector instructions. For a run of fewer than about sixteen bytes a
//!   word is faster than a vector, and a plain loop is faster than a word below about four.
//! - Measure with `ci/instructions`: contests `replies/multi` ([`find_lf`], [`not_printable`]),
//!   `replies/ehlo` (keywords, by [`below`]), `decode/dots-1MiB` and `encode/dots-1MiB`
//!   ([`until`]), `commands/core` ([`load`], [`line_feed`]).

/// The value 1 in each byte of a word.
pub(crate) const EACH: u64 = u64::MAX / 0xFF;

/// The high bit of each byte of a word.
const HIGH: u64 = EACH << 7;

/// A word of eight equal bytes.
#[inline]
pub(crate) const fn spread(byte: u8) -> u64 {
    byte as u64 * EACH
}

/// The first eight bytes of `input`, padded with zeros if it is shorter.
#[inline]
pub(crate) fn load(input: &[u8]) -> u64 {
    match input.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => load_few(input),
    }
}

/// Fewer than eight bytes, padded with zeros.
#[inline]
pub(crate) fn load_few(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// Sixteen bytes as two words.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the two halves
pub(crate) fn halves(bytes: [u8; 16]) -> (u64, u64) {
    let bytes = u128::from_le_bytes(bytes);
    (bytes as u64, (bytes >> 64) as u64)
}

/// The high bit of each byte that is below `limit`, which is at most 128; bytes above the lowest
/// such byte may have theirs set as well.
#[inline]
pub(crate) const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(spread(limit)) & !word & HIGH
}

/// The high bit of each byte that is `byte`, as by [`below`].
#[inline]
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ spread(byte), 1)
}

/// The high bit of the first byte outside `%d32-126`, and perhaps bits above it.
#[inline]
pub(crate) const fn not_printable(word: u64) -> u64 {
    // Below 32 the subtraction borrows, 127 becomes 128, and above it the bit is set already.
    (word.wrapping_sub(spread(0x20)) | word.wrapping_add(EACH) | word) & HIGH
}

/// The index of the byte with the lowest bit of a set; 8 if the set is empty.
#[inline]
pub(crate) const fn first(bits: u64) -> usize {
    (bits.trailing_zeros() / 8) as usize
}

/// The bits of the bytes before the first of a set; all bits if it is empty.
#[inline]
pub(crate) const fn before(bits: u64) -> u64 {
    ((bits & bits.wrapping_neg()) >> 7).wrapping_sub(1)
}

/// The number of bytes of `input` before the first that `found` selects, which must not select a
/// space; all if it selects no byte.
#[inline]
pub(crate) fn until(input: &[u8], found: impl Fn(u64) -> u64) -> usize {
    let mut passed = 0;
    let words = input.chunks_exact(8);
    let rest = words.remainder();
    for word in words {
        let found = found(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        if found != 0 {
            return passed + first(found);
        }
        passed += 8;
    }
    let mut last = [b' '; 8];
    for (byte, rest) in last.iter_mut().zip(rest) {
        *byte = *rest;
    }
    passed + rest.len().min(first(found(u64::from_le_bytes(last))))
}

/// The place of the first LF in a short line, as those of replies are: by words.
#[inline]
pub(crate) fn find_lf(input: &[u8]) -> Option<usize> {
    let mut rest = input;
    while let Some((word, after)) = rest.split_first_chunk() {
        let found = equal(u64::from_le_bytes(*word), b'\n');
        if found != 0 {
            return Some(input.len() - rest.len() + first(found));
        }
        rest = after;
    }
    Some(input.len() - rest.len() + rest.iter().position(|&byte| byte == b'\n')?)
}

/// The place of the first LF in a line that may be long: by vectors, except for the first few
/// bytes, for which a wide search takes longer to set up than to run.
#[inline]
pub(crate) fn line_feed(input: &[u8]) -> Option<usize> {
    if input.len() < 16 {
        input.iter().position(|byte| *byte == b'\n')
    } else {
        memchr::memchr(b'\n', input)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_at_every_place() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = [b'a'; 8];
                bytes[place] = byte;
                let word = u64::from_le_bytes(bytes);
                let expected = |is_found: bool| if is_found { place } else { 8 };
                for limit in [1, 33, 97] {
                    assert_eq!(first(below(word, limit)), expected(byte < limit), "{byte} {limit}");
                }
                assert_eq!(first(equal(word, b'\n')), expected(byte == b'\n'), "{byte}");
                let is_printable = (32..=126).contains(&byte);
                assert_eq!(first(not_printable(word)), expected(!is_printable), "{byte}");
                let found = below(word, 33);
                let kept = (word & before(found)).to_le_bytes();
                assert_eq!(kept[..first(found)], bytes[..first(found)]);
                assert!(kept[first(found)..].iter().all(|byte| *byte == 0));
            }
        }
    }

    proptest! {
        #[test]
        fn searches_are_those_of_the_naive_one(input in proptest::collection::vec(0_u8..14, 0..40)) {
            let lf = input.iter().position(|byte| *byte == b'\n');
            prop_assert_eq!(find_lf(&input), lf);
            prop_assert_eq!(line_feed(&input), lf);
            prop_assert_eq!(until(&input, |word| equal(word, b'\n')), lf.unwrap_or(input.len()));
            let mut loaded = input.clone();
            loaded.resize(8, 0);
            prop_assert_eq!(load(&input).to_le_bytes().to_vec(), loaded);
        }
    }
}
