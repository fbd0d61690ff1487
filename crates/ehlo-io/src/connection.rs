//! A machine on a stream: all of an adapter that does not depend on the kind of its streams.

use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use crate::buffered::Buffered;
use crate::deliver::MessageSource;
use crate::deliver::SessionEnd;
use crate::deliver::driver::{DeliveryDriver, Step};
use crate::responder::PendingEvent;
use crate::serve::{ContentEvent, MessageContent};
use crate::serve::{GracefulShutdown, Shutdown};
use crate::transport::Transport;
use ehlo::Delivery;
use ehlo::machine::Machine;

/// A machine on a stream, which an adapter carries: each adapter has its own name for this, as
/// `ehlo_tokio::Connection`.
///
/// [`next`](Self::next) gives the next event together with the means to answer it. Answers gather in
/// the outbox of the [`Buffered`] and go out when what was read is used up, so a pipelined batch is
/// answered in one write. Reading goes on while a write is blocked.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo::server::Event;
/// use ehlo_io::{StreamIo, Connection};
/// use std::io::{Cursor, Read, Result};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// /// Carries octets that are there already; what is written is dropped.
/// #[derive(Default)]
/// struct Memory;
///
/// impl StreamIo<Cursor<&[u8]>> for Memory {
///     fn poll_read(&mut self, stream: &mut Cursor<&[u8]>, _: &mut Context<'_>, space: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Ready(stream.read(space))
///     }
///     fn poll_write(&mut self, _: &mut Cursor<&[u8]>, _: &mut Context<'_>, octets: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Ok(octets.len()))
///     }
///     fn poll_flush(&mut self, _: &mut Cursor<&[u8]>, _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///     fn poll_close(&mut self, _: &mut Cursor<&[u8]>, _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// let stream = Cursor::new(&b"NOOP\r\nQUIT\r\n"[..]);
/// let mut connection = Connection::<_, _, Memory>::new(stream, Server::new(ServerConfig::DEFAULT));
/// let session = async {
///     loop {
///         let turn = connection.next().await?;
///         match turn.event {
///             Event::Closed => return Ok::<_, Box<dyn std::error::Error>>("over"),
///             _ => turn.responder.standard_reply("mx.example")?,
///         }
///     }
/// };
/// let session = pin!(session).poll(&mut Context::from_waker(Waker::noop()));
/// assert!(matches!(session, Poll::Ready(Ok("over"))));
/// # use std::future::Future;
/// ```
#[derive(Debug)]
pub struct Connection<S, M, A> {
    pub(super) stream: S,
    adapter: A,
    endpoint: Buffered<M>,
}

