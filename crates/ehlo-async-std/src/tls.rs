//! Streams that may begin TLS.

use std::io;
use std::sync::Arc;

use ehlo_io::{MaybeTlsIo, TlsHandshake, TlsStreamInfo};
use ehlo_rustls::{Connector, rustls::ServerConfig};
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::FuturesIo;

/// A machine on a stream that may begin TLS: see [`ehlo_io::Connection`]. `start_tls`,
/// `implicit_tls` and `deliver_tls` take a [`Connector`] at a client and an
/// `Arc<rustls::ServerConfig>`, for example from [`server_config`](ehlo_rustls::server_config), at
/// a server.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_async_std::{MaybeTls, TlsConnection};
///
/// # let stream = smol::io::Cursor::new(Vec::new());
/// # smol::block_on(async {
/// // In clear text until `Event::StartTls` comes, and then `start_tls`.
/// let server = Server::new(ServerConfig::DEFAULT);
/// let mut connection = TlsConnection::new(stream.into(), server, smol::Timer::after);
/// connection.next().await?.responder.standard_reply("mx.example")?;
/// connection.flush().await?;
/// let MaybeTls::Clear(stream) = connection.stream() else { panic!("inside TLS") };
/// assert_eq!(stream.get_ref(), b"220 mx.example ESMTP ready\r\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type TlsConnection<S, M, T> = ehlo_io::Connection<MaybeTls<S>, M, MaybeTlsIo<FuturesIo>, T>;

/// A stream in clear text that may begin TLS.
pub type MaybeTls<S> = ehlo_io::MaybeTls<S, TlsStream<S>>;

impl<S: AsyncRead + AsyncWrite + Unpin> TlsHandshake<S, Connector> for FuturesIo {
    type Tls = TlsStream<S>;

    async fn handshake(stream: S, with: &Connector) -> io::Result<TlsStream<S>> {
        let connector = TlsConnector::from(with.config().clone());
        connector.connect(with.name().clone(), stream).await.map(TlsStream::Client)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsHandshake<S, Arc<ServerConfig>> for FuturesIo {
    type Tls = TlsStream<S>;

    async fn handshake(stream: S, with: &Arc<ServerConfig>) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(with.clone()).accept(stream).await.map(TlsStream::Server)
    }
}

impl<S> TlsStreamInfo<S, TlsStream<S>> for FuturesIo {
    fn below(tls: &mut TlsStream<S>) -> &mut S {
        tls.get_mut().0
    }

    fn tls_exporter(tls: &TlsStream<S>) -> Option<[u8; 32]> {
        match tls {
            TlsStream::Client(tls) => ehlo_rustls::tls_exporter(tls.get_ref().1),
            TlsStream::Server(tls) => ehlo_rustls::tls_exporter(tls.get_ref().1),
        }
    }
}
