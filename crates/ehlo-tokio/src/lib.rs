//! Runs [`ehlo`]'s machines on the streams of tokio: any [`AsyncRead`] and [`AsyncWrite`].
//!
//! Without features the crate needs neither a runtime nor a feature of tokio. The feature `net`
//! adds `serve`, for tokio's listeners. The feature `rustls` adds `TlsConnection`, for streams that
//! begin in clear text and continue inside TLS, or begin with TLS; `Connector`, which decides what
//! a client trusts; and the rest of [`ehlo-rustls`].
//!
//! [`ehlo-rustls`]: https://docs.rs/ehlo-rustls

#[cfg(feature = "net")]
mod serve;
#[cfg(feature = "rustls")]
mod tls;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use ehlo_io::{ConnectionLimits, Incoming, Shutdown, ShutdownHandle, TimeLimits};
use ehlo_io::{ContentReader, ContentWriter, StreamIo};
#[cfg(feature = "net")]
pub use serve::{Runtime, serve};
#[cfg(feature = "rustls")]
pub use tls::{MaybeTls, TlsConnection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
#[cfg(feature = "rustls")]
pub use {ehlo_rustls::*, tokio_rustls::TlsStream};

/// A machine on a stream of tokio: see [`ehlo_io::Connection`]. Its timer is `tokio::time::sleep`;
/// where the type must be named, use `Runtime` of the feature `net`.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_io::PendingEvent;
/// use ehlo_tokio::Connection;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::time::sleep;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let (mut client, stream) = tokio::io::duplex(64);
/// let server = tokio::spawn(async move {
///     let mut connection = Connection::new(stream, Server::new(ServerConfig::DEFAULT), sleep);
///     loop {
///         let PendingEvent { event, responder } = connection.next().await?;
///         match event {
///             Event::Closed => return std::io::Result::Ok(()),
///             _ => responder.standard_reply("mx.example")?,
///         }
///     }
/// });
/// client.write_all(b"NOOP\r\nQUIT\r\n").await?;
/// let mut replies = String::new();
/// client.read_to_string(&mut replies).await?;
/// assert!(replies.ends_with("221 2.0.0 mx.example closing\r\n"));
/// server.await?
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub type Connection<S, M, T> = ehlo_io::Connection<S, M, Tokio, T>;

/// Reads and writes by tokio's traits, including content for `deliver` and `collect`.
///
/// ```
/// use ehlo_tokio::Tokio;
///
/// fn carries<S>(_: &S) where Tokio: ehlo_io::StreamIo<S> {}
/// carries(&tokio::io::duplex(64).0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl<S: AsyncRead + AsyncWrite + Unpin> StreamIo<S> for Tokio {
    fn poll_read(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Self::read(stream, context, space)
    }

    fn poll_write(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(context, bytes)
    }

    fn poll_flush(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_flush(context)
    }

    fn poll_close(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_shutdown(context)
    }
}

impl<R: AsyncRead + Unpin> ContentReader<R> for Tokio {
    fn read(
        reader: &mut R,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(space);
        let result = Pin::new(reader).poll_read(context, &mut space);
        result.map_ok(|()| space.filled().len())
    }
}

impl<W: AsyncWrite + Unpin> ContentWriter<W> for Tokio {
    fn write(writer: &mut W, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(writer).poll_write(context, bytes)
    }

    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(writer).poll_flush(context)
    }
}