/// Carries octets over streams of one kind: what an adapter does.
///
/// ```
/// use ehlo_io::StreamIo;
/// use std::io::Result;
/// use std::task::{Context, Poll, Waker};
///
/// /// Carries to nobody: what is written is gone, and nothing comes.
/// struct Away;
///
/// impl StreamIo<()> for Away {
///     fn poll_read(&mut self, _: &mut (), _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Ok(0))
///     }
///     fn poll_write(&mut self, _: &mut (), _: &mut Context<'_>, octets: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Ok(octets.len()))
///     }
///     fn poll_flush(&mut self, _: &mut (), _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///     fn poll_close(&mut self, _: &mut (), _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(matches!(Away.poll_write(&mut (), &mut context, b"NOOP\r\n"), Poll::Ready(Ok(6))));
/// ```
pub trait StreamIo<S> {
    /// As [`Transport::poll_read`].
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_read(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>>;

    /// As [`Transport::poll_write`], and 0 when the stream takes no more.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_write(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>>;

    /// As [`Transport::poll_flush`].
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_flush(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// As [`Transport::poll_close`].
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_close(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// An adapter that reads the content of messages from `R`.
///
/// ```
/// use ehlo_io::ContentReader;
/// use std::io::{Read, Result};
/// use std::task::{Context, Poll, Waker};
///
/// struct Memory;
///
/// impl ContentReader<&[u8]> for Memory {
///     fn read(reader: &mut &[u8], _: &mut Context<'_>, space: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Read::read(reader, space))
///     }
/// }
///
/// let (mut content, mut context) = (&b"Hello!\r\n"[..], Context::from_waker(Waker::noop()));
/// let read = Memory::read(&mut content, &mut context, &mut [0; 5]);
/// assert!(matches!(read, Poll::Ready(Ok(5))) && content == b"!\r\n");
/// ```
pub trait ContentReader<R> {
    /// Reads into `space`, which is not empty: how many octets, 0 at the end of the content.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    fn read(reader: &mut R, context: &mut Context<'_>, space: &mut [u8])
    -> Poll<io::Result<usize>>;
}

/// An adapter that writes the content of messages to `W`.
///
/// ```
/// use ehlo_io::ContentWriter;
/// use std::io::{Result, Write};
/// use std::task::{Context, Poll, Waker};
///
/// struct Memory;
///
/// impl ContentWriter<Vec<u8>> for Memory {
///     fn write(writer: &mut Vec<u8>, _: &mut Context<'_>, octets: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Write::write(writer, octets))
///     }
///     fn flush(writer: &mut Vec<u8>, _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Write::flush(writer))
///     }
/// }
///
/// let (mut content, mut context) = (Vec::new(), Context::from_waker(Waker::noop()));
/// assert!(Memory::write(&mut content, &mut context, b"Hello!\r\n").is_ready());
/// assert_eq!(content, b"Hello!\r\n");
/// ```
pub trait ContentWriter<W> {
    /// Writes from `octets`, which is not empty: how many octets, 0 when the writer takes no more.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    fn write(writer: &mut W, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>>;

    /// Hands on what the writer itself has kept back.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl<S, M: Machine, A: Default> Connection<S, M, A> {
    /// A new connection on `stream`.
    pub fn new(stream: S, machine: M) -> Self {
        Self::from_parts(stream, Buffered::new(machine))
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub fn from_parts(stream: S, endpoint: Buffered<M>) -> Self {
        Self { stream, adapter: A::default(), endpoint }
    }
}

impl<S, M: Machine, A> Connection<S, M, A> {
    /// A new connection on `stream`, carried by this adapter: for one that is more than a name.
    pub fn with_adapter(stream: S, machine: M, adapter: A) -> Self {
        Self { stream, adapter, endpoint: Buffered::new(machine) }
    }
}

impl<S, M: Machine, A: StreamIo<S>> Connection<S, M, A> {
    /// The next event and the means to answer it. Writes what is due and reads. Cancel safe: what
    /// was read or written before it is dropped stays read or written.
    ///
    /// # Errors
    ///
    /// Those of the stream. The end of the stream is an event, not an error.
    pub async fn next(&mut self) -> io::Result<PendingEvent<'_, M>> {
        poll_fn(|context| self.poll(|endpoint, line| endpoint.poll_ready(context, line))).await?;
        Ok(self.endpoint.next_event())
    }

    /// The same, and when `stop` says so the session ends as soon as nothing is open; `host` is the
    /// name of this side. For a handler of [`serve`](super::serve). Cancel safe, too.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub async fn next_until(
        &mut self,
        stop: &mut Shutdown,
        host: &str,
    ) -> io::Result<PendingEvent<'_, M>>
    where
        M: GracefulShutdown,
    {
        poll_fn(|context| {
            self.poll(|endpoint, line| endpoint.poll_ready_until(context, line, stop, host))
        })
        .await?;
        Ok(self.endpoint.next_event())
    }

    /// Writes the content that comes to `writer`, up to its end, when the machine has agreed to take
    /// some, and flushes `writer`: the size of the message, which is to be answered. None when it is not
    /// complete: the answer, where one is pending, is the machine's standard one. What it takes to answer
    /// for the message, as to have a file on the disk, is for the caller to do.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next), and those of `writer`. Not cancel safe: a piece may be written in part.
    pub async fn collect<W>(&mut self, writer: &mut W) -> io::Result<Option<u64>>
    where
        M: MessageContent,
        A: ContentWriter<W>,
    {
        loop {
            let event = self.next().await?.event;
            let mut rest = match M::piece(&event) {
                ContentEvent::Content(content) => content,
                ContentEvent::End(None) => return Ok(None),
                ContentEvent::End(size) => {
                    poll_fn(|context| A::flush(writer, context)).await?;
                    return Ok(size);
                }
            };
            while !rest.is_empty() {
                let written = poll_fn(|context| some(A::write(writer, context, rest))).await?;
                rest = rest.get(written..).unwrap_or_default();
            }
        }
    }

    /// Writes all of the outbox. Cancel safe, as [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll(|endpoint, line| endpoint.poll_flush(context, line))).await
    }

    /// Writes all of the outbox, says that nothing more comes, and waits until the peer does too, or
    /// just leaves. Cancel safe: asked again, it goes on.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn close(&mut self) -> io::Result<()> {
        let closed =
            poll_fn(|context| self.poll(|endpoint, line| endpoint.poll_close(context, line))).await;
        match closed {
            Err(error) if self.endpoint.closed && has_left(&error) => Ok(()),
            closed => closed,
        }
    }

    fn poll<T>(&mut self, call: impl FnOnce(&mut Buffered<M>, &mut Line<'_, S, A>) -> T) -> T {
        let Self { stream, adapter, endpoint } = self;
        call(endpoint, &mut Line { stream, adapter })
    }
}

impl<'v, S, A: StreamIo<S>> Connection<S, Delivery<'v>, A> {
    /// Delivers `messages` up to the end of the session, and says whether it [ended](SessionEnd) before
    /// all were begun. `timer` is the runtime's, as `tokio::time::sleep` or `smol::Timer::after`: each wait for the peer lasts
    /// no longer than the machine says.
    ///
    /// This stream knows no TLS. Where the server offers it, `TlsPolicy::Opportunistic` begins it too:
    /// such a session ends early, by `UnusableSession::TlsFailed`. Take `TlsPolicy::Forbid` here, or
    /// [`deliver_tls`](Self::deliver_tls).
    ///
    /// Not cancel safe: what was begun has no outcome when this is dropped.
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut`; what was begun has its outcomes by then.
    pub async fn deliver<X, R, F>(
        &mut self,
        messages: X,
        mut timer: impl FnMut(Duration) -> F,
    ) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: ContentReader<R>,
        F: Future,
    {
        let mut courier = DeliveryDriver::new(messages, A::read, |limit| too_late(timer(limit)));
        loop {
            match self.carry(&mut courier).await? {
                Step::Upgrade => self.endpoint.machine_mut().tls_failed(),
                Step::Closed(ended) => return Ok(ended),
            }
        }
    }

    /// Goes on until TLS begins or the session is over.
    pub(super) async fn carry<X, R, C, F>(
        &mut self,
        courier: &mut DeliveryDriver<'v, X, R, io::Error, C, F>,
    ) -> io::Result<Step>
    where
        X: MessageSource<'v, Content = R>,
        C: FnMut(Duration) -> F,
        F: Future<Output = io::Error>,
    {
        poll_fn(|context| self.poll(|endpoint, line| endpoint.poll_deliver(context, line, courier)))
            .await
    }
}

impl<S, M: Machine, A> Connection<S, M, A> {
    /// How long the next wait for the peer may last, by the machine: the time for a timer of one's
    /// own. A server whose patience is at its end says 421 by [`Buffered::close`], and flushes.
    pub fn timeout(&self) -> Duration {
        self.endpoint.machine().timeout()
    }

    /// The machine and its buffers.
    pub const fn endpoint(&mut self) -> &mut Buffered<M> {
        &mut self.endpoint
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream, and the machine with what it has not taken or sent.
    pub fn into_parts(self) -> (S, Buffered<M>) {
        (self.stream, self.endpoint)
    }
}

/// A stream in the hands of its adapter.
#[derive(Debug)]
struct Line<'c, S, A> {
    stream: &'c mut S,
    adapter: &'c mut A,
}

impl<S, A: StreamIo<S>> Transport for Line<'_, S, A> {
    type Error = io::Error;

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.adapter.poll_read(self.stream, context, space)
    }

    fn poll_write(&mut self, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        some(self.adapter.poll_write(self.stream, context, octets))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.adapter.poll_flush(self.stream, context)
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.adapter.poll_close(self.stream, context)
    }
}

/// What was written, which is an error where it is nothing.
fn some(written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    Poll::Ready(match ready!(written)? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        octets => Ok(octets),
    })
}

/// Whether it says no more than that the peer is not there.
fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    let left = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof];
    left.contains(&error.kind())
}

pub(super) async fn too_late(timer: impl Future) -> io::Error {
    timer.await;
    io::ErrorKind::TimedOut.into()
}
