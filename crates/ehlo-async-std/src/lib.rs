//! Carries the octets of [`ehlo`]'s machines over the streams of async-std, smol and every other
//! runtime whose streams are those of [`futures_io`]: any [`AsyncRead`] and [`AsyncWrite`].
//!
//! The adapter moves octets and knows nothing of the protocol: what to say and what was said is the
//! machine's part. It needs no runtime; async-std itself is discontinued, and smol takes its place.
//! See [`Connection`].

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ehlo::{Endpoint, Machine, Transport, Turn};
use futures_io::{AsyncRead, AsyncWrite};

/// A machine on a stream.
///
/// [`next`](Self::next) gives the machine's next event together with the means to answer it.
/// Answers gather in the outbox of the [`Endpoint`]; they go out when there is nothing more to take
/// from what was read, so a pipelined batch is answered in one write. Reading goes on while a write
/// is blocked, so two full pipes never wait for each other.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_async_std::Connection;
/// use smol::io::{AsyncReadExt, AsyncWriteExt};
/// use smol::net::{TcpListener, TcpStream};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
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
///             _ => turn.answer.standard_reply("mx.example")?,
///         }
///     }
///     drop(connection);
///     let mut replies = Vec::new();
///     client.read_to_end(&mut replies).await?;
///     assert!(replies.starts_with(b"220 mx.example ESMTP\r\n250 2.0.0 ok\r\n221 2.0.0 mx.example"));
///     Ok(())
/// })
/// # }
/// ```
#[derive(Debug)]
pub struct Connection<S, M> {
    stream: Stream<S>,
    endpoint: Endpoint<M>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, M: Machine> Connection<S, M> {
    /// A new connection on `stream`.
    pub fn new(stream: S, machine: M) -> Self {
        Self::from_parts(stream, Endpoint::new(machine))
    }

    /// The next event and the means to answer it. Writes what is due and reads, until there is one.
    ///
    /// Cancel safe: what was read or written before it is dropped stays read or written.
    ///
    /// # Errors
    ///
    /// Those of the stream. The end of the stream is an event, not an error.
    pub async fn next(&mut self) -> io::Result<Turn<'_, M>> {
        poll_fn(|context| self.endpoint.poll_ready(context, &mut self.stream)).await?;
        Ok(self.endpoint.turn())
    }

    /// Writes all of the outbox.
    ///
    /// Cancel safe, as [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| self.endpoint.poll_flush(context, &mut self.stream)).await
    }

    /// How long the next wait for the peer may last, by the machine. Without a runtime there is no
    /// timer here: put [`next`](Self::next) into the runtime's own.
    pub fn timeout(&self) -> Duration {
        self.endpoint.machine().timeout()
    }
}

impl<S, M> Connection<S, M> {
    /// The machine and its buffers.
    pub const fn endpoint(&mut self) -> &mut Endpoint<M> {
        &mut self.endpoint
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream.0
    }

    /// The stream, and the machine with what it has not taken or sent, as for an upgrade to TLS.
    pub fn into_parts(self) -> (S, Endpoint<M>) {
        (self.stream.0, self.endpoint)
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub const fn from_parts(stream: S, endpoint: Endpoint<M>) -> Self {
        Self { stream: Stream(stream), endpoint }
    }
}

#[derive(Debug)]
struct Stream<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for Stream<S> {
    type Error = io::Error;

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(context, space)
    }

    fn poll_write(&mut self, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.0).poll_write(context, octets) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            result => result,
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
}
