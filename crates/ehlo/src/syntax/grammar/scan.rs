//! The runs that almost every command has, sixteen bytes at a time.
//!
//! The compiler turns the loops over arrays of sixteen into vector instructions: the condition that
//! ends a run compares each byte, and the one before it, without a branch.
//!
//! # How to change it
//!
//! - A new class of bytes is a function beside [`dot_string`] or [`xchars`]: a condition on one byte,
//!   or on two neighbours, made of `|`, `&` and [`is_outside`]. A `||` or a `match` is a branch, and
//!   the loop is then one of single bytes: many times as slow, and no test fails.
//! - Ranges cost two instructions each, single bytes one: a rare byte is better left to the general
//!   rule behind the fast one, as `!#$%&'=?` of `atext` are.
//! - Each function has a naive twin in the tests, which compare both on every byte at every place and
//!   on random input.
//! - Measure with `ci/instructions`, contests `commands/core` and `commands/parameters`; see in
//!   `objdump -d` of a release build that the condition is `pcmpgtb` and its kin.

// A lazy operator is a branch.
#![allow(clippy::needless_bitwise_bool)]

use super::words::{self, spread};

/// The end of the `Dot-string` that starts at `start`: the first byte that is neither `atext` nor a
/// dot behind `atext`. The bytes `!#$%&'=?` of `atext` end it, too: they are rare, and in no range.
#[inline]
pub(crate) fn dot_string(input: &[u8], start: usize) -> usize {
    atoms(input, start, b'*')
}

/// The same for a dot-string that is written unchanged in `xtext`: `*` and `+` end it, too.
#[inline]
pub(crate) fn xtext_dot_string(input: &[u8], start: usize) -> usize {
    atoms(input, start, b'-')
}

/// The same, with the bytes from `first` up to the digits, of which all but the comma are `atext`.
#[inline]
fn atoms(input: &[u8], start: usize, first: u8) -> usize {
    end(input, start, |before, byte| {
        let is_second_dot = (byte == b'.') & (before == b'.');
        let is_other = is_outside(byte, first, b'9')
            & is_outside(byte, b'A', b'Z')
            & is_outside(byte, b'^', b'~');
        is_other | (byte == b',') | is_second_dot
    })
}

/// The end of the `Domain` that starts at `start`: the first byte that is no letter, digit, dot or
/// hyphen, or a dot or hyphen behind another, unless both are hyphens. The byte before `start` has
/// a higher value than both, as `<` and `@` have.
#[inline]
pub(crate) fn domain(input: &[u8], start: usize) -> usize {
    end(input, start, |before, byte| {
        // No other pair has such a sum: the next value above a dot is a digit's.
        let is_bad_pair = !is_outside(before.saturating_add(byte), b'.' + b'-', b'.' + b'.');
        let is_other = is_outside(byte | 0x20, b'a', b'z') & is_outside(byte, b'-', b'9');
        is_other | (byte == b'/') | is_bad_pair
    })
}

/// Returns `true` if the run that [`domain`] found, from `start` to `end`, begins and ends with a
/// letter or digit.
#[inline]
pub(crate) fn is_name(input: &[u8], start: usize, end: usize) -> bool {
    // The other bytes of a domain, a hyphen and a dot, have lower values.
    let let_dig = |at: usize| input.get(at).is_some_and(|byte| *byte > b'.');
    end > start && let_dig(start) && let_dig(end - 1)
}

/// The length of the run of `xchar` at the front of `input`: `VCHAR` without `+` and `=`.
#[inline]
pub(crate) fn xchars(input: &[u8]) -> usize {
    run(input, |byte| is_outside(byte, b'!', b'~') | (byte == b'+') | (byte == b'='))
}

/// The place of the first control byte other than HT.
pub(crate) fn control(input: &[u8]) -> Option<usize> {
    let at = run(input, |byte| ((byte < 32) & (byte != b'\t')) | (byte == 127));
    (at < input.len()).then_some(at)
}

/// The length of the run of `base64-char` at the front of `input`: letters, digits, `+` and `/`.
#[inline]
pub(crate) fn base64_chars(input: &[u8]) -> usize {
    run(input, |byte| {
        let is_other = is_outside(byte | 0x20, b'a', b'z') & is_outside(byte, b'/', b'9');
        is_other & (byte != b'+')
    })
}

/// The length of the run of `wordchar` at the front of `input`: letters, digits, `.`, `-`, `_` and
/// `:`.
#[inline]
pub(crate) fn word_chars(input: &[u8]) -> usize {
    run(input, |byte| {
        let is_other = is_outside(byte | 0x20, b'a', b'z') & is_outside(byte, b'-', b':');
        (is_other & (byte != b'_')) | (byte == b'/')
    })
}

