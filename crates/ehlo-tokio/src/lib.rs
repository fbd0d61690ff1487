//! Carries the octets of [`ehlo`]'s machines over tokio's streams: any [`AsyncRead`] and
//! [`AsyncWrite`].
//!
//! The adapter moves octets and knows nothing of the protocol: what to say and what was said is the
//! machine's part. It needs no runtime and no feature of tokio. See [`Connection`].

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ehlo::{Endpoint, Machine, Turn};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A machine on a stream.
///
/// [`next`](Self::next) gives the machine's next event together with the means to answer it.
/// Answers gather in the outbox of the [`Endpoint`]; they go out when there is nothing more to take
/// from what was read, so a pipelined batch is answered in one write. Reading goes on while a write
/// is blocked, so two full pipes never wait for each other.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_tokio::Connection;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut client, stream) = tokio::io::duplex(64);
/// let server = tokio::spawn(async move {
///     let mut connection = Connection::new(stream, Server::new(ServerConfig::DEFAULT));
///     loop {
///         let turn = connection.next().await?;
///         match turn.event {
///             Event::Closed => return Ok::<_, std::io::Error>(()),
///             _ => turn.answer.standard_reply("mx.example").map_err(std::io::Error::other)?,
///         }
///     }
/// });
/// client.write_all(b"NOOP\r\nQUIT\r\n").await?;
/// let mut replies = Vec::new();
/// client.read_to_end(&mut replies).await?;
/// assert!(replies.starts_with(b"220 mx.example ESMTP\r\n250 2.0.0 ok\r\n221 2.0.0 mx.example"));
/// server.await??;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connection<S, M> {
    stream: S,
    endpoint: Endpoint<M>,
    /// Something was written since the stream was flushed.
    unflushed: bool,
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
        loop {
            let ready = self.endpoint.is_ready();
            if ready && !self.endpoint.is_congested() {
                return Ok(self.endpoint.turn());
            }
            poll_fn(|context| self.poll_exchange(context, ready)).await?;
        }
    }

    /// Writes all of the outbox.
    ///
    /// Cancel safe, as [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_flush(context)).await
    }

    /// How long the next wait for the peer may last, by the machine. Without a runtime there is no
    /// timer here: put [`next`](Self::next) into the runtime's own.
    pub fn timeout(&self) -> Duration {
        self.endpoint.machine().timeout()
    }

    /// Writes what can be written and reads what there is: ready after a read, or when the write
    /// alone was waited for and is done.
    fn poll_exchange(&mut self, context: &mut Context<'_>, write: bool) -> Poll<io::Result<()>> {
        let written = self.poll_flush(context)?;
        if write && written.is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut space = ReadBuf::new(self.endpoint.space());
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut space))?;
        let octets = space.filled().len();
        self.endpoint.received(octets);
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.endpoint.outbox().is_empty() {
            let stream = Pin::new(&mut self.stream);
            match ready!(stream.poll_write(context, self.endpoint.outbox()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                octets => self.endpoint.sent(octets),
            }
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S, M> Connection<S, M> {
    /// The machine and its buffers.
    pub const fn endpoint(&mut self) -> &mut Endpoint<M> {
        &mut self.endpoint
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream, and the machine with what it has not taken or sent, as for an upgrade to TLS.
    pub fn into_parts(self) -> (S, Endpoint<M>) {
        (self.stream, self.endpoint)
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub const fn from_parts(stream: S, endpoint: Endpoint<M>) -> Self {
        Self { stream, endpoint, unflushed: false }
    }
}
