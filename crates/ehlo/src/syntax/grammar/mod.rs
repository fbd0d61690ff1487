//! Byte classes and the ABNF atoms that the other files share.
//!
//! The leaves are functions of this crate, `fn(&[u8]) -> IResult<T>`; nom combines them.

pub(crate) mod perfect_hash;
pub(crate) mod scan;
pub(crate) mod text;
pub(crate) mod words;

use core::fmt::Write as _;

use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::policy::Policy;

/// The result of a rule: the remaining input, and the value.
pub(crate) type IResult<'i, T> = nom::IResult<&'i [u8], T, Fault<'i>>;

/// The place at which a rule failed, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'i> {
    /// The part of the line that was left at the fault.
    pub(crate) rest: &'i [u8],
    /// The kind of the error.
    pub(crate) kind: SyntaxErrorKind,
}

impl<'i> Fault<'i> {
    /// The same as a recoverable error of nom: another alternative may be tried.
    #[cold]
    pub(crate) fn error<T>(rest: &'i [u8], kind: SyntaxErrorKind) -> IResult<'i, T> {
        Err(nom::Err::Error(Self { rest, kind }))
    }

    /// The fault as an error with an offset from the start of `line`.
    pub(crate) fn locate(self, line: &[u8]) -> SyntaxError {
        SyntaxError { kind: self.kind, offset: line.len().saturating_sub(self.rest.len()) }
    }
}

impl<'i> nom::error::ParseError<&'i [u8]> for Fault<'i> {
    fn from_error_kind(rest: &'i [u8], _: nom::error::ErrorKind) -> Self {
        Self { rest, kind: SyntaxErrorKind::Argument }
    }

    fn append(_: &'i [u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// The value of `rule` when it takes all of `input`; the offset of an error counts from its start.
pub(crate) fn whole<'i, T>(
    input: &'i [u8],
    kind: SyntaxErrorKind,
    rule: impl FnOnce(&'i [u8]) -> IResult<'i, T>,
) -> Result<T, SyntaxError> {
    let fault = match rule(input) {
        Ok(([], value)) => return Ok(value),
        Ok((rest, _)) => Fault { rest, kind: of_byte(rest, kind) },
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => fault,
        Err(nom::Err::Incomplete(_)) => Fault { rest: &[], kind },
    };
    // A rule takes a CR for the end of the line, and this input has no end of a line.
    let is_cr = fault.rest.first() == Some(&b'\r');
    let kind = if is_cr { SyntaxErrorKind::BareCr } else { fault.kind };
    Err(Fault { kind, ..fault }.locate(input))
}

/// Returns `true` if a line ends here: at its CRLF, or with its input when that was cut off.
///
/// The caller that reads the end of the line finds a CR that no LF follows.
#[inline]
pub(crate) fn is_end(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b'\r'))
}

/// Returns `true` if an argument ends here: where the line does, or at a space.
#[inline]
pub(crate) fn is_word_end(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b'\r' | b' '))
}

/// The same, or at a TAB under [`Policy::extra_white_space`].
pub(crate) fn is_word_end_under(policy: &Policy, rest: &[u8]) -> bool {
    is_word_end(rest) || (policy.extra_white_space && rest.first() == Some(&b'\t'))
}

/// The input behind the one space at its front, or under [`Policy::extra_white_space`] behind the
/// white space; `None` if there is no space.
#[inline]
pub(crate) fn after_space<'i>(input: &'i [u8], policy: &Policy) -> Option<&'i [u8]> {
    if policy.extra_white_space {
        return after_white_space(input);
    }
    input.strip_prefix(b" ")
}

#[cold]
fn after_white_space(input: &[u8]) -> Option<&[u8]> {
    match input {
        [b' ' | b'\t', rest @ ..] => Some(skip_white_space(rest)),
        _ => None,
    }
}

/// The input behind the spaces and TABs at its front, if any.
pub(crate) fn skip_white_space(input: &[u8]) -> &[u8] {
    let mut rest = input;
    while let [b' ' | b'\t', after @ ..] = rest {
        rest = after;
    }
    rest
}

