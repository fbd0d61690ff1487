//! Streams that may begin TLS.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use ehlo::Delivery;
use ehlo::machine::{Machine, Upgrade};
use ehlo_io::{MaybeTlsIo, MessageSource, SessionEnd, TlsHandshake, TlsStateError, TlsStreamInfo};
use ehlo_rustls::Connector;
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use crate::socket::{attempt, block_on, within};
use crate::{BlockingConnection, BlockingIo, ContentReader, HalfClose};

/// A machine on a stream that may begin TLS.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_blocking::{MaybeTls, TlsConnection};
///
/// # use std::io::Cursor;
/// # let stream = Cursor::new(Vec::new());
/// // In clear text until `Event::StartTls` comes, and then `start_tls`.
/// let mut connection = TlsConnection::new(stream.into(), Server::new(ServerConfig::DEFAULT));
/// connection.next()?.responder.standard_reply("mx.example")?;
/// connection.flush()?;
/// let MaybeTls::Clear(stream) = connection.stream() else { panic!("inside TLS") };
/// assert_eq!(stream.get_ref(), b"220 mx.example ESMTP ready\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type TlsConnection<S, M> = BlockingConnection<MaybeTls<S>, M, MaybeTlsIo<BlockingIo>>;

/// A stream in clear text that may begin TLS.
pub type MaybeTls<S> = ehlo_io::MaybeTls<S, Tls<S>>;

impl<S: Read + Write, M: Upgrade> TlsConnection<S, M> {
    /// Continues inside TLS when the machine expects TLS: [`ehlo_io::Connection::start_tls`].
    /// `with` is a [`Connector`] at a client and an `Arc<ServerConfig>` at a server.
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::start_tls`].
    pub fn start_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        BlockingIo: TlsHandshake<S, W, Tls = Tls<S>>,
    {
        block_on(self.0.start_tls(with))
    }

    /// Begins with TLS, for a machine configured with `implicit_tls`:
    /// [`ehlo_io::Connection::implicit_tls`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::implicit_tls`].
    pub fn implicit_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        BlockingIo: TlsHandshake<S, W, Tls = Tls<S>>,
    {
        block_on(self.0.implicit_tls(with))
    }
}

impl<S, M: Machine> TlsConnection<S, M> {
    /// The channel binding `tls-exporter` of RFC 9266; `None` outside TLS 1.3.
    pub fn channel_binding(&self) -> Option<[u8; 32]> {
        self.0.channel_binding()
    }

    /// The stream in clear text, or the one below TLS; `None` after a failed handshake.
    pub fn below(&mut self) -> Option<&mut S> {
        self.0.below()
    }
}

impl<'v, S: Read + Write> TlsConnection<S, Delivery<'v>> {
    /// Delivers `messages`, and continues inside TLS when the machine expects it:
    /// [`ehlo_io::Connection::deliver_tls`].
    ///
    /// # Errors
    ///
    /// Those of [`ehlo_io::Connection::deliver_tls`].
    pub fn deliver_tls<X, R, W>(&mut self, messages: X, with: &W) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        BlockingIo: ContentReader<R> + TlsHandshake<S, W, Tls = Tls<S>>,
    {
        block_on(self.0.deliver_tls(messages, with))
    }
}

/// A stream inside TLS.
///
/// ```
/// use ehlo_blocking::{Connector, Tls};
/// use std::io::Cursor;
///
/// let connector = Connector::trusting(ehlo_rustls::rustls::RootCertStore::empty(), "mx.example")?;
/// // What it reads is not TLS.
/// let stream = Cursor::new(b"220 mx.example ESMTP\r\n".to_vec());
/// assert!(Tls::handshake(stream, &connector).is_err());
/// # Ok::<(), ehlo_rustls::TlsError>(())
/// ```
#[derive(Debug)]
pub struct Tls<S> {
    /// The TLS connection of rustls.
    pub tls: rustls::Connection,
    /// The stream below it.
    pub stream: S,
}

impl<S: Read + Write> Tls<S> {
    /// Performs the handshake on a stream outside a connection; inside one, use
    /// [`TlsConnection::start_tls`].
    ///
    /// # Errors
    ///
    /// Those of [`TlsConnection::start_tls`].
    pub fn handshake<W>(stream: S, with: &W) -> io::Result<Self>
    where
        BlockingIo: TlsHandshake<S, W, Tls = Self>,
    {
        within(LIMIT, BlockingIo::handshake(stream, with))
    }

