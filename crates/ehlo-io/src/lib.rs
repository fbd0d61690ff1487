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

pub use buffered::Endpoint;
#[cfg(feature = "std")]
pub use connection::{Carry, Connection, ReadFrom, WriteTo};
pub use deliver::{Courier, Ended, Mailing, Messages, Read, Step, Why};
pub use responder::{Answer, Turn};
pub use serve::{Collect, Door, Leave, Pass, Piece, Stop, Task, Visit, serve};
#[cfg(feature = "std")]
pub use tls::{Handshake, MaybeTls, OverTls, Secured};
pub use transport::Transport;