/// The error where no rule continues: `kind`, unless the byte is one that no rule takes. A CR may
/// be the end of the line.
pub(crate) fn of_byte(rest: &[u8], kind: SyntaxErrorKind) -> SyntaxErrorKind {
    match rest.first() {
        Some(b'\n') => SyntaxErrorKind::BareLf,
        Some(0..=8 | 11 | 12 | 14..=31 | 127) => SyntaxErrorKind::Control,
        Some(128..) => SyntaxErrorKind::NonAscii,
        _ => kind,
    }
}

/// The length of the longest prefix of `input` whose bytes are all in `class`.
#[inline]
pub(crate) fn run(input: &[u8], class: &Class) -> usize {
    input.iter().position(|&byte| !class[usize::from(byte)]).unwrap_or(input.len())
}

/// The first `length` bytes, and the rest; never longer than the input.
#[inline]
pub(crate) fn split(input: &[u8], length: usize) -> (&[u8], &[u8]) {
    input.split_at_checked(length).unwrap_or((input, &[]))
}

/// `1*byte` of a class.
#[inline]
pub(crate) fn many1<'i>(
    input: &'i [u8],
    class: &Class,
    kind: SyntaxErrorKind,
) -> IResult<'i, &'i [u8]> {
    match split(input, run(input, class)) {
        ([], _) => Fault::error(input, of_byte(input, kind)),
        (taken, rest) => Ok((rest, taken)),
    }
}

/// The one byte `byte`.
#[inline]
pub(crate) fn byte<'i>(
    byte: u8,
    kind: SyntaxErrorKind,
) -> impl Fn(&'i [u8]) -> IResult<'i, ()> + Copy {
    move |input: &'i [u8]| match input.split_first() {
        Some((&first, rest)) if first == byte => Ok((rest, ())),
        _ => Fault::error(input, of_byte(input, kind)),
    }
}

/// A literal string; RFC 5234 §2.3: "ABNF strings are case insensitive".
#[inline]
pub(crate) fn literal<'i, const N: usize>(
    literal: &'static [u8; N],
    kind: SyntaxErrorKind,
) -> impl Fn(&'i [u8]) -> IResult<'i, ()> + Copy {
    move |input: &'i [u8]| match after_literal(input, literal) {
        Some(rest) => Ok((rest, ())),
        None => Fault::error(input, of_byte(input, kind)),
    }
}

/// The input behind a literal string.
#[inline]
pub(crate) fn after_literal<'i, const N: usize>(
    input: &'i [u8],
    literal: &'static [u8; N],
) -> Option<&'i [u8]> {
    let (start, rest) = input.split_first_chunk::<N>()?;
    is_literal(start, literal).then_some(rest)
}

/// Whether `bytes` are those of `literal`, in any case: compared four or eight at a time, the last
/// ones overlapping those before.
#[inline]
fn is_literal<const N: usize>(bytes: &[u8; N], literal: &'static [u8; N]) -> bool {
    let pairs = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>());
    if let (Some(first), Some(last)) = pairs {
        let folds = (literal.first_chunk::<8>(), literal.last_chunk::<8>());
        let (Some(first_letters), Some(last_letters)) = folds else { return false };
        return is_same_8(*first, *first_letters) && is_same_8(*last, *last_letters);
    }
    let pairs = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>());
    if let (Some(first), Some(last)) = pairs {
        let folds = (literal.first_chunk::<4>(), literal.last_chunk::<4>());
        let (Some(first_letters), Some(last_letters)) = folds else { return false };
        return is_same_4(*first, *first_letters) && is_same_4(*last, *last_letters);
    }
    bytes.iter().zip(literal).all(|(byte, letter)| (byte ^ letter) & fold(*letter) == 0)
}

#[inline]
fn is_same_8(bytes: [u8; 8], letters: [u8; 8]) -> bool {
    let difference = u64::from_le_bytes(bytes) ^ u64::from_le_bytes(letters);
    difference & u64::from_le_bytes(letters.map(fold)) == 0
}

