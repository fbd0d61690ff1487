//! `Reverse-path`, RFC 5321 §4.1.2.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

use super::path::{BARE, KIND, path};
use super::{Mailbox, Path};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{IResult, debug, whole};
use crate::syntax::policy::Policy;

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
        debug::<512>(self, f)
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

/// `Reverse-path = Path / "<>"`.
#[inline(always)]
pub(crate) fn reverse_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ReversePath<'i>> {
    if let [b'<', b'>', rest @ ..] = input {
        return Ok((rest, ReversePath::Null));
    }
    let (rest, path) = path(input, policy)?;
    Ok((rest, ReversePath::Path(path)))
}
