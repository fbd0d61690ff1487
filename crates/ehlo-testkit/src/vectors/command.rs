//! Command lines.

use ehlo::Extension;

use super::COMMANDS;
use super::line::lines;

/// A command line, and whether the ABNF of the RFCs allows it.
///
/// ```
/// let vector = ehlo_testkit::vectors::commands().next().expect("there are vectors");
/// assert_eq!(vector.input, b"EHLO bar.com\r\n");
/// assert!(vector.is_valid && !vector.is_disputed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandVector {
    /// The permanent name of the vector.
    pub id: String,
    /// The line, with its CRLF if it has one.
    pub input: Vec<u8>,
    /// A strict parser accepts it.
    pub is_valid: bool,
    /// SMTPUTF8 is in force, RFC 6531.
    pub smtputf8: bool,
    /// Servers differ about it: see [`accepted_by`](Self::accepted_by).
    pub is_disputed: bool,
    /// The place in a session at which it is sent, in words.
    pub state: String,
    /// The extension that must be offered for it; `None` if it needs no extension.
    pub extension: Option<Extension>,
    /// The special feature of the vector, in words.
    pub note: String,
    /// The compared servers that accept it, with their versions.
    pub accepted_by: Vec<String>,
    /// The compared servers that refuse it, with their versions.
    pub refused_by: Vec<String>,
}

/// All command lines.
///
/// ```
/// assert!(ehlo_testkit::vectors::commands().count() > 300);
/// ```
pub fn commands() -> impl Iterator<Item = CommandVector> {
    lines(COMMANDS).map(|line| CommandVector {
        id: line.text("id"),
        input: line.bytes("input").expect("an input"),
        is_valid: line.is_valid(),
        smtputf8: line.is("smtputf8"),
        is_disputed: line.is("disputed"),
        state: line.text("state"),
        extension: Extension::from_keyword(line.text("ext").as_bytes()),
        note: line.text("note"),
        accepted_by: line.list("peers_accept"),
        refused_by: line.list("peers_reject"),
    })
}
