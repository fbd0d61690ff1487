//! Paths, RFC 5321 §4.1.2: what MAIL and RCPT carry.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

mod client_name;
mod domain;
mod literal;
mod mailbox;
mod source_route;

pub use client_name::{ClientName, Text};
pub use domain::{Domain, Host};
pub use literal::{AddressLiteral, GeneralAddressLiteral};
pub use mailbox::{LocalPart, Mailbox, Unquoted};
pub use source_route::SourceRoute;

pub(crate) use client_name::{client_name, helo_name, text_of};
pub(crate) use domain::domain;
pub(crate) use mailbox::{checked_mailbox, local_part, mailbox, quoted_string};

use crate::grammar::{Fault, IResult, display, is_end, is_word_end, of_octet, scan, split, whole};
use crate::{Encode, Policy, SyntaxError, SyntaxErrorKind, Writer, limits};
use domain::UTF8;

const KIND: SyntaxErrorKind = SyntaxErrorKind::Path;

/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`, RFC 5321 §4.1.2. At most 256 octets, brackets included.
///
/// ```
/// use ehlo::Path;
///
/// let path = Path::new("<@relay.example:jones@xyz.example>")?;
/// assert_eq!(path.mailbox().to_string(), "jones@xyz.example");
/// assert_eq!(path.route().unwrap().domains().count(), 1);
/// assert_eq!(path.without_route().to_string(), "<jones@xyz.example>");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Path<'a> {
    /// What stands between the brackets.
    text: &'a [u8],
    /// Octets of the source route with its colon.
    route: u16,
    /// Octets of the local part.
    local_part: u8,
}

impl<'a> Path<'a> {
    /// The path of `local@domain`, or of the same in brackets, where a source route may stand.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| path(input, &BARE))
    }

    /// The source route, if there is one. §4.1.2: it "SHOULD be ignored".
    pub fn route(&self) -> Option<SourceRoute<'a>> {
        let length = usize::from(self.route).checked_sub(1)?;
        Some(SourceRoute::known(split(self.text, length).0))
    }

    /// The mailbox.
    pub fn mailbox(&self) -> Mailbox<'a> {
        Mailbox::known(split(self.text, usize::from(self.route)).1, self.local_part)
    }

    /// The same path with its source route dropped, as §3.6.1 and appendix C advise.
    #[must_use]
    pub fn without_route(self) -> Self {
        self.mailbox().into()
    }

    /// Whether it can do without SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }
}

impl PartialEq for Path<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.route() == other.route() && self.mailbox() == other.mailbox()
    }
}

impl Eq for Path<'_> {}

impl core::hash::Hash for Path<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.route().hash(state);
        self.mailbox().hash(state);
    }
}

impl<'a> From<Mailbox<'a>> for Path<'a> {
    fn from(mailbox: Mailbox<'a>) -> Self {
        Self { text: mailbox.text(), route: 0, local_part: mailbox.local_part_len() }
    }
}

impl core::fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<512>(self, f)
    }
}

impl Encode for Path<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(b"<");
        writer.put(split(self.text, usize::from(self.route)).0);
        self.mailbox().write_to(writer);
        writer.put(b">");
    }
}

/// Where a message comes from: `Reverse-path = Path / "<>"`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::{Policy, ReversePath};
///
/// assert_eq!(ReversePath::new("<>")?, ReversePath::Null);
/// assert_eq!(ReversePath::new("a@b.example")?, ReversePath::new("<a@B.example>")?);
/// assert!(ReversePath::parse(b"a@b.example", &Policy::STRICT).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReversePath<'a> {
    /// `<>`: of notifications, which must not be answered (§4.5.5).
    Null,
    /// A path to answer to.
    Path(Path<'a>),
}

impl<'a> ReversePath<'a> {
    /// The reverse-path of `local@domain` or of the same in brackets; `""` and `"<>"` are null.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        if text.is_empty() {
            return Ok(Self::Null);
        }
        whole(text.as_bytes(), KIND, |input| reverse_path(input, &BARE))
    }

    /// The reverse-path that `input` is, as it stands in a command.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `input`.
    pub fn parse(input: &'a [u8], policy: &Policy) -> Result<Self, SyntaxError> {
        whole(input, KIND, |input| reverse_path(input, policy))
    }

    /// The path, unless it is the null one.
    pub const fn path(&self) -> Option<Path<'a>> {
        match self {
            Self::Null => None,
            Self::Path(path) => Some(*path),
        }
    }

    /// Whether it can do without SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Path(path) => path.is_ascii(),
        }
    }
}

