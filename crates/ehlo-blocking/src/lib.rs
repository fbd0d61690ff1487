//! Carries the octets of [`ehlo`]'s machines over blocking streams: any [`Read`] and [`Write`].
//!
//! The adapter knows nothing of the protocol. See [`Connection`].
//!
//! With the feature `rustls` there is `TlsConnection`, for streams that begin in clear and go on inside
//! TLS, or begin with it; `Connector`, for whom a client trusts; and the rest of [`ehlo-rustls`].
//!
//! [`ehlo-rustls`]: https://docs.rs/ehlo-rustls

mod serve;
mod socket;
#[cfg(feature = "rustls")]
mod tls;

use std::io::{self, Read, Write};
use std::task::{Context, Poll};
use std::time::Duration;

use ehlo::Delivery;
use ehlo::machine::Machine;
use ehlo_io::{
    Buffered, ContentEvent, ContentReader, GracefulShutdown, MessageContent, MessageSource,
    PendingEvent, SessionEnd, StreamIo,
};
pub use ehlo_io::{ConnectionLimits, Incoming, Shutdown};
#[cfg(feature = "rustls")]
pub use ehlo_rustls::*;
pub use serve::{ShutdownHandle, serve};
#[cfg(unix)]
pub use socket::configure_unix;
pub use socket::{HalfClose, configure_tcp};
use socket::{attempt, block_on, elapsed, uninterrupted, within};
#[cfg(feature = "rustls")]
pub use tls::{MaybeTls, Tls, TlsConnection};

/// A machine on a stream: see [`BlockingConnection`].
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
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
///         _ => turn.responder.standard_reply("mx.example")?,
///     }
/// }
/// # let (stream, _) = connection.into_parts();
/// # assert!(stream.1.starts_with(b"220 mx.example ESMTP\r\n250 2.0.0 ok\r\n221 2.0.0 mx.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Connection<S, M> = BlockingConnection<S, M, BlockingIo>;

/// An [`ehlo_io::Connection`] whose calls wait until it is done. Each wait for the peer lasts as long as
/// the machine says, or a little longer: on a stream that is not [`configure_tcp`]d that is seen only when a
/// read ends. On one that is, it reads also while the peer does not. The stream must block, if not for
/// long: on one that never does, waiting takes all the time of a processor.
///
/// [`Connection`] and, with the feature `rustls`, `TlsConnection` are its names.
///
/// ```
/// use ehlo::{Client, ClientConfig};
/// use ehlo_blocking::{BlockingConnection, BlockingIo};
/// # use std::io::Cursor;
///
/// # let stream = Cursor::new(b"220 mx.example\r\n".to_vec());
/// let machine = Client::new(ClientConfig::DEFAULT);
/// let mut connection = BlockingConnection::<_, _, BlockingIo>::new(stream, machine);
/// // The greeting.
/// connection.next()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BlockingConnection<S, M, A>(ehlo_io::Connection<S, M, A>);

impl<S, M: Machine, A: StreamIo<S> + Default> BlockingConnection<S, M, A> {
    /// A new connection on `stream`.
    pub fn new(stream: S, machine: M) -> Self {
        Self(ehlo_io::Connection::new(stream, machine))
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub fn from_parts(stream: S, endpoint: Buffered<M>) -> Self {
        Self(ehlo_io::Connection::from_parts(stream, endpoint))
    }

    /// The stream, and the machine with what it has not taken or sent.
    pub fn into_parts(self) -> (S, Buffered<M>) {
        self.0.into_parts()
    }

    /// The machine and its buffers.
    pub const fn endpoint(&mut self) -> &mut Buffered<M> {
        self.0.endpoint()
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut S {
        self.0.stream()
    }

    /// How long the next wait for the peer may last, by the machine.
    pub fn timeout(&self) -> Duration {
        self.0.timeout()
    }

    /// The next event and the means to answer it: [`ehlo_io::Connection::next`].
    ///
    /// # Errors
    ///
    /// Those of the stream, and `TimedOut`. The end of the stream is an event, not an error.
    #[allow(clippy::should_implement_trait)] // an iterator cannot lend its items
    pub fn next(&mut self) -> io::Result<PendingEvent<'_, M>> {
        within(self.timeout(), self.0.next())
    }

    /// The same up to the end that `stop` says: [`ehlo_io::Connection::next_until`].
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub fn next_until(&mut self, stop: &mut Shutdown, host: &str) -> io::Result<PendingEvent<'_, M>>
    where
        M: GracefulShutdown,
    {
        within(self.timeout(), self.0.next_until(stop, host))
    }

    /// Writes the content of a message to `writer`, as [`ehlo_io::Connection::collect`]; each piece of it
    /// may take as long as the machine says.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next), and those of `writer`.
    pub fn collect(&mut self, writer: &mut impl Write) -> io::Result<Option<u64>>
    where
        M: MessageContent,
    {
        loop {
            match M::piece(&self.next()?.event) {
                ContentEvent::Content(content) => writer.write_all(content)?,
                ContentEvent::End(None) => return Ok(None),
                ContentEvent::End(size) => return writer.flush().map(|()| size),
            }
        }
    }

    /// Writes all of the outbox.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub fn flush(&mut self) -> io::Result<()> {
        within(self.timeout(), self.0.flush())
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
        self.stream().half_close()?;
        within(self.timeout(), self.0.close())
    }
}

impl<'v, S, A: StreamIo<S>> BlockingConnection<S, Delivery<'v>, A> {
    /// Delivers `messages`, whose content is any [`Read`]: [`ehlo_io::Connection::deliver`].
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next); what was begun has its outcomes by then.
    pub fn deliver<X, R>(&mut self, messages: X) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: ContentReader<R>,
    {
        block_on(self.0.deliver(messages, elapsed))
    }
}

/// Reads and writes by the traits of std; content too, for `deliver`.
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
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        attempt(|| stream.write(octets))
    }

    fn poll_flush(&mut self, stream: &mut S, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        attempt(|| stream.flush())
    }

    /// [`HalfClose`] has said so.
    fn poll_close(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(stream, context)
    }
}

/// Content does not give way: where it cannot be had now, that is an error.
impl<R: Read> ContentReader<R> for BlockingIo {
    fn read(reader: &mut R, _: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(uninterrupted(|| reader.read(space)))
    }
}
