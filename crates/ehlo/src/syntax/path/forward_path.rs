//! `Forward-path` and the postmaster, RFC 5321 §4.1.1.3.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

use super::path::{BARE, KIND, path};
use super::{Mailbox, Path};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{IResult, debug, is_word_end, whole};
use crate::syntax::policy::Policy;

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
        debug::<512>(self, f)
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
