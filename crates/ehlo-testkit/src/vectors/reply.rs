//! Replies.

use super::REPLIES;
use super::line::lines;

/// One reply of a server, and a client's reading of it.
///
/// ```
/// let vector = ehlo_testkit::vectors::replies().next().expect("there are vectors");
/// assert_eq!((vector.code, vector.lines), (Some(250), Some(1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyVector {
    /// The permanent name of the vector.
    pub id: String,
    /// The kind of command that it answers.
    pub kind: ReplyKind,
    /// The lines, with their CRLF.
    pub input: Vec<u8>,
    /// A strict parser accepts it, and it is correct at its place.
    pub is_valid: bool,
    /// A parser needs more bytes.
    pub is_incomplete: bool,
    /// Clients differ about it.
    pub is_disputed: bool,
    /// The reply code.
    pub code: Option<u16>,
    /// The number of lines.
    pub lines: Option<usize>,
    /// The special feature of the vector, in words.
    pub note: String,
}

/// The kind of command that a [`ReplyVector`] answers.
///
/// ```
/// use ehlo_testkit::vectors::{ReplyKind, replies};
///
/// assert!(replies().any(|vector| vector.kind == ReplyKind::Ehlo));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyKind {
    /// No command: it is the first reply of the session, RFC 5321 §3.1.
    Greeting,
    /// EHLO: the lines are capabilities, RFC 5321 §4.1.1.1.
    Ehlo,
    /// Any other command.
    Other,
}

/// All replies.
///
/// ```
/// assert!(ehlo_testkit::vectors::replies().count() > 100);
/// ```
pub fn replies() -> impl Iterator<Item = ReplyVector> {
    lines(REPLIES).map(|line| ReplyVector {
        id: line.text("id"),
        kind: match line.text("kind").as_str() {
            "greeting" => ReplyKind::Greeting,
            "ehlo" => ReplyKind::Ehlo,
            "reply" => ReplyKind::Other,
            other => panic!("no kind {other}"),
        },
        input: line.bytes("input").expect("an input"),
        is_valid: line.is_valid(),
        is_incomplete: line.is("incomplete"),
        is_disputed: line.is("disputed"),
        code: line.number("code"),
        lines: line.number("lines"),
        note: line.text("note"),
    })
}
