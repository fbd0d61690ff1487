//! Vectors: lines, replies, mail data and sessions of real peers, with the verdict of a strict
//! parser, and the registries of IANA.
//!
//! The text of each file is a constant, for programs that have a JSON reader; beside it is an
//! iterator over typed vectors. `vectors/README.md`, also in the package, describes the format of
//! the files.
//!
//! | vectors | text | typed |
//! | --- | --- | --- |
//! | command lines | [`COMMANDS`] | [`commands`] |
//! | paths and their parts | [`PATHS`] | [`paths`] |
//! | replies, greetings, replies to EHLO | [`REPLIES`] | [`replies`] |
//! | mail data | [`DATA`] | [`data`] |
//! | sessions with a server | [`SESSIONS`] | [`sessions`] |
//! | registries | [`EXTENSIONS`], [`PARAMETERS`], [`REPLY_CODES`], [`ENHANCED_STATUS_CODES`], [`SASL_MECHANISMS`] | [`rows`] |
//!
//! A parser compared with the command lines on which the servers agree:
//!
//! ```
//! use ehlo_testkit::vectors;
//!
//! /// Stands for the parser that is tested.
//! fn accepts(line: &[u8]) -> bool {
//!     use ehlo::{Command, Parsed, Policy};
//!     matches!(
//!         Command::parse(line, &Policy::STRICT.with_smtputf8(true)),
//!         Ok(Parsed::Complete { value, .. }) if !matches!(value, Command::Other { .. })
//!     )
//! }
//!
//! for vector in vectors::commands().filter(|vector| !vector.is_disputed) {
//!     assert_eq!(accepts(&vector.input), vector.is_valid, "{}: {}", vector.id, vector.note);
//! }
//! ```

mod command;
mod data;
mod line;
mod path;
mod reply;
mod session;

pub use command::{CommandVector, commands};
pub use data::{DataVector, Decoding, data};
pub use path::{PathRule, PathVector, paths};
pub use reply::{ReplyKind, ReplyVector, replies};
pub use session::{SessionStep, SessionVector, sessions};

/// Command lines, as JSON lines.
pub const COMMANDS: &str = include_str!("../../vectors/commands.jsonl");

/// Paths, mailboxes, domains and address literals, as JSON lines.
pub const PATHS: &str = include_str!("../../vectors/paths.jsonl");

/// Replies, as JSON lines.
pub const REPLIES: &str = include_str!("../../vectors/replies.jsonl");

/// Mail data, decoded and encoded, as JSON lines.
pub const DATA: &str = include_str!("../../vectors/data.jsonl");

/// Sessions with a server, as JSON lines.
pub const SESSIONS: &str = include_str!("../../vectors/sessions.jsonl");

/// The registry of SMTP service extensions: keyword, RFC, and more.
pub const EXTENSIONS: &str = include_str!("../../vectors/smtp_extensions.tsv");

/// The parameters of MAIL and RCPT: command, keyword, and more.
pub const PARAMETERS: &str = include_str!("../../vectors/mail_rcpt_parameters.tsv");

/// Reply codes: code, class, RFC, meaning.
pub const REPLY_CODES: &str = include_str!("../../vectors/reply_codes.tsv");

/// The registry of enhanced status codes: code, text, basic codes, RFC.
pub const ENHANCED_STATUS_CODES: &str = include_str!("../../vectors/enhanced_status_codes.tsv");

/// The registry of SASL mechanisms: name, RFC, and more.
pub const SASL_MECHANISMS: &str = include_str!("../../vectors/sasl_mechanisms.tsv");

/// The rows of a registry, split into columns, without comments and the header.
///
/// ```
/// use ehlo_testkit::vectors::{EXTENSIONS, rows};
///
/// assert!(rows(EXTENSIONS).any(|row| row[0] == "STARTTLS"));
/// ```
pub fn rows(registry: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = registry.lines().filter(|row| !row.starts_with('#'));
    rows.skip(1).map(|row| row.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_whole() {
        let counts = [
            commands().count(),
            paths().count(),
            replies().count(),
            data().count(),
            sessions().count(),
        ];
        assert_eq!(counts, [317, 317, 115, 58, 36]);
        let registries =
            [EXTENSIONS, PARAMETERS, REPLY_CODES, ENHANCED_STATUS_CODES, SASL_MECHANISMS];
        assert!(registries.iter().all(|registry| rows(registry).count() > 20));
    }
}
