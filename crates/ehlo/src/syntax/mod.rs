//! One line or one reply: bytes to values, and back. Nothing here knows a state.
//!
//! | module | what |
//! | --- | --- |
//! | [`command`] | what a client sends: verbs and their arguments |
//! | [`path`] | reverse-path, forward-path, mailboxes, domains, address literals |
//! | [`parameter`] | the parameters of MAIL and RCPT |
//! | [`reply`] | what a server sends |
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
