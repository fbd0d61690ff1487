//! Carries the octets of [`ehlo`]'s machines over blocking streams: any [`Read`] and [`Write`].
//!
//! The adapter knows nothing of the protocol. See [`Connection`].

mod serve;
mod socket;
#[cfg(feature = "rustls")]
mod tls;

use std::io::{self, Read, Write};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ehlo::{
    Collect, Courier, Delivery, Ended, Endpoint, Leave, Machine, Messages, Piece, Step, Transport,
    Turn,
};
pub use ehlo::{Door, Stop, Visit};
pub use serve::{Halt, serve};
use socket::{GIVES_WAY, attempt, done, expiry};
pub use socket::{HalfClose, prepare};
#[cfg(feature = "rustls")]
pub use tls::MaybeTls;

/// A machine on a stream.
///
/// [`next`](Self::next) gives the next event together with the means to answer it. Answers gather
/// in the outbox of the [`Endpoint`]; they go out when there is nothing more to take from what was
/// read, so a pipelined batch is answered in one write.
///
/// ```
/// use ehlo::{Endpoint, Server, ServerConfig, server::Event};
/// use ehlo_blocking::Connection;
/// # use std::io::{Cursor, Read, Result, Write};
/// # struct Duplex(Cursor<Vec<u8>>, Vec<u8>);
/// # impl Read for Duplex { fn read(&mut self, b: &mut [u8]) -> Result<usize> { self.0.read(b) } }
/// # impl Write for Duplex {
/// #     fn write(&mut self, b: &[u8]) -> Result<usize> { self.1.write(b) }
/// #     fn flush(&mut self) -> Result<()> { Ok(()) }
/// # }
/// # let stream = Duplex(Cursor::new(b"NOOP\r\nQUIT\r\n".to_vec()), Vec::new());
/// let mut connection = Connection::new(stream, Server::new(ServerConfig::DEFAULT));
/// loop {
///     let turn = connection.next()?;
///     match turn.event {
///         Event::Closed => break,
///         _ => turn.answer.standard_reply("mx.example")?,
///     }
/// }
/// # let (stream, _) = connection.into_parts();
/// # assert!(stream.1.starts_with(b"220 mx.example ESMTP\r\n250 2.0.0 ok\r\n221 2.0.0 mx.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Connection<S, M> {
    stream: Stream<S>,
    endpoint: Endpoint<M>,
}

impl<S: Read + Write, M: Machine> Connection<S, M> {
    /// A new connection on `stream`.
    pub fn new(stream: S, machine: M) -> Self {
        Self::from_parts(stream, Endpoint::new(machine))
    }

