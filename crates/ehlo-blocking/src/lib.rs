//! Carries the octets of [`ehlo`]'s machines over blocking streams: any [`Read`] and [`Write`].
//!
//! The adapter knows nothing of the protocol. See [`Connection`].

#[cfg(feature = "rustls")]
mod tls;

use std::io::{self, Read, Write};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ehlo::{Courier, Delivery, Endpoint, Machine, Messages, Step, Transport, Turn};
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

    /// The next event and the means to answer it. Writes what is due, then reads.
    ///
    /// # Errors
    ///
    /// Those of the stream. The end of the stream is an event, not an error.
    #[allow(clippy::should_implement_trait)] // an iterator cannot lend its items
    pub fn next(&mut self) -> io::Result<Turn<'_, M>> {
        done(|context| self.endpoint.poll_ready(context, &mut self.stream))?;
        Ok(self.endpoint.turn())
    }

    /// Writes all of the outbox.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn flush(&mut self) -> io::Result<()> {
        done(|context| self.endpoint.poll_flush(context, &mut self.stream))
    }

    /// How long the next wait for the peer may last, by the machine.
    pub fn timeout(&self) -> Duration {
        self.endpoint.machine().timeout()
    }
}

impl<'v, S: Read + Write> Connection<S, Delivery<'v>> {
    /// Delivers `messages`, whose content is any [`Read`], up to the end of the session. `timer` sets
    /// how long reading from the stream and writing to it may last, as
    /// [`TcpStream::set_read_timeout`](std::net::TcpStream::set_read_timeout) does: what the machine
    /// says. A session that is to go on inside TLS has failed; see `deliver_tls`.
    ///
    /// # Errors
    ///
    /// Those of the stream and of `timer`; what was begun has its outcomes by then.
    pub fn deliver<X: Messages<'v, Content: Read>>(
        &mut self,
        messages: X,
        mut timer: impl FnMut(&mut S, Duration) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut courier = Courier::new(messages, read);
        while self.carry(&mut courier, &mut timer)? == Step::Upgrade {
            self.endpoint.machine_mut().tls_failed();
        }
        Ok(())
    }

    /// Goes on until TLS begins or the session is over.
    fn carry<X: Messages<'v>>(
        &mut self,
        courier: &mut Courier<'v, X, io::Error>,
        timer: &mut impl FnMut(&mut S, Duration) -> io::Result<()>,
    ) -> io::Result<Step> {
        let mut limit = Duration::ZERO;
        loop {
            if limit != self.timeout() {
                limit = self.timeout();
                timer(&mut self.stream.0, limit)?;
            }
            let step =
                done(|context| self.endpoint.poll_deliver(context, &mut self.stream, courier))?;
            if step != Step::Turn {
                return Ok(step);
            }
        }
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

impl<S: Read + Write> Transport for Stream<S> {
    type Error = io::Error;

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        read(&mut self.0, context, space)
    }

    fn poll_write(&mut self, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(match uninterrupted(|| self.0.write(octets)) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        })
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(uninterrupted(|| self.0.flush()))
    }

    /// A stream that is only read and written has no way to say so.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

fn read<R: Read>(reader: &mut R, _: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
    Poll::Ready(uninterrupted(|| reader.read(space)))
}

fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A stream that blocks never leaves a call pending.
fn done<T>(call: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
    match call(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
