//! `xtext`, RFC 3461 §4: any bytes in printable US-ASCII; and mailboxes in xtext.

use super::KIND;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{
    Fault, IResult, XCHAR, hex_byte, hex_digit, is_word_end, scan, split, whole, xtext,
};
use crate::syntax::limits;
use crate::syntax::path::Mailbox;
use crate::syntax::path::{self, UTF8, checked_mailbox};
use crate::syntax::policy::Policy;

/// Text that is sent as `xtext = *( xchar / hexchar )`, RFC 3461 §4.
///
/// A value is made from plain text, which encoding turns into xtext, or from xtext, which encoding
/// keeps except that it writes hexadecimal digits in upper case. Comparison uses the decoded bytes.
///
/// ```
/// use ehlo::Encode;
/// use ehlo::syntax::parameter::Xtext;
///
/// let plain = Xtext::new("a+b=c")?;
/// let mut out = [0; 16];
/// let written = plain.encode(&mut out)?;
/// assert_eq!(&out[..written], b"a+2Bb+3Dc");
/// assert_eq!(plain, Xtext::from_encoded("a+2bb+3dc")?);
/// assert!(plain.decoded().eq(*b"a+b=c"));
/// assert!(Xtext::new("a\r\nb").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Xtext<'a> {
    bytes: &'a [u8],
    is_encoded: bool,
}

impl<'a> Xtext<'a> {
    /// The xtext of `plain`, which may be empty.
    ///
    /// # Errors
    ///
    /// `ParameterValue` when `plain` holds a control byte other than HT.
    pub fn new(plain: &'a str) -> Result<Self, SyntaxError> {
        match plain.bytes().position(|byte| byte.is_ascii_control() && byte != b'\t') {
            Some(offset) => Err(SyntaxError { kind: KIND, offset }),
            None => Ok(Self { bytes: plain.as_bytes(), is_encoded: false }),
        }
    }

    /// The xtext that is `text`.
    ///
    /// # Errors
    ///
    /// `ParameterValue` when `text` is not xtext, or encodes a control byte other than HT.
    pub fn from_encoded(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, encoded)
    }

    /// The decoded bytes.
    pub fn decoded(&self) -> DecodedXtext<'a> {
        DecodedXtext::new(self.bytes, if self.is_encoded { Coding::Xtext } else { Coding::Plain })
    }

    /// Writes the decoded bytes to the front of `out`; `None` when they do not fit.
    pub fn decode<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        self.decoded().copy_to(out)
    }

    /// The length on the wire in bytes.
    pub(crate) fn wire_len(&self) -> usize {
        if self.is_encoded { self.bytes.len() } else { self.encoded_len() }
    }
}

impl PartialEq for Xtext<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.decoded().eq(other.decoded())
    }
}

impl Eq for Xtext<'_> {}

impl core::hash::Hash for Xtext<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.decoded().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xFF);
    }
}

impl core::fmt::Debug for Xtext<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(crate::syntax::grammar::as_str(self.bytes), f)
    }
}

impl Encode for Xtext<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if self.is_encoded {
            write_upper(self.bytes, writer);
        } else {
            for &byte in self.bytes {
                if XCHAR[usize::from(byte)] {
                    writer.put_byte(byte);
                } else {
                    writer.put_byte(b'+');
                    write_hex(byte, writer);
                }
            }
        }
    }
}

/// Encoded bytes, the digits of each hexchar in upper case.
fn write_upper(bytes: &[u8], writer: &mut Writer<'_>) {
    let mut parts = bytes.split(|&byte| byte == b'+');
    writer.put(parts.next().unwrap_or_default());
    for part in parts {
        let (digits, rest) = split(part, 2);
        writer.put(b"+");
        for digit in digits {
            writer.put_byte(digit.to_ascii_uppercase());
        }
        writer.put(rest);
    }
}

pub(super) fn write_hex(byte: u8, writer: &mut Writer<'_>) {
    for digit in [byte >> 4, byte & 15] {
        writer.put_byte(if digit < 10 { b'0' + digit } else { b'A' + (digit - 10) });
    }
}

/// `xtext` as a value.
#[inline]
pub(crate) fn encoded(input: &[u8]) -> IResult<'_, Xtext<'_>> {
    let (rest, bytes) = xtext(input, KIND)?;
    Ok((rest, Xtext { bytes, is_encoded: true }))
}

