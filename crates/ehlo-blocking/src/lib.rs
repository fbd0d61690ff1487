//! Runs [`ehlo`]'s machines on blocking streams: any [`Read`] and [`Write`]. See [`Connection`].
//!
//! The feature `rustls` adds `TlsConnection`, for streams that begin in clear text and continue
//! inside TLS, or begin with TLS; `Connector`, which decides what a client trusts; and the rest of
//! [`ehlo-rustls`].
//!
//! [`ehlo-rustls`]: https://docs.rs/ehlo-rustls

mod connection;
mod serve;
mod session;
mod socket;
#[cfg(feature = "rustls")]
mod tls;

use std::io::{self, Read, Write};
use std::task::{Context, Poll};

pub use connection::{BlockingConnection, Connection};
pub use ehlo_io::{ConnectionLimits, Incoming, Shutdown, ShutdownHandle, TimeLimits};
use ehlo_io::{ContentReader, ContentWriter, StreamIo};
#[cfg(feature = "rustls")]
pub use ehlo_rustls::*;
pub use serve::serve;
pub use session::BlockingSession;
#[cfg(unix)]
pub use socket::configure_unix;
pub use socket::{HalfClose, configure_tcp};
use socket::{attempt, uninterrupted};
#[cfg(feature = "rustls")]
pub use tls::{MaybeTls, Tls, TlsConnection};

/// Reads and writes by the traits of std, including content for `deliver` and `collect`.
///
/// ```
/// use ehlo_blocking::BlockingIo;
/// use std::io::Cursor;
///
/// fn carries<S>(_: &S) where BlockingIo: ehlo_io::StreamIo<S> {}
/// carries(&Cursor::new(Vec::new()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockingIo;

impl<S: Read + Write> StreamIo<S> for BlockingIo {
    fn poll_read(
        &mut self,
        stream: &mut S,
        _: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        attempt(|| stream.read(space))
    }

    fn poll_write(
        &mut self,
        stream: &mut S,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        attempt(|| stream.write(bytes))
    }

    fn poll_flush(&mut self, stream: &mut S, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        attempt(|| stream.flush())
    }

    /// [`HalfClose`] tells the peer.
    fn poll_close(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(stream, context)
    }
}

/// A reader that would block is an error: it is not read again.
impl<R: Read> ContentReader<R> for BlockingIo {
    fn read(reader: &mut R, _: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(uninterrupted(|| reader.read(space)))
    }
}

/// A writer that would block is an error: it is not written to again.
impl<W: Write> ContentWriter<W> for BlockingIo {
    fn write(writer: &mut W, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(uninterrupted(|| writer.write(bytes)))
    }

    fn flush(writer: &mut W, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(uninterrupted(|| writer.flush()))
    }
}
