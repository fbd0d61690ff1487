//! `Mailbox` and its `Local-part`, RFC 5321 §4.1.2.

use core::cmp::Ordering;

use super::domain::{UTF8, host, unexpected_utf8};
use super::literal::address_literal;
use super::{Domain, Host};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    Fault, IResult, QTEXT_SMTP, display_or, escape, of_byte, scan, split, try_from_str, whole,
    wire_text,
};
use crate::syntax::limits;
use crate::syntax::policy::Policy;

/// The part before the `@`: `Local-part = Dot-string / Quoted-string`, RFC 5321 §4.1.2.
///
/// At most 64 bytes, quotes included. The text keeps its quoting. Two local parts are equal when
/// they mean the same: §4.1.2 lets quotes and backslashes vary, §2.4 makes case matter.
///
/// ```
/// use ehlo::syntax::path::LocalPart;
///
/// let quoted = LocalPart::new(r#""joe\.blow""#)?;
/// assert!(quoted.is_quoted());
/// assert_eq!(quoted.as_str(), r#""joe\.blow""#);
/// assert!(quoted.unquoted().eq(*b"joe.blow"));
/// assert_eq!(quoted, LocalPart::new("joe.blow")?);
/// assert_ne!(quoted, LocalPart::new("Joe.Blow")?);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "user name")]
#[derive(Clone, Copy)]
pub struct LocalPart<'a>(&'a [u8]);

impl<'a> LocalPart<'a> {
    /// The reserved name in RFC 5321 §2.3.5.
    pub(super) const POSTMASTER: Self = Self(b"Postmaster");

    /// The local part of this text, in US-ASCII or UTF-8 (RFC 6531 §3.3), with quotes where it
    /// needs them.
    ///
    /// # Errors
    ///
    /// `LocalPart` or `LocalPartTooLong`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), SyntaxErrorKind::LocalPart, |input| local_part(input, &UTF8))
    }

    /// Returns `true` if it is a quoted string.
    pub fn is_quoted(&self) -> bool {
        self.0.first() == Some(&b'"')
    }

    /// Its bytes without quotes, and without the backslashes of quoted pairs.
    pub fn unquoted(&self) -> Unquoted<'a> {
        match self.0 {
            [b'"', inside @ .., b'"'] => Unquoted { rest: inside, is_quoted: true },
            bare => Unquoted { rest: bare, is_quoted: false },
        }
    }

    /// Returns `true` if it needs no SMTPUTF8.
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

impl PartialOrd for LocalPart<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares the unquoted bytes.
impl Ord for LocalPart<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unquoted().cmp(other.unquoted())
    }
}

impl core::hash::Hash for LocalPart<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.unquoted().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xFF);
    }
}

/// The bytes of a local part without its quoting; see [`LocalPart::unquoted`].
///
/// ```
/// use ehlo::syntax::path::LocalPart;
///
/// let mut bytes = LocalPart::new(r#""\"""#)?.unquoted();
/// assert_eq!((bytes.next(), bytes.next()), (Some(b'"'), None));
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
        let (byte, rest) = match self.rest {
            [b'\\', byte, rest @ ..] if self.is_quoted => (byte, rest),
            [byte, rest @ ..] => (byte, rest),
            [] => return None,
        };
        self.rest = rest;
        Some(*byte)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest.len() / 2, Some(self.rest.len()))
    }
}

/// `Mailbox = Local-part "@" ( Domain / address-literal )`, RFC 5321 §4.1.2.
///
/// At most 254 bytes, so that it fits in a path, in US-ASCII or UTF-8 (RFC 6531 §3.3).
///
/// ```
/// use ehlo::syntax::path::{Domain, Host, LocalPart, Mailbox};
///
/// let mailbox = Mailbox::new("jones@xyz.example")?;
/// assert_eq!(mailbox.local_part(), LocalPart::new("jones")?);
/// assert_eq!(mailbox.domain(), Host::Domain(Domain::new("XYZ.example")?));
/// assert!(Mailbox::new("jones@xyz.example>").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "email address")]
#[doc(alias = "addr-spec")]
#[derive(Clone, Copy)]
pub struct Mailbox<'a> {
    text: &'a [u8],
    /// The number of bytes before the `@`.
    local_part: u16,
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

    /// A mailbox that is known to be valid, with `local_part` bytes before its `@`.
    pub(super) const fn known(text: &'a [u8], local_part: u16) -> Self {
        Self { text, local_part }
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> LocalPart<'a> {
        LocalPart(split(self.text, usize::from(self.local_part)).0)
    }

    /// The part behind the `@`.
    pub fn domain(&self) -> Host<'a> {
        let name = split(self.text, usize::from(self.local_part) + 1).1;
        match address_literal(name) {
            Ok((_, literal)) => Host::AddressLiteral(literal),
            Err(_) => Host::Domain(Domain::known(name)),
        }
    }

    /// Returns `true` if it needs no SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    pub(super) const fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(super) const fn local_part_len(&self) -> u16 {
        self.local_part
    }
}

