//! Paths and their parts.

use super::PATHS;
use super::line::lines;

/// A path or a part of one, and whether its rule allows it.
///
/// ```
/// use ehlo_testkit::vectors::{PathRule, paths};
///
/// let vector = paths().next().expect("there are vectors");
/// assert_eq!((vector.rule, &*vector.input), (PathRule::ReversePath, b"<>".as_slice()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathVector {
    /// The permanent name of the vector.
    pub id: String,
    /// The rule by which it is read.
    pub rule: PathRule,
    /// The text.
    pub input: Vec<u8>,
    /// A strict parser accepts it.
    pub is_valid: bool,
    /// SMTPUTF8 is in force, RFC 6531.
    pub smtputf8: bool,
    /// Servers differ about it: see [`accepted_by`](Self::accepted_by).
    pub is_disputed: bool,
    /// The special feature of the vector, in words.
    pub note: String,
    /// The compared servers that accept it, with their versions.
    pub accepted_by: Vec<String>,
    /// The compared servers that refuse it, with their versions.
    pub refused_by: Vec<String>,
}

/// The rule of RFC 5321 §4.1.2 and §4.1.3 for the input of a [`PathVector`].
///
/// ```
/// use ehlo_testkit::vectors::{PathRule, paths};
///
/// assert!(paths().any(|vector| vector.rule == PathRule::AddressLiteral));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathRule {
    /// `Reverse-path`.
    ReversePath,
    /// `Forward-path`, with `<Postmaster>`.
    ForwardPath,
    /// `Mailbox`.
    Mailbox,
    /// `Domain`.
    Domain,
    /// `address-literal`.
    AddressLiteral,
}

/// All paths.
///
/// ```
/// assert!(ehlo_testkit::vectors::paths().count() > 300);
/// ```
pub fn paths() -> impl Iterator<Item = PathVector> {
    lines(PATHS).map(|line| PathVector {
        id: line.text("id"),
        rule: match line.text("as").as_str() {
            "reverse-path" => PathRule::ReversePath,
            "forward-path" => PathRule::ForwardPath,
            "mailbox" => PathRule::Mailbox,
            "domain" => PathRule::Domain,
            "address-literal" => PathRule::AddressLiteral,
            other => panic!("no rule {other}"),
        },
        input: line.bytes("input").expect("an input"),
        is_valid: line.is_valid(),
        smtputf8: line.is("smtputf8"),
        is_disputed: line.is("disputed"),
        note: line.text("note"),
        accepted_by: line.list("peers_accept"),
        refused_by: line.list("peers_reject"),
    })
}
