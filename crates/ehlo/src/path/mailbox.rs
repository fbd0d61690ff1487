//! `Mailbox` and its `Local-part`, RFC 5321 §4.1.2.

use super::domain::{UTF8, host};
use super::{Host, unexpected_utf8};
use crate::grammar::{Fault, IResult, QTEXT_SMTP, of_octet, run, split, whole, wire_text};
use crate::{Encode, Policy, SyntaxError, SyntaxErrorKind, Writer, limits};

/// What stands before the `@`: `Local-part = Dot-string / Quoted-string`, RFC 5321 §4.1.2.
///
/// At most 64 octets, quotes included. The text keeps its quoting; two local parts are equal when
/// they mean the same: §4.1.2 lets quotes and backslashes come and go, §2.4 makes case matter.
///
/// ```
/// use ehlo::LocalPart;
///
/// let quoted = LocalPart::new(r#""joe\.blow""#)?;
/// assert!(quoted.is_quoted());
/// assert_eq!(quoted.as_str(), r#""joe\.blow""#);
/// assert!(quoted.unquoted().eq(*b"joe.blow"));
/// assert_eq!(quoted, LocalPart::new("joe.blow")?);
/// assert_ne!(quoted, LocalPart::new("Joe.Blow")?);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct LocalPart<'a>(&'a [u8]);

impl<'a> LocalPart<'a> {
    /// The local part of this text, in US-ASCII or UTF-8 (RFC 6531 §3.3), quoted where it must be.
    ///
    /// # Errors
    ///
    /// `LocalPart` or `LocalPartTooLong`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), SyntaxErrorKind::LocalPart, |input| local_part(input, &UTF8))
    }

    /// Whether it is a quoted string.
    pub fn is_quoted(&self) -> bool {
        self.0.first() == Some(&b'"')
    }

    /// The octets that it means: without quotes, and without the backslashes of quoted pairs.
    pub fn unquoted(&self) -> Unquoted<'a> {
        match self.0 {
            [b'"', inside @ .., b'"'] => Unquoted { rest: inside, is_quoted: true },
            bare => Unquoted { rest: bare, is_quoted: false },
        }
    }

    /// Whether it can do without SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

wire_text!(LocalPart);

impl PartialEq for LocalPart<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.unquoted().eq(other.unquoted())
    }
}

impl Eq for LocalPart<'_> {}

impl core::hash::Hash for LocalPart<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.unquoted().for_each(|octet| state.write_u8(octet));
        state.write_u8(0xFF);
    }
}

/// The octets of a local part without its quoting; see [`LocalPart::unquoted`].
///
/// ```
/// use ehlo::LocalPart;
///
/// let mut octets = LocalPart::new(r#""\"""#)?.unquoted();
/// assert_eq!((octets.next(), octets.next()), (Some(b'"'), None));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Unquoted<'a> {
    rest: &'a [u8],
    is_quoted: bool,
}

impl Iterator for Unquoted<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (octet, rest) = match self.rest {
            [b'\\', octet, rest @ ..] if self.is_quoted => (octet, rest),
            [octet, rest @ ..] => (octet, rest),
            [] => return None,
        };
        self.rest = rest;
        Some(*octet)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest.len() / 2, Some(self.rest.len()))
    }
}

/// `Mailbox = Local-part "@" ( Domain / address-literal )`, RFC 5321 §4.1.2.
///
/// At most 254 octets, so that it fits in a path. In US-ASCII or UTF-8 (RFC 6531 §3.3).
///
/// ```
/// use ehlo::{Domain, LocalPart, Mailbox};
///
/// let mailbox = Mailbox::new("jones@xyz.example")?;
/// let same = Mailbox::from_parts(LocalPart::new("jones")?, Domain::new("XYZ.example")?)?;
/// assert_eq!(mailbox, same);
/// assert!(Mailbox::new("jones@xyz.example>").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mailbox<'a> {
    local_part: LocalPart<'a>,
    domain: Host<'a>,
}

impl<'a> Mailbox<'a> {
    /// The mailbox of this text, without brackets.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), SyntaxErrorKind::Path, |input| checked_mailbox(input, &UTF8))
    }

    /// The mailbox of a local part at a host.
    ///
    /// # Errors
    ///
    /// `PathTooLong` over 254 octets.
    pub fn from_parts(
        local_part: LocalPart<'a>,
        domain: impl Into<Host<'a>>,
    ) -> Result<Self, SyntaxError> {
        let mailbox = Self { local_part, domain: domain.into() };
        let length = mailbox.encoded_len();
        if length + 2 > limits::PATH {
            return Err(SyntaxError { kind: SyntaxErrorKind::PathTooLong, offset: length });
        }
        Ok(mailbox)
    }

    /// What stands before the `@`.
    pub const fn local_part(&self) -> LocalPart<'a> {
        self.local_part
    }

    /// What stands behind it.
    pub const fn domain(&self) -> Host<'a> {
        self.domain
    }

    /// Whether it can do without SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        self.local_part.is_ascii() && self.domain.is_ascii()
    }
}

impl core::fmt::Debug for Mailbox<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

impl core::fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::grammar::display::<512>(self, f)
    }
}