    /// The next event and the means to answer it. Writes what is due, then reads. The whole of the
    /// event may take as long as the machine says; on a stream that is not [`prepare`]d that is seen
    /// only when a read ends. On one that is, it reads also while the peer does not.
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut`. The end of the stream is an event, not an error.
    #[allow(clippy::should_implement_trait)] // an iterator cannot lend its items
    pub fn next(&mut self) -> io::Result<Turn<'_, M>> {
        self.wait(Endpoint::poll_ready)?;
        Ok(self.endpoint.turn())
    }

    /// The same, and when `stop` says so the session ends as soon as nothing is open; `host` is the
    /// name of this side. For a handler of [`serve`].
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub fn next_until(&mut self, stop: &mut Stop, host: &str) -> io::Result<Turn<'_, M>>
    where
        M: Leave,
    {
        self.wait(|endpoint, context, stream| {
            endpoint.poll_ready_until(context, stream, stop, host)
        })?;
        Ok(self.endpoint.turn())
    }

    /// Writes the content that comes to `writer`, up to its end, when the machine has agreed to take
    /// some: the size of the message, which is to be answered. None when it is not complete: the
    /// answer, where one is pending, is the machine's standard one.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next), and those of `writer`.
    pub fn collect(&mut self, writer: &mut impl Write) -> io::Result<Option<u64>>
    where
        M: Collect,
    {
        loop {
            match M::piece(&self.next()?.event) {
                Piece::Content(content) => writer.write_all(content)?,
                Piece::End(size) => return Ok(size),
            }
        }
    }

    /// Writes all of the outbox.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn flush(&mut self) -> io::Result<()> {
        self.wait(Endpoint::poll_flush)
    }

    /// Writes all of the outbox, says that nothing more comes, and waits until the peer does too.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub fn close(&mut self) -> io::Result<()>
    where
        S: HalfClose,
    {
        self.flush()?;
        self.stream.inner.half_close()?;
        self.wait(Endpoint::poll_close)
    }

    fn wait(
        &mut self,
        mut call: impl FnMut(&mut Endpoint<M>, &mut Context<'_>, &mut Stream<S>) -> Polled,
    ) -> io::Result<()> {
        done(self.timeout(), |context| call(&mut self.endpoint, context, &mut self.stream))
    }

    /// How long the next wait for the peer may last, by the machine.
    pub fn timeout(&self) -> Duration {
        self.endpoint.machine().timeout()
    }
}

impl<'v, S: Read + Write> Connection<S, Delivery<'v>> {
    /// Delivers `messages`, whose content is any [`Read`], up to the end of the session, and says
    /// whether it [ended](Ended) before all were begun.
    ///
    /// This stream knows no TLS. Where the server offers it, `TlsPolicy::Opportunistic` begins it too:
    /// such a session ends early, by `Unusable::TlsFailed`. Take `TlsPolicy::Forbid` here, or
    /// `deliver_tls`.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next); what was begun has its outcomes by then.
    pub fn deliver<X: Messages<'v, Content: Read>>(&mut self, messages: X) -> io::Result<Ended> {
        let mut courier = Courier::new(messages, content, expiry);
        loop {
            match self.carry(&mut courier)? {
                Step::Upgrade => self.endpoint.machine_mut().tls_failed(),
                Step::Closed(ended) => return Ok(ended),
            }
        }
    }

    /// Goes on until TLS begins or the session is over.
    fn carry<X, C, F>(&mut self, courier: &mut Courier<'v, X, io::Error, C, F>) -> io::Result<Step>
    where
        X: Messages<'v>,
        C: FnMut(Duration) -> F,
        F: Future<Output = io::Error>,
    {
        done(Duration::MAX, |context| {
            self.endpoint.poll_deliver(context, &mut self.stream, courier)
        })
    }
}

impl<S, M> Connection<S, M> {
    /// The machine and its buffers.
    pub const fn endpoint(&mut self) -> &mut Endpoint<M> {
        &mut self.endpoint
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream.inner
    }

    /// The stream, and the machine with what it has not taken or sent.
    pub fn into_parts(self) -> (S, Endpoint<M>) {
        (self.stream.inner, self.endpoint)
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub fn from_parts(stream: S, endpoint: Endpoint<M>) -> Self {
        Self { stream: Stream { inner: stream, gave_way: Instant::now() }, endpoint }
    }
}

type Polled = Poll<io::Result<()>>;

#[derive(Debug)]
struct Stream<S> {
    inner: S,
    /// When it gave way last.
    gave_way: Instant,
}

impl<S: Read + Write> Transport for Stream<S> {
    type Error = io::Error;

    /// Gives way now and then, however often there is an octet, so that the limit of a wait is seen.
    fn poll_read(&mut self, _: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut polled = Poll::Pending;
        if self.gave_way.elapsed() < GIVES_WAY {
            polled = attempt(|| self.inner.read(space));
        }
        if polled.is_pending() {
            self.gave_way = Instant::now();
        }
        polled
    }

    fn poll_write(&mut self, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let polled = attempt(|| match self.inner.write(octets) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        });
        // It may have taken its time, and what is there to be read is not to suffer for it.
        self.gave_way = Instant::now();
        polled
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        attempt(|| self.inner.flush())
    }

    /// [`HalfClose`] has said so.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

fn content<R: Read>(
    reader: &mut R,
    _: &mut Context<'_>,
    space: &mut [u8],
) -> Poll<io::Result<usize>> {
    attempt(|| reader.read(space))
}
