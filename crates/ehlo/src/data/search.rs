//! Searches for what ends a run of mail data: wide ones for long runs, words for short lines.

/// As many octets after the first of `input`, in multiples of [`STRIDE`], as are not `is_loud`,
/// which is told the octet before, the octet, and the octet after.
#[inline]
pub(super) fn strides(input: &[u8], is_loud: impl Fn(u8, u8, u8) -> bool) -> usize {
    let [octets, afters] = [1, 2].map(|from| input.get(from..).unwrap_or_default());
    let strides = input.chunks_exact(STRIDE).zip(octets.chunks_exact(STRIDE));
    let mut quiet = 0;
    for ((befores, octets), afters) in strides.zip(afters.chunks_exact(STRIDE)) {
        let mut loud = false;
        for ((before, octet), after) in befores.iter().zip(octets).zip(afters) {
            loud |= is_loud(*before, *octet, *after);
        }
        if loud {
            break;
        }
        quiet += STRIDE;
    }
    quiet
}

/// The line at the front of `input` with its CRLF, when it is short and has no other CR, LF or NUL.
#[inline]
pub(super) fn short_line(input: &[u8]) -> Option<&[u8]> {
    let plain = plain(input, SHORT);
    match input.get(plain..) {
        Some([b'\r', b'\n', ..]) => input.get(..plain + 2),
        _ => None,
    }
}

/// The number of octets at the front of `input`, `most` at most, that are not CR, LF or NUL.
#[inline]
pub(super) fn plain(input: &[u8], most: usize) -> usize {
    until(input.get(..most).unwrap_or(input), |word| {
        zeros(word) | zeros(word ^ (EACH * 0x0a)) | zeros(word ^ (EACH * 0x0d))
    })
}

/// The number of octets before the first LF of `input`, or all of them.
#[inline]
pub(super) fn until_lf(input: &[u8]) -> usize {
    until(input, |word| zeros(word ^ (EACH * 0x0a)))
}

/// The number of octets of `input` before the first that is `found`, as by [`zeros`], and that is
/// no space.
#[inline]
fn until(input: &[u8], found: impl Fn(u64) -> u64) -> usize {
    let mut passed = 0;
    let words = input.chunks_exact(8);
    let rest = words.remainder();
    for word in words {
        let found = found(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        if found != 0 {
            return passed + found.trailing_zeros() as usize / 8;
        }
        passed += 8;
    }
    let mut last = [b' '; 8];
    for (octet, rest) in last.iter_mut().zip(rest) {
        *octet = *rest;
    }
    let found = found(u64::from_le_bytes(last));
    passed + rest.len().min(found.trailing_zeros() as usize / 8)
}

/// The high bit of each octet of `word` that is zero; above the lowest such octet others may have
/// it too.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & (EACH << 7)
}

/// One in each octet of a word.
const EACH: u64 = u64::MAX / 0xff;

/// Octets that are looked at together: a loop of this length without a branch becomes vectors.
pub(super) const STRIDE: usize = 64;

/// Octets that a short line has at most.
const SHORT: usize = 128;
