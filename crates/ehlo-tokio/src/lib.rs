//! Carries the octets of [`ehlo`]'s machines over tokio's streams: any [`AsyncRead`] and
//! [`AsyncWrite`].
//!
//! The adapter knows nothing of the protocol. It needs no runtime and no feature of tokio.

#[cfg(feature = "rustls")]
mod tls;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ehlo::{
    Collect, Courier, Delivery, Ended, Endpoint, Leave, Machine, Messages, Piece, Step, Transport,
    Turn,
};
pub use ehlo::{Door, Stop, Visit, serve};
#[cfg(feature = "rustls")]
pub use tls::MaybeTls;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A machine on a stream.
///
/// [`next`](Self::next) gives the next event together with the means to answer it. Answers gather
/// in the outbox of the [`Endpoint`] and go out when what was read is used up, so a pipelined batch
/// is answered in one write. Reading goes on while a write is blocked.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_tokio::Connection;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
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
/// let mut replies = String::new();
/// client.read_to_string(&mut replies).await?;
/// assert!(replies.ends_with("221 2.0.0 mx.example closing\r\n"));
/// server.await?
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
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

    /// The next event and the means to answer it. Writes what is due and reads. Cancel safe: what was
    /// read or written before it is dropped stays read or written.
    ///
    /// # Errors
    ///
    /// Those of the stream. The end of the stream is an event, not an error.
    pub async fn next(&mut self) -> io::Result<Turn<'_, M>> {
        poll_fn(|context| self.endpoint.poll_ready(context, &mut self.stream)).await?;
        Ok(self.endpoint.turn())
    }

    /// The same, and when `stop` says so the session ends as soon as nothing is open; `host` is the
    /// name of this side. For a handler of [`serve`].
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub async fn next_until(&mut self, stop: &mut Stop, host: &str) -> io::Result<Turn<'_, M>>
    where
        M: Leave,
    {
        poll_fn(|context| self.endpoint.poll_ready_until(context, &mut self.stream, stop, host))
            .await?;
        Ok(self.endpoint.turn())
    }

    /// Writes the content that comes to `writer`, up to its end, when the machine has agreed to take
    /// some: the size of the message, which is to be answered. None when it is not complete: the
    /// answer, where one is pending, is the machine's standard one.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next), and those of `writer`. Not cancel safe: a piece may be written in part.
    pub async fn collect<W: AsyncWrite + Unpin>(
        &mut self,
        writer: &mut W,
    ) -> io::Result<Option<u64>>
    where
        M: Collect,
    {
        loop {
            let event = self.next().await?.event;
            let mut rest = match M::piece(&event) {
                Piece::Content(content) => content,
                Piece::End(size) => return Ok(size),
            };
            while !rest.is_empty() {
                match poll_fn(|context| Pin::new(&mut *writer).poll_write(context, rest)).await? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    octets => rest = rest.get(octets..).unwrap_or_default(),
                }
            }
        }
    }

    /// Writes all of the outbox. Cancel safe, as [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| self.endpoint.poll_flush(context, &mut self.stream)).await
    }

    /// Writes all of the outbox, says that nothing more comes, and waits until the peer does too.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn close(&mut self) -> io::Result<()> {
        poll_fn(|context| self.endpoint.poll_close(context, &mut self.stream)).await
    }

    /// How long the next wait may last, by the machine: the time for the runtime's own timer.
    pub fn timeout(&self) -> Duration {
        self.endpoint.machine().timeout()
    }
}

impl<'v, S: AsyncRead + AsyncWrite + Unpin> Connection<S, Delivery<'v>> {
    /// Delivers `messages`, whose content is any [`AsyncRead`], up to the end of the session, and says
    /// whether it [ended](Ended) before all were begun. `timer` is the runtime's, as
    /// `tokio::time::sleep`: each wait for the peer lasts no longer than the machine says.
    ///
    /// This stream knows no TLS. Where the server offers it, `TlsPolicy::Opportunistic` begins it too:
    /// such a session ends early, by `Unusable::TlsFailed`. Take `TlsPolicy::Forbid` here, or
    /// `deliver_tls`.
    ///
    /// Not cancel safe: what was begun has no outcome when this is dropped.
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut`; what was begun has its outcomes by then.
    pub async fn deliver<X, F>(
        &mut self,
        messages: X,
        mut timer: impl FnMut(Duration) -> F,
    ) -> io::Result<Ended>
    where
        X: Messages<'v, Content: AsyncRead + Unpin>,
        F: Future<Output = ()>,
    {
        let mut courier = Courier::new(messages, read, |limit| expiry(timer(limit)));
        loop {
            match self.carry(&mut courier).await? {
                Step::Upgrade => self.endpoint.machine_mut().tls_failed(),
                Step::Closed(ended) => return Ok(ended),
            }
        }
    }

    /// Goes on until TLS begins or the session is over.
    async fn carry<X, C, F>(
        &mut self,
        courier: &mut Courier<'v, X, io::Error, C, F>,
    ) -> io::Result<Step>
    where
        X: Messages<'v>,
        C: FnMut(Duration) -> F,
        F: Future<Output = io::Error>,
    {
        poll_fn(|context| self.endpoint.poll_deliver(context, &mut self.stream, courier)).await
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

    /// The stream, and the machine with what it has not taken or sent.
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
        read(&mut self.0, context, space)
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

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    context: &mut Context<'_>,
    space: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut space = ReadBuf::new(space);
    let result = Pin::new(reader).poll_read(context, &mut space);
    result.map_ok(|()| space.filled().len())
}

async fn expiry(sleep: impl Future<Output = ()>) -> io::Error {
    sleep.await;
    io::ErrorKind::TimedOut.into()
}
