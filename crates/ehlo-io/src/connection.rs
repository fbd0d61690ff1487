//! A machine on a stream: the part of every adapter that does not depend on the type of stream.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use ehlo::machine::{Expects, Machine};

use crate::buffered::Buffered;
use crate::clock::Clock;
use crate::flow::{Failure, Link, Status, some, yield_now};
use crate::responder::PendingEvent;
use crate::serve::{ContentEvent, GracefulShutdown, MessageContent, Shutdown};
use crate::stream::{ContentWriter, StreamIo};
use crate::time::{TimeLimits, TimedOut, Timer};

/// A machine on a stream that an adapter reads and writes, with the time limits of its session.
/// Each adapter has a type of this name, for example `ehlo_tokio::Connection`.
///
/// [`next`](Self::next) returns the next event together with the responder to answer it with.
/// Answers collect in the outbox of the [`Buffered`], and are sent when the input is used up, so
/// one write answers a pipelined batch. Reading continues while a write is blocked.
///
/// No call waits for the peer without a limit: see [`TimeLimits`]. The timer is passed to the
/// constructor.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo::server::Event;
/// use ehlo_io::{Connection, PendingEvent, StreamIo};
/// use std::io::{Cursor, Read, Result};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// /// Reads bytes that are there already, and drops its output.
/// #[derive(Default)]
/// struct Memory;
///
/// impl StreamIo<Cursor<&[u8]>> for Memory {
///     fn poll_read(&mut self, stream: &mut Cursor<&[u8]>, _: &mut Context<'_>, space: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Ready(stream.read(space))
///     }
///     fn poll_write(&mut self, _: &mut Cursor<&[u8]>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Ok(bytes.len()))
///     }
///     fn poll_flush(&mut self, _: &mut Cursor<&[u8]>, _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///     fn poll_close(&mut self, _: &mut Cursor<&[u8]>, _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// # let sleep = |_| std::future::pending::<()>(); // nothing is waited for
/// let stream = Cursor::new(&b"NOOP\r\nQUIT\r\n"[..]);
/// let server = Server::new(ServerConfig::DEFAULT);
/// let mut connection = Connection::<_, _, Memory, _>::new(stream, server, sleep);
/// let session = async {
///     loop {
///         let PendingEvent { event, responder } = connection.next().await?;
///         match event {
///             Event::Closed => return Result::Ok("over"),
///             _ => responder.standard_reply("mx.example")?,
///         }
///     }
/// };
/// let session = pin!(session).poll(&mut Context::from_waker(Waker::noop()));
/// assert!(matches!(session, Poll::Ready(Ok("over"))));
/// # use std::future::Future;
/// ```
#[doc(alias = "transport")]
pub struct Connection<S, M, A, T: Timer> {
    pub(crate) stream: S,
    pub(crate) adapter: A,
    pub(crate) buffered: Buffered<M>,
    pub(crate) clock: Clock<T>,
    pub(crate) limits: TimeLimits,
    pub(crate) status: Status,
}

