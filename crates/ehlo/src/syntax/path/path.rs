//! `Path`, RFC 5321 §4.1.2.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

use core::cmp::Ordering;

use super::domain::UTF8;
use super::mailbox::{checked_mailbox, local_part, mailbox};
use super::{LocalPart, Mailbox, SourceRoute, source_route};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    Fault, IResult, as_str, display_or, escape, is_end, is_word_end_under, of_byte, scan, split,
    try_from_str, whole,
};
use crate::syntax::limits;
use crate::syntax::policy::Policy;

pub(super) const KIND: SyntaxErrorKind = SyntaxErrorKind::Path;

/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`, RFC 5321 §4.1.2. At most 256 bytes, brackets included.
///
/// ```
/// use ehlo::syntax::path::Path;
///
/// let path = Path::new("<@relay.example:jones@xyz.example>")?;
/// assert_eq!(path.mailbox().to_string(), "jones@xyz.example");
/// assert_eq!(path.route().unwrap().domains().count(), 1);
/// assert_eq!(path.without_route().to_string(), "<jones@xyz.example>");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Path<'a> {
    /// The text between the brackets.
    text: &'a [u8],
    /// The length of the source route in bytes, with its colon.
    route: u16,
    /// The length of the local part in bytes.
    local_part: u16,
    #[allow(dead_code)] // no code reads its one value
    tag: Tag,
}

/// A type of one value, which leaves 255 to enums of a path and other variants, so that they are no
/// larger than a path.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    Path,
}

impl<'a> Path<'a> {
    /// The path of `local@domain`, or of the same in brackets, where a source route may precede it.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| path(input, &BARE))
    }

    /// The source route; `None` if the path has no route. §4.1.2: it "SHOULD be ignored".
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

    /// Returns `true` if it is within the sizes of RFC 5321 §4.5.3.1: a local part of at most 64
    /// bytes, and at most 256 for the whole path, both as received and as encoded.
    /// [`Policy::any_length`] reads longer ones.
    pub fn is_within_limits(&self) -> bool {
        usize::from(self.local_part) <= limits::LOCAL_PART
            && self.text.len() + 2 <= limits::PATH
            // Only an address literal can be longer when it is encoded, by at most 8 bytes.
            && (self.text.len() + 10 <= limits::PATH || self.encoded_len() <= limits::PATH)
    }

    /// Returns `true` if it needs no SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }
}

try_from_str!(Path);

impl PartialEq for Path<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.route() == other.route() && self.mailbox() == other.mailbox()
    }
}

impl Eq for Path<'_> {}

impl PartialOrd for Path<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares the mailbox first, then the source route.
impl Ord for Path<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let mailboxes = self.mailbox().cmp(&other.mailbox());
        mailboxes.then_with(|| self.route().cmp(&other.route()))
    }
}

impl core::hash::Hash for Path<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.route().hash(state);
        self.mailbox().hash(state);
    }
}

impl<'a> From<Mailbox<'a>> for Path<'a> {
    fn from(mailbox: Mailbox<'a>) -> Self {
        Self {
            text: mailbox.text(),
            route: 0,
            local_part: mailbox.local_part_len(),
            tag: Tag::Path,
        }
    }
}

impl core::fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("<")?;
        escape(as_str(split(self.text, usize::from(self.route)).0), f)?;
        core::fmt::Debug::fmt(&self.mailbox(), f)?;
        f.write_str(">")
    }
}

impl core::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display_or::<256>(self, f, |f| {
            let route = as_str(split(self.text, usize::from(self.route)).0);
            write!(f, "<{route}{}>", self.mailbox())
        })
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

