//! A connection whose calls block until they are done.

use std::io::{self, Write};
use std::time::Duration;

use ehlo::Delivery;
use ehlo::machine::Machine;
use ehlo_io::{
    Buffered, ContentReader, ContentWriter, GracefulShutdown, MessageContent, MessageSource,
    PendingEvent, SessionEnd, Shutdown, StreamIo, TimeLimits,
};

use crate::BlockingIo;
use crate::socket::{HalfClose, SystemClock, block_on, within};

/// A machine on a stream: see [`BlockingConnection`].
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_blocking::Connection;
/// use ehlo_io::PendingEvent;
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
///     let PendingEvent { event, responder } = connection.next()?;
///     match event {
///         Event::Closed => break,
///         _ => responder.standard_reply("mx.example")?,
///     }
/// }
/// # let (stream, _) = connection.into_parts();
/// # assert!(stream.1.starts_with(b"220 mx.example ESMTP ready\r\n250 2.0.0 ok\r\n221 2.0.0 mx.example"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub type Connection<S, M> = BlockingConnection<S, M, BlockingIo>;

/// An [`ehlo_io::Connection`] whose calls block until they are done, with the clock of the system.
///
/// Use it on a socket that [`configure_tcp`](crate::configure_tcp) has configured: blocked calls of
/// such a socket return after a tenth of a second, so the connection can read while a write is
/// blocked, and notices when a time limit has passed. On other streams a limit takes effect only
/// when a read returns. The stream must block, at least briefly: on a stream that never blocks,
/// waiting uses a whole processor.
///
/// Its public names are [`Connection`] and, with the feature `rustls`, `TlsConnection`.
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
pub struct BlockingConnection<S, M, A>(pub(crate) ehlo_io::Connection<S, M, A, SystemClock>);

impl<S, M: Machine, A: StreamIo<S> + Default> BlockingConnection<S, M, A> {
    /// A new connection on `stream`.
    pub fn new(stream: S, machine: M) -> Self {
        Self(ehlo_io::Connection::new(stream, machine, SystemClock::new()))
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub fn from_parts(stream: S, buffered: Buffered<M>) -> Self {
        Self(ehlo_io::Connection::from_parts(stream, buffered, SystemClock::new()))
    }

    /// The stream, and the machine with its unread input and unsent output.
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

    /// The limits on the time that the peer may take, beside those of the machine.
    pub const fn time_limits(&self) -> TimeLimits {
        self.0.time_limits()
    }

    /// Sets the limits on the time that the peer may take.
    pub const fn set_time_limits(&mut self, limits: TimeLimits) {
        self.0.set_time_limits(limits);
    }

    /// The longest duration of the next wait for the peer.
    pub fn timeout(&self) -> Duration {
        self.0.timeout()
    }

    /// The next event and the responder to answer it with: [`ehlo_io::Connection::next`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::next`].
    #[allow(clippy::should_implement_trait)] // an iterator cannot lend its items
    pub fn next(&mut self) -> io::Result<PendingEvent<'_, M>> {
        block_on(self.0.next())
    }

    /// The next event, until `shutdown` is requested: [`ehlo_io::Connection::next_until`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::next_until`].
    pub fn next_until(
        &mut self,
        shutdown: &mut Shutdown,
        host: &str,
    ) -> io::Result<PendingEvent<'_, M>>
    where
        M: GracefulShutdown,
    {
        block_on(self.0.next_until(shutdown, host))
    }

    /// Writes all of the outbox: [`ehlo_io::Connection::flush`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::flush`].
    pub fn flush(&mut self) -> io::Result<()> {
        block_on(self.0.flush())
    }

    /// Writes all of the outbox, closes the stream for writing, and waits until the peer closes
    /// too, but no longer than [`TimeLimits::linger`]: [`ehlo_io::Connection::close`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::close`].
    pub fn close(&mut self) -> io::Result<()>
    where
        S: HalfClose,
    {
        if let Err(error) = within(self.time_limits().linger(), self.0.flush()) {
            // `next` returns the bytes that the peer has sent.
            let _ = block_on(self.0.close());
            return Err(error);
        }
        match self.stream().half_close() {
            // The peer has reset the connection: no byte can be written, and its last bytes can be read.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            result => result?,
        }
        block_on(self.0.close())
    }
}

impl<S, M: MessageContent, A: StreamIo<S>> BlockingConnection<S, M, A> {
    /// Writes the content of a message to `writer`: [`ehlo_io::Connection::collect`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::collect`].
    pub fn collect<W: Write>(&mut self, writer: &mut W, host: &str) -> io::Result<Option<u64>>
    where
        A: ContentWriter<W>,
    {
        block_on(self.0.collect(writer, host))
    }
}

impl<'v, S, A: StreamIo<S>> BlockingConnection<S, Delivery<'v>, A> {
    /// Delivers `messages`, whose content is any [`Read`](io::Read): [`ehlo_io::Connection::deliver`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::deliver`].
    pub fn deliver<X, R>(&mut self, messages: X) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: ContentReader<R>,
    {
        block_on(self.0.deliver(messages))
    }
}
