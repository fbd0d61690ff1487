//! A connection in memory.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use ehlo::{Extension, Server, ServerConfig};
use ehlo_io::Buffered;

use crate::session::{Flow, Session};
use crate::shared::Shared;

/// The client's end of a connection in memory: see [`Mock::connect`](crate::Mock::connect).
///
/// What is written is answered when the stream is read. A read blocks only for the delay of a rule.
/// It returns no bytes when the server has closed the connection, and a write is an error then; a read
/// before the client has written all that the server waits for is an error too,
/// [`WouldBlock`](io::ErrorKind::WouldBlock).
///
/// ```
/// use std::io::{Read, Write};
/// use ehlo_mock::MockServer;
///
/// let mut stream = MockServer::smtp().in_memory()?.connect();
/// let mut said = [0; 64];
/// let n = stream.read(&mut said)?;
/// assert_eq!(&said[..n], b"220 mock.example ESMTP ready\r\n");
/// stream.write_all(b"NOOP\r\n")?;
/// let n = stream.read(&mut said)?;
/// assert_eq!(&said[..n], b"250 2.0.0 ok\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryStream {
    buffered: Buffered<Server>,
    session: Session,
    is_closed: bool,
}

impl MemoryStream {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let offered = shared.config.offered.without(Extension::StartTls);
        let config = ServerConfig {
            offered,
            implicit_tls: false,
            require_tls: false,
            plaintext_auth: true,
            ..shared.config
        };
        let buffered = Buffered::new(Server::new(config));
        Self { buffered, session: Session::new(shared), is_closed: false }
    }

    /// Answers all that has come.
    fn answer(&mut self) -> io::Result<()> {
        while !self.is_closed && self.buffered.is_ready() {
            let flow = self.session.answer(self.buffered.next_event())?;
            self.is_closed = flow != Flow::Next;
        }
        Ok(())
    }
}

impl Read for MemoryStream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.answer()?;
        let bytes = self.buffered.output().read(space)?;
        self.buffered.advance_write(bytes);
        if bytes == 0 && !space.is_empty() && !self.is_closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(bytes)
    }
}

impl Write for MemoryStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.buffered.push_input(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for MemoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStream").field("is_closed", &self.is_closed).finish_non_exhaustive()
    }
}
