//! `Forward-path` and the postmaster, RFC 5321 §4.1.1.3.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

use super::path::{BARE, KIND, in_doubled_brackets, local_path, path};
use super::path_or::path_or;
use super::{LocalPart, Path};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{IResult, is_word_end_under, whole};
use crate::syntax::policy::Policy;

/// The recipient of a message: `"<Postmaster>" / Forward-path`, RFC 5321 §4.1.1.3.
///
/// `<Postmaster@domain>` is an ordinary path.
///
/// ```
/// use ehlo::ForwardPath;
/// use ehlo::syntax::path::Host;
///
/// let bob = ForwardPath::new("bob@example.org")?;
/// assert_eq!(bob.to_string(), "<bob@example.org>");
/// assert_eq!(bob.local_part().as_str(), "bob");
/// assert_eq!(bob.domain(), Some(Host::new("example.org")?));
///
/// let postmaster = ForwardPath::new("<postMaster>")?;
/// assert_eq!(postmaster, ForwardPath::Postmaster);
/// assert_eq!((postmaster.local_part().as_str(), postmaster.domain()), ("Postmaster", None));
/// assert!(ForwardPath::new("<>").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "recipient")]
#[doc(alias = "envelope recipient")]
#[doc(alias = "RCPT TO")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForwardPath<'a> {
    /// The postmaster of the server, named without a domain.
    Postmaster,
    /// Another user of the server, named without a domain; read only under
    /// [`Policy::missing_domain`].
    Local(LocalPart<'a>),
    /// A path.
    Path(Path<'a>),
}

impl<'a> ForwardPath<'a> {
    /// The forward-path of `local@domain`, with or without brackets; `Postmaster` may stand alone.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| forward_path(input, &BARE))
    }

    /// The part before the `@`; `Postmaster` for the postmaster without a domain.
    pub fn local_part(&self) -> LocalPart<'a> {
        match self {
            Self::Postmaster => LocalPart::POSTMASTER,
            Self::Local(user) => *user,
            Self::Path(path) => path.mailbox().local_part(),
        }
    }
}

path_or!(ForwardPath, Postmaster "<Postmaster>", forward_path);

/// `"<Postmaster>" / Forward-path`.
#[inline(always)]
pub(crate) fn forward_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ForwardPath<'i>> {
    match path(input, policy) {
        Ok((rest, path)) => Ok((rest, ForwardPath::Path(path))),
        Err(error) => irregular(input, policy).ok_or(error),
    }
}

/// The forms that are not a path and are allowed all the same.
#[cold]
fn irregular<'i>(input: &'i [u8], policy: &Policy) -> Option<(&'i [u8], ForwardPath<'i>)> {
    if let Some(rest) = postmaster(input, policy) {
        return Some((rest, ForwardPath::Postmaster));
    }
    if let Some(found) = in_doubled_brackets(input, policy, forward_path) {
        return Some(found);
    }
    local_path(input, policy).map(|(rest, user)| (rest, ForwardPath::Local(user)))
}

/// RFC 5321 §2.3.5: "The reserved mailbox name "postmaster" may be used in a RCPT command without
/// domain qualification"; §4.1.1.3: in any case.
fn postmaster<'i>(input: &'i [u8], policy: &Policy) -> Option<&'i [u8]> {
    if let Some((start, rest)) = input.split_first_chunk::<12>() {
        if start.eq_ignore_ascii_case(b"<Postmaster>") {
            return Some(rest);
        }
    }
    let (start, rest) = input.split_first_chunk::<10>()?;
    let is_bare = start.eq_ignore_ascii_case(b"Postmaster") && is_word_end_under(policy, rest);
    (policy.missing_brackets && is_bare).then_some(rest)
}
