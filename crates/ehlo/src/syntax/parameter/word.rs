//! The values that are words: SOLICIT, MTRK, TRANSID, MT-PRIORITY, BODY.

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::value;
use nom::sequence::{delimited, separated_pair};

use super::time::nine_digits;
use super::{KIND, marks};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{
    BASE64, Fault, IResult, TRANSID_ATOM, as_str, byte, digits, display, literal, many1, of_byte,
    scan, split, whole, wire_text,
};

/// BODY=: the kind of the content's bytes, RFC 6152 and RFC 3030.
///
/// ```
/// use ehlo::syntax::parameter::{Body, Parameter, Parameters};
///
/// let parameters = [Parameter::Body(Body::EightBitMime)];
/// assert_eq!(Parameters::mail(&parameters)?.body(), Some(Body::EightBitMime));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// `7BIT`: US-ASCII in lines.
    SevenBit,
    /// `8BITMIME`: any bytes in lines, RFC 6152.
    EightBitMime,
    /// `BINARYMIME`: any bytes, by BDAT only, RFC 3030.
    BinaryMime,
}

impl Body {
    /// The marks that it adds to the set of those seen.
    pub(super) fn marks(&self) -> u32 {
        if *self == Self::BinaryMime { marks::BINARY } else { 0 }
    }
}

impl core::fmt::Display for Body {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
    }
}

impl Encode for Body {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(match self {
            Self::SevenBit => b"7BIT",
            Self::EightBitMime => b"8BITMIME",
            Self::BinaryMime => b"BINARYMIME",
        });
    }
}

/// `body-value ::= "7BIT" / "8BITMIME" / "BINARYMIME"`, RFC 3030 §3.
pub(super) fn body(input: &[u8]) -> IResult<'_, Body> {
    alt((
        value(Body::EightBitMime, literal(b"8BITMIME", KIND)),
        value(Body::SevenBit, literal(b"7BIT", KIND)),
        value(Body::BinaryMime, literal(b"BINARYMIME", KIND)),
    ))
    .parse(input)
}

/// `size-value ::= 1*20DIGIT`, RFC 1870 §3.
pub(super) fn size(input: &[u8]) -> IResult<'_, u64> {
    digits(input, 20, KIND).map(|(rest, bytes)| (rest, bytes.unwrap_or(u64::MAX)))
}

/// MT-PRIORITY=: from -9, the least urgent, to 9, RFC 6710 §4.1.
///
/// ```
/// use ehlo::syntax::parameter::Priority;
///
/// assert_eq!(Priority::new(-9)?.value(), -9);
/// assert!(Priority::new(10).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i8);

impl Priority {
    /// The priority of this number, -9 to 9.
    ///
    /// # Errors
    ///
    /// `ParameterValue` out of range.
    pub const fn new(value: i8) -> Result<Self, SyntaxError> {
        if matches!(value, -9..=9) {
            Ok(Self(value))
        } else {
            Err(SyntaxError { kind: KIND, offset: 0 })
        }
    }

    /// The number, -9 to 9.
    pub const fn value(self) -> i8 {
        self.0
    }
}

impl core::fmt::Display for Priority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
    }
}

impl Encode for Priority {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if self.0 < 0 {
            writer.put(b"-");
        }
        writer.put_byte(b'0' + self.0.unsigned_abs());
    }
}

/// `priority-value = (["-"] NZDIGIT) / "0"`.
pub(super) fn priority(input: &[u8]) -> IResult<'_, Priority> {
    let (is_negative, digits) = match input {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let value = match digits.first() {
        Some(b'0') if !is_negative => 0,
        Some(digit @ b'1'..=b'9') => i8::try_from(digit - b'0').unwrap_or_default(),
        _ => return Fault::error(input, of_byte(input, KIND)),
    };
    Ok((split(digits, 1).1, Priority(if is_negative { -value } else { value })))
}

/// SOLICIT=: the classes of solicitation of the message, RFC 3865 §2.
///
/// `Solicitation-keywords = word 0*("," word)`, at most 1000 characters.
///
/// ```
/// use ehlo::syntax::parameter::Solicit;
///
/// let solicit = Solicit::new("net.example:ADV,org.example:ADV:ADLT")?;
/// assert_eq!(solicit.words().nth(1), Some("org.example:ADV:ADLT"));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Solicit<'a>(&'a [u8]);

impl<'a> Solicit<'a> {
    /// The words of this list, separated by commas.
    ///
    /// # Errors
    ///
    /// `ParameterValue`, with the offset in `words`.
    pub fn new(words: &'a str) -> Result<Self, SyntaxError> {
        whole(words.as_bytes(), KIND, solicit)
    }

    /// The words one by one.
    pub fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(|&byte| byte == b',').map(as_str)
    }
}

wire_text!(Solicit);

/// `Solicitation-keywords = word 0*("," word)`, `word = ALPHA 0*(wordchar)`.
pub(super) fn solicit(input: &[u8]) -> IResult<'_, Solicit<'_>> {
    let mut rest = input;
    loop {
        if !rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return Fault::error(rest, of_byte(rest, KIND));
        }
        rest = split(rest, scan::word_chars(rest)).1;
        match rest {
            [b',', next @ ..] => rest = next,
            _ => break,
        }
    }
    let words = split(input, input.len() - rest.len()).0;
    // RFC 3865 §2: "length of this string is limited to <= 1000 characters".
    if words.len() > 1000 { Fault::error(input, KIND) } else { Ok((rest, Solicit(words))) }
}

