//! Runs [`ehlo`]'s machines on the streams of smol, async-std, and every other runtime whose streams
//! are those of [`futures_io`]: any [`AsyncRead`] and [`AsyncWrite`].
//!
//! The crate depends on no runtime: the caller passes its timer and its spawn function to
//! [`Runtime`]. async-std is discontinued; smol replaces it.
//!
//! The feature `rustls` adds `TlsConnection`, for streams that begin in clear text and continue
//! inside TLS, or begin with TLS; `Connector`, which decides what a client trusts; and the rest of
//! [`ehlo-rustls`].
//!
//! [`ehlo-rustls`]: https://docs.rs/ehlo-rustls

mod serve;
#[cfg(feature = "rustls")]
mod tls;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use ehlo_io::{ConnectionLimits, Incoming, Shutdown, ShutdownHandle, TimeLimits};
use ehlo_io::{ContentReader, ContentWriter, StreamIo};
use futures_io::{AsyncRead, AsyncWrite};
pub use serve::Runtime;
#[cfg(feature = "rustls")]
pub use tls::{MaybeTls, TlsConnection};
#[cfg(feature = "rustls")]
pub use {ehlo_rustls::*, futures_rustls::TlsStream};

/// A machine on a stream of futures-io: see [`ehlo_io::Connection`]. Its timer is `smol::Timer::after`
/// or `async_std::task::sleep`.
///
/// The `TcpStream` of async-std closes its sending side only by its `shutdown`, not when it is
/// closed for writing, as that of smol does. In clear text, call `flush`, then that `shutdown`, and
/// then `close`. Inside TLS `close` alone tells the peer.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_async_std::Connection;
/// use ehlo_io::PendingEvent;
/// use smol::io::{AsyncReadExt, AsyncWriteExt};
/// use smol::net::{TcpListener, TcpStream};
///
/// smol::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     client.write_all(b"NOOP\r\nQUIT\r\n").await?;
///
///     let (stream, _) = listener.accept().await?;
///     let server = Server::new(ServerConfig::DEFAULT);
///     let mut connection = Connection::new(stream, server, smol::Timer::after);
///     loop {
///         let PendingEvent { event, responder } = connection.next().await?;
///         match event {
///             Event::Closed => break,
///             _ => responder.standard_reply("mx.example")?,
///         }
///     }
///     let mut replies = [0; 42];
///     client.read_exact(&mut replies).await?;
///     assert_eq!(&replies, b"220 mx.example ESMTP ready\r\n250 2.0.0 ok\r\n");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })
/// # .unwrap();
/// ```
pub type Connection<S, M, T> = ehlo_io::Connection<S, M, FuturesIo, T>;

/// Reads and writes by the traits of futures-io, including content for `deliver` and `collect`.
///
/// ```
/// use ehlo_async_std::FuturesIo;
///
/// fn carries<S>(_: &S) where FuturesIo: ehlo_io::StreamIo<S> {}
/// carries(&smol::io::Cursor::new(Vec::new()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesIo;

impl<S: AsyncRead + AsyncWrite + Unpin> StreamIo<S> for FuturesIo {
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
        Pin::new(stream).poll_close(context)
    }
}

impl<R: AsyncRead + Unpin> ContentReader<R> for FuturesIo {
    fn read(
        reader: &mut R,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(reader).poll_read(context, space)
    }
}

impl<W: AsyncWrite + Unpin> ContentWriter<W> for FuturesIo {
    fn write(writer: &mut W, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(writer).poll_write(context, bytes)
    }

    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(writer).poll_flush(context)
    }
}
