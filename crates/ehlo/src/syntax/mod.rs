//! The syntax of single lines and replies: bytes to values, and back. This module knows no state.
//!
//! | module | what |
//! | --- | --- |
//! | [`command`] | the commands of a client: verbs and their arguments, RFC 5321 §4.1.1; AUTH, RFC 4954 §4 |
//! | [`path`] | reverse-path, forward-path, mailboxes, domains, address literals, RFC 5321 §4.1.2 and §4.1.3 |
//! | [`parameter`] | the parameters of MAIL and RCPT, RFC 5321 §4.1.1.11 |
//! | [`reply`] | the replies of a server, also of several lines, RFC 5321 §4.2 and §4.2.1 |
//! | [`code`] | reply codes, RFC 5321 §4.2, and enhanced status codes, RFC 3463 |
//! | [`capability`] | the lines of an EHLO reply, RFC 5321 §4.1.1.1 |
//! | [`sasl`] | the lines of an AUTH exchange, RFC 4954 §4 |
//! | [`limits`] | the sizes and timeouts of RFC 5321 §4.5.3 |

pub mod capability;
pub mod code;
pub mod command;
pub(crate) mod encode;
pub(crate) mod error;
pub(crate) mod extension;
pub(crate) mod grammar;
pub(crate) mod keyword;
pub mod limits;
pub mod parameter;
pub mod path;
pub(crate) mod policy;
pub mod reply;
pub mod sasl;

pub use encode::{BufferTooSmall, Writer};
pub use error::{SyntaxErrorInLine, SyntaxErrorKind};
