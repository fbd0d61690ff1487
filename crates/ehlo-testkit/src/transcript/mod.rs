//! Transcripts of sessions, with which the machines must agree.
//!
//! ```
//! use ehlo_testkit::transcript::Transcript;
//!
//! let session = Transcript::parse("S: 220 mx\n= Start\nC: QUIT\nS: 221 bye\n= Closed\n")?;
//! // Through the server, the client and both of them, whole and cut in every way.
//! session.check()?;
//! # Ok::<(), String>(())
//! ```
//!
//! A file holds one session, a line each:
//!
//! | line | meaning |
//! | --- | --- |
//! | `# …` | a comment |
//! | `% offer KEYWORD[=VALUE] …` | the extensions of the server |
//! | `% lmtp`, `% submission`, `% tls`, `% plaintext-auth`, `% require-tls`, `% require-auth` | its role and conditions |
//! | `% limit NAME=NUMBER …` | a field of `ServerLimits` |
//! | `% keep-newlines` | bare CR, bare LF and NUL are content |
//! | `% only server` | a client of this crate would not run this session |
//! | `C: …` | the client sends this line |
//! | `S: …` | the server sends this line; `250-` lines continue with the next |
//! | `= State` | both are in this state after the reply above |
//! | `! Reason` | the reply above is the server machine's own verdict, for this reason |
//! | `* TLS` | the connection continues inside TLS |
//!
//! In lines `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN` are escapes for bytes; a line ends with CRLF
//! unless it ends with `\c`.

mod check;
mod client;
mod files;
mod format;
mod pair;
mod replay;
mod server;

pub use client::Sender;
pub use files::{TEXTS, all};
pub use format::{Item, Transcript};
pub use replay::{Mismatch, Stimulus};
pub use server::{Script, Wanted};