impl<'a> From<Mailbox<'a>> for ReversePath<'a> {
    fn from(mailbox: Mailbox<'a>) -> Self {
        Self::Path(mailbox.into())
    }
}

impl<'a> From<Path<'a>> for ReversePath<'a> {
    fn from(path: Path<'a>) -> Self {
        Self::Path(path)
    }
}

impl core::fmt::Debug for ReversePath<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for ReversePath<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Null => f.pad("<>"),
            Self::Path(path) => core::fmt::Display::fmt(path, f),
        }
    }
}

impl Encode for ReversePath<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Null => writer.put(b"<>"),
            Self::Path(path) => path.write_to(writer),
        }
    }
}

/// Where a message goes: `"<Postmaster>" / Forward-path`, RFC 5321 §4.1.1.3.
///
/// `<Postmaster@domain>` is a path like any other.
///
/// ```
/// use ehlo::ForwardPath;
///
/// assert_eq!(ForwardPath::new("<postMaster>")?, ForwardPath::Postmaster);
/// assert_eq!(ForwardPath::new("bob@example.org")?.to_string(), "<bob@example.org>");
/// assert!(ForwardPath::new("<>").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForwardPath<'a> {
    /// The postmaster of the server itself, named without a domain.
    Postmaster,
    /// A path.
    Path(Path<'a>),
}

impl<'a> ForwardPath<'a> {
    /// The forward-path of `local@domain` or of the same in brackets; `Postmaster` may stand alone.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| forward_path(input, &BARE))
    }

    /// The forward-path that `input` is, as it stands in a command.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `input`.
    pub fn parse(input: &'a [u8], policy: &Policy) -> Result<Self, SyntaxError> {
        whole(input, KIND, |input| forward_path(input, policy))
    }

    /// The path, unless it is the domainless postmaster.
    pub const fn path(&self) -> Option<Path<'a>> {
        match self {
            Self::Postmaster => None,
            Self::Path(path) => Some(*path),
        }
    }

    /// Whether it can do without SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        match self {
            Self::Postmaster => true,
            Self::Path(path) => path.is_ascii(),
        }
    }
}

impl<'a> From<Mailbox<'a>> for ForwardPath<'a> {
    fn from(mailbox: Mailbox<'a>) -> Self {
        Self::Path(mailbox.into())
    }
}

impl<'a> From<Path<'a>> for ForwardPath<'a> {
    fn from(path: Path<'a>) -> Self {
        Self::Path(path)
    }
}

impl core::fmt::Debug for ForwardPath<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for ForwardPath<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Postmaster => f.pad("<Postmaster>"),
            Self::Path(path) => core::fmt::Display::fmt(path, f),
        }
    }
}

impl Encode for ForwardPath<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Postmaster => writer.put(b"<Postmaster>"),
            Self::Path(path) => path.write_to(writer),
        }
    }
}

/// `Reverse-path = Path / "<>"`.
#[inline(always)]
pub(crate) fn reverse_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ReversePath<'i>> {
    if let [b'<', b'>', rest @ ..] = input {
        return Ok((rest, ReversePath::Null));
    }
    let (rest, path) = path(input, policy)?;
    Ok((rest, ReversePath::Path(path)))
}

/// `"<Postmaster>" / Forward-path`.
#[inline(always)]
pub(crate) fn forward_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ForwardPath<'i>> {
    match path(input, policy) {
        Ok((rest, path)) => Ok((rest, ForwardPath::Path(path))),
        // RFC 5321 §2.3.5: "The reserved mailbox name "postmaster" may be used in a RCPT command
        // without domain qualification"; §4.1.1.3: in any case.
        Err(error) => match postmaster(input, policy) {
            Some(rest) => Ok((rest, ForwardPath::Postmaster)),
            None => Err(error),
        },
    }
}