/// `xtext` of at least one character.
#[inline]
pub(super) fn encoded1(input: &[u8]) -> IResult<'_, Xtext<'_>> {
    match encoded(input)? {
        (_, Xtext { bytes: [], .. }) => Fault::error(input, KIND),
        result => Ok(result),
    }
}

/// The decoded bytes of an encoded text, one by one.
///
/// ```
/// use ehlo::syntax::parameter::Xtext;
///
/// let text: Vec<u8> = Xtext::from_encoded("e+3Dmc2")?.decoded().collect();
/// assert_eq!(text, b"e=mc2");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DecodedXtext<'a> {
    rest: &'a [u8],
    coding: Coding,
    /// The bytes of the last code point that are still to come.
    pending: [u8; 4],
    at: u8,
}

/// The coding of the bytes of a [`DecodedXtext`] in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    /// `hexchar = "+" HEXDIG HEXDIG`.
    Xtext,
    /// `EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"`, RFC 6533 §3.
    Utf8Addr,
}

impl<'a> DecodedXtext<'a> {
    pub(super) fn new(bytes: &'a [u8], coding: Coding) -> Self {
        Self { rest: bytes, coding, pending: [0; 4], at: 4 }
    }

    /// Copies the remaining bytes to the front of `out`; `None` when they do not fit.
    pub(crate) fn copy_to(self, out: &mut [u8]) -> Option<&[u8]> {
        let mut length = 0;
        for byte in self {
            *out.get_mut(length)? = byte;
            length += 1;
        }
        out.get(..length)
    }
}

impl Iterator for DecodedXtext<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if let Some(&byte) = self.pending.get(usize::from(self.at)) {
            self.at += 1;
            return Some(byte);
        }
        let (byte, rest) = match (self.coding, self.rest) {
            (_, []) => return None,
            (Coding::Xtext, [b'+', high, low, rest @ ..]) => (hex_byte(*high, *low)?, rest),
            (Coding::Utf8Addr, [b'\\', ..]) => {
                let (rest, character) = embedded_unicode_char(self.rest).ok()?;
                (self.pending, self.at) = match *character.encode_utf8(&mut [0; 4]).as_bytes() {
                    [a] => ([0, 0, 0, a], 3),
                    [a, b] => ([0, 0, a, b], 2),
                    [a, b, c] => ([0, a, b, c], 1),
                    [a, b, c, d] => ([a, b, c, d], 0),
                    _ => return None,
                };
                let byte = *self.pending.get(usize::from(self.at))?;
                self.at += 1;
                (byte, rest)
            }
            (_, [byte, rest @ ..]) => (*byte, rest),
        };
        self.rest = rest;
        Some(byte)
    }
}

/// A mailbox that is sent as xtext, in AUTH= (RFC 4954 §5), SUBMITTER= (RFC 4405 §4) and
/// ALT-ADDRESS= (RFC 5336 §3.4).
///
/// ```
/// use ehlo::syntax::parameter::XtextMailbox;
///
/// let mailbox = XtextMailbox::new("e=mc2@example.com")?;
/// assert_eq!(mailbox, XtextMailbox::from_encoded("e+3Dmc2@example.com")?);
/// assert!(XtextMailbox::from_encoded("nobody").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct XtextMailbox<'a>(Xtext<'a>);

impl<'a> XtextMailbox<'a> {
    /// The xtext of the mailbox `plain`.
    ///
    /// # Errors
    ///
    /// As for [`Mailbox::new`].
    pub fn new(plain: &'a str) -> Result<Self, SyntaxError> {
        Mailbox::new(plain)?;
        Ok(Self(Xtext::new(plain)?))
    }

    /// The mailbox whose xtext is `text`.
    ///
    /// # Errors
    ///
    /// `ParameterValue`, or as for [`Mailbox::new`].
    pub fn from_encoded(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| xtext_mailbox(input, &UTF8))
    }

    /// The mailbox, decoded into the front of `out`. It has at most 254 bytes, or 512 if
    /// [`Policy::any_length`] has let it in.
    ///
    /// `None` when the mailbox does not fit.
    pub fn decode<'o>(&self, out: &'o mut [u8]) -> Option<Mailbox<'o>> {
        let decoded = self.0.decode(out)?;
        let policy = Policy { any_length: true, ..UTF8 };
        whole(decoded, KIND, |input| checked_mailbox(input, &policy)).ok()
    }

    /// The text as it travels.
    pub const fn xtext(&self) -> Xtext<'a> {
        self.0
    }
}