/// MTRK=: the key to track the message with, and the time for which tracking is wanted, RFC 3885
/// §3.1.
///
/// The certifier is base64 without padding, because `esmtp-value` has no `=`. The same command must
/// have an ENVID.
///
/// ```
/// use ehlo::syntax::parameter::Mtrk;
///
/// let mtrk = Mtrk::new("fFzBQY1yD8BUa8e3E3Vx2g", Some(3600))?;
/// assert_eq!(mtrk.timeout(), Some(3600));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mtrk<'a> {
    certifier: &'a [u8],
    timeout: Option<u32>,
}

impl<'a> Mtrk<'a> {
    /// A certifier, and seconds up to 999,999,999.
    ///
    /// # Errors
    ///
    /// `ParameterValue` when the certifier is empty or holds a byte that is not base64, or the
    /// timeout is out of range.
    pub fn new(certifier: &'a str, timeout: Option<u32>) -> Result<Self, SyntaxError> {
        whole(certifier.as_bytes(), KIND, |input| many1(input, &BASE64, KIND))?;
        if timeout.is_some_and(|seconds| seconds > 999_999_999) {
            return Err(SyntaxError { kind: KIND, offset: certifier.len() });
        }
        Ok(Self { certifier: certifier.as_bytes(), timeout })
    }

    /// The hash of the authenticator, in base64.
    pub fn certifier(self) -> &'a str {
        as_str(self.certifier)
    }

    /// The seconds for which tracking is wanted.
    pub const fn timeout(self) -> Option<u32> {
        self.timeout
    }
}

impl core::fmt::Debug for Mtrk<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Mtrk")
            .field("certifier", &self.certifier())
            .field("timeout", &self.timeout)
            .finish()
    }
}

impl core::fmt::Display for Mtrk<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<512>(self, f)
    }
}

impl Encode for Mtrk<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(self.certifier);
        if let Some(seconds) = self.timeout {
            writer.put(b":");
            writer.put_number(u64::from(seconds));
        }
    }
}

/// `mtrk-parameter = "MTRK=" mtrk-certifier [ ":" mtrk-timeout ]`, its value,
/// `mtrk-certifier = base64`, `mtrk-timeout = 1*9DIGIT`.
pub(super) fn mtrk(input: &[u8]) -> IResult<'_, Mtrk<'_>> {
    let (certifier, rest) = split(input, scan::base64_chars(input));
    if certifier.is_empty() {
        return Fault::error(input, of_byte(input, KIND));
    }
    let [b':', seconds @ ..] = rest else {
        return Ok((rest, Mtrk { certifier, timeout: None }));
    };
    let (rest, seconds) = digits(seconds, 9, KIND)?;
    Ok((rest, Mtrk { certifier, timeout: Some(nine_digits(seconds)) }))
}

/// TRANSID=: the name of a transaction that can be resumed, RFC 1845 §2.
///
/// `"<" transid-local "@" transid-domain ">"`, at most 80 characters; case matters.
///
/// ```
/// use ehlo::syntax::parameter::TransId;
///
/// assert_eq!(TransId::new("<12345@claremont.edu>")?.as_str(), "<12345@claremont.edu>");
/// assert!(TransId::new("12345@claremont.edu").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransId<'a>(&'a [u8]);

impl<'a> TransId<'a> {
    /// The name of this text, its brackets included.
    ///
    /// # Errors
    ///
    /// `ParameterValue`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, trans_id)
    }
}

wire_text!(TransId);

/// `transid-value ::= "<" transid-spec ">"`, `transid-spec ::= transid-local "@" transid-domain`.
pub(super) fn trans_id(input: &[u8]) -> IResult<'_, TransId<'_>> {
    // The common case: two names.
    let at = scan::domain(input, 1);
    let end = scan::domain(input, at + 1);
    if let ([b'<', ..], [b'>', rest @ ..], ..=79) = (input, split(input, end).1, end) {
        let is_at = input.get(at) == Some(&b'@');
        if is_at && scan::is_name(input, 1, at) && scan::is_name(input, at + 1, end) {
            return Ok((rest, TransId(split(input, end + 1).0)));
        }
    }
    any_trans_id(input)
}

/// The same for rare forms, and for errors.
fn any_trans_id(input: &[u8]) -> IResult<'_, TransId<'_>> {
    let spec = separated_pair(transid_token, byte(b'@', KIND), transid_token);
    let (rest, _) = delimited(byte(b'<', KIND), spec, byte(b'>', KIND)).parse(input)?;
    let text = split(input, input.len().saturating_sub(rest.len())).0;
    // RFC 1845 §2: "transid-value may not be longer than 80 characters".
    if text.len() > 80 { Fault::error(input, KIND) } else { Ok((rest, TransId(text))) }
}

/// `transid-token ::= transid-atom *("." transid-atom)`.
fn transid_token(input: &[u8]) -> IResult<'_, ()> {
    let mut rest = input;
    loop {
        (rest, _) = many1(rest, &TRANSID_ATOM, KIND)?;
        match rest {
            [b'.', next @ ..] => rest = next,
            _ => return Ok((rest, ())),
        }
    }
}