#[inline]
fn is_same_4(bytes: [u8; 4], letters: [u8; 4]) -> bool {
    let difference = u32::from_le_bytes(bytes) ^ u32::from_le_bytes(letters);
    difference & u32::from_le_bytes(letters.map(fold)) == 0
}

/// The bits of a byte that a comparison with a literal uses: all but the bit of case of letters.
#[inline]
pub(crate) const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphabetic() { 0xDF } else { 0xFF }
}

/// `min*maxDIGIT` as a number; `None` when it is over [`u64::MAX`].
#[inline]
pub(crate) fn digits(input: &[u8], max: usize, kind: SyntaxErrorKind) -> IResult<'_, Option<u64>> {
    if let Some((value, count)) = scan::short_number(input) {
        if count <= max {
            return Ok((split(input, count).1, Some(value)));
        }
    }
    many_digits(input, max, kind)
}

/// The same for a number that is long, wrong, or at the end of the input.
#[inline(never)]
fn many_digits(input: &[u8], max: usize, kind: SyntaxErrorKind) -> IResult<'_, Option<u64>> {
    let mut value = 0_u64;
    let mut count = 0_usize;
    let mut over = false;
    for &byte in input {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // Nineteen digits fit.
        if count >= 19 {
            over |= value > (u64::MAX - u64::from(digit)) / 10;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    if count == 0 || count > max {
        return Fault::error(input, of_byte(input, kind));
    }
    Ok((split(input, count).1, (!over).then_some(value)))
}

/// `xtext = *( xchar / hexchar )`, RFC 3461 §4, as it stands on the wire.
///
/// `hexchar = "+" HEXDIG HEXDIG`: RFC 3461 allows upper case, RFC 4954 §8 both; this rule reads
/// both. It refuses a hexchar that hides a control byte other than HT: the decoded text ends up in
/// headers and must be printable (RFC 3461 §4.4).
#[inline]
pub(crate) fn xtext(input: &[u8], kind: SyntaxErrorKind) -> IResult<'_, &[u8]> {
    let (taken, rest) = split(input, scan::xchars(input));
    if rest.first() == Some(&b'+') {
        return xtext_with_hexchars(input, rest, kind);
    }
    Ok((rest, taken))
}

/// The same for an xtext whose first hexchar is at the front of `rest`.
fn xtext_with_hexchars<'i>(
    input: &'i [u8],
    mut rest: &'i [u8],
    kind: SyntaxErrorKind,
) -> IResult<'i, &'i [u8]> {
    while let [b'+', after @ ..] = rest {
        let byte = after.first_chunk().and_then(|&[high, low]| hex_byte(high, low));
        match byte {
            None | Some(0..=8 | 10..=31 | 127) => return Fault::error(rest, kind),
            Some(_) => rest = split(after, 2).1,
        }
        if rest.first() != Some(&b'+') {
            rest = split(rest, scan::xchars(rest)).1;
        }
    }
    Ok((rest, split(input, input.len().saturating_sub(rest.len())).0))
}

/// The byte of two hexadecimal digits.
#[inline]
pub(crate) fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let [high, low] = [high, low].map(|digit| HEX[usize::from(digit)]);
    // A digit is below 16.
    ((high | low) < 16).then_some(high << 4 | low)
}

/// The value of a hexadecimal digit in either case.
#[inline]
pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    let value = HEX[usize::from(digit)];
    (value < 16).then_some(value)
}

/// The value of each hexadecimal digit; 255 for every other byte.
static HEX: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// `base64 = base64-terminal / ( 1*(4base64-char) [base64-terminal] )`, RFC 4954 §8.
pub(crate) fn base64(input: &[u8], kind: SyntaxErrorKind) -> IResult<'_, &[u8]> {
    let length = run(input, &BASE64);
    let padding = (4 - length % 4) % 4;
    let rest = split(input, length).1;
    let rest = match (padding, rest) {
        (0, rest) if length > 0 => rest,
        (1, [b'=', rest @ ..]) | (2, [b'=', b'=', rest @ ..]) => rest,
        _ => return Fault::error(rest, kind),
    };
    if rest.first() == Some(&b'=') {
        return Fault::error(rest, kind);
    }
    Ok((rest, split(input, input.len() - rest.len()).0))
}