/// The value of the digits at the front of `input`, and their count. `None` unless there are one to
/// eight digits and the input continues behind them far enough to fill a word.
#[inline]
pub(crate) fn short_number(input: &[u8]) -> Option<(u64, usize)> {
    let word = u64::from_le_bytes(*input.first_chunk::<8>()?);
    // A byte of a digit has 3 in its upper half, and adding 6 carries nothing there.
    let is_other = (word ^ spread(b'0')) | (word.wrapping_add(spread(6)) ^ spread(b'0'));
    let stop = is_other & spread(0xF0);
    let count = words::first(stop);
    let goes_on = count == 8 && input.get(8).is_some_and(u8::is_ascii_digit);
    if count == 0 || goes_on {
        return None;
    }
    // The digits move to the end of the word, with zeros before them.
    let digits = (word << (64 - 8 * count)) & spread(0x0F);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF;
    Some((eight, count))
}

/// The length of the run at the front of `input` up to a byte that `is_end`.
#[inline]
fn run(input: &[u8], is_end: impl Fn(u8) -> bool + Copy) -> usize {
    let mut at = 0;
    while let Some(bytes) = input.get(at..).and_then(<[u8]>::first_chunk) {
        let run = first_end(bytes, bytes, |_, byte| is_end(byte));
        at += run;
        if run < 16 {
            return at;
        }
    }
    let rest = input.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| is_end(byte)).unwrap_or(rest.len())
}

/// The place of the first byte from `start` on for which `is_end` returns true, given the byte
/// before it, too; else the end of the input. A zero stands before the input.
///
/// Most runs end within 32 bytes; those are examined without the preparations of a loop.
#[inline]
fn end(input: &[u8], start: usize, is_end: impl Fn(u8, u8) -> bool + Copy) -> usize {
    let place = start.checked_sub(1).and_then(|before| input.get(before..));
    let Some((before, bytes)) = place.and_then(neighbours) else {
        return near_end(input, start, is_end);
    };
    let run = first_end(before, bytes, is_end);
    if run < 16 {
        return start + run;
    }
    let place = place.and_then(|place| place.get(16..)).and_then(neighbours);
    if let Some(run) = place.map(|(before, bytes)| first_end(before, bytes, is_end)) {
        if run < 16 {
            return start + 16 + run;
        }
    }
    far_end(input, start + 16, is_end)
}

/// The same for a run that has sixteen bytes already.
#[inline(never)]
fn far_end(input: &[u8], start: usize, is_end: impl Fn(u8, u8) -> bool + Copy) -> usize {
    let mut at = start;
    while let Some((before, bytes)) = input.get(at - 1..).and_then(neighbours) {
        let run = first_end(before, bytes, is_end);
        at += run;
        if run < 16 {
            return at;
        }
    }
    last_end(input, at, is_end)
}

/// The same for a run at the front of the input, or near its end.
#[inline(never)]
fn near_end(input: &[u8], start: usize, is_end: impl Fn(u8, u8) -> bool + Copy) -> usize {
    let (0, Some(bytes)) = (start, input.first_chunk::<16>()) else {
        return last_end(input, start, is_end);
    };
    let before = (u128::from_le_bytes(*bytes) << 8).to_le_bytes();
    match first_end(&before, bytes, is_end) {
        16 => far_end(input, 16, is_end),
        run => run,
    }
}

/// The same if fewer than sixteen bytes are left.
#[inline]
fn last_end(input: &[u8], at: usize, is_end: impl Fn(u8, u8) -> bool + Copy) -> usize {
    let left = input.len().saturating_sub(at);
    let tail = input.last_chunk::<17>().and_then(|tail| neighbours(tail));
    if let (Some((before, bytes)), 1..=16) = (tail, left) {
        // Drops the bytes before `at`, 0 to 120 bits.
        let ends = ends(before, bytes, is_end) >> (8 * (16 - left));
        return at + first(ends).min(left);
    }
    let mut before = if at == 0 { 0 } else { input.get(at - 1).copied().unwrap_or(0) };
    let mut end = at;
    for &byte in input.get(at..).unwrap_or_default() {
        if is_end(before, byte) {
            break;
        }
        before = byte;
        end += 1;
    }
    end
}

/// Sixteen bytes from the front of `input`, and sixteen from the second one on.
#[inline]
fn neighbours(input: &[u8]) -> Option<(&[u8; 16], &[u8; 16])> {
    Some((input.first_chunk()?, input.get(1..)?.first_chunk()?))
}

/// The number of bytes before the first of sixteen that ends the run; 16 if no byte ends it.
#[inline]
fn first_end(before: &[u8; 16], bytes: &[u8; 16], is_end: impl Fn(u8, u8) -> bool) -> usize {
    first(ends(before, bytes, is_end))
}