try_from_str!(Mailbox);

impl PartialEq for Mailbox<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
            || self.local_part() == other.local_part() && self.domain() == other.domain()
    }
}

impl Eq for Mailbox<'_> {}

impl PartialOrd for Mailbox<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares the domain first, then the local part: mailboxes of one domain sort together.
impl Ord for Mailbox<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let domains = self.domain().cmp(&other.domain());
        domains.then_with(|| self.local_part().cmp(&other.local_part()))
    }
}

impl core::hash::Hash for Mailbox<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.local_part().hash(state);
        self.domain().hash(state);
    }
}

impl core::fmt::Debug for Mailbox<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        escape(self.local_part().as_str(), f)?;
        f.write_str("@")?;
        match self.domain() {
            Host::Domain(domain) => escape(domain.as_str(), f),
            Host::AddressLiteral(literal) => core::fmt::Display::fmt(&literal, f),
        }
    }
}

impl core::fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display_or::<256>(self, f, |f| write!(f, "{}@{}", self.local_part(), self.domain()))
    }
}

impl Encode for Mailbox<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.local_part().write_to(writer);
        writer.put(b"@");
        self.domain().write_to(writer);
    }
}

/// `Mailbox` of any length; the path around it is limited.
pub(crate) fn mailbox<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Mailbox<'i>> {
    let (rest, local_part) = local_part(input, policy)?;
    let Some((b'@', rest)) = rest.split_first() else {
        return Fault::error(rest, of_byte(rest, SyntaxErrorKind::Path));
    };
    let (rest, _) = host(rest, policy)?;
    let text = split(input, input.len().saturating_sub(rest.len())).0;
    // The dot of an absolute name, which `Policy::trailing_dot` allows, is not part of it.
    let text = text.strip_suffix(b".").unwrap_or(text);
    let Ok(local_part) = u16::try_from(local_part.0.len()) else {
        return Fault::error(input, SyntaxErrorKind::LocalPartTooLong);
    };
    Ok((rest, Mailbox { text, local_part }))
}

/// `Mailbox` of a length that a path can hold, both as received and as encoded.
pub(crate) fn checked_mailbox<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Mailbox<'i>> {
    let (rest, mailbox) = mailbox(input, policy)?;
    let length = mailbox.text.len() + 2;
    if policy.any_length {
        return Ok((rest, mailbox));
    }
    // Only an address literal can be longer when it is encoded, by at most 8 bytes.
    if length > limits::PATH
        || length + 8 > limits::PATH && mailbox.encoded_len() + 2 > limits::PATH
    {
        return Fault::error(input, SyntaxErrorKind::PathTooLong);
    }
    Ok((rest, mailbox))
}

/// `Local-part = Dot-string / Quoted-string`.
#[inline]
pub(crate) fn local_part<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, LocalPart<'i>> {
    let length = scan::dot_string(input, 0);
    let (text, rest) = split(input, length);
    match (text, rest) {
        ([] | [b'.', ..] | [.., b'.'], _) => any_local_part(input, policy),
        (_, [b'@', ..]) if length <= limits::LOCAL_PART => Ok((rest, LocalPart(text))),
        _ => any_local_part(input, policy),
    }
}

/// The same for rare forms, and for errors.
fn any_local_part<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, LocalPart<'i>> {
    let (rest, text) = match input.first() {
        Some(b'"') => quoted_string(input, policy)?,
        _ => dot_string(input, policy)?,
    };
    // RFC 5321 §4.5.3.1.1: "The maximum total length of a user name or other local-part is 64
    // octets."
    if text.len() > limits::LOCAL_PART && !policy.any_length {
        return Fault::error(input, SyntaxErrorKind::LocalPartTooLong);
    }
    Ok((rest, LocalPart(text)))
}