/// `text` as a string; every text that a checked type holds is valid UTF-8.
pub(crate) fn as_str(text: &[u8]) -> &str {
    core::str::from_utf8(text).unwrap_or_default()
}

/// `Display` by way of the wire form, for values of at most `N` bytes.
pub(crate) fn display<const N: usize>(
    value: &impl crate::syntax::encode::Encode,
    f: &mut core::fmt::Formatter<'_>,
) -> core::fmt::Result {
    display_or::<N>(value, f, |_| Err(core::fmt::Error))
}

/// The same for values that may have more bytes, which `long` then writes, without padding.
pub(crate) fn display_or<const N: usize>(
    value: &impl crate::syntax::encode::Encode,
    f: &mut core::fmt::Formatter<'_>,
    long: impl FnOnce(&mut core::fmt::Formatter<'_>) -> core::fmt::Result,
) -> core::fmt::Result {
    let mut out = [0; N];
    match value.encode(&mut out) {
        Ok(written) => f.pad(as_str(split(&out, written).0)),
        Err(_) => long(f),
    }
}

/// Writes `text` so that it cannot move the cursor of a terminal or reverse the direction of the
/// letters.
pub(crate) fn escape(text: &str, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    text.chars().try_for_each(|character| match character {
        '"' | '\'' | '\\' => f.write_char(character),
        _ => character.escape_debug().try_for_each(|character| f.write_char(character)),
    })
}

/// `TryFrom<&str>` of a type, by its `new`.
macro_rules! try_from_str {
    ($($name:ident),*) => {
        $(
            #[doc = concat!("See [`", stringify!($name), "::new`].")]
            impl<'a> TryFrom<&'a str> for $name<'a> {
                type Error = $crate::syntax::error::SyntaxError;

                fn try_from(text: &'a str) -> Result<Self, Self::Error> {
                    Self::new(text)
                }
            }
        )*
    };
}
pub(crate) use try_from_str;

/// The methods and traits that every checked run of bytes has: a struct with one private field.
macro_rules! wire_text {
    ($name:ident) => {
        $crate::syntax::grammar::try_from_str!($name);

        impl AsRef<str> for $name<'_> {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl<'a> $name<'a> {
            /// The text as it stands on the wire.
            pub fn as_str(&self) -> &'a str {
                $crate::syntax::grammar::as_str(self.0)
            }

            /// The bytes as they stand on the wire.
            pub const fn as_bytes(&self) -> &'a [u8] {
                self.0
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::syntax::encode::Encode for $name<'_> {
            fn write_to(&self, writer: &mut $crate::syntax::encode::Writer<'_>) {
                writer.put(self.0);
            }
        }
    };
}
pub(crate) use wire_text;

/// The set of bytes that a rule takes.
pub(crate) type Class = [bool; 256];

/// The class of the bytes in `ranges`, bounds included, and in `others`.
const fn class(ranges: &[(u8, u8)], others: &[u8]) -> Class {
    let mut class = [false; 256];
    let mut i = 0;
    while i < ranges.len() {
        let mut byte = ranges[i].0 as usize;
        while byte <= ranges[i].1 as usize {
            class[byte] = true;
            byte += 1;
        }
        i += 1;
    }
    let mut i = 0;
    while i < others.len() {
        class[others[i] as usize] = true;
        i += 1;
    }
    class
}