    async fn shaken(tls: rustls::Connection, stream: S) -> io::Result<Self> {
        let mut this = Self { tls, stream };
        poll_fn(|_| {
            let Self { tls, stream } = &mut this;
            let moved = ready!(attempt(|| tls.complete_io(&mut Few::new(stream))));
            if moved.is_err() {
                // The alert tells the peer the reason, if it can be sent.
                let _ = this.send();
            }
            let (tls, moved) = (&this.tls, moved?);
            Poll::Ready(match (tls.is_handshaking(), moved) {
                (false, _) => io::Result::Ok(()),
                // The stream accepts no bytes.
                (true, (0, 0)) => Err(io::ErrorKind::WriteZero.into()),
                (true, _) => return Poll::Pending,
            })
        })
        .await?;
        Ok(this)
    }

    /// Writes the bytes that TLS has buffered.
    fn send(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            if self.tls.write_tls(&mut self.stream)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

impl<S: Read + Write> TlsHandshake<S, Connector> for BlockingIo {
    type Tls = Tls<S>;

    async fn handshake(stream: S, with: &Connector) -> io::Result<Tls<S>> {
        let tls = ClientConnection::new(with.config().clone(), with.name().clone());
        Tls::shaken(tls.map_err(io::Error::other)?.into(), stream).await
    }
}

impl<S: Read + Write> TlsHandshake<S, Arc<ServerConfig>> for BlockingIo {
    type Tls = Tls<S>;

    async fn handshake(stream: S, with: &Arc<ServerConfig>) -> io::Result<Tls<S>> {
        let tls = ServerConnection::new(with.clone());
        Tls::shaken(tls.map_err(io::Error::other)?.into(), stream).await
    }
}

impl<S> TlsStreamInfo<S, Tls<S>> for BlockingIo {
    fn below(tls: &mut Tls<S>) -> &mut S {
        &mut tls.stream
    }

    fn tls_exporter(tls: &Tls<S>) -> Option<[u8; 32]> {
        match &tls.tls {
            rustls::Connection::Client(tls) => ehlo_rustls::tls_exporter(tls),
            rustls::Connection::Server(tls) => ehlo_rustls::tls_exporter(tls),
        }
    }
}

/// Reads without writing, so that a blocked write does not stop it.
impl<S: Read + Write> Read for Tls<S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut few = Few::new(&mut self.stream);
        loop {
            match self.tls.reader().read(space) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // RFC 8446 §6.1: an end of the stream without `close_notify` is an error.
                read => return read,
            }
            self.tls.read_tls(&mut few)?;
            if let Err(error) = self.tls.process_new_packets() {
                // The alert tells the peer the reason, if it can be sent.
                let _ = self.send();
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
    }
}

/// Sends the buffered bytes of TLS before it takes more, so the buffer stays bounded.
impl<S: Read + Write> Write for Tls<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send()?;
        let taken = self.tls.writer().write(bytes)?;
        // TLS has taken them; the next write returns an error of the stream.
        let _ = self.send();
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()?;
        self.stream.flush()
    }
}

/// A stream that returns `WouldBlock` after a few reads: rustls reads until it has a whole record,
/// which a slow peer can draw out.
struct Few<'s, S> {
    stream: &'s mut S,
    left: u32,
}

impl<'s, S> Few<'s, S> {
    const fn new(stream: &'s mut S) -> Self {
        Self { stream, left: 16 }
    }
}

impl<S: Read> Read for Few<'_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::WouldBlock)?;
        self.stream.read(space)
    }
}

impl<S: Write> Write for Few<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl<S: Read + Write + HalfClose> HalfClose for Tls<S> {
    /// With the `close_notify` of TLS, RFC 8446 §6.1.
    fn half_close(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        within(LINGER, poll_fn(|_| attempt(|| self.flush())))?;
        self.stream.half_close()
    }
}

impl<S: Read + Write + HalfClose> HalfClose for MaybeTls<S> {
    fn half_close(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.half_close(),
            Self::Tls(stream) => stream.half_close(),
            Self::Gone => Err(TlsStateError::HandshakeFailed.into()),
        }
    }
}

/// The limit of a handshake without a machine: that of a greeting, RFC 5321 §4.5.3.2.1.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// The limit on the time to write the end of TLS.
const LINGER: Duration = Duration::from_secs(2);