/// Eight bits for each of sixteen bytes: all set if the byte ends the run, otherwise all clear.
#[inline]
fn ends(before: &[u8; 16], bytes: &[u8; 16], is_end: impl Fn(u8, u8) -> bool) -> u128 {
    let mut ends = [0; 16];
    for ((end, before), byte) in ends.iter_mut().zip(before).zip(bytes) {
        *end = if is_end(*before, *byte) { 0xFF } else { 0 };
    }
    u128::from_le_bytes(ends)
}

/// The number of bytes before the first that ends the run; 16 if no byte ends it.
#[inline]
fn first(ends: u128) -> usize {
    (ends.trailing_zeros() / 8) as usize
}

/// Returns `true` if a byte is below `first` or above `last`: a sum and a signed comparison, which
/// are two vector instructions; an unsigned comparison takes two more.
#[inline]
const fn is_outside(byte: u8, first: u8, last: u8) -> bool {
    let above = byte.wrapping_sub(first ^ 0x80);
    i8::from_le_bytes([above]) > i8::from_le_bytes([(last - first) ^ 0x80])
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;

    /// The same as [`domain`], byte by byte.
    fn naive_domain(input: &[u8], start: usize) -> usize {
        let mut at = start;
        while let Some(&byte) = input.get(at) {
            let before = if at == 0 { 0 } else { input[at - 1] };
            let is_bad = matches!((before, byte), (b'.', b'.' | b'-') | (b'-', b'.'));
            if is_bad || !(byte.is_ascii_alphanumeric() || b".-".contains(&byte)) {
                break;
            }
            at += 1;
        }
        at
    }

    /// The same as [`dot_string`], byte by byte.
    fn naive_dot_string(input: &[u8], start: usize) -> usize {
        let mut at = start;
        while let Some(&byte) = input.get(at) {
            let before = if at == 0 { 0 } else { input[at - 1] };
            let is_part = byte.is_ascii_alphanumeric() || b".*+-/^_`{|}~".contains(&byte);
            if !is_part || (before, byte) == (b'.', b'.') {
                break;
            }
            at += 1;
        }
        at
    }

    fn is_xchar(byte: u8) -> bool {
        matches!(byte, 33..=126) && byte != b'+' && byte != b'='
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn runs_are_those_of_the_naive_scan(
            input in "[a-zA-Z09._+\\-/:@\\[`{\0-\u{ff}]{0,40}|[a-z.-]{0,40}>?",
            start in 0_usize..40,
        ) {
            let bytes = input.as_bytes();
            let start = start.min(bytes.len());
            prop_assert_eq!(dot_string(bytes, start), naive_dot_string(bytes, start));
            let plus = |at: &usize| b"*+".contains(&bytes[*at]);
            let end = naive_dot_string(bytes, start);
            let end = (start..end).find(plus).unwrap_or(end);
            prop_assert_eq!(xtext_dot_string(bytes, start), end);
            prop_assert_eq!(domain(bytes, 0), naive_domain(bytes, 0));
            let mut bytes = bytes.to_vec();
            bytes.insert(start, b'@');
            prop_assert_eq!(domain(&bytes, start + 1), naive_domain(&bytes, start + 1));
            prop_assert_eq!(xchars(&bytes), bytes.iter().take_while(|o| is_xchar(**o)).count());
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for place in 0..40 {
            for byte in 0..=u8::MAX {
                let mut input = [b'a'; 40];
                input[place] = byte;
                for start in [0, 1, 9, 20] {
                    if start != place + 1 {
                        assert_eq!(domain(&input, start), naive_domain(&input, start), "{byte}");
                    }
                    assert_eq!(dot_string(&input, start), naive_dot_string(&input, start));
                }
                assert_eq!(xchars(&input), if is_xchar(byte) { 40 } else { place });
                let is_base64 = byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
                assert_eq!(base64_chars(&input), if is_base64 { 40 } else { place });
                let is_word_char = byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
                assert_eq!(word_chars(&input), if is_word_char { 40 } else { place });
            }
        }
    }

    #[test]
    fn short_numbers() {
        for number in [0_u64, 7, 42, 100, 9_876, 54_321, 100_000, 9_999_999, 12_345_678] {
            for behind in ['\r', ' ', ':', '/', '?', '\u{0}', '\u{7f}', 'p'] {
                let text = std::format!("{number}{behind}{behind}9999999");
                let digits = text.find(behind).unwrap_or_default();
                assert_eq!(short_number(text.as_bytes()), Some((number, digits)), "{text:?}");
            }
        }
        assert_eq!(short_number(b"0000012\r"), Some((12, 7)));
        assert_eq!(short_number(b"12345678"), Some((12_345_678, 8)));
        for other in [&b"123456789"[..], b"x1234567", b"1\r\n", b"\r\n123456", b"\xB1\xB2345678"] {
            assert_eq!(short_number(other), None, "{other:?}");
        }
    }
}
