//! Searches for what ends a run of mail data: wide ones for long runs, words for short lines.

use crate::syntax::grammar::words::{equal, until};

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
        equal(word, 0) | equal(word, b'\n') | equal(word, b'\r')
    })
}

/// The number of octets before the first LF of `input`, or all of them.
#[inline]
pub(super) fn until_lf(input: &[u8]) -> usize {
    until(input, |word| equal(word, b'\n'))
}

/// Octets that are looked at together: a loop of this length without a branch becomes vectors.
pub(super) const STRIDE: usize = 64;

/// Octets that a short line has at most.
const SHORT: usize = 128;
