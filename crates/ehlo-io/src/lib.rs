//! Buffers and connections for the SMTP machines of [`ehlo`], for any stream and any runtime.
//!
//! | to | see |
//! | --- | --- |
//! | hold a machine and its buffers, and move the bytes yourself | [`Buffered`] |
//! | answer an event | [`PendingEvent`], [`Responder`] |
//! | run a machine on a stream, with its time limits | [`Connection`], [`TimeLimits`], [`Timer`] |
//! | send messages | [`Connection::deliver`], [`MessageSource`], [`MessageQueue`] |
//! | keep a session, and send message after message | [`Session`] |
//! | serve without seeing events | [`Handler`], [`Connection::handle`], [`Transaction`] |
//! | accept connections | [`serve()`], [`ConnectionLimits`], [`Shutdown`] |
//! | learn a client's address from a proxy | [`proxy_header`] |
//! | begin TLS on a stream | [`MaybeTls`], [`Connection::start_tls`] |
//! | write an adapter for another kind of stream | [`StreamIo`] |
//!
//! Most programs use this crate through an adapter: [`ehlo-tokio`], [`ehlo-async-std`] (for smol and
//! async-std), or [`ehlo-blocking`].
//!
//! Without its feature `std` the crate needs `alloc` only, and has [`Buffered`], [`Responder`] and
//! [`MachineError`].
//!
//! [`ehlo-tokio`]: https://docs.rs/ehlo-tokio
//! [`ehlo-async-std`]: https://docs.rs/ehlo-async-std
//! [`ehlo-blocking`]: https://docs.rs/ehlo-blocking
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod buffer;
mod buffered;
#[cfg(feature = "std")]
mod clock;
#[cfg(feature = "std")]
mod connection;
#[cfg(feature = "std")]
mod deliver;
mod error;
#[cfg(feature = "std")]
mod flow;
#[cfg(feature = "std")]
mod handle;
pub mod proxy_header;
mod responder;
#[cfg(feature = "std")]
mod serve;
#[cfg(feature = "std")]
mod session_tls;
#[cfg(feature = "std")]
mod stream;
#[cfg(feature = "std")]
mod time;
#[cfg(feature = "std")]
mod tls;

pub use buffered::Buffered;
#[cfg(feature = "std")]
pub use connection::Connection;
#[cfg(feature = "std")]
pub use deliver::{
    EndReason, FailureCause, MessageQueue, MessageSource, NextEnvelope, RecipientReport,
    SendFailure, Session, SessionEnd,
};
pub use error::MachineError;
#[cfg(feature = "std")]
pub use error::TlsStateError;
pub use responder::{PendingEvent, Responder};
#[cfg(feature = "std")]
pub use serve::{
    ConnectionLimits, Content, ContentEvent, GracefulShutdown, Handler, Incoming, MessageContent,
    Permit, ReplyBuf, Runtime, SessionTask, Shutdown, ShutdownHandle, Transaction,
    TransactionRecipient, serve,
};
#[cfg(feature = "std")]
pub use stream::{ContentReader, ContentWriter, StreamIo};
#[cfg(feature = "std")]
pub use time::{TimeLimits, Timer};
#[cfg(feature = "std")]
pub use tls::{MaybeTls, MaybeTlsIo, TlsHandshake, TlsStreamInfo};