const ALPHA_DIGIT: [(u8, u8); 3] = [(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')];

/// `atext`, RFC 5322 §3.2.3.
pub(crate) static ATEXT: Class = class(&ALPHA_DIGIT, b"!#$%&'*+-/=?^_`{|}~");
/// `addr-type = atom`, RFC 3461 §4.2, without the `=` that no `esmtp-value` has.
pub(crate) static ADDR_TYPE: Class = class(&ALPHA_DIGIT, b"!#$%&'*+-/?^_`{|}~");
/// `qtextSMTP = %d32-33 / %d35-91 / %d93-126`, RFC 5321 §4.1.2.
pub(crate) static QTEXT_SMTP: Class = class(&[(32, 33), (35, 91), (93, 126)], b"");
/// `dcontent = %d33-90 / %d94-126`, RFC 5321 §4.1.3.
pub(crate) static DCONTENT: Class = class(&[(33, 90), (94, 126)], b"");
/// `ALPHA / DIGIT / "-"`: of `Ldh-str` and `esmtp-keyword`, RFC 5321 §4.1.2.
pub(crate) static LDH: Class = class(&ALPHA_DIGIT, b"-");
/// `esmtp-value = 1*(%d33-60 / %d62-126)`, RFC 5321 §4.1.2.
pub(crate) static ESMTP_VALUE: Class = class(&[(33, 60), (62, 126)], b"");
/// `%d32-126`: printable US-ASCII and the space.
pub(crate) static PRINTABLE: Class = class(&[(32, 126)], b"");
/// `textstring = 1*(%d09 / %d32-126)`, RFC 5321 §4.2.
pub(crate) static TEXTSTRING: Class = class(&[(32, 126)], b"\t");
/// Every byte except CR, LF and NUL.
pub(crate) static ANY_TEXT: Class = class(&[(1, 9), (11, 12), (14, 255)], b"");
/// `VCHAR = %x21-7E`, RFC 5234 §B.1.
pub(crate) static VCHAR: Class = class(&[(33, 126)], b"");
/// `xchar`: `VCHAR` without `+` and `=`, RFC 3461 §4.
pub(crate) static XCHAR: Class = class(&[(33, 42), (44, 60), (62, 126)], b"");
/// `base64-char = ALPHA / DIGIT / "+" / "/"`, RFC 4954 §8.
pub(crate) static BASE64: Class = class(&ALPHA_DIGIT, b"+/");
/// `mech-char`, RFC 4422 §3.1, in either case.
pub(crate) static MECH_CHAR: Class = class(&ALPHA_DIGIT, b"-_");
/// `transid-atom`: `CHAR` without SPACE, CTLs, tspecials and ".", RFC 1845 §2.
pub(crate) static TRANSID_ATOM: Class = class(&ALPHA_DIGIT, b"!#$%&'*+-^_`{|}~");
/// The characters of a URI without `#` and `%`, RFC 3986 §2.2 and §2.3.
pub(crate) static URI: Class = class(&ALPHA_DIGIT, b"-._~:/?[]@!$&'()*+,;=");
/// `QCHAR`: `VCHAR` without `+`, `=` and `\`, RFC 6533 §3.
pub(crate) static QCHAR: Class = class(&[(33, 42), (44, 60), (62, 91), (93, 126)], b"");

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: SyntaxErrorKind = SyntaxErrorKind::Argument;

    #[test]
    fn xtext_ends_at_a_space_and_refuses_half_a_hexchar() {
        assert_eq!(xtext(b"a+2Bb c", KIND), Ok((&b" c"[..], &b"a+2Bb"[..])));
        assert_eq!(xtext(b"a=b", KIND), Ok((&b"=b"[..], &b"a"[..])));
        for bad in [&b"a+4"[..], b"a+", b"a+ZZ", b"+0D+0A", b"+00", b"+7F"] {
            assert!(xtext(bad, KIND).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn base64_is_padded_to_four() {
        for good in [&b"AA=="[..], b"AAA=", b"AAAA", b"AAAAAA=="] {
            assert_eq!(base64(good, KIND), Ok((&b""[..], good)));
        }
        for bad in [&b""[..], b"=", b"A===", b"AA=", b"AA===", b"AAAA=", b"AAAAA", b"=AAA"] {
            assert!(base64(bad, KIND).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn digits_saturate_to_none() {
        assert_eq!(digits(b"18446744073709551615", 20, KIND), Ok((&b""[..], Some(u64::MAX))));
        assert_eq!(digits(b"18446744073709551616", 20, KIND), Ok((&b""[..], None)));
        assert!(digits(b"000000000000000000001", 20, KIND).is_err());
        assert!(digits(b"x", 20, KIND).is_err());
    }
}
