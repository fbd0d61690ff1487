//! The upgrade to TLS, in both roles.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use ehlo::{Courier, Delivery, Ended, Machine, Messages, Step, Upgrade};
use rustls::ProtocolVersion;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

use crate::{Connection, HalfClose, attempt, done};

/// A stream in clear that may go on inside TLS.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_blocking::{Connection, MaybeTls};
///
/// # use std::io::Cursor;
/// # let stream = Cursor::new(Vec::new());
/// // In clear until `Event::StartTls` comes, and then `Connection::accept_tls`.
/// let mut connection = Connection::new(MaybeTls::Clear(stream), Server::new(ServerConfig::DEFAULT));
/// connection.next()?.answer.standard_reply("mx.example")?;
/// connection.flush()?;
/// let MaybeTls::Clear(stream) = connection.stream() else { panic!("it is in clear") };
/// assert_eq!(stream.get_ref(), b"220 mx.example ESMTP\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum MaybeTls<S> {
    /// The stream itself.
    Clear(S),
    /// TLS on the stream.
    Tls(Box<rustls::Connection>, S),
    /// Nothing: a handshake failed.
    Gone,
}

impl<S> MaybeTls<S> {
    /// The stream below TLS, or in clear; none when it is gone.
    pub const fn below(&mut self) -> Option<&mut S> {
        match self {
            Self::Clear(stream) | Self::Tls(_, stream) => Some(stream),
            Self::Gone => None,
        }
    }
}

impl<S: Read + Write> MaybeTls<S> {
    /// Shakes hands as the server.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub fn accept(stream: S, config: Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        shake_hands(tls.into(), stream, HANDSHAKE)
    }

    /// Shakes hands as the client; the certificate must be one for `name`.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub fn connect(
        stream: S,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        shake_hands(tls.into(), stream, HANDSHAKE)
    }
}

impl<S: Read + Write, M: Upgrade> Connection<MaybeTls<S>, M> {
    /// Goes on inside TLS as its server, when the machine says that TLS begins.
    ///
    /// # Errors
    ///
    /// Those of the handshake, and `InvalidData` when something was sent in clear that should have
    /// come inside TLS. The connection is of no use then.
    pub fn accept_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let stream = self.begin_tls()?;
        self.end_tls(MaybeTls::accept(stream, config)?)
    }

    /// Goes on inside TLS as its client, when the machine says that TLS begins. The certificate
    /// must be one for `name`.
    ///
    /// # Errors
    ///
    /// As [`accept_tls`](Self::accept_tls).
    pub fn connect_tls(
        &mut self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let stream = self.begin_tls()?;
        self.end_tls(MaybeTls::connect(stream, config, name)?)
    }

    /// The stream in clear, with nothing unread and nothing unsent.
    fn begin_tls(&mut self) -> io::Result<S> {
        self.flush()?;
        if !self.endpoint().unread().is_empty() {
            return Err(injected());
        }
        match std::mem::replace(self.stream(), MaybeTls::Gone) {
            MaybeTls::Clear(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn end_tls(&mut self, stream: MaybeTls<S>) -> io::Result<()> {
        *self.stream() = stream;
        self.endpoint().tls_established().map_err(|_| injected())
    }
}

impl<'v, S: Read + Write> Connection<MaybeTls<S>, Delivery<'v>> {
    /// The same as [`deliver`](Self::deliver), and goes on inside TLS when the machine says so: as
    /// [`connect_tls`](Self::connect_tls). A mechanism may be bound to the connection.
    ///
    /// # Errors
    ///
    /// As of [`deliver`](Self::deliver). A handshake that failed is none: [`Messages::trouble`] hears
    /// of it, and the session [ended early](Ended::Early).
    pub fn deliver_tls<X: Messages<'v, Content: Read>>(
        &mut self,
        messages: X,
        config: &Arc<ClientConfig>,
        name: &ServerName<'static>,
    ) -> io::Result<Ended> {
        let mut courier = Courier::new(messages, crate::content, crate::expiry);
        courier.bind(self.channel_binding());
        loop {
            if let Step::Closed(ended) = self.carry(&mut courier)? {
                return Ok(ended);
            }
            match self.connect_tls(config.clone(), name.clone()) {
                Ok(()) => courier.bind(self.channel_binding()),
                Err(error) => {
                    courier.messages().trouble(&error);
                    self.endpoint().machine_mut().tls_failed();
                }
            }
        }
    }
}

impl<S, M: Machine> Connection<MaybeTls<S>, M> {
    /// The channel binding `tls-exporter` of RFC 9266, inside TLS 1.3.
    pub fn channel_binding(&mut self) -> Option<[u8; 32]> {
        let MaybeTls::Tls(tls, _) = self.stream() else { return None };
        // RFC 9266 §4.2: in TLS 1.2 it says nothing without an extension that may be missing.
        tls.protocol_version().filter(|version| *version == ProtocolVersion::TLSv1_3)?;
        let (label, context) = (ehlo::sasl::TLS_EXPORTER, Some(&[][..]));
        tls.export_keying_material([0; 32], label, context).ok()
    }
}

impl<S: Read + Write> Read for MaybeTls<S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.with(|stream| stream.read(space))
    }
}

impl<S: Read + Write> Write for MaybeTls<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.with(|stream| stream.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|stream| stream.flush())
    }
}

impl<S: Read + Write> MaybeTls<S> {
    fn with<T>(&mut self, act: impl FnOnce(&mut dyn ReadWrite) -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Clear(stream) => act(stream),
            Self::Tls(tls, stream) => match &mut **tls {
                rustls::Connection::Client(tls) => act(&mut rustls::Stream::new(tls, stream)),
                rustls::Connection::Server(tls) => act(&mut rustls::Stream::new(tls, stream)),
            },
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

impl<S: Read + Write + HalfClose> HalfClose for MaybeTls<S> {
    /// With the `close_notify` of TLS, RFC 8446 §6.1.
    fn half_close(&mut self) -> io::Result<()> {
        if let Self::Tls(tls, _) = self {
            tls.send_close_notify();
            done(HANDSHAKE, |_| attempt(|| self.flush()))?;
        }
        match self {
            Self::Clear(stream) | Self::Tls(_, stream) => stream.half_close(),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

fn shake_hands<S: Read + Write>(
    mut tls: rustls::Connection,
    mut stream: S,
    limit: Duration,
) -> io::Result<MaybeTls<S>> {
    while tls.is_handshaking() {
        done(limit, |_| attempt(|| tls.complete_io(&mut stream)))?;
    }
    Ok(MaybeTls::Tls(Box::new(tls), stream))
}

fn injected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, ehlo::Injected)
}

/// For a handshake where there is no machine to say how long it may last: as for a greeting.
const HANDSHAKE: Duration = Duration::from_secs(5 * 60);
