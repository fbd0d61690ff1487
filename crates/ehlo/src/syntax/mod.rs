//! The syntax of single lines and replies: bytes to values, and back. This module knows no state.
//!
//! | module | what |
//! | --- | --- |
//! | [`command`] | the commands of a client: verbs and their arguments |
//! | [`path`] | reverse-path, forward-path, mailboxes, domains, address literals |
//! | [`parameter`] | the parameters of MAIL and RCPT |
//! | [`reply`] | the replies of a server |
//! | [`code`] | reply codes and enhanced status codes |
//! | [`capability`] | the lines of an EHLO reply |
//! | [`sasl`] | the lines within AUTH |
//! | [`limits`] | the sizes of RFC 5321 §4.5.3.1 and of the extensions |

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
