//! Streams that may go on inside TLS.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use ehlo::{Delivery, Ended, Exports, Handshake, Machine, Messages, OverTls, Upgrade};
pub use ehlo_rustls::Connector;
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use crate::{Blocked, Blocking, HalfClose, ReadFrom, attempt, block_on, elapsed, within};

/// A machine on a stream that may go on inside TLS.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_blocking::{MaybeTls, TlsConnection};
///
/// # use std::io::Cursor;
/// # let stream = Cursor::new(Vec::new());
/// // In clear until `Event::StartTls` comes, and then `start_tls`.
/// let mut connection = TlsConnection::new(MaybeTls::Clear(stream), Server::new(ServerConfig::DEFAULT));
/// connection.next()?.answer.standard_reply("mx.example")?;
/// connection.flush()?;
/// let MaybeTls::Clear(stream) = connection.stream() else { panic!("it is in clear") };
/// assert_eq!(stream.get_ref(), b"220 mx.example ESMTP\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type TlsConnection<S, M> = Blocked<MaybeTls<S>, M, OverTls<Blocking>>;

/// A stream in clear that may go on inside TLS.
pub type MaybeTls<S> = ehlo::MaybeTls<S, Tls<S>>;

impl<S: Read + Write, M: Upgrade> TlsConnection<S, M> {
    /// Goes on inside TLS, when the machine says that TLS begins: [`ehlo::Connection::start_tls`].
    /// `with` is a [`Connector`] at the client's end and an `Arc<ServerConfig>` at the server's.
    ///
    /// # Errors
    ///
    /// Those of the handshake, `TimedOut`, and `InvalidData` when something was sent in clear that
    /// should have come inside TLS. The connection is of no use then.
    pub fn start_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        Blocking: Handshake<S, W, Tls = Tls<S>>,
    {
        within(self.timeout(), self.0.start_tls(with))
    }

    /// Begins with TLS, before anything was read or written.
    ///
    /// # Errors
    ///
    /// As of [`start_tls`](Self::start_tls).
    pub fn implicit_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        Blocking: Handshake<S, W, Tls = Tls<S>>,
    {
        within(self.timeout(), self.0.implicit_tls(with))
    }
}

impl<S, M: Machine> TlsConnection<S, M> {
    /// The channel binding `tls-exporter` of RFC 9266, inside TLS 1.3.
    pub fn channel_binding(&mut self) -> Option<[u8; 32]> {
        self.0.channel_binding()
    }
}

impl<'v, S: Read + Write> TlsConnection<S, Delivery<'v>> {
    /// The same as [`deliver`](Self::deliver), and goes on inside TLS when the machine says so:
    /// [`ehlo::Connection::deliver_tls`].
    ///
    /// # Errors
    ///
    /// As of [`deliver`](Self::deliver). A handshake that failed is none: [`Messages::trouble`] hears
    /// of it, and the session [ended early](Ended::Early).
    pub fn deliver_tls<X, W>(&mut self, messages: X, with: &W) -> io::Result<Ended>
    where
        X: Messages<'v>,
        Blocking: ReadFrom<X::Content> + Handshake<S, W, Tls = Tls<S>>,
    {
        block_on(self.0.deliver_tls(messages, elapsed, with))
    }
}

/// TLS on a stream.
///
/// ```
/// use ehlo_blocking::{Connector, Tls};
/// use std::io::Cursor;
///
/// let connector = Connector::trusting(ehlo_rustls::rustls::RootCertStore::empty(), "mx.example")?;
/// // This is no server of TLS.
/// let stream = Cursor::new(b"220 mx.example ESMTP\r\n".to_vec());
/// assert!(Tls::shake(stream, &connector).is_err());
/// # Ok::<(), ehlo_rustls::TlsError>(())
/// ```
#[derive(Debug)]
pub struct Tls<S> {
    /// TLS itself.
    pub tls: rustls::Connection,
    /// The stream below it.
    pub stream: S,
}

impl<S: Read + Write> Tls<S> {
    /// Shakes hands over a stream of which no connection has been made, as that of
    /// [`TlsConnection::start_tls`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn shake<W>(stream: S, with: &W) -> io::Result<Self>
    where
        Blocking: Handshake<S, W, Tls = Self>,
    {
        within(LIMIT, Blocking::shake(stream, with))
    }

    async fn shaken(tls: rustls::Connection, stream: S) -> io::Result<Self> {
        let mut this = Self { tls, stream };
        while this.tls.is_handshaking() {
            poll_fn(|_| attempt(|| this.tls.complete_io(&mut this.stream))).await?;
        }
        Ok(this)
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut dyn ReadWrite) -> T) -> T {
        match &mut self.tls {
            rustls::Connection::Client(tls) => act(&mut rustls::Stream::new(tls, &mut self.stream)),
            rustls::Connection::Server(tls) => act(&mut rustls::Stream::new(tls, &mut self.stream)),
        }
    }
}

impl<S: Read + Write> Handshake<S, Connector> for Blocking {
    type Tls = Tls<S>;

    async fn shake(stream: S, with: &Connector) -> io::Result<Tls<S>> {
        let tls = ClientConnection::new(with.config().clone(), with.name().clone());
        Tls::shaken(tls.map_err(io::Error::other)?.into(), stream).await
    }
}

impl<S: Read + Write> Handshake<S, Arc<ServerConfig>> for Blocking {
    type Tls = Tls<S>;

    async fn shake(stream: S, with: &Arc<ServerConfig>) -> io::Result<Tls<S>> {
        let tls = ServerConnection::new(with.clone());
        Tls::shaken(tls.map_err(io::Error::other)?.into(), stream).await
    }
}

impl<S> Exports<Tls<S>> for Blocking {
    fn tls_exporter(tls: &Tls<S>) -> Option<[u8; 32]> {
        match &tls.tls {
            rustls::Connection::Client(tls) => ehlo_rustls::tls_exporter(tls),
            rustls::Connection::Server(tls) => ehlo_rustls::tls_exporter(tls),
        }
    }
}

impl<S: Read + Write> Read for Tls<S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.with(|stream| stream.read(space))
    }
}

impl<S: Read + Write> Write for Tls<S> {
    /// Gives way while TLS holds as much as it may that the peer does not read; rustls then takes
    /// nothing, without an error.
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.with(|stream| stream.write(octets))? {
            0 if !octets.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            written => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|stream| stream.flush())
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

impl<S: Read + Write + HalfClose> HalfClose for Tls<S> {
    /// With the `close_notify` of TLS, RFC 8446 §6.1.
    fn half_close(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        within(LIMIT, poll_fn(|_| attempt(|| self.flush())))?;
        self.stream.half_close()
    }
}

impl<S: Read + Write + HalfClose> HalfClose for MaybeTls<S> {
    fn half_close(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.half_close(),
            Self::Tls(stream) => stream.half_close(),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// How long TLS alone may take, where there is no machine to say so: as a greeting, RFC 5321
/// §4.5.3.2.1.
const LIMIT: Duration = Duration::from_secs(5 * 60);