#[cold]
fn postmaster<'i>(input: &'i [u8], policy: &Policy) -> Option<&'i [u8]> {
    if let Some((start, rest)) = input.split_first_chunk::<12>() {
        if start.eq_ignore_ascii_case(b"<Postmaster>") {
            return Some(rest);
        }
    }
    let (start, rest) = input.split_first_chunk::<10>()?;
    let is_bare = start.eq_ignore_ascii_case(b"Postmaster") && is_word_end(rest);
    (policy.missing_brackets && is_bare).then_some(rest)
}

/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`, `Forward-path = Path`.
///
/// The common case, a dot-string at a domain that are both short, is told by two scans.
#[inline(always)]
fn path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Path<'i>> {
    if input.first() == Some(&b'<') {
        if let Some((local_part, end)) = plain_mailbox(input, 1) {
            if let (Some(text), [b'>', rest @ ..]) = (input.get(1..end), split(input, end).1) {
                return Ok((rest, Path { text, route: 0, local_part }));
            }
        }
    }
    any_path(input, policy)
}

/// The `Mailbox` that starts at `start`, if it is of letters, digits, hyphens and dots only, and of
/// no label that could be too long: octets of its local part, and where it ends.
#[inline(always)]
pub(crate) fn plain_mailbox(input: &[u8], start: usize) -> Option<(u8, usize)> {
    let at = scan::dot_string(input, start);
    let [last, b'@'] = *input.get(at.checked_sub(1)?..)?.first_chunk()? else {
        return None;
    };
    let end = scan::domain(input, at + 1);
    let is_name = input.get(end - 1).is_some_and(u8::is_ascii_alphanumeric);
    let (local_part, domain) = (at - start, end - at - 1);
    let is_short = local_part <= limits::LOCAL_PART && domain <= limits::LABEL;
    if is_name && is_short && last != b'.' && local_part > 0 {
        return Some((u8::try_from(local_part).ok()?, end));
    }
    None
}

/// The same with what is rare, and with what is wrong.
fn any_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Path<'i>> {
    let Some((b'<', inside)) = input.split_first() else {
        return bare_path(input, policy);
    };
    let start = match inside.first() {
        Some(b'@') => source_route::a_d_l(inside, policy)?.0,
        _ => inside,
    };
    let (end, mailbox) = mailbox(start, policy)?;
    let Some((b'>', rest)) = end.split_first() else {
        return Fault::error(end, of_octet(end, KIND));
    };
    let text = split(inside, inside.len().saturating_sub(end.len())).0;
    let route = u16::try_from(inside.len().saturating_sub(start.len())).unwrap_or(u16::MAX);
    let path = Path { text, route, local_part: mailbox.local_part_len() };
    // RFC 5321 §4.5.3.1.3: "The maximum total length of a reverse-path or forward-path is 256
    // octets (including the punctuation and element separators)."
    // As it stands, and as it is written.
    if text.len() + 2 > limits::PATH || path.encoded_len() > limits::PATH {
        return Fault::error(input, SyntaxErrorKind::PathTooLong);
    }
    Ok((rest, path))
}

/// A path without its brackets, which ends at a space.
#[cold]
fn bare_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Path<'i>> {
    if !policy.missing_brackets || is_end(input) {
        return Fault::error(input, of_octet(input, KIND));
    }
    let (rest, mailbox) = checked_mailbox(input, policy)?;
    if !is_word_end(rest) {
        return Fault::error(rest, of_octet(rest, KIND));
    }
    Ok((rest, mailbox.into()))
}

/// What is wrong with octets above 127 where only US-ASCII is read: a valid address of RFC 6531
/// needs its extension, anything else is no text at all.
fn unexpected_utf8(text: &[u8]) -> SyntaxErrorKind {
    if core::str::from_utf8(text).is_ok() {
        SyntaxErrorKind::NeedsSmtpUtf8
    } else {
        SyntaxErrorKind::NonAscii
    }
}

/// The policy of the constructors, which take a mailbox with or without brackets.
const BARE: Policy = Policy { missing_brackets: true, ..UTF8 };
