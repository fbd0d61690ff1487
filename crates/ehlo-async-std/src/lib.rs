//! Carries the octets of [`ehlo`]'s machines over the streams of async-std, smol and every other
//! runtime whose streams are those of [`futures_io`]: any [`AsyncRead`] and [`AsyncWrite`].
//!
//! The adapter knows nothing of the protocol. async-std is discontinued; smol takes its place.
//!
//! With the feature `rustls` there is `TlsConnection`, for streams that begin in clear and go on inside
//! TLS, or begin with it; `Connector`, for whom a client trusts; and the rest of [`ehlo-rustls`].
//!
//! [`ehlo-rustls`]: https://docs.rs/ehlo-rustls

#[cfg(feature = "rustls")]
mod tls;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use ehlo_io::{ConnectionLimits, Incoming, Shutdown, serve};
use ehlo_io::{ContentReader, ContentWriter, StreamIo};
use futures_io::{AsyncRead, AsyncWrite};
#[cfg(feature = "rustls")]
pub use tls::{MaybeTls, TlsConnection};
#[cfg(feature = "rustls")]
pub use {ehlo_rustls::*, futures_rustls::TlsStream};

/// A machine on a stream of futures-io: see [`ehlo_io::Connection`]. A timer for `deliver` is
/// `async_std::task::sleep`, or `smol::Timer::after`.
///
/// The `TcpStream` of async-std, other than that of smol, tells the peer that nothing more comes only
/// by its `shutdown`, and not when it is closed for writing. In clear, call that after `flush`, and then
/// `close`. Inside TLS `close` says so by itself, in the words of TLS.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_async_std::Connection;
/// use smol::io::{AsyncReadExt, AsyncWriteExt};
/// use smol::net::{TcpListener, TcpStream};
///
/// smol::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     client.write_all(b"NOOP\r\nQUIT\r\n").await?;
///
///     let (stream, _) = listener.accept().await?;
///     let mut connection = Connection::new(stream, Server::new(ServerConfig::DEFAULT));
///     loop {
///         let turn = connection.next().await?;
///         match turn.event {
///             Event::Closed => break,
///             _ => turn.responder.standard_reply("mx.example")?,
///         }
///     }
///     let mut replies = [0; 36];
///     client.read_exact(&mut replies).await?;
///     assert_eq!(&replies, b"220 mx.example ESMTP\r\n250 2.0.0 ok\r\n");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })
/// # .unwrap();
/// ```
pub type Connection<S, M> = ehlo_io::Connection<S, M, FuturesIo>;

/// Reads and writes by the traits of futures-io; content too, for `deliver` and `collect`.
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
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(context, octets)
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
    fn write(writer: &mut W, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(writer).poll_write(context, octets)
    }

    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(writer).poll_flush(context)
    }
}