/// `Dot-string = Atom *("."  Atom)`, `Atom = 1*atext`; RFC 6531 §3.3: `atext =/ UTF8-non-ascii`.
///
/// One table lookup and one comparison per byte: see [`RANK`].
fn dot_string<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, &'i [u8]> {
    let mut last = DOT;
    let mut length = 0;
    for &byte in input {
        let rank = RANK[usize::from(byte)];
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
    if policy.any_dots && (last != ATOM || rest.first() == Some(&b'.')) {
        return any_dots(input);
    }
    if last != ATOM {
        return Fault::error(rest, of_byte(rest, SyntaxErrorKind::LocalPart));
    }
    Ok((rest, text))
}

/// `1*( Atom / "." )`, of which one is an atom.
#[cold]
fn any_dots(input: &[u8]) -> IResult<'_, &[u8]> {
    let is_part = |byte: &u8| RANK[usize::from(*byte)] < STOP;
    let length = input.iter().position(|byte| !is_part(byte)).unwrap_or(input.len());
    let (text, rest) = split(input, length);
    if text.iter().all(|byte| *byte == b'.') {
        return Fault::error(input, of_byte(input, SyntaxErrorKind::LocalPart));
    }
    Ok((rest, text))
}

#[cold]
fn utf8_dot_string<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, &'i [u8]> {
    let is_part = |byte: &u8| RANK[usize::from(*byte)] < STOP || *byte >= 0x80;
    let length = input.iter().position(|byte| !is_part(byte)).unwrap_or(input.len());
    let (text, rest) = split(input, length);
    utf8(input, text, policy)?;
    if policy.any_dots {
        return Ok((rest, text));
    }
    let mut at = 0;
    for atom in text.split(|&byte| byte == b'.') {
        if atom.is_empty() {
            return Fault::error(split(input, at).1, SyntaxErrorKind::LocalPart);
        }
        at += atom.len() + 1;
    }
    Ok((rest, text))
}

/// `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, `QcontentSMTP = qtextSMTP / quoted-pairSMTP`,
/// `quoted-pairSMTP = %d92 %d32-126`; RFC 6531 §3.3: `qtextSMTP =/ UTF8-non-ascii`. The caller has
/// seen the opening quote.
pub(crate) fn quoted_string<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, &'i [u8]> {
    let mut is_ascii = true;
    // Behind the opening quote.
    let mut at = 1;
    loop {
        match input.get(at) {
            Some(byte) if QTEXT_SMTP[usize::from(*byte)] => at += 1,
            Some(b'\\') if matches!(input.get(at + 1), Some(32..=126)) => at += 2,
            Some(128..) => {
                is_ascii = false;
                at += 1;
            }
            Some(b'"') => break,
            _ => {
                let rest = split(input, at).1;
                return Fault::error(rest, of_byte(rest, SyntaxErrorKind::LocalPart));
            }
        }
    }
    let (text, rest) = split(input, at + 1);
    if !is_ascii {
        utf8(input, text, policy)?;
    }
    Ok((rest, text))
}

/// Whether `text`, the front of `input`, is valid UTF-8 and the policy reads UTF-8.
#[cold]
fn utf8<'i>(input: &'i [u8], text: &[u8], policy: &Policy) -> Result<(), nom::Err<Fault<'i>>> {
    if policy.smtputf8 && core::str::from_utf8(text).is_ok() {
        return Ok(());
    }
    let at = text.iter().position(|byte| *byte >= 0x80).unwrap_or_default();
    let kind = if policy.smtputf8 { SyntaxErrorKind::NonAscii } else { unexpected_utf8(text) };
    Err(nom::Err::Error(Fault { rest: split(input, at).1, kind }))
}

/// The rank of a byte in a dot-string. Two neighbours whose ranks add up to more than [`WORST`] end
/// it: `..`, and any byte before one that a dot-string cannot have. The start counts as a dot.
static RANK: [u8; 256] = {
    let mut rank = [STOP; 256];
    let mut byte = 0;
    while byte < 256 {
        if crate::syntax::grammar::ATEXT[byte] {
            rank[byte] = ATOM;
        }
        byte += 1;
    }
    rank[b'.' as usize] = DOT;
    rank
};
const ATOM: u8 = 0;
const DOT: u8 = 2;
const WORST: u8 = 3;
const STOP: u8 = 4;