impl<S: fmt::Debug, M: fmt::Debug, A, T: Timer> fmt::Debug for Connection<S, M, A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("buffered", &self.buffered)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl<S, M: Machine, A: Default, T: Timer> Connection<S, M, A, T> {
    /// A new connection on `stream`; `timer` waits for a time to pass, for example
    /// `tokio::time::sleep`.
    pub fn new(stream: S, machine: M, timer: T) -> Self {
        Self::from_parts(stream, Buffered::new(machine), timer)
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub fn from_parts(stream: S, buffered: Buffered<M>, timer: T) -> Self {
        Self {
            stream,
            adapter: A::default(),
            buffered,
            clock: Clock::new(timer),
            limits: TimeLimits::DEFAULT,
            status: Status::default(),
        }
    }
}

impl<S, M: Machine, A: StreamIo<S>, T: Timer> Connection<S, M, A, T> {
    /// The next event and the responder to answer it with. The call writes due output and reads. It
    /// is cancel safe: dropping the future loses nothing that was read or written, and the time of
    /// the wait continues with the next call.
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut` if the peer took longer than [`timeout`](Self::timeout),
    /// or content came too slowly. The end of the stream is an event, not an error. A client first
    /// returns the replies that the server sent before the error, then the machine's events for all
    /// commands without a reply, such as `Unanswered` and `Finished` of a delivery, and then the
    /// error: every outcome is known by then. The session is over.
    ///
    /// A server sends no reply to a client that timed out; [`next_until`](Self::next_until) does.
    pub async fn next(&mut self) -> io::Result<PendingEvent<'_, M>> {
        poll_fn(|context| self.poll_event_or_break(context)).await?;
        Ok(self.take_event())
    }

    /// The next event at a server, until `shutdown` is requested: then the session ends with 421 as
    /// soon as no mail transaction is open. `host` is the name of this server. It is cancel safe,
    /// like [`next`](Self::next). Use it in a handler of [`serve`](super::serve()).
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next). A client that timed out first gets a 421 4.4.2, if the stream
    /// takes it at once.
    pub async fn next_until(
        &mut self,
        shutdown: &mut Shutdown,
        host: &str,
    ) -> io::Result<PendingEvent<'_, M>>
    where
        M: GracefulShutdown,
    {
        poll_fn(|context| {
            if Pin::new(&mut *shutdown).poll(context).is_ready() {
                M::begin_shutdown(&mut self.buffered, host);
            }
            self.poll_event_or_421(context, host)
        })
        .await?;
        Ok(self.take_event())
    }

    /// Writes all of the outbox. It is cancel safe, like [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut`.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            let limit = self.wait();
            let (buffered, mut link, clock) = self.split();
            let flushed = buffered.poll_flush(context, &mut link);
            if flushed.is_pending() {
                ready!(clock.poll(context, limit));
                return Poll::Ready(Err(TimedOut.into()));
            }
            clock.restart();
            flushed
        })
        .await
        .inspect_err(|error| {
            if error.kind() != io::ErrorKind::TimedOut {
                self.status.fail(Failure::told(error.kind()));
            }
        })
    }

    /// Writes all of the outbox, closes the stream for writing, and waits until the peer closes
    /// too, but no longer than [`TimeLimits::linger`]. Without that wait the last reply may be lost
    /// (RFC 1122 §4.2.2.13). It is cancel safe: the next call continues. If the outbox holds much,
    /// call [`flush`](Self::flush) first.
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut` if the outbox could not be written. A peer that does not
    /// close in time, or that resets the connection at this point, is not an error. A client still
    /// gets the replies that came before, from [`next`](Self::next).
    pub async fn close(&mut self) -> io::Result<()> {
        self.clock.restart();
        let limit = self.limits.linger();
        poll_fn(|context| {
            let (buffered, mut link, clock) = self.split();
            let closed = if link.status.failure.is_some() {
                buffered.poll_drained(context, &mut link).map(|()| Ok(()))
            } else {
                buffered.poll_close(context, &mut link)
            };
            match closed {
                Poll::Ready(Err(error)) if link.status.closed && has_left(&error) => {
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) if !link.status.closed => {
                    link.status.fail(Failure::new(error));
                    return yield_now(context);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {}
                Poll::Pending => ready!(clock.poll(context, limit)),
            }
            Poll::Ready(match &mut link.status.failure {
                Some(failure) => Err(failure.error()),
                None if link.status.closed => Ok(()),
                None => Err(TimedOut.into()),
            })
        })
        .await
    }

    /// Ready for an event. A client reports the session that breaks off before it returns the error.
    fn poll_event_or_break(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let error = match ready!(self.poll_event(context)) {
            Ok(Ok(())) => return Poll::Ready(Ok(())),
            Ok(Err(over)) => over.into(),
            Err(error) => error,
        };
        let machine = self.buffered.machine_mut();
        if machine.expects() != Expects::Reply || machine.is_over() {
            return Poll::Ready(Err(error));
        }
        machine.end_of_input();
        self.buffered.discard_output();
        if !self.buffered.is_ready() || self.buffered.machine().is_over() {
            return Poll::Ready(Err(error));
        }
        self.status.fail(Failure::broken(error));
        Poll::Ready(Ok(()))
    }

    /// Ready with `Ok` for an event, and with `Ok(Err)` at the time limit.
    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Result<(), TimedOut>>> {
        loop {
            let had_failed = self.status.failure.is_some();
            let (buffered, mut link, _) = self.split();
            let polled = buffered.poll_ready(context, &mut link);
            self.count_content();
            if self.status.failure.is_some() && !had_failed {
                self.clock.restart();
            }
            match polled {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // A blocking stream never returns `Pending` while a client sends content slowly.
                Poll::Ready(Ok(())) if self.buffered.is_content() => {
                    let is_over = self.clock.poll(context, self.wait()).is_ready();
                    return Poll::Ready(Ok(if is_over { Err(TimedOut) } else { Ok(()) }));
                }
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(Ok(()))),
                Poll::Pending => ready!(self.clock.poll(context, self.wait())),
            }
            match &mut self.status.failure {
                Some(failure) if !failure.drained => failure.drained = true,
                _ => return Poll::Ready(Ok(Err(TimedOut))),
            }
        }
    }

    fn poll_event_or_421(&mut self, context: &mut Context<'_>, host: &str) -> Poll<io::Result<()>>
    where
        M: GracefulShutdown,
    {
        Poll::Ready(ready!(self.poll_event(context))?.map_err(|over| {
            M::time_out(&mut self.buffered, host);
            let (buffered, mut link, _) = self.split();
            // The client may have left, or may not read.
            let _ = buffered.poll_flush(context, &mut link);
            over.into()
        }))
    }
}

impl<S, M: MessageContent, A: StreamIo<S>, T: Timer> Connection<S, M, A, T> {
    /// Writes the content of a message to `writer`, and flushes it, after the server has agreed to
    /// take content. Returns the size of the message, which the caller must then answer; `None` if
    /// the message is incomplete, and the caller then answers with the machine's standard reply, if
    /// one is due. `host` is the name of this server. Before the caller accepts the message, it
    /// must have stored it safely, for example on a disk.
    ///
    /// # Errors
    ///
    /// Those of [`next_until`](Self::next_until), and those of `writer`. It is not cancel safe: a
    /// piece may be written in part.
    pub async fn collect<W>(&mut self, writer: &mut W, host: &str) -> io::Result<Option<u64>>
    where
        A: ContentWriter<W>,
    {
        loop {
            poll_fn(|context| self.poll_event_or_421(context, host)).await?;
            let event = self.take_event().event;
            let mut content = match M::content(&event) {
                ContentEvent::Content(content) => content,
                ContentEvent::End { size } => {
                    poll_fn(|context| A::flush(writer, context)).await?;
                    return Ok(Some(size));
                }
                ContentEvent::Incomplete => return Ok(None),
            };
            while !content.is_empty() {
                let written = poll_fn(|context| some(A::write(writer, context, content))).await?;
                content = content.get(written..).unwrap_or_default();
            }
        }
    }
}

impl<S, M: Machine, A, T: Timer> Connection<S, M, A, T> {
    /// Sets the limits on the time that the peer may take.
    pub const fn set_time_limits(&mut self, limits: TimeLimits) {
        self.limits = limits;
    }

    /// The limits on the time that the peer may take, beside those of the machine.
    pub const fn time_limits(&self) -> TimeLimits {
        self.limits
    }

    /// The longest duration of the next wait for the peer: that of the machine, but no longer than
    /// [`TimeLimits::wait`].
    pub fn timeout(&self) -> Duration {
        self.limits.limit(self.buffered.machine().timeout())
    }

    /// The machine and its buffers.
    pub const fn endpoint(&mut self) -> &mut Buffered<M> {
        &mut self.buffered
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream, and the machine with its unread input and unsent output.
    pub fn into_parts(self) -> (S, Buffered<M>) {
        (self.stream, self.buffered)
    }

    pub(crate) const fn split(&mut self) -> (&mut Buffered<M>, Link<'_, S, A>, &mut Clock<T>) {
        let Self { stream, adapter, buffered, clock, status, .. } = self;
        (buffered, Link { stream, adapter, status }, clock)
    }

    /// The longest duration of the current or next wait.
    pub(crate) fn wait(&self) -> Duration {
        let limit = self.timeout();
        if self.status.failure.is_some() {
            return limit.min(self.limits.linger());
        }
        if self.buffered.is_content() { self.limits.grace(limit) } else { limit }
    }

    /// Adds the time that the received content is worth.
    pub(crate) fn count_content(&mut self) {
        let bytes = self.buffered.take_content();
        if bytes > 0 {
            match self.limits.worth(bytes) {
                Some(time) => self.clock.gain(time, self.wait()),
                None => self.clock.restart(),
            }
        }
    }

    /// Takes the event that is ready. Its wait is over, unless it is one of several pieces of
    /// content.
    fn take_event(&mut self) -> PendingEvent<'_, M> {
        let was_content = self.buffered.is_content();
        let pending = self.buffered.next_event();
        if !(was_content && pending.responder.machine().expects() == Expects::Content) {
            self.clock.restart();
        }
        pending
    }
}

/// Returns `true` if the error only says that the peer has left.
fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    let left = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof];
    left.contains(&error.kind())
}