impl Encode for XtextMailbox<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.0.write_to(writer);
    }
}

/// `xtext`; RFC 4954 §8: "The decoded form of the xtext MUST be either a `<mailbox>` or the two
/// characters "`<>`"".
pub(super) fn xtext_mailbox<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, XtextMailbox<'i>> {
    // The common case: no byte of it is encoded.
    if let Some((_, end)) = path::plain_mailbox(input, 0, scan::xtext_dot_string) {
        let (bytes, rest) = split(input, end);
        if is_word_end(rest) {
            return Ok((rest, XtextMailbox(Xtext { bytes, is_encoded: true })));
        }
    }
    any_xtext_mailbox(input, policy)
}

/// The same for rare forms, and for errors.
fn any_xtext_mailbox<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, XtextMailbox<'i>> {
    // The decoded mailbox may be in UTF-8, RFC 6531 §3.3, in every parameter.
    let policy = &Policy { any_length: policy.any_length, ..UTF8 };
    let (rest, text) = encoded1(input)?;
    // RFC 4954 §4 gives AUTH= 500 bytes of a line; the other two have fewer.
    if text.bytes.len() > limits::COMMAND_LINE {
        return Fault::error(input, KIND);
    }
    let fault = |_| nom::Err::Error(Fault { rest: input, kind: KIND });
    let is_whole = if text.bytes.contains(&b'+') {
        let mut room = [0; limits::COMMAND_LINE];
        text.decode(&mut room)
            .is_some_and(|decoded| matches!(checked_mailbox(decoded, policy), Ok(([], _))))
    } else {
        checked_mailbox(text.bytes, policy).map_err(fault)?.0.is_empty()
    };
    if is_whole { Ok((rest, XtextMailbox(text))) } else { Fault::error(input, KIND) }
}

/// The submitter of the message, as AUTH= names it: RFC 4954 §5.
///
/// ```
/// use ehlo::syntax::parameter::{AuthIdentity, XtextMailbox};
///
/// let identity = AuthIdentity::Mailbox(XtextMailbox::new("joe@example.com")?);
/// assert_ne!(identity, AuthIdentity::Null);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthIdentity<'a> {
    /// `<>`: not known, or not trusted.
    Null,
    /// The submitter's mailbox.
    Mailbox(XtextMailbox<'a>),
}

impl Encode for AuthIdentity<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Null => writer.put(b"<>"),
            Self::Mailbox(mailbox) => mailbox.write_to(writer),
        }
    }
}

/// `auth-param = "AUTH=" xtext`, its value.
pub(super) fn auth_identity<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, AuthIdentity<'i>> {
    if let [b'<', b'>', rest @ ..] = input {
        return Ok((rest, AuthIdentity::Null));
    }
    if let Some((b"+3C+3E", rest)) = input.split_first_chunk::<6>() {
        return Ok((rest, AuthIdentity::Null));
    }
    let (rest, mailbox) = xtext_mailbox(input, policy)?;
    Ok((rest, AuthIdentity::Mailbox(mailbox)))
}

/// `EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"`, RFC 6533 §3.
///
/// HEXPOINT excludes characters that need no coding, and controls and surrogates among others; this
/// rule takes every code point that is no control.
pub(super) fn embedded_unicode_char(input: &[u8]) -> IResult<'_, char> {
    let Some((b"\\x{", digits)) = input.split_first_chunk::<3>() else {
        return Fault::error(input, KIND);
    };
    let mut code = 0_u32;
    let mut rest = digits;
    while let [digit, after @ ..] = rest {
        let Some(value) = hex_digit(*digit) else { break };
        code = (code << 4) | u32::from(value);
        rest = after;
    }
    let count = digits.len() - rest.len();
    match (rest, char::from_u32(code)) {
        ([b'}', rest @ ..], Some(character))
            if matches!(count, 2..=6) && !(character.is_ascii_control()) =>
        {
            Ok((rest, character))
        }
        _ => Fault::error(input, KIND),
    }
}
