//! Buffers and connections for the SMTP machines of [`ehlo`], for any stream and any runtime.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod buffered;
#[cfg(feature = "std")]
mod connection;
mod deliver;
mod responder;
mod serve;
#[cfg(feature = "std")]
mod tls;
mod transport;

pub use buffered::Buffered;
#[cfg(feature = "std")]
pub use connection::{Connection, ContentReader, ContentWriter, StreamIo};
pub use deliver::{DeliveryDriver, EndReason, MessageQueue, MessageSource, Read, SessionEnd, Step};
pub use responder::{PendingEvent, Responder};
pub use serve::{
    ConnectionLimits, ContentEvent, GracefulShutdown, Incoming, MessageContent, Permit,
    SessionTask, Shutdown, serve,
};
#[cfg(feature = "std")]
pub use tls::{MaybeTls, MaybeTlsIo, TlsHandshake, TlsStreamInfo};
pub use transport::Transport;
