//! Parameters that this crate does not know, and the general grammar of all parameters.

use super::{KIND, marks};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    ESMTP_VALUE, Fault, IResult, LDH, as_str, escape, is_word_end, is_word_end_under, many1,
    of_byte, run, skip_white_space, split, whole,
};
use crate::syntax::limits;
use crate::syntax::policy::Policy;

/// A parameter that this crate does not know: `esmtp-keyword ["=" esmtp-value]`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::syntax::parameter::{OtherParameter, Parameter};
///
/// let parameter = OtherParameter::new("X-COLOUR", Some("blue"))?;
/// assert_eq!(Parameter::Other(parameter).keyword(), "X-COLOUR");
/// assert!(OtherParameter::new("SIZE", Some("1")).is_err());
/// assert!(OtherParameter::new("X", Some("1\r\nRCPT")).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct OtherParameter<'a> {
    keyword: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> OtherParameter<'a> {
    /// A parameter of this keyword and value, even if a variant of `Parameter` exists for it.
    pub(super) fn any(keyword: &'a str, value: Option<&'a str>) -> Result<Self, SyntaxError> {
        let name = whole(keyword.as_bytes(), SyntaxErrorKind::Parameter, esmtp_keyword)?;
        if let Some(value) = value {
            whole(value.as_bytes(), KIND, |input| esmtp_value(input, true))?;
        }
        let length = name.len() + value.map_or(0, |value| value.len() + 1);
        if length > limits::COMMAND_LINE {
            return Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: length });
        }
        Ok(Self { keyword: name, value: value.map(str::as_bytes) })
    }

    /// The keyword as it was written.
    pub fn keyword(&self) -> &'a str {
        as_str(self.keyword)
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&'a str> {
        self.value.map(as_str)
    }

    /// Returns `true` if it needs no SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.value.is_none_or(<[u8]>::is_ascii)
    }

    /// The bits that it adds to the set of those seen.
    pub(super) fn seen(&self) -> u32 {
        if self.is_ascii() { marks::UNKNOWN } else { marks::UNKNOWN | marks::UTF8 }
    }
}

impl PartialEq for OtherParameter<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.keyword.eq_ignore_ascii_case(other.keyword) && self.value == other.value
    }
}

impl Eq for OtherParameter<'_> {}

impl core::hash::Hash for OtherParameter<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl core::fmt::Debug for OtherParameter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.keyword())?;
        match self.value() {
            Some(value) => {
                f.write_str("=")?;
                escape(value, f)
            }
            None => Ok(()),
        }
    }
}

impl core::fmt::Display for OtherParameter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.keyword())?;
        match self.value() {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

impl Encode for OtherParameter<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(self.keyword);
        if let Some(value) = self.value {
            writer.put(b"=");
            writer.put(value);
        }
    }
}

/// `esmtp-param` whose keyword has no row in the table.
pub(super) fn other(input: &[u8], utf8: bool) -> IResult<'_, OtherParameter<'_>> {
    let (rest, keyword) = esmtp_keyword(input)?;
    let (rest, value) = optional_value(rest, utf8)?;
    Ok((rest, OtherParameter { keyword, value }))
}

/// The same up to a space or the end of the line: the bits that it adds to the set of those seen.
#[inline(never)]
pub(super) fn check<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, u32> {
    match esmtp_keyword(input) {
        Ok((after, _)) if is_word_end(after) => Ok((after, marks::UNKNOWN)),
        Ok((after, _)) => check_value(after, policy),
        Err(error) => white_space(input, policy).ok_or(error),
    }
}

/// White space without a parameter, which adds no bits.
#[cold]
fn white_space<'i>(input: &'i [u8], policy: &Policy) -> Option<(&'i [u8], u32)> {
    let is_white = policy.extra_white_space && matches!(input.first(), Some(b' ' | b'\t'));
    is_white.then(|| (skip_white_space(input), 0))
}

/// The value behind a keyword.
#[inline(never)]
fn check_value<'i>(after: &'i [u8], policy: &Policy) -> IResult<'i, u32> {
    let (rest, value) = optional_value(after, policy.smtputf8)?;
    if !is_word_end_under(policy, rest) {
        let kind = if value.is_some() { KIND } else { SyntaxErrorKind::Parameter };
        return Fault::error(rest, of_byte(rest, kind));
    }
    let is_ascii = value.is_none_or(<[u8]>::is_ascii);
    Ok((rest, if is_ascii { marks::UNKNOWN } else { marks::UNKNOWN | marks::UTF8 }))
}

/// `["=" esmtp-value]`.
fn optional_value(input: &[u8], utf8: bool) -> IResult<'_, Option<&[u8]>> {
    match input {
        [b'=', text @ ..] => esmtp_value(text, utf8).map(|(rest, value)| (rest, Some(value))),
        _ => Ok((input, None)),
    }
}

/// `esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`, RFC 5321 §4.1.2.
#[inline]
fn esmtp_keyword(input: &[u8]) -> IResult<'_, &[u8]> {
    match split(input, run(input, &LDH)) {
        ([] | [b'-', ..], _) => Fault::error(input, of_byte(input, SyntaxErrorKind::Parameter)),
        (keyword, rest) => Ok((rest, keyword)),
    }
}

/// `esmtp-value = 1*(%d33-60 / %d62-126)`; RFC 6531 §3.3: `esmtp-value =/ UTF8-non-ascii`.
fn esmtp_value(input: &[u8], utf8: bool) -> IResult<'_, &[u8]> {
    let length = run(input, &ESMTP_VALUE);
    if !utf8 || !matches!(input.get(length), Some(128..)) {
        return many1(input, &ESMTP_VALUE, KIND);
    }
    let is_value = |byte: &u8| ESMTP_VALUE[usize::from(*byte)] || *byte >= 0x80;
    let length = input.iter().position(|byte| !is_value(byte)).unwrap_or(input.len());
    let (text, rest) = split(input, length);
    if core::str::from_utf8(text).is_err() {
        return Fault::error(input, SyntaxErrorKind::NonAscii);
    }
    Ok((rest, text))
}
