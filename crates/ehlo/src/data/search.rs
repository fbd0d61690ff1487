//! Searches for the end of a run of mail data: vectors for long runs, words for short lines.

use crate::syntax::grammar::words::{equal, until};

/// The number of bytes after the first of `input`, in multiples of [`STRIDE`], that are not
/// `is_loud`; `is_loud` takes the byte before, the byte, and the byte after.
#[inline]
pub(super) fn strides(input: &[u8], is_loud: impl Fn(u8, u8, u8) -> bool) -> usize {
    let [bytes, afters] = [1, 2].map(|from| input.get(from..).unwrap_or_default());
    let strides = input.chunks_exact(STRIDE).zip(bytes.chunks_exact(STRIDE));
    let mut quiet = 0;
    for ((befores, bytes), afters) in strides.zip(afters.chunks_exact(STRIDE)) {
        let mut loud = false;
        for ((before, byte), after) in befores.iter().zip(bytes).zip(afters) {
            loud |= is_loud(*before, *byte, *after);
        }
        if loud {
            break;
        }
        quiet += STRIDE;
    }
    quiet
}

/// The line at the front of `input` with its CRLF, if it is short and has no other CR, LF or NUL.
#[inline]
pub(super) fn short_line(input: &[u8]) -> Option<&[u8]> {
    let plain = plain(input, SHORT);
    match input.get(plain..) {
        Some([b'\r', b'\n', ..]) => input.get(..plain + 2),
        _ => None,
    }
}

/// The number of bytes at the front of `input`, at most `most`, that are not CR, LF or NUL.
#[inline]
pub(super) fn plain(input: &[u8], most: usize) -> usize {
    until(input.get(..most).unwrap_or(input), |word| {
        equal(word, 0) | equal(word, b'\n') | equal(word, b'\r')
    })
}

/// Bytes that are examined together: the compiler vectorises a loop of this length without branches.
pub(super) const STRIDE: usize = 64;

/// The most bytes of a short line.
const SHORT: usize = 128;