impl Encode for Mailbox<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.local_part.write_to(writer);
        writer.put(b"@");
        self.domain.write_to(writer);
    }
}

/// `Mailbox`, whatever its length; the path around it is limited.
#[inline]
pub(crate) fn mailbox<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Mailbox<'i>> {
    let (rest, local_part) = local_part(input, policy)?;
    let Some((b'@', rest)) = rest.split_first() else {
        return Fault::error(rest, of_octet(rest, SyntaxErrorKind::Path));
    };
    let (rest, domain) = host(rest, policy)?;
    Ok((rest, Mailbox { local_part, domain }))
}

/// `Mailbox` of a length that a path can hold.
pub(crate) fn checked_mailbox<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Mailbox<'i>> {
    let (rest, mailbox) = mailbox(input, policy)?;
    if input.len() - rest.len() + 2 > limits::PATH {
        return Fault::error(input, SyntaxErrorKind::PathTooLong);
    }
    Ok((rest, mailbox))
}

/// `Local-part = Dot-string / Quoted-string`.
#[inline]
pub(crate) fn local_part<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, LocalPart<'i>> {
    let (rest, text) = match input.first() {
        Some(b'"') => quoted_string(input, policy)?,
        _ => dot_string(input, policy)?,
    };
    // RFC 5321 §4.5.3.1.1: "The maximum total length of a user name or other local-part is 64
    // octets."
    if text.len() > limits::LOCAL_PART {
        return Fault::error(input, SyntaxErrorKind::LocalPartTooLong);
    }
    Ok((rest, LocalPart(text)))
}

/// `Dot-string = Atom *("."  Atom)`, `Atom = 1*atext`; RFC 6531 §3.3: `atext =/ UTF8-non-ascii`.
///
/// One table lookup and one comparison an octet: see [`RANK`].
#[inline]
fn dot_string<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, &'i [u8]> {
    let mut last = DOT;
    let mut length = 0;
    for &octet in input {
        let rank = RANK[usize::from(octet)];
        if last + rank > WORST {
            break;
        }
        last = rank;
        length += 1;
    }
    let (text, rest) = split(input, length);
    if matches!(rest.first(), Some(128..)) {
        return utf8_dot_string(input, policy);
    }
    if last != ATOM {
        return Fault::error(rest, of_octet(rest, SyntaxErrorKind::LocalPart));
    }
    Ok((rest, text))
}

#[cold]
fn utf8_dot_string<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, &'i [u8]> {
    let is_part = |octet: &u8| RANK[usize::from(*octet)] < STOP || *octet >= 0x80;
    let length = input.iter().position(|octet| !is_part(octet)).unwrap_or(input.len());
    let (text, rest) = split(input, length);
    let text = utf8(text, policy)?;
    let mut at = 0;
    for atom in text.split(|&octet| octet == b'.') {
        if atom.is_empty() {
            return Fault::error(split(input, at).1, SyntaxErrorKind::LocalPart);
        }
        at += atom.len() + 1;
    }
    Ok((rest, text))
}

/// `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, `QcontentSMTP = qtextSMTP / quoted-pairSMTP`,
/// `quoted-pairSMTP = %d92 %d32-126`; RFC 6531 §3.3: `qtextSMTP =/ UTF8-non-ascii`.
pub(crate) fn quoted_string<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, &'i [u8]> {
    let Some((b'"', mut rest)) = input.split_first() else {
        return Fault::error(input, SyntaxErrorKind::LocalPart);
    };
    let mut is_ascii = true;
    loop {
        rest = split(rest, run(rest, &QTEXT_SMTP)).1;
        rest = match rest {
            [b'"', after @ ..] => {
                let text = split(input, input.len() - after.len()).0;
                let text = if is_ascii { text } else { utf8(text, policy)? };
                return Ok((after, text));
            }
            [b'\\', 32..=126, after @ ..] => after,
            [128..=255, after @ ..] => {
                is_ascii = false;
                after
            }
            _ => return Fault::error(rest, of_octet(rest, SyntaxErrorKind::LocalPart)),
        };
    }
}

/// `text`, when it is valid UTF-8 and the policy reads UTF-8.
#[cold]
fn utf8<'i>(text: &'i [u8], policy: &Policy) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    if policy.smtputf8 && core::str::from_utf8(text).is_ok() {
        return Ok(text);
    }
    let at = text.iter().position(|octet| *octet >= 0x80).unwrap_or_default();
    let kind = if policy.smtputf8 { SyntaxErrorKind::NonAscii } else { unexpected_utf8(text) };
    Err(nom::Err::Error(Fault { rest: split(text, at).1, kind }))
}

/// The rank of an octet in a dot-string. Two neighbours whose ranks add up to more than [`WORST`]
/// end it: `..`, and anything before an octet of no dot-string. The start counts as a dot.
static RANK: [u8; 256] = {
    let mut rank = [STOP; 256];
    let mut octet = 0;
    while octet < 256 {
        if crate::grammar::ATEXT[octet] {
            rank[octet] = ATOM;
        }
        octet += 1;
    }
    rank[b'.' as usize] = DOT;
    rank
};
const ATOM: u8 = 0;
const DOT: u8 = 2;
const WORST: u8 = 3;
const STOP: u8 = 4;
