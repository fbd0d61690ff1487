//! Carries the octets of [`ehlo`]'s machines over blocking streams: any [`Read`] and [`Write`].
//!
//! The adapter moves octets and knows nothing of the protocol: what to say and what was said is the
//! machine's part. See [`Connection`].

use std::io::{self, Read, Write};
use std::time::Duration;

use ehlo::{Endpoint, Machine, Turn};

/// A machine on a stream.
///
/// [`next`](Self::next) gives the machine's next event together with the means to answer it.
/// Answers gather in the outbox of the [`Endpoint`]; they go out when there is nothing more to take
/// from what was read, so a pipelined batch is answered in one write.
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
    stream: S,
    endpoint: Endpoint<M>,
}

impl<S: Read + Write, M: Machine> Connection<S, M> {
    /// A new connection on `stream`.
    pub fn new(stream: S, machine: M) -> Self {
        Self { stream, endpoint: Endpoint::new(machine) }
    }

    /// The next event and the means to answer it. Writes what is due, then reads, until there is
    /// one.
    ///
    /// # Errors
    ///
    /// Those of the stream. The end of the stream is an event, not an error.
    pub fn next(&mut self) -> io::Result<Turn<'_, M>> {
        while !self.endpoint.is_ready() {
            self.flush()?;
            let octets = match self.stream.read(self.endpoint.space()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            self.endpoint.received(octets);
        }
        if self.endpoint.is_congested() {
            self.flush()?;
        }
        Ok(self.endpoint.turn())
    }

    /// Writes all of the outbox.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn flush(&mut self) -> io::Result<()> {
        let octets = self.endpoint.outbox().len();
        if octets > 0 {
            self.stream.write_all(self.endpoint.outbox())?;
            self.endpoint.sent(octets);
            self.stream.flush()?;
        }
        Ok(())
    }

    /// How long the next wait for the peer may last, by the machine.
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
        &mut self.stream
    }

    /// The stream, and the machine with what it has not taken or sent, as for an upgrade to TLS.
    pub fn into_parts(self) -> (S, Endpoint<M>) {
        (self.stream, self.endpoint)
    }

    /// The reverse of [`into_parts`](Self::into_parts).
    pub const fn from_parts(stream: S, endpoint: Endpoint<M>) -> Self {
        Self { stream, endpoint }
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
