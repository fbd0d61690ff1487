//! The upgrade to TLS, in both roles.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use ehlo::{Courier, Delivery, Ended, Machine, Messages, Step, Upgrade};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::ProtocolVersion;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::{Connection, expiry};

/// A stream in clear that may go on inside TLS.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_tokio::{Connection, MaybeTls};
///
/// # use tokio::io::AsyncReadExt;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let (mut client, stream) = tokio::io::duplex(64);
/// // In clear until `Event::StartTls` comes, and then `Connection::accept_tls`.
/// let mut connection = Connection::new(MaybeTls::Clear(stream), Server::new(ServerConfig::DEFAULT));
/// connection.next().await?.answer.standard_reply("mx.example")?;
/// connection.flush().await?;
/// let mut greeting = [0; 22];
/// client.read_exact(&mut greeting).await?;
/// assert_eq!(&greeting, b"220 mx.example ESMTP\r\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum MaybeTls<S> {
    /// The stream itself.
    Clear(S),
    /// TLS on the stream.
    Tls(Box<TlsStream<S>>),
    /// Nothing: a handshake failed, or was abandoned.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> MaybeTls<S> {
    /// Shakes hands as the server.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub async fn accept(stream: S, acceptor: &TlsAcceptor) -> io::Result<Self> {
        let stream = acceptor.accept(stream).await?;
        Ok(Self::Tls(Box::new(TlsStream::Server(stream))))
    }

    /// Shakes hands as the client; the certificate must be one for `name`.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub async fn connect(
        stream: S,
        connector: &TlsConnector,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let stream = connector.connect(name, stream).await?;
        Ok(Self::Tls(Box::new(TlsStream::Client(stream))))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, M: Upgrade> Connection<MaybeTls<S>, M> {
    /// Goes on inside TLS as its server, when the machine says that TLS begins.
    ///
    /// # Errors
    ///
    /// Those of the handshake, and `InvalidData` when something was sent in clear that should have
    /// come inside TLS. The connection is of no use then.
    pub async fn accept_tls(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        let stream = self.begin_tls().await?;
        let stream = MaybeTls::accept(stream, acceptor).await?;
        self.end_tls(stream)
    }

    /// Goes on inside TLS as its client, when the machine says that TLS begins. The certificate
    /// must be one for `name`.
    ///
    /// # Errors
    ///
    /// As [`accept_tls`](Self::accept_tls).
    pub async fn connect_tls(
        &mut self,
        connector: &TlsConnector,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let stream = self.begin_tls().await?;
        let stream = MaybeTls::connect(stream, connector, name).await?;
        self.end_tls(stream)
    }

    /// The stream in clear, with nothing unread and nothing unsent.
    async fn begin_tls(&mut self) -> io::Result<S> {
        self.flush().await?;
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

impl<'v, S: AsyncRead + AsyncWrite + Unpin> Connection<MaybeTls<S>, Delivery<'v>> {
    /// The same as [`deliver`](Self::deliver), and goes on inside TLS when the machine says so: as
    /// [`connect_tls`](Self::connect_tls). A mechanism may be bound to the connection.
    ///
    /// # Errors
    ///
    /// As of [`deliver`](Self::deliver). A handshake that failed is none: [`Messages::trouble`] hears
    /// of it, and the session [ended early](Ended::Early).
    pub async fn deliver_tls<X, F>(
        &mut self,
        messages: X,
        mut timer: impl FnMut(Duration) -> F,
        connector: &TlsConnector,
        name: ServerName<'static>,
    ) -> io::Result<Ended>
    where
        X: Messages<'v, Content: AsyncRead + Unpin>,
        F: Future<Output = ()>,
    {
        let mut courier = Courier::new(messages, crate::read, |limit| expiry(timer(limit)));
        courier.bind(self.channel_binding());
        loop {
            if let Step::Closed(ended) = self.carry(&mut courier).await? {
                return Ok(ended);
            }
            let limit = self.timeout();
            let upgraded = {
                let mut handshake = pin!(self.connect_tls(connector, name.clone()));
                poll_fn(|context| match handshake.as_mut().poll(context) {
                    Poll::Pending => courier.poll_expired(context, limit).map(Err),
                    done @ Poll::Ready(_) => done,
                })
                .await
            };
            match upgraded {
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
        let MaybeTls::Tls(stream) = self.stream() else { return None };
        // RFC 9266 §4.2: in TLS 1.2 it says nothing without an extension that may be missing.
        let version = stream.get_ref().1.protocol_version();
        version.filter(|version| *version == ProtocolVersion::TLSv1_3)?;
        let (label, context) = (ehlo::sasl::TLS_EXPORTER, Some(&[][..]));
        match &**stream {
            TlsStream::Client(tls) => {
                tls.get_ref().1.export_keying_material([0; 32], label, context)
            }
            TlsStream::Server(tls) => {
                tls.get_ref().1.export_keying_material([0; 32], label, context)
            }
        }
        .ok()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MaybeTls<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, space),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(context, space),
            Self::Gone => gone(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MaybeTls<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(context, octets),
            Self::Gone => gone(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
            Self::Gone => gone(),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
            Self::Gone => gone(),
        }
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

fn injected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, ehlo::Injected)
}
