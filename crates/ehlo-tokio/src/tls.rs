//! Streams that may go on inside TLS.

use std::io;
use std::sync::Arc;

use ehlo::{Exports, Handshake, OverTls};
pub use ehlo_rustls::Connector;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::Tokio;

/// A machine on a stream that may go on inside TLS: see [`ehlo::Connection`]. `start_tls`,
/// `implicit_tls` and `deliver_tls` take a [`Connector`] at the client's end and an
/// `Arc<rustls::ServerConfig>` at the server's.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_tokio::{MaybeTls, TlsConnection};
///
/// # use tokio::io::AsyncReadExt;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let (mut client, stream) = tokio::io::duplex(64);
/// // In clear until `Event::StartTls` comes, and then `start_tls`.
/// let mut connection = TlsConnection::new(MaybeTls::Clear(stream), Server::new(ServerConfig::DEFAULT));
/// connection.next().await?.answer.standard_reply("mx.example")?;
/// connection.flush().await?;
/// let mut greeting = [0; 22];
/// client.read_exact(&mut greeting).await?;
/// assert_eq!(&greeting, b"220 mx.example ESMTP\r\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type TlsConnection<S, M> = ehlo::Connection<MaybeTls<S>, M, OverTls<Tokio>>;

/// A stream in clear that may go on inside TLS.
pub type MaybeTls<S> = ehlo::MaybeTls<S, TlsStream<S>>;

impl<S: AsyncRead + AsyncWrite + Unpin> Handshake<S, Connector> for Tokio {
    type Tls = TlsStream<S>;

    async fn shake(stream: S, with: &Connector) -> io::Result<TlsStream<S>> {
        let connector = TlsConnector::from(with.config().clone());
        connector.connect(with.name().clone(), stream).await.map(TlsStream::Client)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Handshake<S, Arc<ServerConfig>> for Tokio {
    type Tls = TlsStream<S>;

    async fn shake(stream: S, with: &Arc<ServerConfig>) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(with.clone()).accept(stream).await.map(TlsStream::Server)
    }
}

impl<S> Exports<TlsStream<S>> for Tokio {
    fn tls_exporter(tls: &TlsStream<S>) -> Option<[u8; 32]> {
        match tls {
            TlsStream::Client(tls) => ehlo_rustls::tls_exporter(tls.get_ref().1),
            TlsStream::Server(tls) => ehlo_rustls::tls_exporter(tls.get_ref().1),
        }
    }
}