/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`, `Forward-path = Path`.
///
/// Two scans read the common case, a dot-string at a domain that are both short.
#[inline(always)]
pub(super) fn path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Path<'i>> {
    if input.first() == Some(&b'<') {
        if let Some((local_part, end)) = plain_mailbox(input, 1, scan::dot_string) {
            if let (Some(text), [b'>', rest @ ..]) = (input.get(1..end), split(input, end).1) {
                return Ok((rest, Path { text, route: 0, local_part, tag: Tag::Path }));
            }
        }
    }
    // Rebuilt from its parts, so that the common case need not be written to the place of this one.
    let (rest, path) = any_path(input, policy)?;
    Ok((rest, path))
}

/// The `Mailbox` that starts at `start`, if it is a dot-string in US-ASCII at a name whose labels
/// cannot be too long: the length of its local part, and its end. `scan` finds the dot-string.
#[inline(always)]
pub(crate) fn plain_mailbox(
    input: &[u8],
    start: usize,
    scan: impl Fn(&[u8], usize) -> usize,
) -> Option<(u16, usize)> {
    let at = scan(input, start);
    let [last, b'@'] = *input.get(at.checked_sub(1)?..)?.first_chunk()? else {
        return None;
    };
    let is_dot_string = at > start && last != b'.' && input.get(start) != Some(&b'.');
    let end = scan::domain(input, at + 1);
    let is_short = at - start <= limits::LOCAL_PART && end - at <= limits::LABEL;
    if is_dot_string && is_short && scan::is_name(input, at + 1, end) {
        return Some((u16::try_from(at - start).ok()?, end));
    }
    None
}

/// The same for rare forms, and for errors.
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
        return Fault::error(end, of_byte(end, KIND));
    };
    let route = inside.len().saturating_sub(start.len());
    let text = split(inside, route + mailbox.text().len()).0;
    let Ok(route) = u16::try_from(route) else {
        return Fault::error(input, SyntaxErrorKind::PathTooLong);
    };
    let path = Path { text, route, local_part: mailbox.local_part_len(), tag: Tag::Path };
    // RFC 5321 §4.5.3.1.3: "The maximum total length of a reverse-path or forward-path is 256
    // octets (including the punctuation and element separators)."
    if !(policy.any_length || path.is_within_limits()) {
        return Fault::error(input, SyntaxErrorKind::PathTooLong);
    }
    Ok((rest, path))
}

/// A path without its brackets, which ends at a space.
#[cold]
fn bare_path<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Path<'i>> {
    if !policy.missing_brackets || is_end(input) {
        return Fault::error(input, of_byte(input, KIND));
    }
    let (rest, mailbox) = checked_mailbox(input, policy)?;
    if !is_word_end_under(policy, rest) {
        return Fault::error(rest, of_byte(rest, KIND));
    }
    Ok((rest, mailbox.into()))
}

/// `<user>`: a local part without a domain, in brackets.
#[cold]
pub(super) fn local_path<'i>(
    input: &'i [u8],
    policy: &Policy,
) -> Option<(&'i [u8], LocalPart<'i>)> {
    if !policy.missing_domain {
        return None;
    }
    let (end, local_part) = local_part(input.strip_prefix(b"<")?, policy).ok()?;
    Some((end.strip_prefix(b">")?, local_part))
}

/// The content of the inner brackets of `<<a@b>>`, and the input behind it, by a rule that reads no
/// further brackets.
#[cold]
pub(super) fn in_doubled_brackets<'i, T>(
    input: &'i [u8],
    policy: &Policy,
    rule: impl FnOnce(&'i [u8], &Policy) -> IResult<'i, T>,
) -> Option<(&'i [u8], T)> {
    let inside = input.strip_prefix(b"<").filter(|inside| inside.first() == Some(&b'<'))?;
    if !policy.doubled_brackets {
        return None;
    }
    let (end, value) = rule(inside, &Policy { doubled_brackets: false, ..*policy }).ok()?;
    Some((end.strip_prefix(b">")?, value))
}

/// The policy of the constructors, which accept a mailbox with or without brackets.
pub(super) const BARE: Policy = Policy { missing_brackets: true, ..UTF8 };
