//! `Reverse-path`, RFC 5321 §4.1.2.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

use super::path::{BARE, KIND, in_doubled_brackets, local_path, path};
use super::path_or::path_or;
use super::{LocalPart, Path};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{IResult, whole};
use crate::syntax::policy::Policy;

/// The sender of a message: `Reverse-path = Path / "<>"`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::{Policy, ReversePath};
///
/// assert_eq!(ReversePath::new("<>")?, ReversePath::Null);
/// assert_eq!(ReversePath::new("a@b.example")?, ReversePath::new("<a@B.example>")?);
/// let sender = ReversePath::new("<a@b.example>")?;
/// assert_eq!(sender.mailbox().unwrap().to_string(), "a@b.example");
/// assert_eq!((sender.local_part().unwrap().as_str(), sender.is_ascii()), ("a", true));
/// assert!(ReversePath::parse(b"a@b.example", &Policy::STRICT).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "sender")]
#[doc(alias = "envelope sender")]
#[doc(alias = "return path")]
#[doc(alias = "bounce address")]
#[doc(alias = "MAIL FROM")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReversePath<'a> {
    /// `<>`: the sender of notifications, which must not be answered (§4.5.5).
    Null,
    /// A user of the server, named without a domain; read only under [`Policy::missing_domain`].
    Local(LocalPart<'a>),
    /// The path for answers.
    Path(Path<'a>),
}

impl<'a> ReversePath<'a> {
    /// The reverse-path of `local@domain`, with or without brackets; `""` and `"<>"` are null.
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

    /// The part before the `@`; `None` for `<>`.
    pub fn local_part(&self) -> Option<LocalPart<'a>> {
        match self {
            Self::Null => None,
            Self::Local(user) => Some(*user),
            Self::Path(path) => Some(path.mailbox().local_part()),
        }
    }
}

path_or!(ReversePath, Null "<>", reverse_path);

/// `Reverse-path = Path / "<>"`.
#[inline(always)]
pub(crate) fn reverse_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ReversePath<'i>> {
    if let [b'<', b'>', rest @ ..] = input {
        return Ok((rest, ReversePath::Null));
    }
    match path(input, policy) {
        Ok((rest, path)) => Ok((rest, ReversePath::Path(path))),
        Err(error) => irregular(input, policy).ok_or(error),
    }
}

/// The forms that are not a path and are allowed all the same.
#[cold]
fn irregular<'i>(input: &'i [u8], policy: &Policy) -> Option<(&'i [u8], ReversePath<'i>)> {
    if let Some(found) = in_doubled_brackets(input, policy, reverse_path) {
        return Some(found);
    }
    local_path(input, policy).map(|(rest, user)| (rest, ReversePath::Local(user)))
}
