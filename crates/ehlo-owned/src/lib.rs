//! Owned forms of the types of [`ehlo`], for programs that store mail or hand it from task to task.
//!
//! | owned | lends | as text |
//! | --- | --- | --- |
//! | [`MailboxBuf`] | [`Mailbox`](ehlo::syntax::path::Mailbox) | `jones@example.org` |
//! | [`ReversePathBuf`] | [`ReversePath`](ehlo::ReversePath) | `<smith@example.com>`, `<>` |
//! | [`ForwardPathBuf`] | [`ForwardPath`](ehlo::ForwardPath) | `<jones@example.org>`, `<Postmaster>` |
//! | [`HeloNameBuf`] | [`HeloName`](ehlo::HeloName) | `mail.example.com`, `[192.0.2.1]` |
//! | [`MailParametersBuf`], [`RcptParametersBuf`] | [`Parameters`](ehlo::syntax::parameter::Parameters) | `SIZE=1000 BODY=8BITMIME` |
//! | [`RecipientBuf`] | [`Recipient`](ehlo::delivery::Recipient) | `<jones@example.org> NOTIFY=NEVER` |
//! | [`EnvelopeBuf`] | [`Envelope`](ehlo::Envelope) | |
//! | [`ReplyBuf`] | [`Reply`](ehlo::Reply) | `250 2.0.0 queued` |
//! | [`RecipientOutcome`], collected by [`OutcomeList`] | | |
//!
//! A value is checked once, when it is made, and keeps its text as it is on the wire, in one allocation.
//! What it lends reads that text again: one pass over some bytes, without an allocation. Two values are
//! equal when what they lend is equal, so the domain's case does not count.
//!
//! [`FromStr`](core::str::FromStr) is strict. A value that a server has read under a lenient
//! [`Policy`](ehlo::Policy) is converted as it is.
//!
//! # Recipients
//!
//! A slice or an array of owned addresses is a source of [`Recipients`](ehlo::delivery::Recipients). A
//! `Vec`, a `Box` and an `Arc` go in a [`RecipientList`]: the trait belongs to a crate without an allocator,
//! which cannot name them, and no other crate may implement it for them.
//!
//! # Serde
//!
//! With the feature `serde`, all but an envelope, a reply and an outcome are strings; those are maps. Each
//! string is checked when it is read. Paths and parameters are read under
//! [`Policy::LENIENT`](ehlo::Policy::LENIENT), so that what was written can be read again.
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use ehlo_owned::EnvelopeBuf;
//!
//! let envelope: EnvelopeBuf = serde_json::from_str(
//!     r#"{ "reverse_path": "smith@example.com", "recipients": ["jones@example.org"] }"#,
//! )?;
//! assert_eq!(envelope.recipients[0].to_string(), "<jones@example.org>");
//! let injected = r#"{ "reverse_path": "", "recipients": ["a@b.example>\r\nDATA"] }"#;
//! assert!(serde_json::from_str::<EnvelopeBuf>(injected).is_err());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod envelope;
mod helo_name;
mod outcome;
mod parameters;
mod path;
mod recipient;
mod reply;
#[cfg(feature = "serde")]
mod serde_text;
mod text;

pub use envelope::EnvelopeBuf;
pub use helo_name::HeloNameBuf;
pub use outcome::{OutcomeList, RecipientOutcome};
pub use parameters::{MailParametersBuf, RcptParametersBuf};
pub use path::{ForwardPathBuf, MailboxBuf, ReversePathBuf};
pub use recipient::{RecipientBuf, RecipientList};
pub use reply::ReplyBuf;
